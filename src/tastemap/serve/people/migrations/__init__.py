"""The versions of the store's schema, for Alembic."""
