"""Adds what pages keep: referrals in the making, and ways to a referral for recipients without accounts.

Revision ID: 0014
Revises: 0013
"""

from alembic import op

from referral_hub.store.columns import blob_or_none, number, text

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Creates both tables; no row changes."""
    op.create_table(
        "portal_draft",
        text("id", primary_key=True),
        text("account"),
        text("organization"),
        number("person"),
        text("patient"),
        number("version"),
        blob_or_none("body"),
        text("task"),
        number("changed_us"),
        number("ends_us"),
    )
    op.create_table(
        "portal_link",
        text("digest", primary_key=True),
        text("kind"),
        text("task"),
        number("person"),
        text("organization"),
        text("sender"),
        text("account"),
        number("made_us"),
        number("ends_us"),
        sqlite_with_rowid=False,
    )
    for name, table, column in (
        ("portal_draft_account", "portal_draft", "account"),
        ("portal_draft_person", "portal_draft", "person"),
        ("portal_draft_ends", "portal_draft", "ends_us"),
        ("portal_link_task", "portal_link", "task"),
        ("portal_link_person", "portal_link", "person"),
        ("portal_link_ends", "portal_link", "ends_us"),
    ):
        op.create_index(name, table, [column])
