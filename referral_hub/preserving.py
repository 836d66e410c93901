"""A whole hub into a file and back: ``backup`` and ``restore``.

What lives here: the order of both, and what a restored copy must not bring back to life. What does not: the file
(``store.archive``), the tables (``store.copying``), the list of what ended (``store.endings``).

A backup is two files: the records, and the wrapped keys with a retention of their own; each opens with the hub's master
key only. What happened after it was made is not in it. So a restored hub begins with every permission ended, every
member of staff to be authorised anew and all software closed, unless it is given the list of what ended since: then
that alone is closed. Tokens, sessions and links are in no backup.

Source: ``interfaces.md`` 2; ``engine.md`` 4; ``views.md`` 8; ADR 0042.
"""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import sqlalchemy as sa

from referral_hub.app import Parts, checkpoints_file, clock, master_source, open_hub
from referral_hub.errors import ConfigurationError, Unavailable
from referral_hub.exchange.building import Draft
from referral_hub.exchange.change import AuditEntry
from referral_hub.exchange.early_ends import end_permissions
from referral_hub.exchange.interactions import hub_write
from referral_hub.founding import migrate_hub, opened_database, own_directory
from referral_hub.keyring.master import KEY_BYTES, MasterKey
from referral_hub.keyring.ring import HUB
from referral_hub.settings import Settings
from referral_hub.store.archive import ArchiveWriter, Header, frames, read_header
from referral_hub.store.closing import close_rights
from referral_hub.store.copying import KEYS, RECORDS, Filling, count_rows, filling, open_to_hubs, reading_all
from referral_hub.store.endings import FILE as ENDINGS_FILE
from referral_hub.store.endings import Endings, add_lines, backup_line, read_endings
from referral_hub.store.erasing import erasing_rows
from referral_hub.store.sealer import Checkpoint, Sealer
from referral_hub.store.segments import Segments
from referral_hub.store.verify import CHECKPOINTS
from referral_hub.store.versions import SCHEMA_VERSION, schema_version

