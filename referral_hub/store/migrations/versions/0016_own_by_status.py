"""Adds the index of what an organisation wrote by status, so that what is open is found beside much that is closed.

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

_HAS_ONE = sa.text("status != ''")


def upgrade() -> None:
    """Creates the index."""
    op.create_index(
        "resource_authored_status",
        "resource",
        ["type", "author", "status", "updated_us", "row_id", "deleted", "focus"],
        sqlite_where=_HAS_ONE,
        postgresql_where=_HAS_ONE,
    )
