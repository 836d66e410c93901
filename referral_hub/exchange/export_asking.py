"""What a Bulk Data export is asked for: its parameters, read and checked.

What lives here: ``Asked`` and its reading. What does not: the export (``exchange.exports``), HTTP (``web``).

Source: HL7 Bulk Data Access 2.0, export, query parameters.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl

import msgspec

from referral_hub.errors import InvalidParameter, NotSupportedParameter
from referral_hub.fhir.dates import span
from referral_hub.resources.catalog import DEFINITIONS

Level = Literal["system", "patient", "group"]
Pairs = tuple[tuple[str, str], ...]

FORMATS = frozenset({"application/fhir+ndjson", "application/ndjson", "ndjson"})
MOST_PARTS = 200
NOT_EXPORTED = frozenset({"AuditEvent"})
_KNOWN = frozenset({"_outputFormat", "_since", "_type", "_typeFilter", "patient"})
_BETWEEN_FILTERS = re.compile(r",(?=[A-Z][A-Za-z]+\?)")
_NOT_IN_FILTERS = ("_include", "_revinclude", "_sort", "_count", "_summary", "_elements", "_total", "_cursor")


class Part(msgspec.Struct, frozen=True):
    """One search of a walk: a type, and search parameters as sent."""

    type: str
    pairs: Pairs = ()


class Asked(msgspec.Struct, frozen=True):
    """An export as it was asked for.

    ``named``: the caller named the types itself. ``persons``: ``Patient/id`` texts it is limited to.
    """

    level: Level
    url: str
    parts: tuple[Part, ...]
    group: str = ""
    named: bool = False
    persons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Read:
    types: tuple[str, ...]
    since: str
    filters: Mapping[str, Sequence[Pairs]]
    persons: tuple[str, ...]


def read_asked(
    level: Level, url: str, pairs: Sequence[tuple[str, str]], *, group: str = "", strict: bool = False
) -> Asked:
    """Gives an export's parameters, checked.

    Args:
        level: system, patient, or group.
        url: the address that was asked, for the manifest.
        pairs: decoded names and values; a name may come several times.
        group: the Group's id.
        strict: refuse parameters that are not understood (``Prefer: handling=strict``).

    Raises:
        InvalidParameter, NotSupportedParameter: 400 on the wire, with the name of the parameter.
    """
    read = _read(level, pairs, strict=strict)
    floor: Pairs = (("_lastUpdated", f"gt{read.since}"),) if read.since else ()
    parts = [
        Part(name, (*given, *floor))
        for name in read.types or exported_types(level)
        for given in read.filters.get(name, ((),))
    ]
    if len(parts) > MOST_PARTS:
        raise InvalidParameter("_typeFilter", f"At most {MOST_PARTS} searches make an export.")
    return Asked(level, url, tuple(parts), group, bool(read.types), read.persons)


def exported_types(level: Level) -> tuple[str, ...]:
    """Gives the types an export of this level may hold.

    >>> "Patient" in exported_types("patient"), "Organization" in exported_types("patient")
    (True, False)
    """
    return tuple(
        name
        for name, definition in DEFINITIONS.items()
        if name not in NOT_EXPORTED and (level == "system" or definition.about_person)
    )


def _read(level: Level, pairs: Sequence[tuple[str, str]], *, strict: bool) -> _Read:
    types: dict[str, None] = {}
    filters: dict[str, list[Pairs]] = {}
    persons: dict[str, None] = {}
    since = ""
    for name, value in pairs:
        if name == "_outputFormat" and value.replace(" ", "+") not in FORMATS:
            raise InvalidParameter("_outputFormat", "This hub writes application/fhir+ndjson.")
        if name == "_since":
            since = _since(value)
        if name == "_type":
            types.update(dict.fromkeys(_type(one.strip(), level) for one in value.split(",")))
        if name == "_typeFilter":
            for text in _BETWEEN_FILTERS.split(value):
                type_name, given = _filter(text, level)
                filters.setdefault(type_name, []).append(given)
        if name == "patient":
            persons.update(dict.fromkeys(_person(one) for one in value.split(",")))
        if name not in _KNOWN and strict:
            raise NotSupportedParameter(name, f"An export takes {', '.join(sorted(_KNOWN))}.")
    outside = [name for name in filters if types and name not in types]
    if outside:
        raise InvalidParameter("_typeFilter", f"{outside[0]} is not among the types of _type.")
    if persons and level == "system":
        raise InvalidParameter("patient", "An export of the whole hub is not limited to persons.")
    return _Read(tuple(types), since, filters, tuple(persons))


def _since(value: str) -> str:
    text = value.replace(" ", "+")  # a plus that was not escaped in an address arrives as a blank
    try:
        span(text)
    except ValueError:
        text = ""
    if "T" not in text:
        raise InvalidParameter("_since", "Give an instant with its time zone, such as 2026-11-24T09:30:00Z.")
    return text


def _type(name: str, level: Level) -> str:
    if name not in exported_types(level):
        raise InvalidParameter("_type", f"An export of this kind has no {_plain(name)}.")
    return name


def _filter(text: str, level: Level) -> tuple[str, Pairs]:
    type_name, asks, query = text.partition("?")
    if not asks or type_name not in exported_types(level):
        raise InvalidParameter("_typeFilter", "Give a type of the export, a question mark, and a search.")
    pairs = tuple(parse_qsl(query, keep_blank_values=True))
    for name, _ in pairs:
        if name.partition(":")[0] in _NOT_IN_FILTERS:
            raise InvalidParameter("_typeFilter", f"{name.partition(':')[0]} has no place in an export.")
    return type_name, pairs


def _person(text: str) -> str:
    found = text.strip()
    found = found if "/" in found else f"Patient/{found}"
    if not found.startswith("Patient/"):
        raise InvalidParameter("patient", "Give references such as Patient/123.")
    return found


def _plain(name: str) -> str:
    """Gives a type's name where it is one; anything else is not repeated."""
    return name if re.fullmatch(r"[A-Za-z]{1,40}", name) else "such type"
