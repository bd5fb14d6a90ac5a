"""An identity of the store, so that a model can say from which store it has a rating."""

import uuid

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make a table of one row."""
    table = op.create_table(
        "store",
        sa.Column("identity", sa.Text, primary_key=True),
        # What a server writes to learn whether writing works again.
        sa.Column("checked", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(table, [{"identity": uuid.uuid4().hex, "checked": 0}])


def downgrade() -> None:
    """Take it away."""
    op.drop_table("store")
