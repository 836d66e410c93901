"""Which account works with which person.

What lives here: the table. What does not: who may assign (``exchange.assignments``), what an assignment opens
(``access.reach``, ``store.reach_sql``).
"""

import sqlalchemy as sa

from referral_hub.store.columns import CLUSTERED, METADATA, index, number, text

PENDING, ACTIVE, ENDED = "pending", "active", "ended"

case_assignment = sa.Table(
    "case_assignment",
    METADATA,
    text("account", primary_key=True),
    number("person", primary_key=True, autoincrement=False),
    text("organization"),
    text("state"),
    number("version"),
    text("asked_by"),
    number("asked_us"),
    text("confirmed_by"),
    number("changed_us"),
    **CLUSTERED,
)
"""One row per account and person. ``state``: pending until a second person confirms, active, ended; only an active one
opens anything. What it was before stands in the audit."""
index("case_assignment_person", case_assignment.c.person)
