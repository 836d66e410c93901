"""Creates the index rows of numbers, and of references that chains follow.

Rows of resources that are stored already are made by ``referral-hub reindex``: their bodies are sealed, and a
migration has no keys.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

from referral_hub.store.columns import INTEGER, TEXT

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Creates the two tables and their indexes."""
    op.create_table(
        "index_number",
        _key("parameter", INTEGER),
        _key("low", TEXT),
        _key("high", TEXT),
        _key("row_id", INTEGER),
        sqlite_with_rowid=False,
    )
    op.create_index("index_number_row", "index_number", ["row_id", "parameter"])
    op.create_table(
        "index_link",
        _key("parameter", INTEGER),
        _key("target", TEXT),
        _key("row_id", INTEGER),
        sqlite_with_rowid=False,
    )
    op.create_index("index_link_row", "index_link", ["row_id", "parameter"])


def _key(name: str, kind: "sa.types.TypeEngine[int] | sa.types.TypeEngine[str]") -> "sa.Column[int | str]":
    return sa.Column(name, kind, primary_key=True, autoincrement=False, nullable=False)
