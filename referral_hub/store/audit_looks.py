"""The audit in numbers, and a look at the newest part of its chain: what a page shows of it.

What lives here: counting lines by day, interaction, organisation and outcome, and checking the last links. What does
not: checking the whole audit (``store.verify``), who may look, and which numbers are too small to be told.

Nothing here reads whom a line is about. Both looks are bounded: they take no longer however long the audit is.

Source: ``engine.md`` 3; ``practice.md`` 12 (counts, never people).
"""

import sqlalchemy as sa

from referral_hub.exchange.administration import AuditLines, ChainState, Looked
from referral_hub.store import schema
from referral_hub.store.database import Connection, Database
from referral_hub.store.sealer import (
    CHAIN,
    GENESIS,
    TIP,
    Checkpoint,
    Signer,
    checkpoint_message,
    link,
    row_digest,
)
from referral_hub.store.statements import Statement, constant, whole
from referral_hub.store.verify import LINK, LINKS

DAY_US = 24 * 3_600_000_000
MOST_LINES = 200_000
"""How many lines are counted at most for one page."""
LOOKED_AT = 2_000
"""How many links one look checks."""
_AUDIT, _SEAL, _POINT = schema.audit, schema.audit_seal, schema.checkpoint

NEWEST = Statement("audit_newest", sa.select(sa.func.max(_AUDIT.c.id)))
AT = Statement(
    "audit_at",
    sa.select(_AUDIT.c.at_us).where(_AUDIT.c.id >= whole("id")).order_by(_AUDIT.c.id).limit(constant(1)),
)
_day = (_AUDIT.c.at_us - _AUDIT.c.at_us % constant(DAY_US)).label("day_us")
LINES = Statement(
    "audit_lines",
    sa.select(_day, _AUDIT.c.interaction, _AUDIT.c.organization, _AUDIT.c.outcome, sa.func.count())
    .where(_AUDIT.c.id >= whole("first"), _AUDIT.c.at_us >= whole("since_us"))
    .group_by(_day, _AUDIT.c.interaction, _AUDIT.c.organization, _AUDIT.c.outcome),
)
LAST_CHECKPOINT = Statement(
    "checkpoint_last",
    sa.select(_POINT.c.seq, _POINT.c.hash, _POINT.c.at_us, _POINT.c.signature)
    .where(_POINT.c.seq <= whole("seq"))
    .order_by(_POINT.c.seq.desc())
    .limit(constant(1)),
)


def lines_since(database: Database, since_us: int) -> tuple[list[AuditLines], bool]:
    """Gives how many lines there are since a moment, and whether there were more than are counted at once.

    Ids follow the time but for reads, which come in from other processes a little later; so one day more is looked
    through, and the time of each line decides.
    """
    with database.reading() as connection:
        newest = connection.first(NEWEST)
        last = int(newest[0]) if newest is not None and newest[0] is not None else 0
        first = _first_since(connection, last, since_us - DAY_US)
        bounded = max(first, last - MOST_LINES + 1)
        found = connection.run(LINES, {"first": bounded, "since_us": since_us})
    return [AuditLines(*row) for row in found], bounded > first


def _first_since(connection: Connection, last: int, since_us: int) -> int:
    low, high = 1, last + 1
    while low < high:
        middle = (low + high) // 2
        row = connection.first(AT, {"id": middle})
        if row is not None and row[0] < since_us:
            low = middle + 1
        else:
            high = middle
    return low


def chain_state(database: Database) -> ChainState:
    """Gives where the chain stands, and its last signed checkpoint."""
    with database.reading() as connection:
        tip = connection.first(TIP, {"name": CHAIN})
        links = int(tip[0]) if tip is not None else 0
        point = connection.first(LAST_CHECKPOINT, {"seq": links})
    return ChainState(links, int(point[0]) if point else 0, int(point[2]) if point else 0)


def look_at_chain(database: Database, signer: Signer, most: int = LOOKED_AT) -> Looked:
    """Checks the last links of the chain against their rows, its end, and the last checkpoint.

    Args:
        database: the hub's database.
        signer: checks the signature of the checkpoint.
        most: how many links are looked at.
    """
    with database.reading() as connection:
        tip = connection.first(TIP, {"name": CHAIN})
        if tip is None:
            return Looked(0, "")
        end = int(tip[0])
        seq = start = max(0, end - most)
        before = connection.first(LINK, {"seq": start}) if start else None
        if start and before is None:
            return Looked(0, f"link {start} is missing")
        held = bytes(before[0]) if before is not None else GENESIS
        for found, audit, previous, stored, _, digest, *row in connection.run(
            LINKS, {"after": start, "count": most}
        ):
            gone = row[0] is None
            told = bytes(digest) if gone and digest is not None else b"" if gone else row_digest(row)
            if found != seq + 1 or bytes(previous) != held or link(found, held, told) != bytes(stored):
                return Looked(seq - start, f"link {seq + 1} does not hold: audit row {audit}")
            seq, held = found, bytes(stored)
        if (seq, held) != (end, bytes(tip[1])):
            return Looked(seq - start, f"the chain ends at link {seq}, its tip says otherwise")
        broken = _checkpoint(connection, signer, end)
    return Looked(seq - start, broken)


def _checkpoint(connection: Connection, signer: Signer, end: int) -> str:
    row = connection.first(LAST_CHECKPOINT, {"seq": end})
    if row is None:
        return ""
    point = Checkpoint(row[0], bytes(row[1]), row[2], bytes(row[3]))
    message = checkpoint_message(point.seq, point.hash, point.at_us)
    if not signer.verify(message, point.signature):
        return f"the checkpoint of link {point.seq} was not signed by this hub"
    found = connection.first(LINK, {"seq": point.seq})
    holds = found is not None and bytes(found[0]) == point.hash
    return "" if holds else f"link {point.seq} is not the one its checkpoint tells of"
