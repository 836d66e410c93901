"""What pages keep: referrals in the making, and the ways in for recipients without accounts.

What lives here: tables and their indexes. What does not: their statements and seals (``store.portal_rows``), rules
(``casework.referring``, ``auth.people.referral_links``).
"""

import sqlalchemy as sa

from referral_hub.store.columns import CLUSTERED, METADATA, blob_or_none, index, number, text

portal_draft = sa.Table(
    "portal_draft",
    METADATA,
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
"""A referral that an account is writing; ``body`` lies sealed under the person's key, and is NULL once it became
``task``. It ends at ``ends_us``, and with any withdrawal of hers."""
index("portal_draft_account", portal_draft.c.account)
index("portal_draft_person", portal_draft.c.person)
index("portal_draft_ends", portal_draft.c.ends_us)

portal_link = sa.Table(
    "portal_link",
    METADATA,
    text("digest", primary_key=True),
    text("kind"),
    text("task"),
    number("person"),
    text("organization"),
    text("sender"),
    text("account"),
    number("made_us"),
    number("ends_us"),
    **CLUSTERED,
)
"""A way to one referral for its recipient (``organization``), given out by ``account`` of ``sender``. ``digest`` is
keyed; the code itself is nowhere. ``kind``: letter, spoken, browser; call-back names the referral to its sender."""
index("portal_link_task", portal_link.c.task)
index("portal_link_person", portal_link.c.person)
index("portal_link_ends", portal_link.c.ends_us)