RESTORED = "restored"
"""Why a permission ended: code of ``sharing-ended-reason``."""
Told = Callable[[int], None]
"""Told how many rows were done since it was told before."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a backup holds: its id and how many rows and keys."""

    backup: str
    rows: int
    keys: int


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore brought and what it closed.

    ``known_until_us`` is the time of the last line of the list of endings; 0 where none was given.
    """

    rows: int
    keys: int
    permissions_of: int
    erased: int
    known_until_us: int


def keys_file_of(file: Path) -> Path:
    """Gives the file of keys beside a file of records.

    >>> keys_file_of(Path("monday.hub")).name
    'monday.hub.keys'
    """
    return file.with_name(f"{file.name}.keys")


def endings_file(settings: Settings) -> Path:
    """Gives the list of what ended, beside the checkpoints and outside the database."""
    return checkpoints_file(settings).with_name(ENDINGS_FILE)


def rows_to_keep(settings: Settings) -> int:
    """Gives how many rows a backup will have, for a bar that shows how far it is."""
    return count_rows(settings.database_url, (*KEYS, *RECORDS))


def backup_hub(parts: Parts, file: Path, told: Told = lambda _: None) -> Kept:
    """Writes the whole hub into a file and its keys into another, while it runs.

    Args:
        parts: the opened hub.
        file: the file of records, not there yet; the keys go beside it.
        told: told how far it is.

    Raises:
        ConfigurationError: there is no hub, or a file cannot be written.
    """
    settings = parts.settings
    hub = _hub_of(parts)
    _seal(parts)
    backup, at_us = secrets.token_hex(8), clock()
    # In the list first: what ends from here on stands behind this line.
    add_lines(endings_file(settings), [backup_line(backup, at_us)])
    master = master_source(settings).read()
    counts: dict[str, int] = {}
    with reading_all(settings.database_url) as read:
        for kind, path, tables in (("keys", keys_file_of(file), KEYS), ("records", file, RECORDS)):
            key = secrets.token_bytes(KEY_BYTES)
            wrapped = master.wrap(_key_name(kind, backup), key)
            header = Header(kind, hub, backup, at_us, SCHEMA_VERSION, wrapped.wrapped, wrapped.master)
            with _new_file(path) as out:
                counts[kind] = sum(_write(ArchiveWriter(out, header, key), read(tables), told).values())
    _note(parts, hub, "backup", backup)
    return Kept(backup, counts["records"], counts["keys"])


def restore_hub(
    settings: Settings,
    file: Path,
    keys: Path | None = None,
    endings: Path | None = None,
    told: Told = lambda _: None,
) -> Restored:
    """Brings a backup back into an empty database, of either kind, and closes what must not come back.

    Args:
        settings: of the hub that is to be.
        file: the file of records.
        keys: the newest file of keys of that hub; beside the records by default.
        endings: the list of what ended (``audit/endings.jsonl``); without it everything is closed.
        told: told how far it is.

    Raises:
        ConfigurationError: a file is damaged, not whole, of another hub or version; the master key is another; the
            database is not empty. Nothing was restored.
    """
    own_directory(settings.data_dir)
    master = master_source(settings).read()
    with _opened(file) as records, _opened(keys or keys_file_of(file)) as wrapped:
        about, key_frames = _begun(wrapped, "keys", master)
        header, record_frames = _begun(records, "records", master)
        if about.hub != header.hub:
            raise ConfigurationError("The records and the keys are of two hubs. Nothing was restored.")
        since = _endings(endings, header.backup)
        _refuse_half(settings)
        migrate_hub(settings)
        with filling(settings.database_url) as into:
            brought = _fill(into, key_frames, KEYS, told, master)
            rows = _fill(into, record_frames, RECORDS, told)
            closed = close_rights(into, since, header.hub)
            into.count_on()
    if endings is not None and not endings_file(settings).exists():
        add_lines(endings_file(settings), endings.read_text(encoding="ascii").splitlines())
    parts = open_hub(settings)
    try:
        erased = sum(_erase(parts, patient, clock()) for patient in (since.erased if since else ()))
        for person in closed:
            _end(parts, person)
        _write_checkpoints(parts)
        _note(parts, header.hub, "restore", header.backup)
        _seal(parts)
    finally:
        parts.close()
    open_to_hubs(settings.database_url)
    return Restored(rows, brought, len(closed), erased, since.until_us if since else 0)


# --- into the file ----------------------------------------------------------------------------------------


def _key_name(kind: str, backup: str) -> str:
    return f"backup:{kind}:{backup}"


@contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    """Opens a new file for its owner alone, which has its name only once it is whole and on the disk."""
    if path.exists():
        raise ConfigurationError(f"{path.name} is there already; a backup does not replace another.")
    part = path.with_name(f"{path.name}.part")
    try:
        with os.fdopen(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        part.replace(path)
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except OSError as problem:
        raise ConfigurationError(f"The backup cannot be written there ({problem.strerror}).") from problem
    finally:
        part.unlink(missing_ok=True)


def _write(archive: ArchiveWriter, pages: Iterator[Any], told: Told) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name, columns, rows in pages:
        archive.add([name, columns, rows])
        counts[name] = counts.get(name, 0) + len(rows)
        told(len(rows))
    archive.finish(counts)
    return counts


# --- out of the file --------------------------------------------------------------------------------------


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("rb")
    except OSError as problem:
        raise ConfigurationError(f"{path.name} cannot be read ({problem.strerror}).") from problem
    with file:
        yield file


def _begun(file: BinaryIO, kind: str, master: MasterKey) -> tuple[Header, Iterator[tuple[Any, bool]]]:
    header, about = read_header(file)
    if header.kind != kind:
        raise ConfigurationError(f"A file of {kind} was expected, and this is one of {header.kind}.")
    if header.schema != SCHEMA_VERSION:
        raise ConfigurationError(
            f"This backup has version {header.schema} of the tables, and this program has {SCHEMA_VERSION}. Restore "
            "it with the program that made it, then bring the database to this version with `referral-hub migrate`."
        )
    try:
        key = master.unwrap(_key_name(kind, header.backup), header.wrapped, header.master)
    except Unavailable:
        raise ConfigurationError(
            "The master key here is not the one this backup was made under. Put your copy of that key in its place."
        ) from None
    return header, frames(file, about, key)


def _endings(file: Path | None, backup: str) -> Endings | None:
    if file is None:
        return None
    try:
        found = read_endings(file, backup)
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError(f"{file.name} cannot be read.") from None
    if found is None:
        raise ConfigurationError(
            "The list of what ended is damaged, or older than this backup. Give a newer copy of it, or none: then "
            "every permission ends. Nothing was restored."
        )
    return found


def _refuse_half(settings: Settings) -> None:
    if settings.sqlite_file is not None and not settings.sqlite_file.exists():
        return
    with opened_database(settings) as database:
        if schema_version(database) not in ("", SCHEMA_VERSION):
            raise ConfigurationError(
                "This database is of another version, or a restore into it was cut short. Give an empty one."
            )


def _fill(
    into: Filling,
    found: Iterator[tuple[Any, bool]],
    tables: tuple[sa.Table, ...],
    told: Told,
    master: MasterKey | None = None,
) -> int:
    counts: dict[str, int] = {}
    for value, last in found:
        if last:
            if value != counts:
                raise ConfigurationError("This backup is not whole: rows are missing. Nothing was restored.")
            continue  # the frames end here, or say what follows
        if master is not None:
            _try_keys(master, value)
        counts[value[0]] = counts.get(value[0], 0) + into.add((value[0], value[1], value[2]), tables)
        told(len(value[2]))
    return sum(counts.values())


def _try_keys(master: MasterKey, frame: Any) -> None:
    """Opens the hub's own key, so that a copy that nobody could read is refused before it is stored."""
    name, wrapped, under = (frame[1].index(column) for column in ("name", "wrapped", "master"))
    for row in frame[2]:
        if row[name] == HUB:
            try:
                master.unwrap(HUB, row[wrapped], row[under])
            except Unavailable:
                raise ConfigurationError("The keys of this backup lie under another master key.") from None


