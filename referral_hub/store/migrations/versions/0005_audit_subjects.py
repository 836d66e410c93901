"""Adds the table that finds, by person, audit rows about several persons.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

from referral_hub.store.columns import INTEGER

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Creates the table."""
    op.create_table(
        "audit_subject",
        sa.Column("person", INTEGER, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("audit", INTEGER, primary_key=True, autoincrement=False, nullable=False),
        sqlite_with_rowid=False,
    )
