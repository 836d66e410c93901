"""Ingesting the audit spool: lines of reads become audit rows and ledger rows, each exactly once.

What lives here: reading segments, of living and of dead processes. What does not: writing them
(``store.spool``).

How far a segment is ingested is a row that moves in the same transaction as the audit rows, and only from
where it was: two ingesting processes do not count a line twice. A segment that is complete moves to
``ingested/`` and is kept.

A line that comes late, from a process that was killed or a machine that stood still, was not there when a
withdrawal looked for those who had read. It brings a timer that looks again.

Source: ``engine.md`` 3.
"""

import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec.structs import asdict

from referral_hub.errors import GuardFailed
from referral_hub.exchange.consent_writing import MISSED_AT_LAST
from referral_hub.store import schema
from referral_hub.store.apply import PlanWriter
from referral_hub.store.audit_rows import Record, ledger_counts, page_record, record_steps
from referral_hub.store.columns import TEXT
from referral_hub.store.database import Database
from referral_hub.store.plan import Rule, many, own_plan
from referral_hub.store.spool import Line, SpooledPage, first_digest, line_digest
from referral_hub.store.statements import WRITES, Statement, constant, octets, whole, words
from referral_hub.store.write_statements import insert_ignoring

BATCH_ROWS = 200
"""How much is stored at once: little, since whoever writes at that moment waits for it."""
PAGE_WEIGHT = 6
"""How many rows about one person cost as much as one about a page of them."""
TRIES = 20
LATE_US = 4_000_000
"""A line this old was written late or by a process that is gone: withdrawals may have looked for it already."""
_CROSSED_US = 60_000_000
"""How long storing a withdrawal may take: its time is taken before that."""
_TABLE = schema.audit_segment_line

REACHED = Statement(
    "segment_reached", sa.select(_TABLE.c.offset, _TABLE.c.digest).where(_TABLE.c.segment == words("segment"))
)
WRITES.add("segment_begin", insert_ignoring(_TABLE, "segment"))
WRITES.add(
    "segment_advance",
    sa.update(_TABLE)
    .where(_TABLE.c.segment == words("segment"), _TABLE.c.offset == whole("before"))
    .values(offset=whole("reached"), digest=octets("digest")),
)

_r = schema.resource
_look = {
    "key": words("prefix") + sa.cast(_r.c.row_id, TEXT) + words("suffix"),
    "kind": constant(MISSED_AT_LAST),
    "resource": _r.c.row_id,
    "at_us": whole("now_us"),
    "detail_format": constant(0),
    "detail": octets("nothing"),
    "attempts": constant(0),
    "lease": constant(""),
    "lease_until_us": constant(0),
}
WRITES.add(
    "late_disclosure",
    insert_ignoring(schema.due, "key").from_select(
        list(_look),
        sa.select(*_look.values()).where(
            _r.c.person == whole("person"),
            _r.c.type == constant("Consent"),
            _r.c.status != constant("active"),
            _r.c.updated_us >= whole("since_us"),
        ),
    ),
)
"""Has it looked once more at who received something of a person whose permission ended since."""

_decode = msgspec.json.Decoder(Line).decode


@dataclass(frozen=True, slots=True)
class Ingested:
    """What one pass found. ``broken``: segments whose chain does not hold, with the offset of the break."""

    rows: int
    broken: tuple[tuple[str, int], ...]


class _Broken(Exception):
    """A line does not follow the one before it."""


@dataclass(slots=True)
class _Batch:
    """Lines that become one transaction."""

    start: int
    reached: int
    digest: str
    records: list[Record]
    last: bool = False
    weight: int = 0


