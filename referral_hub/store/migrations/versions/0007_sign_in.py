"""Adds what people who let software act for them need: approvals, codes, refresh tokens, requests, launches.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

from referral_hub.store.columns import BLOB, INTEGER, TEXT

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Creates the tables and their indexes."""
    op.create_table(
        "oauth_app",
        sa.Column("client_id", TEXT, primary_key=True, nullable=False),
        _text("launch_url"),
        _number("require_par"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "oauth_approval",
        sa.Column("account", TEXT, primary_key=True, nullable=False),
        sa.Column("oauth_client", TEXT, primary_key=True, nullable=False),
        _text("scope"),
        _number("approved_us"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "oauth_family",
        sa.Column("family", TEXT, primary_key=True, nullable=False),
        *_texts("oauth_client", "organization", "account", "context"),
        sa.Column("person", INTEGER, nullable=True),
        *_texts("patient", "scope", "purpose", "role", "fhir_user", "task"),
        *_numbers("very_restricted", "auth_us"),
        *_texts("acr", "amr", "lasting", "jkt"),
        *_numbers("created_us", "used_us", "ends_us", "revoked"),
    )
    _digested(
        "oauth_code", *_texts("family", "redirect_uri", "challenge", "nonce"), *_numbers("expires_us", "used")
    )
    _digested("oauth_refresh", _text("family"), *_numbers("issued_us", "expires_us", "used"))
    _digested("oauth_pushed", *_texts("oauth_client", "request"), _number("expires_us"))
    _digested(
        "oauth_launch",
        *_texts("oauth_client", "account", "organization"),
        sa.Column("person", INTEGER, nullable=True),
        *_texts("patient", "task"),
        _number("expires_us"),
    )
    op.create_index("oauth_family_account", "oauth_family", ["account", "oauth_client"])
    op.create_index("oauth_family_client", "oauth_family", ["oauth_client"])
    op.create_index("oauth_family_ends", "oauth_family", ["ends_us"])
    for table in ("oauth_code", "oauth_refresh", "oauth_pushed", "oauth_launch"):
        op.create_index(f"{table}_expires", table, ["expires_us"])
    named = sa.text("person IS NOT NULL")
    for table in ("oauth_family", "oauth_launch"):
        op.create_index(f"{table}_person", table, ["person"], sqlite_where=named, postgresql_where=named)


def _digested(name: str, *columns: "sa.Column[str] | sa.Column[int]") -> None:
    key = sa.Column("digest", BLOB, primary_key=True, nullable=False)
    op.create_table(name, key, *columns, sqlite_with_rowid=False)


def _text(name: str) -> "sa.Column[str]":
    return sa.Column(name, TEXT, nullable=False)


def _number(name: str) -> "sa.Column[int]":
    return sa.Column(name, INTEGER, nullable=False)


def _texts(*names: str) -> "list[sa.Column[str]]":
    return [_text(name) for name in names]


def _numbers(*names: str) -> "list[sa.Column[int]]":
    return [_number(name) for name in names]
