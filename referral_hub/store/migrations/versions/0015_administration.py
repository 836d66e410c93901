"""Adds who handed out an account's one-time password, and since when a message waits.

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

from referral_hub.store.columns import INTEGER, TEXT

revision = "0015"
down_revision = "0014"

_DEAD = sa.text("state = 2")


def upgrade() -> None:
    """Adds both columns; for what waits already, the time it may next be sent stands for the time it came."""
    op.add_column("account", sa.Column("given_by", TEXT, nullable=False, server_default=""))
    op.add_column("outbox", sa.Column("queued_us", INTEGER, nullable=False, server_default="0"))
    op.create_index("outbox_dead", "outbox", ["sequence"], sqlite_where=_DEAD, postgresql_where=_DEAD)
    op.execute("UPDATE outbox SET queued_us = not_before_us")
