"""Verifying the audit: the chain, its checkpoints and the disclosure ledger; the first break is named.

What lives here: ``verify_audit``. What does not: sealing (``store.sealer``), which the command does first.

Shown are: a row that was changed, deleted or slipped in; a link that was changed or taken out; a tail that
was cut, against the checkpoints in the database and in the file outside it; a ledger that tells other than
the audit. A row whose time was over may be gone where a signed removal vouches for it (``store.removals``).

Source: ``engine.md`` 3.
"""

from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from referral_hub.store import schema
from referral_hub.store.audit_rows import COLUMNS, PAGE_FORMAT, LedgerKey, ledger_counts, subjects_of
from referral_hub.store.database import Connection, Database
from referral_hub.store.removals import Left, check_removals
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

PAGE = 1000
_SEAL, _AUDIT, _LEDGER, _GONE = schema.audit_seal, schema.audit, schema.ledger, schema.audit_gone

LINKS = Statement(
    "verify_links",
    sa.select(
        _SEAL.c.seq,
        _SEAL.c.audit,
        _SEAL.c.previous,
        _SEAL.c.hash,
        _GONE.c.removal,
        _GONE.c.digest,
        *_AUDIT.c,
    )
    .select_from(
        _SEAL.outerjoin(_AUDIT, _AUDIT.c.id == _SEAL.c.audit).outerjoin(_GONE, _GONE.c.seq == _SEAL.c.seq)
    )
    .where(_SEAL.c.seq > whole("after"))
    .order_by(_SEAL.c.seq)
    .limit(whole("count")),
)
SLIPPED_IN = Statement(
    "verify_slipped_in",
    sa.select(_AUDIT.c.id)
    .select_from(_AUDIT.outerjoin(_SEAL, _SEAL.c.audit == _AUDIT.c.id))
    .where(_AUDIT.c.id <= whole("horizon"), _SEAL.c.seq.is_(None))
    .order_by(_AUDIT.c.id)
    .limit(constant(1)),
)
CHECKPOINTS = Statement(
    "verify_checkpoints",
    sa.select(
        schema.checkpoint.c.seq,
        schema.checkpoint.c.hash,
        schema.checkpoint.c.at_us,
        schema.checkpoint.c.signature,
    ).order_by(schema.checkpoint.c.seq),
)
LINK = Statement("verify_link", sa.select(_SEAL.c.hash).where(_SEAL.c.seq == whole("seq")))
ROWS = Statement(
    "verify_rows",
    sa.select(*_AUDIT.c).where(_AUDIT.c.id > whole("after")).order_by(_AUDIT.c.id).limit(whole("count")),
)
PAGES = Statement(
    "verify_pages",
    sa.select(*_AUDIT.c)
    .where(_AUDIT.c.id > whole("after"), _AUDIT.c.detail_format == constant(PAGE_FORMAT))
    .order_by(_AUDIT.c.id)
    .limit(whole("count")),
)
_SUBJECT = schema.audit_subject
SUBJECTS = Statement(
    "verify_subjects",
    sa.select(_SUBJECT.c.person, _SUBJECT.c.audit).where(
        _SUBJECT.c.audit > whole("after"), _SUBJECT.c.audit <= whole("last")
    ),
)
LEFT = Statement(
    "verify_left",
    sa.select(_SUBJECT.c.audit).where(_SUBJECT.c.audit > whole("after")).limit(constant(1)),
)
_LEDGER_KEY = ("person", "recipient", "user_id", "purpose", "consent", "hour_us")
LEDGER = Statement(
    "verify_ledger",
    sa.select(
        *(_LEDGER.c[name] for name in _LEDGER_KEY), _LEDGER.c.count, _LEDGER.c.first_us, _LEDGER.c.last_us
    ),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found: how many links hold, and the first break in words, or an empty text."""

    links: int
    broken: str = ""

    @property
    def holds(self) -> bool:
        """Tells whether everything holds."""
        return not self.broken


def verify_audit(database: Database, signer: Signer, checkpoints: Path | None) -> Verdict:
    """Checks the whole audit in one consistent state.

    Args:
        database: the hub's database.
        signer: checks signatures.
        checkpoints: the file outside the database; None where there is none to compare.

    Returns:
        how many links hold before the first break, and what the break is.
    """
    with database.reading() as connection:
        left: dict[int, Left] = {}
        verdict, hashes_end = _chain(connection, left)
        if not verdict.holds:
            return verdict
        broken, ledger_from_us = check_removals(connection, signer, left)
        if broken:
            return Verdict(verdict.links, broken)
        for broken in (
            _slipped_in(connection),
            _checkpoints_in_database(connection, signer),
            _checkpoints_in_file(connection, signer, checkpoints, hashes_end),
            _ledger(connection, ledger_from_us),
            _subjects(connection),
        ):
            if broken:
                return Verdict(verdict.links, broken)
        return verdict


def _chain(connection: Connection, left: dict[int, Left]) -> tuple[Verdict, int]:
    seq, tip = 0, GENESIS
    while rows := connection.run(LINKS, {"after": seq, "count": PAGE}):
        for found, audit, previous, stored, removal, digest, *row in rows:
            is_gone = row[0] is None
            broken = ""
            if found != seq + 1:
                broken = f"link {seq + 1} is missing; the next one is {found}"
            elif is_gone and removal is None:
                broken = f"link {found}: its audit row {audit} was deleted"
            elif removal is not None and not is_gone:
                broken = f"link {found}: its audit row {audit} is said to be gone, and is there"
            elif bytes(previous) != tip:
                broken = f"link {found} does not follow link {seq}"
            elif link(found, tip, bytes(digest) if is_gone else row_digest(row)) != bytes(stored):
                broken = f"link {found}: its audit row {audit} was changed"
            if broken:
                return Verdict(seq, broken), seq
            if is_gone:
                left.setdefault(removal, Left()).add(found, bytes(digest))
            seq, tip = found, bytes(stored)
    stored_tip = connection.first(TIP, {"name": CHAIN})
    if (stored_tip[0], bytes(stored_tip[1])) != (seq, tip) if stored_tip else seq:
        return Verdict(seq, f"the chain ends at link {seq}, its tip says otherwise: the end was cut"), seq
    return Verdict(seq), seq


def _slipped_in(connection: Connection) -> str:
    tip = connection.first(TIP, {"name": CHAIN})
    found = connection.first(SLIPPED_IN, {"horizon": tip[2] if tip else 0})
    return f"audit row {found[0]} was slipped in after its time: it has no link" if found else ""


def _checkpoints_in_database(connection: Connection, signer: Signer) -> str:
    for seq, tip, at_us, signature in connection.run(CHECKPOINTS):
        checkpoint = Checkpoint(seq, bytes(tip), at_us, bytes(signature))
        broken = _against_chain(connection, signer, checkpoint, "in the database")
        if broken:
            return broken
    return ""


def _checkpoints_in_file(connection: Connection, signer: Signer, path: Path | None, end: int) -> str:
    if path is None or not path.exists():
        known = connection.run(CHECKPOINTS) if path is not None else []
        return "the file of checkpoints is gone" if known else ""
    latest = 0
    for position, line in enumerate(path.read_text("ascii", errors="replace").splitlines(), 1):
        try:
            checkpoint = Checkpoint.of_line(line)
        except ValueError:
            return f"line {position} of the file of checkpoints cannot be read"
        broken = _against_chain(connection, signer, checkpoint, "in the file")
        if broken:
            return broken
        latest = max(latest, checkpoint.seq)
    known = connection.run(CHECKPOINTS)
    if known and known[-1][0] > latest:
        return f"the file of checkpoints was cut: it ends at link {latest}, the database knows {known[-1][0]}"
    return ""


def _against_chain(connection: Connection, signer: Signer, checkpoint: Checkpoint, where: str) -> str:
    message = checkpoint_message(checkpoint.seq, checkpoint.hash, checkpoint.at_us)
    if not signer.verify(message, checkpoint.signature):
        return f"the checkpoint of link {checkpoint.seq} {where} was not signed by this hub"
    found = connection.first(LINK, {"seq": checkpoint.seq})
    if found is None:
        return f"the chain was cut: a checkpoint {where} tells of link {checkpoint.seq}"
    if bytes(found[0]) != checkpoint.hash:
        return f"link {checkpoint.seq} is not the one the checkpoint {where} tells of"
    return ""


def _ledger(connection: Connection, from_us: int) -> str:
    """The ledger tells what the audit tells, from the hour on before which both are over their time."""
    told: dict[LedgerKey, list[int]] = {}
    after = 0
    while rows := connection.run(ROWS, {"after": after, "count": PAGE}):
        counts = ledger_counts(dict(zip(COLUMNS, row, strict=True)) for row in rows)
        for key, (count, first_us, last_us) in counts.items():
            if key[-1] < from_us:
                continue
            entry = told.setdefault(key, [0, first_us, last_us])
            entry[0] += count
            entry[1], entry[2] = min(entry[1], first_us), max(entry[2], last_us)
        after = rows[-1][0]
    for *found, count, first_us, last_us in connection.run(LEDGER):
        if told.pop(tuple(found), None) != [count, first_us, last_us]:
            return f"the disclosure ledger of hour {found[-1]} tells other than the audit"
    return "the disclosure ledger lacks a disclosure the audit tells of" if told else ""


def _subjects(connection: Connection) -> str:
    """A row about several persons must be found by each of them, and by nobody else."""
    after = 0
    while rows := connection.run(PAGES, {"after": after, "count": PAGE}):
        records = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
        last = records[-1]["id"]
        told = {(person, row["id"]) for row in records for person, _, _ in subjects_of(row)}
        found = {
            (person, audit) for person, audit in connection.run(SUBJECTS, {"after": after, "last": last})
        }
        for _, audit in sorted(told ^ found):
            return f"audit row {audit} is not found by those it tells of"
        after = last
    left = connection.first(LEFT, {"after": after})
    return f"audit row {left[0]} is found by somebody it does not tell of" if left else ""
