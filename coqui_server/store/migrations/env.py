"""Alembic's entry: runs the migrations on the connection it is given."""

from alembic import context

from coqui_server.store.tables import Table

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Table.metadata
)
with context.begin_transaction():
    context.run_migrations()
