"""The audit spool: a read leaves its line in a file before its first byte leaves.

What lives here: writing segments, one per process. What does not: bringing them into the database
(``store.segments``), rows of writes (``store.audit_rows``).

A segment is a file of JSON lines. Each line holds the SHA-256 of the line before it, so a line cannot be
changed or taken out unseen. The process holds a lock on its segment while it lives. A durable line is on
the disk before its writer goes on; threads that wait at the same moment share one ``fdatasync``. Other
lines reach the disk within 50 ms.

Source: ``engine.md`` 3, ``stack.md`` 2, decision 5.
"""

import fcntl
import hashlib
import os
import secrets
import threading
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import msgspec

from referral_hub.errors import Unavailable
from referral_hub.exchange.change import AuditEntry, PageEntry
from referral_hub.store.audit_rows import detail_label
from referral_hub.store.bodies import Keys
from referral_hub.store.database import Away
from referral_hub.store.sealing import Sealing

LATEST_S = 0.05
"""How long a line that nobody waits for may take to reach the disk, in seconds."""
SEGMENT_BYTES = 16 * 1024 * 1024


class SpooledRow(msgspec.Struct, omit_defaults=True, frozen=True):
    """One audit row in a segment, its detail sealed."""

    at_us: int
    action: str
    interaction: str
    outcome: int = 0
    organization: str = ""
    oauth_client: str = ""
    user_id: str = ""
    purpose: str = ""
    person: int | None = None
    recipient: str = ""
    entities: str = ""
    consents: str = ""
    reason: str = ""
    detail_format: int = 0
    detail: bytes = b""


class SpooledPage(msgspec.Struct, omit_defaults=True, frozen=True):
    """One audit row about several persons: what is the same for all, and of each her entities and consents."""

    at_us: int
    action: str
    interaction: str
    subjects: tuple[tuple[int, str, str], ...]
    organization: str = ""
    oauth_client: str = ""
    user_id: str = ""
    purpose: str = ""
    recipient: str = ""


class Line(msgspec.Struct, omit_defaults=True, frozen=True):
    """One line of a segment: the digest of the line before it, and the rows of one response.

    ``last`` marks the end of a segment that was closed in order.
    """

    previous: str
    rows: tuple[SpooledRow, ...] = ()
    last: bool = False
    pages: tuple[SpooledPage, ...] = ()


_encode = msgspec.json.Encoder().encode


def line_digest(line: bytes) -> str:
    """Gives the digest of a line without its line end."""
    return hashlib.sha256(line).hexdigest()


def first_digest(segment: str) -> str:
    """Gives what the first line of a segment follows: its own name."""
    return hashlib.sha256(segment.encode()).hexdigest()


def _sync(descriptor: int) -> None:
    """Waits until what was written is on the disk; macOS knows no fdatasync."""
    if hasattr(os, "fdatasync"):
        os.fdatasync(descriptor)
    else:
        os.fsync(descriptor)


class _Segment:
    """One open segment of this process."""

    def __init__(self, directory: Path) -> None:
        self.name = f"segment-{os.getpid()}-{secrets.token_hex(8)}"
        path = directory / f"{self.name}.jsonl"
        draft = path.with_name(f".{path.name}")
        self.descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        # It gets its name once it is locked, or it could be taken for the segment of a dead process.
        fcntl.flock(self.descriptor, fcntl.LOCK_EX)
        draft.rename(path)
        self.previous = first_digest(self.name)
        self.written = 0
        self.synced = 0
        self.is_abandoned = False

    def add(
        self, rows: tuple[SpooledRow, ...], pages: tuple[SpooledPage, ...] = (), *, last: bool = False
    ) -> int:
        line = _encode(Line(self.previous, rows, last, pages))
        message = line + b"\n"
        if os.write(self.descriptor, message) != len(message):
            raise OSError("a line was cut")
        self.previous = line_digest(line)
        self.written += len(message)
        return self.written


