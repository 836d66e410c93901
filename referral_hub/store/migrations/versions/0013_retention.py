"""Adds what is left of audit rows whose time was over, and the signed removals that took them.

The index of the desk loses ``type = 'Task'``: with it SQLite prepared every statement about a type anew each time.

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

from referral_hub.store.columns import BLOB, INTEGER, TEXT

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Creates the tables, and the index of the desk anew."""
    few = sa.text("kind != ''")
    op.drop_index("resource_desk", "resource")
    op.create_index(
        "resource_desk",
        "resource",
        ["kind", "author", "owner", "status"],
        sqlite_where=few,
        postgresql_where=few,
    )
    op.create_table(
        "audit_gone",
        sa.Column("seq", INTEGER, primary_key=True, autoincrement=False),
        sa.Column("removal", INTEGER, nullable=False),
        sa.Column("digest", BLOB, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "audit_removal",
        sa.Column("id", INTEGER, primary_key=True, autoincrement=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("at_us", INTEGER, nullable=False),
        sa.Column("before_us", INTEGER, nullable=False),
        sa.Column("reached", INTEGER, nullable=False),
        sa.Column("count", INTEGER, nullable=False),
        sa.Column("digest", BLOB, nullable=False),
        sa.Column("signature", BLOB, nullable=False),
    )
