"""Runs the migrations on the connection that `store.database` hands over, inside its transaction."""

from alembic import context

from store import tables

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=tables.Job.metadata, render_as_batch=True)
context.run_migrations()
