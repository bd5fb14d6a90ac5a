"""The fourth version of the schema: what was seen without a rating."""

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from tastemap.serve.people.migrations.versions import (
    v0001_persons_and_ratings,
    v0002_identity,
    v0003_interactions,
)
from tastemap.serve.people.migrations.versions import v0004_seen as version


def test_old_rows_say_nothing_of_what_was_seen_and_new_ones_go_with_the_column() -> None:
    engine = sa.create_engine("sqlite://")
    with (
        engine.begin() as connection,
        Operations.context(MigrationContext.configure(connection)),
    ):
        for before in (v0001_persons_and_ratings, v0002_identity, v0003_interactions):
            before.upgrade()
        connection.execute(sa.text("INSERT INTO persons VALUES (1, 'ann', 0, 5)"))
        connection.execute(sa.text("INSERT INTO ratings VALUES (1, '7', 4.0, 5, 0)"))
        connection.execute(sa.text("INSERT INTO ratings VALUES (1, '8', NULL, 5, 0)"))
        version.upgrade()
        connection.execute(sa.text("INSERT INTO ratings VALUES (1, '9', NULL, 5, 0, 1)"))
        items = sa.text("SELECT item, seen FROM ratings ORDER BY item")
        assert connection.execute(items).all() == [("7", 0), ("8", 0), ("9", 1)]
        version.downgrade()
        left = connection.execute(sa.text("SELECT item FROM ratings ORDER BY item")).all()
        assert left == [("7",), ("8",)]
    engine.dispose()
