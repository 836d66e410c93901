"""Adds which account works with which person.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

from referral_hub.store.columns import INTEGER, TEXT

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Creates the table and its index."""
    op.create_table(
        "case_assignment",
        sa.Column("account", TEXT, primary_key=True, nullable=False),
        sa.Column("person", INTEGER, primary_key=True, autoincrement=False, nullable=False),
        *(sa.Column(name, TEXT, nullable=False) for name in ("organization", "state")),
        sa.Column("version", INTEGER, nullable=False),
        sa.Column("asked_by", TEXT, nullable=False),
        sa.Column("asked_us", INTEGER, nullable=False),
        sa.Column("confirmed_by", TEXT, nullable=False),
        sa.Column("changed_us", INTEGER, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("case_assignment_person", "case_assignment", ["person"])
