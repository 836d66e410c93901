"""What leaves later: the outbox, timers, and copies that partners keep.

What lives here: tables and their indexes. What does not: how a row is claimed (``store.outbox``,
``store.timers``), column kinds (``store.columns``).
"""

import sqlalchemy as sa

from referral_hub.store.columns import METADATA, blob, counted_key, index, number, number_or_none, text

OUTBOX_WAITING, OUTBOX_DONE, OUTBOX_DEAD, OUTBOX_CANCELLED = 0, 1, 2, 3

outbox = sa.Table(
    "outbox",
    METADATA,
    counted_key("sequence"),
    text("key", unique=True),
    text("destination"),
    text("kind"),
    number("resource"),
    number_or_none("person"),
    number("not_before_us"),
    number("detail_format"),
    blob("detail"),
    number("state"),
    number("attempts"),
    text("lease"),
    number("lease_until_us"),
    text("reason"),
    number("queued_us", server_default="0"),
    sqlite_autoincrement=True,
)
index("outbox_head", outbox.c.destination, outbox.c.sequence, where=outbox.c.state == sa.literal_column("0"))
index("outbox_dead", outbox.c.sequence, where=outbox.c.state == sa.literal_column("2"))
index("outbox_person", outbox.c.person, outbox.c.destination, where=outbox.c.person.is_not(None))

due = sa.Table(
    "due",
    METADATA,
    text("key", primary_key=True),
    text("kind"),
    number("resource"),
    number("at_us"),
    number("detail_format"),
    blob("detail"),
    number("attempts"),
    text("lease"),
    number("lease_until_us"),
)
index("due_at", due.c.at_us)

partner_copy = sa.Table(
    "partner_copy",
    METADATA,
    number("resource", primary_key=True, autoincrement=False),
    text("organization", primary_key=True),
    text("url"),
    text("etag"),
    number("next_poll_us"),
)
"""Where a partner's own server keeps its copy of a Task, and when it is asked next."""
index("partner_copy_poll", partner_copy.c.next_poll_us)