class Spool:
    """The audit lines of the reads of this process. Safe to use from many threads.

    Args:
        directory: where segments are kept, readable by their owner alone.
        keys: seals the detail of a line.
        away: gives up the lane while the disk is waited for.
    """

    def __init__(self, directory: Path, keys: Keys, *, away: Away = nullcontext) -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._directory = directory
        self._keys = keys
        self._away = away
        self._writing = threading.Lock()
        self._syncing = threading.Lock()
        self._segment: _Segment | None = None
        self._dirty = threading.Event()
        self._ending = threading.Event()
        self._behind = threading.Thread(target=self._follow, name="audit-spool", daemon=True)
        self._behind.start()

    def append(self, entries: Sequence[AuditEntry | PageEntry], *, durable: bool) -> None:
        """Appends one line for one response.

        Args:
            entries: what the response disclosed, ids and versions, no content.
            durable: True to wait until the line is on the disk.

        Raises:
            Unavailable: where the line cannot be written: nothing may be released then (503 on the wire).
        """
        pages: tuple[SpooledPage, ...] = ()
        rows: tuple[SpooledRow, ...]
        if len(entries) == 1 and isinstance(entries[0], AuditEntry) and not entries[0].detail:
            rows = (_row(entries[0]),)  # as nearly every read
        else:
            pages, others = _paged(entries)
            rows = tuple(self._rows(others))
        with self._writing:
            try:
                segment = self._open_segment()
                end = segment.add(rows, pages)
            except OSError as problem:
                self._abandon(self._segment)
                raise _unwritten() from problem
        if not durable:
            # Whoever finds it set wrote before it is taken down, so before the next look at what is written.
            if not self._dirty.is_set():
                self._dirty.set()
            return
        with self._away():
            if not self._reach_disk(segment, end):
                raise _unwritten()

    def _rows(self, entries: Sequence[AuditEntry]) -> list[SpooledRow]:
        sealing = Sealing(self._keys)
        rows = []
        for entry in entries:
            detail_format, detail = 0, b""
            if entry.detail:
                label = detail_label(entry.at_us, entry.organization, entry.action)
                detail_format, detail = sealing.seal(entry.detail, entry.person, label)
            rows.append(_row(entry, detail_format, detail))
        if sealing.made:
            raise Unavailable("The audit of a person without a key cannot be written; nothing is released.")
        return rows

    def _open_segment(self) -> _Segment:
        segment = self._segment
        if segment is not None and segment.written >= SEGMENT_BYTES:
            self._end(segment)
            segment = None
        if segment is None:
            segment = self._segment = _Segment(self._directory)
        return segment

    def _reach_disk(self, segment: _Segment, end: int) -> bool:
        """Whoever comes first syncs for all who have written by then; False where the disk fails."""
        with self._syncing:
            if segment.synced >= end:
                return True
            if segment.is_abandoned:
                return False
            reached = segment.written
            try:
                _sync(segment.descriptor)
            except OSError:
                return False
            segment.synced = reached
            return True

    def _follow(self) -> None:
        """Brings lines that nobody waits for to the disk."""
        while not self._ending.is_set():
            self._dirty.wait()
            self._dirty.clear()
            self._ending.wait(LATEST_S / 2)
            segment = self._segment
            if segment is not None:
                self._reach_disk(segment, segment.written)

    def _end(self, segment: _Segment) -> None:
        segment.add((), last=True)
        with self._syncing:
            _sync(segment.descriptor)
            segment.synced = segment.written
            os.close(segment.descriptor)
        self._segment = None

    def _abandon(self, segment: _Segment | None) -> None:
        """After a failed write the next line begins a new segment; what is in this one stays."""
        self._segment = None
        if segment is not None:
            with self._syncing:
                segment.is_abandoned = True
                os.close(segment.descriptor)

    def close(self) -> None:
        """Ends the segment in order."""
        self._ending.set()
        self._dirty.set()
        self._behind.join()
        with self._writing:
            if self._segment is not None:
                self._end(self._segment)


def _row(entry: AuditEntry, detail_format: int = 0, detail: bytes = b"") -> SpooledRow:
    return SpooledRow(
        entry.at_us,
        entry.action,
        entry.interaction,
        entry.outcome,
        entry.organization,
        entry.oauth_client,
        entry.user,
        entry.purpose,
        entry.person,
        entry.recipient,
        " ".join(entry.entities),
        " ".join(entry.consents),
        entry.reason,
        detail_format,
        detail,
    )


def _paged(entries: Sequence[AuditEntry | PageEntry]) -> tuple[tuple[SpooledPage, ...], list[AuditEntry]]:
    """Gives what can be told of several persons together, and the rest.

    Together are lines of one caller and moment that are done, hold no detail and name each person once.
    """
    pages: list[SpooledPage] = []
    together: dict[tuple[object, ...], dict[int, AuditEntry]] = {}
    others: list[AuditEntry] = []
    for entry in entries:
        if isinstance(entry, PageEntry):
            pages.append(_page(entry.shared, entry.subjects))
            continue
        if entry.person is None or entry.outcome or entry.reason or entry.detail:
            others.append(entry)
            continue
        key = (
            entry.recipient,
            entry.interaction,
            entry.at_us,
            entry.action,
            entry.organization,
            entry.oauth_client,
            entry.user,
            entry.purpose,
        )
        if together.setdefault(key, {}).setdefault(entry.person, entry) is not entry:
            others.append(entry)
    for found in together.values():
        if len(found) == 1:
            others += found.values()
            continue
        first = next(iter(found.values()))
        subjects = tuple(
            (person, " ".join(entry.entities), " ".join(entry.consents)) for person, entry in found.items()
        )
        pages.append(_page(first, subjects))
    return tuple(pages), others


def _page(shared: AuditEntry, subjects: tuple[tuple[int, str, str], ...]) -> SpooledPage:
    return SpooledPage(
        shared.at_us,
        shared.action,
        shared.interaction,
        subjects,
        shared.organization,
        shared.oauth_client,
        shared.user,
        shared.purpose,
        shared.recipient,
    )


def _unwritten() -> Unavailable:
    return Unavailable("The audit cannot be written, so nothing is released; try again later.")
