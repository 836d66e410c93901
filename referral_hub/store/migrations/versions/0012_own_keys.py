"""Adds public keys of organisations that hold their own, and what waits while a network copy stands in its place.

Revision ID: 0012
Revises: 0011
"""

from alembic import op

from referral_hub.store.columns import blob, number, number_or_none, text

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Creates both tables; no row changes, since no organisation holds a key yet."""
    op.create_table(
        "own_key",
        text("organization", primary_key=True),
        text("id", primary_key=True),
        blob("public"),
        number("made_us"),
        number_or_none("ended_us"),
    )
    op.create_table(
        "own_body",
        number("row_id", primary_key=True, autoincrement=False),
        text("version", primary_key=True),
        blob("body"),
    )
