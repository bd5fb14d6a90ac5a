"""The first version of the schema."""

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from tastemap.serve.people.migrations.versions import v0001_persons_and_ratings as version


def test_two_tables_are_made_and_taken_away() -> None:
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        version.upgrade()
        found = sa.inspect(connection)
        columns = {
            table: [c["name"] for c in found.get_columns(table)]
            for table in found.get_table_names()
        }
        version.downgrade()
        assert sa.inspect(connection).get_table_names() == []
    assert columns == {
        "persons": ["number", "person", "forgotten", "moment"],
        "ratings": ["number", "item", "rating", "moment"],
    }
    engine.dispose()
