"""Reading and searching the definitions that come with the hub: profiles, codes, maps, operations.

What lives here: the two interactions, with page links. What does not: the shelf (``exchange.shelf``), the proof that
a definition may leave (``exchange.gate``).

They hold nothing of any person, so everybody reads them, with a token or without one. They are never written:
they have no rows, no version but the one that was shipped, and no consent is asked. Nobody's reading is recorded.

Source: HL7 FHIR R4 ``conformance-module.html``; ADR 0021.
"""

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from referral_hub.errors import InvalidParameter
from referral_hub.exchange.gate import Outcome
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.ports import Released
from referral_hub.exchange.search import Found
from referral_hub.exchange.shelf import SHELVED, Hits, Place, look_through
from referral_hub.fhir.subsets import Part
from referral_hub.resources.catalog import PUBLISHED


def is_published(type_name: str) -> bool:
    """Tells whether a type comes with the hub and is read by everybody.

    >>> is_published("ValueSet"), is_published("Task")
    (True, False)
    """
    return type_name in PUBLISHED


def stands(hub: Hub, type_name: str, public_id: str) -> bool:
    """Tells whether this address is one of a definition: of a published type, or an instrument of the hub's own."""
    if type_name not in SHELVED:
        return False
    return is_published(type_name) or public_id in hub.shelf().definitions.get(type_name, ())


def read(hub: Hub, type_name: str, public_id: str) -> Outcome:
    """Gives one definition.

    Raises:
        NotFound: there is none of this type and id (404).
    """
    released = hub.gate.release_published(hub.shelf().one(type_name, public_id).released)
    return Outcome(released, (), own=True, discloses=False)


def search(hub: Hub, type_name: str, pairs: Sequence[tuple[str, str]], *, strict: bool = False) -> Found:
    """Gives one page of the definitions of a type that are asked for.

    Args:
        hub: shelf, gate and clock.
        type_name: a published type.
        pairs: decoded names and values, or the one pair of a page link.
        strict: refuse parameters that are not understood (``Prefer: handling=strict``).

    Raises:
        NotSupportedParameter, InvalidParameter: 400 on the wire.
    """
    place = _place(hub, type_name, pairs)
    hits = look_through(
        hub.shelf(),
        type_name,
        place,
        usual=hub.limits.page_entries,
        most=hub.limits.max_page_entries,
        strict=strict,
        at_us=hub.clock(),
    )
    counting = hits.query.summary == "count"
    following = msgspec.msgpack.encode(Place(type_name, place.pairs, hits.offset))
    return Found(
        matches=() if counting else _released(hub, hits),
        included=(),
        total=hits.total,
        next=hub.cursors.seal(following) if hits.offset and not counting else "",
        self_pairs=place.pairs,
    )


def joined(
    hub: Hub, type_name: str, pairs: Sequence[tuple[str, str]], found: Found, *, strict: bool
) -> Found:
    """Gives what was found among stored resources, with the hub's own instruments of the same url before it.

    Only a search by ``url`` brings them, where page and order leave room for them: whoever looks for an instrument
    knows its url.

    Args:
        hub: shelf, gate and clock.
        type_name: the type that was searched.
        pairs: what was asked.
        found: the first page of the stored ones.
        strict: as for the search.
    """
    asked = {name.partition(":")[0] for name, _ in pairs}
    if type_name not in SHELVED or "url" not in asked or asked & {"_cursor", "_sort"}:
        return found
    hits = look_through(
        hub.shelf(),
        type_name,
        Place(type_name, tuple(pairs)),
        usual=hub.limits.page_entries,
        most=hub.limits.max_page_entries,
        strict=strict,
        at_us=hub.clock(),
    )
    room = (hits.query.count or hub.limits.page_entries) - len(found.matches)
    if hits.query.summary == "count":
        return replace(found, total=None if found.total is None else found.total + hits.total)
    if hits.total > room:
        return found
    return replace(
        found,
        matches=(*_released(hub, hits), *found.matches),
        total=None if found.total is None else found.total + hits.total,
    )


def _released(hub: Hub, hits: Hits) -> tuple[Released, ...]:
    part = Part(hits.query.summary, hits.query.elements)
    whole = tuple(hub.gate.release_published(one.released) for one in hits.page)
    return whole if part.is_whole else tuple(hub.gate.release_part(one, part) for one in whole)


def _place(hub: Hub, type_name: str, pairs: Sequence[tuple[str, str]]) -> Place:
    sealed = [value for name, value in pairs if name == "_cursor"]
    if not sealed:
        return Place(type_name, tuple(pairs))
    plain = hub.cursors.open(sealed[0]) if len(pairs) == 1 else None
    try:
        place = msgspec.msgpack.decode(plain, type=Place) if plain is not None else None
    except msgspec.MsgspecError:
        place = None
    if place is None or place.published != type_name:
        raise InvalidParameter("_cursor", "This page link cannot be followed any more. Search again.")
    return place
