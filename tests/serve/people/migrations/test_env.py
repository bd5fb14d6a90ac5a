"""What Alembic runs: the missing versions, in the transaction that it is given."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from tastemap.serve.people.database import MIGRATIONS


def test_versions_run_in_the_transaction_that_is_given(tmp_path: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'ratings.db'}")

    def upgrade() -> None:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            raise RuntimeError("the power is cut")

    with pytest.raises(RuntimeError):
        upgrade()
    # Python's driver for SQLite keeps tables, and rolls rows back: the version is not entered.
    with engine.connect() as connection:
        names = set(sa.inspect(connection).get_table_names())
        entered = (
            "alembic_version" in names
            and connection.execute(sa.text("SELECT count(*) FROM alembic_version")).scalar_one()
        )
    assert not entered
    engine.dispose()