class Segments:
    """The segments of every process of this machine.

    Args:
        directory: where they are.
        database: where it is kept how far each is ingested.
        writer: applies the rows.
    """

    def __init__(self, directory: Path, database: Database, writer: PlanWriter) -> None:
        self._directory = directory
        self._database = database
        self._writer = writer

    def ingest(self, now_us: int) -> Ingested:
        """Ingests every complete line that is not in the database yet.

        Whoever else does the same at the same moment: what was written before this began is there at its end.
        What is written meanwhile waits for the next time, or this would never end while many read.
        """
        rows = 0
        broken: list[tuple[str, int]] = []
        for path in sorted(self._directory.glob("segment-*.jsonl")):
            try:
                rows += self._segment(path, now_us)
            except FileNotFoundError:
                continue  # another process finished it
            except _Broken as at:
                broken.append((path.stem, int(at.args[0])))
        return Ingested(rows, tuple(broken))

    def _segment(self, path: Path, now_us: int) -> int:
        abandoned = _is_abandoned(path)
        end = path.stat().st_size
        for _ in range(TRIES):
            found = self._from_where_it_is(path, end, now_us)
            if found is not None:
                break
            # Another process moved it on by a line at least; what that one did not see yet is ours.
        else:
            return 0
        rows, last = found
        if last or abandoned:
            kept = path.parent / "ingested"
            kept.mkdir(exist_ok=True, mode=0o700)
            path.rename(kept / path.name)
        return rows

    def _from_where_it_is(self, path: Path, end: int, now_us: int) -> tuple[int, bool] | None:
        """Gives how many rows were ingested and whether the last line was; None where another was first."""
        found = self._database.first(REACHED, {"segment": path.stem})
        offset, digest = (found[0], bytes(found[1]).hex()) if found else (0, first_digest(path.stem))
        rows, last = 0, False
        if end > offset:
            for batch in _batches(path, offset, end, digest):
                if not self._store(path.stem, batch, now_us, begin=found is None and batch.start == 0):
                    return None
                rows += len(batch.records)
                last = batch.last
        return rows, last

    def _store(self, segment: str, batch: _Batch, now_us: int, *, begin: bool) -> bool:
        steps: list[Any] = []
        if begin:
            first = bytes.fromhex(first_digest(segment))
            steps.append(("segment_begin", Rule.ANY, {"segment": segment, "offset": 0, "digest": first}))
        steps.append(
            (
                "segment_advance",
                Rule.TOUCHES,
                {
                    "segment": segment,
                    "before": batch.start,
                    "reached": batch.reached,
                    "digest": bytes.fromhex(batch.digest),
                },
            )
        )
        try:
            self._writer.apply(
                own_plan(
                    now_us,
                    *steps,
                    *record_steps(batch.records),
                    *many("late_disclosure", _late(batch, now_us)),
                )
            )
        except GuardFailed:
            return False
        return True


def _late(batch: _Batch, now_us: int) -> list[dict[str, Any]]:
    """Gives the persons whose disclosures were not known while withdrawals looked for them, each once."""
    oldest: dict[int, int] = {}
    late = [row for row in batch.records if row["at_us"] < now_us - LATE_US]
    for (person, *_), (_, first_us, _) in ledger_counts(late).items():
        oldest[person] = min(first_us, oldest.get(person, first_us))
    return [
        {
            "person": person,
            "since_us": at_us - _CROSSED_US,
            "now_us": now_us,
            "prefix": f"{MISSED_AT_LAST}/",
            "suffix": f"/{now_us}",
            "nothing": b"",
        }
        for person, at_us in sorted(oldest.items())
    ]


def _is_abandoned(path: Path) -> bool:
    """Tells whether the process that wrote the segment is gone: it holds a lock while it lives."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def _batches(path: Path, offset: int, end: int, digest: str) -> Iterator[_Batch]:
    """Gives the complete lines that begin between two offsets."""
    batch = _Batch(offset, offset, digest, [])
    name = path.stem
    with path.open("rb") as file:
        file.seek(offset)
        for raw in file:
            if batch.reached >= end or not raw.endswith(b"\n"):
                break  # written since this began; still being written, or cut by a power loss
            line = _line(raw[:-1], batch)
            origin = f"{name}:{batch.reached}"
            batch.records += [{**asdict(row), "origin": origin} for row in line.rows]
            batch.records += [_page(page, origin) for page in line.pages]
            batch.weight += len(line.rows) + PAGE_WEIGHT * len(line.pages)
            batch.digest = line_digest(raw[:-1])
            batch.reached += len(raw)
            batch.last = line.last
            if batch.weight >= BATCH_ROWS or line.last:
                yield batch
                batch = _Batch(batch.reached, batch.reached, batch.digest, [])
    if batch.reached > batch.start:
        yield batch


def _page(page: SpooledPage, origin: str) -> Record:
    shared = asdict(page)
    subjects = shared.pop("subjects")
    return page_record({**shared, "outcome": 0, "reason": "", "origin": origin}, subjects)


def _line(raw: bytes, batch: _Batch) -> Line:
    try:
        line = _decode(raw)
    except msgspec.MsgspecError:
        raise _Broken(batch.reached) from None
    if line.previous != batch.digest:
        raise _Broken(batch.reached)
    return line
