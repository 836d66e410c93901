"""Ingesting the audit spool: lines of reads become audit rows and ledger rows, each exactly once.

What lives here: reading segments, of living and of dead processes. What does not: writing them
(``store.spool``).

How far a segment is ingested is a row that moves in the same transaction as the audit rows, and only from
where it was: two ingesting processes do not count a line twice. A segment that is complete moves to
``ingested/`` and is kept.

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

from referral_hub.errors import GuardFailed
from referral_hub.store import schema
from referral_hub.store.apply import PlanWriter
from referral_hub.store.audit_rows import Record, record_steps
from referral_hub.store.database import Database
from referral_hub.store.plan import Rule, own_plan
from referral_hub.store.spool import Line, first_digest, line_digest
from referral_hub.store.statements import WRITES, Statement, octets, whole, words
from referral_hub.store.write_statements import insert_ignoring

BATCH_ROWS = 500
TRIES = 20
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
        for _ in range(TRIES):
            found = self._from_where_it_is(path, now_us)
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

    def _from_where_it_is(self, path: Path, now_us: int) -> tuple[int, bool] | None:
        """Gives how many rows were ingested and whether the end was reached; None where another was first."""
        found = self._database.first(REACHED, {"segment": path.stem})
        offset, digest = (found[0], bytes(found[1]).hex()) if found else (0, first_digest(path.stem))
        rows, last = 0, False
        if path.stat().st_size > offset:
            for batch in _batches(path, offset, digest):
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
            self._writer.apply(own_plan(now_us, *steps, *record_steps(batch.records)))
        except GuardFailed:
            return False
        return True


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


def _batches(path: Path, offset: int, digest: str) -> Iterator[_Batch]:
    batch = _Batch(offset, offset, digest, [])
    name = path.stem
    with path.open("rb") as file:
        file.seek(offset)
        for raw in file:
            if not raw.endswith(b"\n"):
                break  # still being written, or cut by a power loss
            line = _line(raw[:-1], batch)
            origin = f"{name}:{batch.reached}"
            batch.records += [{**msgspec.structs.asdict(row), "origin": origin} for row in line.rows]
            batch.digest = line_digest(raw[:-1])
            batch.reached += len(raw)
            batch.last = line.last
            if len(batch.records) >= BATCH_ROWS or line.last:
                yield batch
                batch = _Batch(batch.reached, batch.reached, batch.digest, [])
    if batch.reached > batch.start:
        yield batch


def _line(raw: bytes, batch: _Batch) -> Line:
    try:
        line = _decode(raw)
    except msgspec.MsgspecError:
        raise _Broken(batch.reached) from None
    if line.previous != batch.digest:
        raise _Broken(batch.reached)
    return line
