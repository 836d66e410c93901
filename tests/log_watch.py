"""No log line of a test run says who a test person is: every line is looked at, in this process and in servers' logs.

What lives here: collecting what was sent about persons, collecting log lines, and comparing them after each test. What
does not: what is logged (each room), the audit (which is not a log).

A value that was sent about a person (a name, a birth date, a number, an address, a free text) may not stand in any line
that a logger was given, nor in what a server process wrote. Ids made by the hub may.

Source: OWASP ASVS 5.0 V16; ``architecture.md`` 6.
"""

import logging
import re
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

CHUNK = 65_536
"""Characters after which a further text is begun."""
SHORTEST = 4
"""Texts shorter than this are no evidence: they stand in many words."""

_NAMING = frozenset(
    {"family", "given", "line", "city", "postalCode", "text", "birthDate", "payload", "contentString"}
)
_PERSONS = frozenset({"Patient", "RelatedPerson", "Practitioner"})
_TELLING = re.compile(r"[^\Wa-z_]|\s")
"""A single plain word in small letters is no name: it stands in log lines of its own right."""


class LogWatch(logging.Handler):
    """Keeps each different line that any logger was given."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: dict[str, None] = {}
        self.values: dict[str, None] = {}
        self._told: set[tuple[str, str]] = set()
        self._looked_at = 0
        self._known = 0
        self._chunks: list[str] = []
        self.setFormatter(logging.Formatter("%(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps the line, with its trace where there is one."""
        self.lines[self.format(record)] = None

    def sent(self, resource: object) -> None:
        """Notes what a resource, a Bundle of them, or a form says about a person."""
        for value in personal_values(resource):
            self.values.setdefault(value)

    def look_into(self, log: Path) -> None:
        """Takes over the lines of a server's log."""
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
            self.lines.setdefault(line)

    def found(self) -> list[str]:
        """Gives lines that say a personal value and were not given before; empty where all is well."""
        if len(self.lines) == self._looked_at and len(self.values) == self._known:
            return []
        fresh = list(islice(self.lines, self._looked_at, None))
        text = "\n".join(fresh)
        known = list(islice(self.values, self._known))
        added = list(islice(self.values, self._known, None))
        told = [line for value in known if value in text for line in self._saying(value, fresh)]
        self._keep(text)
        self._looked_at, self._known = len(self.lines), len(self.values)
        for value in added:  # a value that is new is looked for in every line there ever was
            if any(value in chunk for chunk in self._chunks):
                told += self._saying(value, list(self.lines))
        return list(dict.fromkeys(told))

    def _keep(self, text: str) -> None:
        """Keeps lines in a few long texts, in which looking for a value is quick."""
        if self._chunks and len(self._chunks[-1]) < CHUNK:
            self._chunks[-1] = f"{self._chunks[-1]}\n{text}"
        else:
            self._chunks.append(text)

    def _saying(self, value: str, lines: list[str]) -> list[str]:
        """Gives those of the lines that say a value and were not told of it before."""
        said = []
        for line in lines:
            if value in line and says(line, value) and (line, value) not in self._told:
                self._told.add((line, value))
                said.append(line)
        return said


WATCH = LogWatch()
"""The one watch of a test process."""


def says(line: str, value: str) -> bool:
    """Tells whether a line says a value as words of its own.

    >>> says("no such person: Lark", "Lark"), says("clarkson", "lark")
    (True, False)
    """
    return re.search(rf"(?<!\w){re.escape(value)}(?!\w)", line) is not None


def personal_values(found: object, type_name: str = "") -> Iterable[str]:
    """Gives what identifies somebody in what is sent: names, numbers, dates of birth, addresses, free text.

    >>> sorted(personal_values({"resourceType": "Patient", "name": [{"given": ["Lark"]}], "id": "p-1"}))
    ['Lark']
    """
    if isinstance(found, Mapping):
        type_name = str(found.get("resourceType", type_name))
        for name, value in found.items():
            if name in _NAMING or (name == "value" and type_name in _PERSONS) or (name == "note"):
                yield from _texts(value)
            else:
                yield from personal_values(value, type_name)
    elif isinstance(found, list | tuple):
        for value in found:
            yield from personal_values(value, type_name)


def _texts(value: object) -> Iterable[str]:
    if isinstance(value, str):
        if len(value) >= SHORTEST and _TELLING.search(value):
            yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)


def begin() -> None:
    """Listens to every logger of this process, from the level that production uses downwards to what it may use."""
    root = logging.getLogger()
    if WATCH not in root.handlers:
        root.addHandler(WATCH)
        logging.getLogger("referral_hub").setLevel(logging.DEBUG)


def values_of(body: Any) -> None:
    """Notes the values of something that is about to be sent to a hub."""
    if isinstance(body, Mapping | list):
        WATCH.sent(body)
