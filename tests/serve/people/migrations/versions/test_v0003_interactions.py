"""The third version of the schema: what interactions need."""

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from tastemap.serve.people.migrations.versions import (
    v0001_persons_and_ratings,
    v0002_identity,
)
from tastemap.serve.people.migrations.versions import v0003_interactions as version


def columns_of(connection: sa.Connection) -> dict[str, list[str]]:
    found = sa.inspect(connection)
    return {
        table: [column["name"] for column in found.get_columns(table)]
        for table in found.get_table_names()
    }


def test_a_store_with_ratings_is_one_for_ratings_and_an_empty_one_is_open() -> None:
    kinds = []
    for is_used in (False, True):
        engine = sa.create_engine("sqlite://")
        with (
            engine.begin() as connection,
            Operations.context(MigrationContext.configure(connection)),
        ):
            v0001_persons_and_ratings.upgrade()
            v0002_identity.upgrade()
            before = columns_of(connection)
            if is_used:
                for row in ("persons VALUES (1, 'ann', 0, 5)", "ratings VALUES (1, '7', 4.0, 5)"):
                    connection.execute(sa.text(f"INSERT INTO {row}"))
            version.upgrade()
            kinds.append(connection.execute(sa.text("SELECT kind FROM store")).scalar_one())
            assert columns_of(connection)["events"] == ["number", "event", "written"]
            version.downgrade()
            assert columns_of(connection) == before
        engine.dispose()
    assert kinds == ["", "ratings"]
