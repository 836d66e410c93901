"""Adds the index by which Tasks of the desk and recalls are counted; they themselves are resources like others.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Creates the index."""
    few = sa.text("type = 'Task' AND kind != ''")
    op.create_index(
        "resource_desk",
        "resource",
        ["kind", "author", "owner", "status"],
        sqlite_where=few,
        postgresql_where=few,
    )
