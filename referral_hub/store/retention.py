"""Retention of the audit: a row goes when its time is over, and the chain holds as before.

What lives here: the kinds of rows, and taking them away. What does not: how long each is kept
(``settings.Settings.audit_days``), what vouches for the gap (``store.removals``), who looks at the gap
(``store.verify``).

Rows of a kind go from the oldest on, up to the first whose time is not over: never one out of the middle. In one
transaction go the rows, what finds them by person, and the hours of the ledger that told the same; and there come the
digests they leave, a signed removal, and a line of the audit that tells of it.

The files of reads that were read in hold the same rows once more. They go with the kind that is kept for the
shortest time.

Source: ``engine.md`` 3; ``consent.md`` F-31.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from referral_hub.store import schema
from referral_hub.store.apply import PlanWriter
from referral_hub.store.audit_rows import COLUMNS, HOUR_US, PAGE_FORMAT, record_steps, subjects_of
from referral_hub.store.database import Database
from referral_hub.store.leases import Lease
from referral_hub.store.plan import Rule, Step, many, own_plan
from referral_hub.store.removals import DISCLOSURES, Left, Removal
from referral_hub.store.sealer import Signer, row_digest
from referral_hub.store.statements import (
    WRITES,
    Statement,
    constant,
    each_deleted,
    many_rows,
    whole,
    words,
)

DAY_US = 24 * HOUR_US
LEASE_US = 60_000_000
BATCH = 250
MOST = 400
"""How many batches of a kind go in one pass: what is left goes in the next one."""

_AUDIT, _SEAL, _REMOVAL, _LEDGER = schema.audit, schema.audit_seal, schema.audit_removal, schema.ledger
_about_somebody = sa.or_(_AUDIT.c.person.is_not(None), _AUDIT.c.detail_format == constant(PAGE_FORMAT))
_done = _AUDIT.c.outcome == constant(0)
_told = sa.and_(_done, _AUDIT.c.recipient != constant(""), _about_somebody)
_quiet = sa.and_(_done, sa.not_(_told))
_changing = _AUDIT.c.action.in_([constant("C"), constant("U"), constant("D")])
KINDS: Mapping[str, Any] = {
    DISCLOSURES: _told,
    "changes": sa.and_(_quiet, _changing),
    "refusals": sa.not_(_done),
    "reads": sa.and_(_quiet, sa.not_(_changing), _about_somebody),
    "others": sa.and_(_quiet, sa.not_(_changing), sa.not_(_about_somebody)),
}
"""Every row is of exactly one kind: what the ledger counts, writes, refused attempts, own reads, all else."""

OVER = {
    kind: Statement(
        f"audit_over_{kind}",
        sa.select(_SEAL.c.seq, *_AUDIT.c)
        .select_from(_AUDIT.join(_SEAL, _SEAL.c.audit == _AUDIT.c.id))
        .where(_AUDIT.c.id > whole("after"), condition)
        .order_by(_AUDIT.c.id)
        .limit(whole("count")),
    )
    for kind, condition in KINDS.items()
}
COUNTED = {
    kind: Statement(
        f"audit_counted_{kind}",
        sa.select(sa.func.count()).select_from(_AUDIT).where(condition, _AUDIT.c.at_us < whole("before_us")),
    )
    for kind, condition in KINDS.items()
}
REACHED = Statement(
    "removal_reached", sa.select(sa.func.max(_REMOVAL.c.reached)).where(_REMOVAL.c.kind == words("kind"))
)
LATEST = Statement("removal_latest", sa.select(sa.func.max(_REMOVAL.c.id)))

WRITES.add(
    "audit_removal_insert",
    sa.insert(_REMOVAL).values({c.name: sa.bindparam(c.name, type_=c.type) for c in _REMOVAL.c}),
)
WRITES.add("audit_gone_insert", many_rows(schema.audit_gone))
WRITES.add("audit_forget", each_deleted(_AUDIT))
WRITES.add("audit_subject_forget", each_deleted(schema.audit_subject))
WRITES.add("ledger_forget", sa.delete(_LEDGER).where(_LEDGER.c.hour_us < whole("before_us")))


@dataclass(frozen=True, slots=True)
class Removed:
    """What a pass took away: audit rows by kind, and files of reads."""

    rows: Mapping[str, int]
    files: int


class Retention:
    """Takes away audit rows whose time is over.

    Args:
        database: where rows are read.
        writer: applies the removals.
        signer: signs them.
        days: how many days each kind is kept; 0 is for ever.
        directory: where the files of reads are; None where there are none (tests).
    """

    def __init__(
        self,
        database: Database,
        writer: PlanWriter,
        signer: Signer,
        days: Mapping[str, int],
        directory: Path | None = None,
    ) -> None:
        self._database = database
        self._writer = writer
        self._signer = signer
        self._days = days
        self._directory = directory
        self._lease = Lease(writer, "retention")

    def over(self, now_us: int) -> dict[str, int]:
        """Gives how many rows of each kind are over their time; takes none away."""
        found = {}
        for kind in KINDS:
            before_us = self._before(kind, now_us)
            row = self._database.first(COUNTED[kind], {"before_us": before_us}) if before_us else None
            found[kind] = int(row[0]) if row else 0
        return found

    def remove(self, now_us: int) -> Removed:
        """Takes away what is over its time; run it about once an hour.

        Args:
            now_us: the time now, microseconds UTC.
        """
        rows = dict.fromkeys(KINDS, 0)
        if not self._lease.take(now_us, LEASE_US):
            return Removed(rows, 0)
        try:
            for kind in KINDS:
                before_us = self._before(kind, now_us)
                for _ in range(MOST if before_us else 0):
                    count = self._batch(kind, before_us, now_us)
                    rows[kind] += count
                    if count < BATCH:
                        break
        finally:
            self._lease.give_back(now_us)
        return Removed(rows, self._files(now_us))

    def _before(self, kind: str, now_us: int) -> int:
        """Gives before which moment rows of a kind are over: a full hour, as the ledger counts; 0 is never."""
        days = self._days[kind]
        before_us = now_us - days * DAY_US
        return before_us - before_us % HOUR_US if days and before_us > 0 else 0

    def _batch(self, kind: str, before_us: int, now_us: int) -> int:
        reached = self._database.first(REACHED, {"kind": kind})
        after = int(reached[0] or 0) if reached else 0
        rows = []
        for row in self._database.run(OVER[kind], {"after": after, "count": BATCH}):
            if row[2] >= before_us:
                break
            rows.append(row)
        if not rows:
            return 0
        latest = self._database.first(LATEST)
        number = int(latest[0] or 0) + 1 if latest else 1
        left = Left()
        gone: list[dict[str, Any]] = []
        # The chain and the ids have one order, since rows are sealed in the order of their ids.
        for seq, *stored in rows:
            digest = row_digest(stored)
            left.add(seq, digest)
            gone.append({"seq": seq, "removal": number, "digest": digest})
        removal = Removal(number, kind, now_us, before_us, rows[-1][1], len(rows), left.digest)
        self._writer.apply(own_plan(now_us, *self._steps(removal, gone, [row[1:] for row in rows])))
        return len(rows)

    def _steps(self, removal: Removal, gone: list[dict[str, Any]], rows: list[Any]) -> list[Step]:
        records = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
        subjects = [
            {"person": person, "audit": record["id"]}
            for record in records
            if record["detail_format"] == PAGE_FORMAT
            for person, _, _ in subjects_of(record)
        ]
        signed = {
            name: getattr(removal, name)
            for name in ("id", "kind", "at_us", "before_us", "reached", "count", "digest")
        }
        steps: list[Step] = [
            ("audit_removal_insert", Rule.ANY, {**signed, "signature": self._signer.sign(removal.message())}),
            *many("audit_gone_insert", gone),
            *many("audit_subject_forget", subjects),
            *many("audit_forget", [{"id": record["id"]} for record in records]),
            *record_steps([_line(removal)]),
        ]
        if removal.kind == DISCLOSURES:
            steps.append(("ledger_forget", Rule.ANY, {"before_us": removal.before_us}))
        return steps

    def _files(self, now_us: int) -> int:
        shortest = min((days for days in self._days.values() if days), default=0)
        if self._directory is None or not shortest:
            return 0
        removed = 0
        for path in sorted((self._directory / "ingested").glob("segment-*.jsonl")):
            if path.stat().st_mtime * 1_000_000 < now_us - shortest * DAY_US:
                path.unlink(missing_ok=True)
                removed += 1
        return removed


def _line(removal: Removal) -> dict[str, Any]:
    """Gives the line of the audit that tells of a removal; it tells of no person."""
    empty = dict.fromkeys((name for name in COLUMNS if name != "id"), "")
    return {
        **empty,
        "at_us": removal.at_us,
        "action": "D",
        "interaction": "retention",
        "outcome": 0,
        "person": None,
        "reason": f"{removal.kind} {removal.count}",
        "detail_format": 0,
        "detail": b"",
    }
