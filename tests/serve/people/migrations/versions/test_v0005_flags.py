"""The fifth version of the schema: what people say of items without a rating."""

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from tastemap.serve.people.migrations.versions import (
    v0001_persons_and_ratings,
    v0002_identity,
    v0003_interactions,
    v0004_seen,
)
from tastemap.serve.people.migrations.versions import v0005_flags as version


def test_what_was_seen_stays_so_there_and_back() -> None:
    engine = sa.create_engine("sqlite://")
    with (
        engine.begin() as connection,
        Operations.context(MigrationContext.configure(connection)),
    ):
        olds = (v0001_persons_and_ratings, v0002_identity, v0003_interactions, v0004_seen)
        for before in olds:
            before.upgrade()
        connection.execute(sa.text("INSERT INTO persons VALUES (1, 'ann', 0, 5)"))
        for item, rating, seen in (("7", 4.0, 0), ("8", None, 0), ("9", None, 1)):
            row = sa.text("INSERT INTO ratings VALUES (1, :item, :rating, 5, 0, :seen)")
            connection.execute(row, {"item": item, "rating": rating, "seen": seen})
        version.upgrade()
        connection.execute(sa.text("INSERT INTO ratings VALUES (1, '95', NULL, 5, 0, 'later')"))
        flags = sa.text("SELECT item, flag FROM ratings ORDER BY item")
        assert connection.execute(flags).all() == [
            *(("7", None), ("8", None), ("9", "seen"), ("95", "later"))
        ]
        version.downgrade()
        left = sa.text("SELECT item, seen FROM ratings ORDER BY item")
        assert connection.execute(left).all() == [("7", 0), ("8", 0), ("9", 1)]
    engine.dispose()
