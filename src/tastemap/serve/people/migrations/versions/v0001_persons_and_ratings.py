"""Persons and their ratings."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the two tables."""
    # PostgreSQL sorts and compares text by the language of the database unless told not to.
    text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "persons",
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("person", text, nullable=False, unique=True),
        sa.Column("forgotten", sa.Boolean, nullable=False),
        sa.Column("moment", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "ratings",
        sa.Column("number", number, sa.ForeignKey("persons.number"), primary_key=True),
        sa.Column("item", text, primary_key=True),
        sa.Column("rating", sa.Double, nullable=True),
        sa.Column("moment", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Take them away."""
    op.drop_table("ratings")
    op.drop_table("persons")
