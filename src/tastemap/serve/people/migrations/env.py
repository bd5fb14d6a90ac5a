"""What Alembic runs to bring a store to the newest schema, on a connection that it is given."""

from alembic import context


def migrate() -> None:
    """Run the versions that are missing, in the transaction of the connection."""
    context.configure(connection=context.config.attributes["connection"])
    context.run_migrations()


if __name__ == "env_py":  # the name Alembic gives it; anybody else only imports it
    migrate()
