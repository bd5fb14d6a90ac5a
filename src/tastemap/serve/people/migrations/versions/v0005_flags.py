"""What a person says of an item without rating it: seen, later, unwanted, unseen."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Put a column of flags in the place of the one that said whether an item was seen."""
    op.add_column("ratings", sa.Column("flag", sa.Text))
    op.execute("UPDATE ratings SET flag = 'seen' WHERE seen AND rating IS NULL")
    op.drop_column("ratings", "seen")


def downgrade() -> None:
    """Keep what was seen, and take away the rows that say anything else without a rating."""
    op.execute("DELETE FROM ratings WHERE flag IS NOT NULL AND flag <> 'seen'")
    seen = sa.Column("seen", sa.Boolean, nullable=False, server_default=sa.false())
    op.add_column("ratings", seen)
    op.execute("UPDATE ratings SET seen = true WHERE flag = 'seen'")
    op.drop_column("ratings", "flag")
