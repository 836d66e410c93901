"""Adds the tables of Subscriptions.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

from referral_hub.store.columns import INTEGER, TEXT

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Creates the tables and their indexes."""
    op.create_table(
        "subscription",
        sa.Column("resource", INTEGER, primary_key=True, autoincrement=False, nullable=False),
        *_texts("id", "organization", "oauth_client", "user_id", "role", "purpose", "scope"),
        *_numbers("very_restricted"),
        *_texts("topic"),
        *_numbers("state", "generation", "last_number", "told_us", "next_us", "failures"),
        *_texts("lease"),
        *_numbers("lease_until_us"),
    )
    _index("subscription_next", "subscription", "next_us", where="state < 2")
    _index("subscription_topic", "subscription", "topic")
    _index("subscription_organization", "subscription", "organization")
    op.create_table(
        "feed",
        sa.Column("id", INTEGER, sa.Identity(always=False), primary_key=True, nullable=False),
        *_texts("type"),
        *_numbers("resource", "number", "at_us"),
        *_texts("lease"),
        *_numbers("lease_until_us"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "subscription_event",
        sa.Column("id", INTEGER, sa.Identity(always=False), primary_key=True, nullable=False),
        *_numbers("subscription", "resource", "version", "at_us"),
        sa.Column("number", INTEGER, nullable=True),
        *_numbers("state"),
        sqlite_autoincrement=True,
    )
    _index(
        "subscription_event_once", "subscription_event", "subscription", "resource", "version", unique=True
    )
    _index("subscription_event_waiting", "subscription_event", "subscription", "id", where="state = 0")
    _index(
        "subscription_event_number",
        "subscription_event",
        "subscription",
        "number",
        where="number IS NOT NULL",
    )


def _texts(*names: str) -> "list[sa.Column[str]]":
    return [sa.Column(name, TEXT, nullable=False) for name in names]


def _numbers(*names: str) -> "list[sa.Column[int]]":
    return [sa.Column(name, INTEGER, nullable=False) for name in names]


def _index(name: str, table: str, *columns: str, unique: bool = False, where: str = "") -> None:
    condition = sa.text(where) if where else None
    op.create_index(
        name, table, list(columns), unique=unique, sqlite_where=condition, postgresql_where=condition
    )
