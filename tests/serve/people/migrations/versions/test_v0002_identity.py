"""The second version of the schema: the identity of a store."""

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from tastemap.serve.people.migrations.versions import v0002_identity as version


def test_each_store_gets_an_identity_of_its_own() -> None:
    identities = set()
    for _ in range(2):
        engine = sa.create_engine("sqlite://")
        with (
            engine.begin() as connection,
            Operations.context(MigrationContext.configure(connection)),
        ):
            version.upgrade()
            ((identity, checked),) = connection.execute(sa.text("SELECT * FROM store")).all()
            version.downgrade()
            assert sa.inspect(connection).get_table_names() == []
        identities.add(identity)
        assert (len(identity), checked) == (32, 0)
        engine.dispose()
    assert len(identities) == 2
