"""Adds accounts of people, their browser sessions, and what they sign in with.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

from referral_hub.store.columns import BLOB, INTEGER, TEXT

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Creates the tables and their indexes."""
    op.create_table(
        "account",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        *_numbers("version"),
        *_texts("organization", "kind", "role", "practitioner"),
        sa.Column("person", INTEGER, nullable=True),
        *_texts("patient", "state", "password_hash"),
        *_numbers("password_us", "one_time", "one_time_until_us", "trained_until_us"),
        *_texts("authorised_by"),
        *_numbers("on_call_from_us", "on_call_until_us", "unlocked_until_us"),
        *_numbers("my_set_up_us", "created_us", "removed_us"),
        *_texts("login_digest"),
        *_blobs("login"),
        *_texts("code_digest"),
    )
    _index("account_login", "account", "login_digest", unique=True, where="login_digest != ''")
    _index("account_code", "account", "code_digest", unique=True, where="code_digest != ''")
    _index("account_organization", "account", "organization")
    _index("account_person", "account", "person", where="person IS NOT NULL")
    op.create_table(
        "account_factor",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        *_texts("account", "kind"),
        *_blobs("handle", "secret"),
        *_numbers("counter"),
        *_blobs("label"),
        *_numbers("created_us", "used_us"),
    )
    _index("account_factor_handle", "account_factor", "kind", "handle", unique=True)
    _index("account_factor_account", "account_factor", "account")
    op.create_table(
        "browser_session",
        sa.Column("digest", BLOB, primary_key=True, nullable=False),
        *_texts("account"),
        *_numbers("created_us", "signed_in_us", "confirmed_us", "seen_us", "idle_us", "ends_us"),
        *_texts("methods", "device"),
        sqlite_with_rowid=False,
    )
    _index("browser_session_account", "browser_session", "account")
    _index("browser_session_ends", "browser_session", "ends_us")
    op.create_table(
        "known_device",
        sa.Column("digest", BLOB, primary_key=True, nullable=False),
        sa.Column("account", TEXT, primary_key=True, nullable=False),
        *_numbers("created_us", "used_us", "expires_us"),
        sqlite_with_rowid=False,
    )
    _index("known_device_account", "known_device", "account")
    _index("known_device_expires", "known_device", "expires_us")
    op.create_table(
        "sign_in_ticket",
        sa.Column("digest", BLOB, primary_key=True, nullable=False),
        *_numbers("expires_us"),
        sqlite_with_rowid=False,
    )
    _index("sign_in_ticket_expires", "sign_in_ticket", "expires_us")
    op.create_table(
        "sign_in_attempts",
        sa.Column("key", TEXT, primary_key=True, nullable=False),
        *_numbers("failures", "last_us", "next_us"),
        sqlite_with_rowid=False,
    )
    _index("sign_in_attempts_last", "sign_in_attempts", "last_us")
    op.create_table(
        "identity_provider",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        *_texts("organization", "issuer", "client_id"),
        *_blobs("secret"),
        *_texts("name", "origin"),
        *_numbers("active"),
    )
    _index("identity_provider_organization", "identity_provider", "organization")
    op.create_table(
        "account_identity",
        sa.Column("provider", TEXT, primary_key=True, nullable=False),
        sa.Column("subject", TEXT, primary_key=True, nullable=False),
        *_texts("account"),
        *_numbers("created_us"),
        sqlite_with_rowid=False,
    )
    _index("account_identity_account", "account_identity", "account")


def _texts(*names: str) -> "list[sa.Column[str]]":
    return [sa.Column(name, TEXT, nullable=False) for name in names]


def _numbers(*names: str) -> "list[sa.Column[int]]":
    return [sa.Column(name, INTEGER, nullable=False) for name in names]


def _blobs(*names: str) -> "list[sa.Column[bytes]]":
    return [sa.Column(name, BLOB, nullable=False) for name in names]


def _index(name: str, table: str, *columns: str, unique: bool = False, where: str = "") -> None:
    condition = sa.text(where) if where else None
    op.create_index(
        name, table, list(columns), unique=unique, sqlite_where=condition, postgresql_where=condition
    )