def _end(parts: Parts, person: int) -> None:
    """Ends a person's running permissions as the hub ends one early; her rows are closed already."""

    def decide(draft: Draft) -> bool:
        patient = draft.working.row(person)
        if patient is None or patient.deleted:
            return False
        return end_permissions(patient, draft, reason=RESTORED, which=lambda _: True)

    with suppress(Unavailable):  # erased: nothing of hers opens
        hub_write(parts.hub, decide)


def _erase(parts: Parts, patient: str, at_us: int) -> int:
    """Erases once more who was erased after the backup was made; gives how many that were."""

    def decide(draft: Draft) -> bool:
        row = draft.working.resource("Patient", patient)
        if row is None or row.person is None:
            return False
        draft.working.guard_row(row)
        for erased in erasing_rows(row.person, at_us):
            draft.settle(erased)
        return True

    return int(hub_write(parts.hub, decide))


# --- what both share ---------------------------------------------------------------------------------------


def _hub_of(parts: Parts) -> str:
    with parts.store.snapshot() as snapshot:
        hub = snapshot.hub_organization()
    if hub is None:
        raise ConfigurationError("The network has no organisation of its own yet: run `referral-hub init`.")
    return hub.facts.id


def _seal(parts: Parts) -> None:
    Segments(parts.settings.audit_spool_dir, parts.database, parts.writer).ingest(clock())
    Sealer(parts.database, parts.writer, parts.keyring, checkpoints_file(parts.settings)).seal(
        clock(), checkpoint=True
    )


def _write_checkpoints(parts: Parts) -> None:
    """Writes the file of checkpoints as the backup knew them, where there is none."""
    file = checkpoints_file(parts.settings)
    if not file.exists():
        found = parts.database.run(CHECKPOINTS)
        add_lines(file, [Checkpoint(seq, bytes(tip), at, bytes(sign)).line() for seq, tip, at, sign in found])


def _note(parts: Parts, hub: str, interaction: str, backup: str) -> None:
    entry = AuditEntry(
        at_us=clock(),
        action="E",
        interaction=interaction,
        outcome=0,
        organization=hub,
        oauth_client="",
        user="",
        purpose="",
        person=None,
        reason=backup,
    )
    parts.store.apply(parts.gate.admit_record(parts.hub.ids.public_id(), (entry,)))
