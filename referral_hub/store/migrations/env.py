"""Runs the migrations on the connection that ``referral_hub.store.migrate`` opened."""

from alembic import context

from referral_hub.store.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
