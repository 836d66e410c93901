"""The audit, its chain and checkpoints, and the disclosure ledger.

What lives here: tables and their indexes. What does not: how rows are chained (``store.sealer``), column
kinds (``store.columns``).
"""

import sqlalchemy as sa

from referral_hub.store.columns import (
    CLUSTERED,
    METADATA,
    blob,
    counted_key,
    index,
    number,
    number_or_none,
    row_key,
    text,
)

audit = sa.Table(
    "audit",
    METADATA,
    counted_key("id"),
    number("at_us"),
    text("action"),
    text("interaction"),
    number("outcome"),
    text("organization"),
    text("oauth_client"),
    text("user_id"),
    text("purpose"),
    number_or_none("person"),
    text("recipient"),
    text("entities"),
    text("consents"),
    text("reason"),
    number("detail_format"),
    blob("detail"),
    text("origin"),
    sqlite_autoincrement=True,
)
"""``origin`` names the segment line of a read (``segment:offset``); empty for a line of a write.

A row about several persons has no ``person``; its ``detail`` says which of its entities and consents are whose, and
``audit_subject`` finds it.
"""
index("audit_person", audit.c.person, audit.c.at_us, where=audit.c.person.is_not(None))

audit_subject = sa.Table(
    "audit_subject",
    METADATA,
    number("person", primary_key=True, autoincrement=False),
    number("audit", primary_key=True, autoincrement=False),
    **CLUSTERED,
)
"""Which rows of ``audit`` tell of several persons at once, by person: one answered page is one row."""

audit_seal = sa.Table(
    "audit_seal", METADATA, row_key("seq"), number("audit", unique=True), blob("previous"), blob("hash")
)
"""The chain: one link per audit row, in the order the sealer gave."""

audit_gone = sa.Table("audit_gone", METADATA, row_key("seq"), number("removal"), blob("digest"), **CLUSTERED)
"""What is left of an audit row whose time was over: the digest its link covers, and which removal took it."""

audit_removal = sa.Table(
    "audit_removal",
    METADATA,
    row_key("id"),
    text("kind"),
    number("at_us"),
    number("before_us"),
    number("reached"),
    number("count"),
    blob("digest"),
    blob("signature"),
)
"""The removals, each signed: so many rows of one kind, older than ``before_us``, up to the audit id ``reached``."""

audit_segment_line = sa.Table(
    "audit_segment_line", METADATA, text("segment", primary_key=True), number("offset"), blob("digest")
)
"""How far each spool segment is ingested: the offset of the next line, and the digest of the last one."""

chain = sa.Table(
    "chain", METADATA, text("name", primary_key=True), number("seq"), blob("hash"), number("horizon")
)
"""The tip of the chain, touched by the sealer alone; all audit ids up to ``horizon`` are sealed."""

lease = sa.Table("lease", METADATA, text("name", primary_key=True), text("holder"), number("until_us"))

checkpoint = sa.Table(
    "checkpoint", METADATA, row_key("seq"), blob("hash"), number("at_us"), blob("signature")
)

ledger = sa.Table(
    "ledger",
    METADATA,
    number("person", primary_key=True, autoincrement=False),
    text("recipient", primary_key=True),
    text("user_id", primary_key=True),
    text("purpose", primary_key=True),
    text("consent", primary_key=True),
    number("hour_us", primary_key=True, autoincrement=False),
    number("count"),
    number("first_us"),
    number("last_us"),
    **CLUSTERED,
)
