"""Adds to tokens who signed in, the person they are about, and what they are bound to.

The table is made anew. A token lives five minutes: software that held one is answered 401 and fetches another.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

from referral_hub.store.columns import BLOB, INTEGER, TEXT

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Makes the table and its indexes anew."""
    op.drop_table("oauth_token")
    op.create_table(
        "oauth_token",
        sa.Column("digest", BLOB, primary_key=True, nullable=False),
        *_numbers("version"),
        *_texts("oauth_client", "organization", "scope", "purpose", "role", "user_id"),
        *_numbers("issued_us", "expires_us", "revoked", "very_restricted"),
        *_texts("context", "account"),
        sa.Column("person", INTEGER, nullable=True),
        *_texts("patient", "binding", "jkt", "family"),
        sqlite_with_rowid=False,
    )
    _index("oauth_token_client", "oauth_client")
    _index("oauth_token_expires", "expires_us")
    _index("oauth_token_account", "account", "account != ''")
    _index("oauth_token_person", "person", "person IS NOT NULL")
    _index("oauth_token_family", "family", "family != ''")


def _texts(*names: str) -> "list[sa.Column[str]]":
    return [sa.Column(name, TEXT, nullable=False) for name in names]


def _numbers(*names: str) -> "list[sa.Column[int]]":
    return [sa.Column(name, INTEGER, nullable=False) for name in names]


def _index(name: str, column: str, where: str = "") -> None:
    condition = sa.text(where) if where else None
    op.create_index(name, "oauth_token", [column], sqlite_where=condition, postgresql_where=condition)
