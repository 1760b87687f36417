"""What Alembic runs to migrate: on the connection, and in the transaction, that the caller began."""

from __future__ import annotations

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table=context.config.attributes["version_table"],
    # SQLite's DDL is transactional where the transaction was begun by hand, as ours are.
    transactional_ddl=True,
)
context.run_migrations()
