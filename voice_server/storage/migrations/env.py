"""Alembic's entry: runs the steps on the connection that :mod:`..database` gives it."""

from __future__ import annotations

from alembic import context

from voice_server.storage.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    # SQLite cannot alter a column: Alembic makes the table anew.
    render_as_batch=connection.dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
