"""What interactions need: the order of rows, the kind of a store, and the ids of events."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add two columns and a table."""
    # When a row was written, in nanoseconds: the order of rows of one second.
    written = sa.Column("written", sa.BigInteger, nullable=False, server_default="0")
    op.add_column("ratings", written)
    kind = sa.Column("kind", sa.Text, nullable=False, server_default="")
    op.add_column("store", kind)
    op.execute("UPDATE store SET kind = 'ratings' WHERE EXISTS (SELECT 1 FROM ratings)")
    text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "events",
        sa.Column("number", number, sa.ForeignKey("persons.number"), primary_key=True),
        sa.Column("event", text, primary_key=True),
        sa.Column("written", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Take them away."""
    op.drop_table("events")
    op.drop_column("store", "kind")
    op.drop_column("ratings", "written")
