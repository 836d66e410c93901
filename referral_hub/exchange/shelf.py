"""The shelf of definitions that come with the hub: profiles, codes, maps, operations, and R4's own below them.

What lives here: the shelf, and looking through it by ``url``, ``version``, ``name`` and the rest. What does not:
the files (``fhir.artifacts``), R4's definitions (``fhir.core_definitions``), what a type is searched by
(``resources``), the interactions (``exchange.published``).

Source: HL7 FHIR R4 ``conformance-module.html``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from typing import Any

import msgspec

from referral_hub.errors import MalformedContent, NotFound
from referral_hub.exchange.indexing import parameter_of
from referral_hub.exchange.ports import ReleasedBytes
from referral_hub.fhir import json_codec
from referral_hub.fhir.artifacts import artifact_files
from referral_hub.fhir.canonical import CANONICAL
from referral_hub.fhir.core_definitions import core_definitions
from referral_hub.fhir.core_parameters import core_parameters
from referral_hub.fhir.dates import instant, span
from referral_hub.fhir.index_values import DateValue, IndexValue, StringValue, TokenValue, UriValue
from referral_hub.fhir.search_grammar import parse_query, refuse_unknown
from referral_hub.fhir.search_match import matches
from referral_hub.fhir.search_parameters import SearchParameter, official
from referral_hub.fhir.search_query import Query
from referral_hub.fhir.search_values import Extractor, compile_extractor
from referral_hub.resources.catalog import PUBLISHED, SERVED

_SORTABLE = ("_id", "_lastUpdated", "date", "name", "status", "title", "url", "version")
SHELVED = frozenset({*PUBLISHED, "Questionnaire"})
"""Types that stand on the shelf: the published ones, and the network's own instruments."""
MOST_TERMS = 50
"""The most values of one search: whoever asks is unknown, and each is compared with every code there is."""
_OF_EVERY_TYPE = ("_id", "_lastUpdated")


@dataclass(frozen=True, slots=True)
class Definition:
    """One published definition, with its bytes as they leave and what it is found by."""

    type: str
    id: str
    released: ReleasedBytes
    body: Mapping[str, Any]
    values: dict[str, tuple[IndexValue, ...]] = field(default_factory=dict)

    def found_by(self, code: str) -> tuple[IndexValue, ...]:
        """Gives its values for a search parameter; worked out when they are first asked for."""
        known = self.values.get(code)
        if known is None:
            known = self.values[code] = tuple(_values(self, code))
        return known


@dataclass(frozen=True, slots=True)
class Shelf:
    """All definitions of one hub, by type and id; ``at_us`` is when this release was made, microseconds UTC."""

    at_us: int = 0
    definitions: Mapping[str, Mapping[str, Definition]] = field(default_factory=dict)

    def one(self, type_name: str, public_id: str) -> Definition:
        """Gives one definition.

        Raises:
            NotFound: there is none of this type and id (404).
        """
        found = self.definitions.get(type_name, {}).get(public_id)
        if found is None:
            raise NotFound
        return found

    def beside(self, body: dict[str, Any]) -> "Shelf":
        """Gives the shelf with one more definition, or another in its place."""
        type_name, public_id = str(body["resourceType"]), str(body["id"])
        one = _definition(type_name, public_id, body, self.at_us)
        of_type = dict(sorted({**self.definitions.get(type_name, {}), public_id: one}.items()))
        return Shelf(self.at_us, {**self.definitions, type_name: of_type})

    def of_type(self, type_name: str) -> Iterable[Definition]:
        """Gives the definitions of a type, in the order of their ids."""
        return self.definitions.get(type_name, {}).values()


@dataclass(frozen=True, slots=True)
class Hits:
    """One page of a search among definitions; ``offset`` is where the next page begins, 0 on the last."""

    page: tuple[Definition, ...]
    total: int
    offset: int
    query: Query
    pairs: tuple[tuple[str, str], ...]


class Place(msgspec.Struct, frozen=True):
    """Where a search among definitions goes on: which type, which query, after how many."""

    published: str
    pairs: tuple[tuple[str, str], ...]
    offset: int = 0


def shelf_of(bodies: Iterable[dict[str, Any]], at_us: int) -> Shelf:
    """Puts definitions on a shelf.

    Args:
        bodies: decoded resources; those of other types than :data:`SHELVED` are left out, and an earlier one of the
            same type and id wins.
        at_us: when this release of the hub was made, microseconds UTC.
    """
    found: dict[str, dict[str, Definition]] = {}
    for body in bodies:
        type_name, public_id = str(body.get("resourceType")), str(body.get("id"))
        if type_name in SHELVED and public_id not in found.setdefault(type_name, {}):
            found[type_name][public_id] = _definition(type_name, public_id, body, at_us)
    return Shelf(at_us, {name: dict(sorted(of_type.items())) for name, of_type in found.items()})


