"""Alembic asks here how to connect; ``gateway.store.migrate`` gives it an open connection."""

from alembic import context

from gateway.store.schema import whole

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=whole(),
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
