"""The list of what ended, outside the database: a restored copy is held against it, so that nothing comes back.

What lives here: which lines of the audit say that something ended or changed, and the file. What does not: closing
what the list names (``referral_hub.preserving``), the audit (``store.sealer``, which adds to the list before it seals).

A line names a number or an id, never what was allowed: whose permissions changed, which record was erased, in which
organisation accounts changed, which software changed. A line too many closes something that its owner opens again;
one too few would open what she closed.

Source: ``engine.md`` 4 (a restore must not undo an erasure); ``views.md`` 8.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from referral_hub.store.audit_rows import COLUMNS

FILE = "endings.jsonl"
_AT, _INTERACTION, _OUTCOME, _ACTION = (
    COLUMNS.index(n) for n in ("at_us", "interaction", "outcome", "action")
)
_ORGANIZATION, _CLIENT, _PERSON = (COLUMNS.index(name) for name in ("organization", "oauth_client", "person"))
_ENTITIES = COLUMNS.index("entities")
_OF_ACCOUNTS = frozenset({"account", "second-factor", "withdraw-code", "organization", "unassign"})


@dataclass(frozen=True, slots=True)
class Endings:
    """What ended after a backup was made.

    Args:
        persons: row ids of persons whose permissions changed.
        erased: ids of Patients that were erased.
        organizations: where accounts changed.
        software: client ids of software that changed.
        until_us: the time of the last line: what ended later is not known.
    """

    persons: frozenset[int]
    erased: frozenset[str]
    organizations: frozenset[str]
    software: frozenset[str]
    until_us: int


def lines_of(rows: Iterable[tuple[Any, ...]]) -> Iterator[str]:
    """Gives the lines that rows of the audit add to the list."""
    for row in rows:
        if row[_OUTCOME] != 0 or row[_ACTION] == "R":
            continue
        found: dict[str, Any] = {}
        entities = str(row[_ENTITIES])
        interaction = row[_INTERACTION]
        if interaction == "erase":
            found["erased"] = entities.partition("/")[2].partition("/")[0]
        elif interaction == "oauth-client":
            found["software"] = row[_CLIENT]
        elif interaction in _OF_ACCOUNTS:
            found["organization"] = row[_ORGANIZATION]
        elif row[_PERSON] is not None and (interaction == "withdraw" or "Consent/" in entities):
            found["person"] = row[_PERSON]
        if found:
            yield json.dumps({"at_us": row[_AT], **found})


def add_lines(file: Path, lines: Iterable[str]) -> None:
    """Adds lines to the list; they are on the disk when this returns."""
    text = "".join(f"{line}\n" for line in lines)
    if not text:
        return
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, text.encode("ascii"))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def backup_line(backup: str, at_us: int) -> str:
    """Gives the line that says that a backup was begun: what stands before it is in that backup."""
    return json.dumps({"at_us": at_us, "backup": backup})


def read_endings(file: Path, backup: str) -> Endings | None:
    """Gives what ended after a backup was begun; None where the list does not know of that backup, or is damaged.

    Raises:
        OSError: the file cannot be read.
    """
    known = False
    found: dict[str, set[Any]] = {"person": set(), "erased": set(), "organization": set(), "software": set()}
    until_us = 0
    for line in file.read_text(encoding="ascii").splitlines():
        try:
            said = json.loads(line)
            until_us = max(until_us, int(said["at_us"]))
        except (ValueError, KeyError, TypeError):
            return None
        known = known or said.get("backup") == backup
        if known:
            _note(found, said)
    if not known:
        return None
    return Endings(
        frozenset(found["person"]),
        frozenset(found["erased"]),
        frozenset(found["organization"]),
        frozenset(found["software"]),
        until_us,
    )


def _note(found: dict[str, set[Any]], said: Mapping[str, Any]) -> None:
    for name, values in found.items():
        if name in said:
            values.add(said[name])