@cache
def packaged_shelf(released_on: str) -> Shelf:
    """Gives the shelf of what is inside the package: read once, when it is first asked for.

    Args:
        released_on: the date of this release of the hub.

    >>> packaged_shelf("2026-11-24").one("CodeSystem", "information-category").body["content"]
    'complete'
    """
    own = (json_codec.decode_object(file.read_bytes()) for file in artifact_files())
    searched = {name: declared(name).values() for name in sorted(SERVED)}
    return shelf_of(
        (*own, *core_definitions(sorted(SERVED)), *core_parameters(searched)), span(released_on)[0]
    )


def profiles_of(shelf: Shelf) -> dict[str, list[str]]:
    """Gives the urls of the hub's own profiles, by the type they are of."""
    found: dict[str, list[str]] = {}
    for one in shelf.of_type("StructureDefinition"):
        url, of_type = str(one.body.get("url", "")), str(one.body.get("type"))
        if url.startswith(f"{CANONICAL}/") and of_type in SERVED:
            found.setdefault(of_type, []).append(url)
    return found


def declared(type_name: str) -> dict[str, SearchParameter]:
    """Gives what a search among definitions of a type may say, by code."""
    found = {code: official(type_name)[code] for code in _OF_EVERY_TYPE}
    found.update({one.code: parameter_of(type_name, one) for one in SERVED[type_name].search})
    return found


def look_through(
    shelf: Shelf, type_name: str, place: Place, *, usual: int, most: int, strict: bool, at_us: int
) -> Hits:
    """Gives one page of the definitions of a type that meet every criterion.

    Args:
        shelf: where they stand.
        type_name: the type.
        place: query and offset.
        usual: entries of a page where none are asked for; most: the most there may be.
        strict: refuse parameters that are not understood.
        at_us: now, microseconds UTC.

    Raises:
        NotSupportedParameter, InvalidParameter, MalformedContent: 400 on the wire.
    """
    query = parse_query(place.pairs, declared(type_name), sortable=_SORTABLE, at_us=at_us)
    if strict:
        refuse_unknown(query, declared(type_name))
    if sum(len(asked.terms) for asked in query.criteria) > MOST_TERMS:
        raise MalformedContent(f"Ask for at most {MOST_TERMS} values at once here.")
    found = [
        one
        for one in shelf.of_type(type_name)
        if all(matches(asked, one.found_by(asked.parameter.code)) for asked in query.criteria)
    ]
    for key in reversed(query.sort):
        found.sort(key=lambda one: _order(one, key.parameter.code), reverse=key.descending)
    count = min(query.count or usual, most)
    end = place.offset + count
    return Hits(
        tuple(found[place.offset : end]), len(found), end if end < len(found) else 0, query, place.pairs
    )


def _definition(type_name: str, public_id: str, body: dict[str, Any], at_us: int) -> Definition:
    plain = json_codec.encode(body)
    version = blake2b(plain, digest_size=8).hexdigest()
    given: dict[str, Any] = body.get("meta") or {}
    kept = {name: value for name, value in given.items() if name not in ("versionId", "lastUpdated")}
    meta = {"versionId": version, "lastUpdated": instant(at_us), **kept}
    rest = {name: value for name, value in body.items() if name not in ("resourceType", "id", "meta")}
    whole = {"resourceType": type_name, "id": public_id, "meta": meta, **rest}
    data = json_codec.encode(whole)
    return Definition(
        type_name,
        public_id,
        ReleasedBytes(type_name, public_id, version, f'W/"{version}"', at_us, data, voice="public"),
        whole,
    )


@cache
def _extractor(type_name: str, code: str) -> Extractor:
    return compile_extractor(declared(type_name)[code])


def _values(definition: Definition, code: str) -> Iterable[IndexValue]:
    if code == "_id":
        return (TokenValue("", definition.id),)
    if code == "_lastUpdated":
        at_us = definition.released.updated_us
        return (DateValue(at_us, at_us + 1),)
    return _extractor(definition.type, code)(definition.body)


def _order(definition: Definition, code: str) -> str:
    """Gives the text that a definition is sorted by; one without comes first."""
    for value in definition.found_by(code):
        if isinstance(value, StringValue):
            return value.folded
        if isinstance(value, UriValue):
            return value.uri
        if isinstance(value, TokenValue):
            return value.code
        if isinstance(value, DateValue):
            return f"{value.low_us:020d}"
    return ""
