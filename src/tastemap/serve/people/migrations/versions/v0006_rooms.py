"""Rooms of people who look for something together."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add two tables."""
    op.create_table(
        "rooms",
        sa.Column("address", sa.Text, primary_key=True),
        sa.Column("moment", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "room_members",
        sa.Column("address", sa.Text, primary_key=True),
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("written", sa.BigInteger, nullable=False),
    )
    op.create_index("room_members_by_person", "room_members", ["person"])


def downgrade() -> None:
    """Take them away."""
    op.drop_table("room_members")
    op.drop_table("rooms")
