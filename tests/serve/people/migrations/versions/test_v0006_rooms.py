"""Rooms come into a store, and go again."""

from pathlib import Path

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from tastemap.serve.people.migrations.versions import v0006_rooms as version
from tastemap.serve.people.rooms import Rooms
from tastemap.serve.people.store import Store


def test_a_store_without_rooms_is_what_it_was(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ratings.db'}"
    store = Store(url)
    store.rate("page:ann", {"1": 4.0})
    Rooms(store).open("page:ann", "Ann")
    store.close()
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        context = MigrationContext.configure(connection)
        with Operations.context(context):
            version.downgrade()
            assert not {"rooms", "room_members"} & set(sa.inspect(connection).get_table_names())
            version.upgrade()
    store = Store(url)
    rooms = Rooms(store)
    assert rooms.room(rooms.open("page:ann", "Ann")).members[0].name == "Ann"
    assert len(store.profile("page:ann").ratings) == 1
    store.close()
