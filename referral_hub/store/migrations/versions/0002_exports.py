"""Adds the tables of Bulk Data exports.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

from referral_hub.store.columns import BLOB, INTEGER, TEXT

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Creates the tables and their indexes."""
    op.create_table(
        "export_job",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        *(
            sa.Column(name, TEXT, nullable=False)
            for name in ("organization", "oauth_client", "user_id", "role", "purpose", "scope")
        ),
        sa.Column("very_restricted", INTEGER, nullable=False),
        sa.Column("asked_format", INTEGER, nullable=False),
        sa.Column("asked", BLOB, nullable=False),
        sa.Column("position", TEXT, nullable=False),
        sa.Column("state", INTEGER, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        *(
            sa.Column(name, INTEGER, nullable=False)
            for name in ("files", "created_us", "ended_us", "attempts")
        ),
        sa.Column("lease", TEXT, nullable=False),
        sa.Column("lease_until_us", INTEGER, nullable=False),
    )
    running = sa.text("state = 0")
    op.create_index(
        "export_job_open", "export_job", ["created_us"], sqlite_where=running, postgresql_where=running
    )
    op.create_index("export_job_client", "export_job", ["oauth_client"])
    op.create_table(
        "export_entry",
        sa.Column("job", TEXT, primary_key=True, nullable=False),
        sa.Column("resource", INTEGER, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("type", TEXT, nullable=False),
        sa.Column("file", INTEGER, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("export_entry_file", "export_entry", ["job", "file"])
