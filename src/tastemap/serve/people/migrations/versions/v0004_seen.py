"""What a person has seen without rating it."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column."""
    # It tells an item that was only seen from a rating that was taken back: neither has a rating.
    seen = sa.Column("seen", sa.Boolean, nullable=False, server_default=sa.false())
    op.add_column("ratings", seen)


def downgrade() -> None:
    """Take it away, with the rows that say nothing else."""
    op.execute("DELETE FROM ratings WHERE seen AND rating IS NULL")
    op.drop_column("ratings", "seen")
