"""Patient/[id]/$everything: one person's record as this caller may have it, page by page.

What lives here: which searches make it up, and where a page goes on. What does not: what may leave (each page is made
of searches, which pass the gate as any other).

It is the Patient and, type by type, what a search by her would give this caller: so it can hold nothing that the
caller could not find, its pages have no gaps, and an end tells nothing. AuditEvents are not in it: who saw what is
told by ``$disclosures``.

Source: FHIR R4 patient-operation-everything.html; ``consent.md`` S-24; ``interfaces.md`` 4.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from referral_hub.access.principal import Principal
from referral_hub.errors import InvalidParameter, NotSupportedParameter
from referral_hub.exchange.criteria import declared
from referral_hub.exchange.cursors import open_cursor, seal_cursor
from referral_hub.exchange.history_query import GENERAL, Pairs
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.ports import Released
from referral_hub.exchange.reaching import may_ask
from referral_hub.exchange.reading import read
from referral_hub.exchange.search import search
from referral_hub.fhir.dates import search_span
from referral_hub.resources.catalog import DEFINITIONS

_NOT_IN_IT = frozenset({"Patient", "AuditEvent"})
_LINKS = ("patient", "subject")
_CARE_DATES = (
    "date",
    "period",
    "occurrence",
    "onset-date",
    "recorded-date",
    "sent",
    "authored-on",
    "authored",
    "start-date",
)
"""What says when care was given, the first that a type has."""
_ASKED = ("start", "end", "_since", "_type", "_count")
_INNER = "_inner"


@dataclass(frozen=True, slots=True)
class Everything:
    """One page; ``next`` is empty on the last."""

    found: tuple[Released, ...]
    next: str
    self_pairs: tuple[tuple[str, str], ...]


def everything(
    hub: Hub, token_digest: bytes, public_id: str, pairs: Pairs, *, strict: bool = False
) -> Everything:
    """Gives one page of a person's record.

    Args:
        hub: store, gate and clock.
        token_digest: SHA-256 of the access token.
        public_id: the Patient's id.
        pairs: ``start``, ``end``, ``_since``, ``_type``, ``_count``, or the one pair of a page link.
        strict: refuse parameters that are not understood.

    Raises:
        NotFound: absent, or not for this caller (404).
        InvalidParameter, NotSupportedParameter: a parameter cannot be answered (400).
    """
    patient = read(hub, token_digest, "Patient", public_id).released
    at_us = hub.clock()
    with hub.store.snapshot() as snapshot:
        caller = hub.identify(snapshot.token(token_digest), at_us)
    place = f"Patient/{public_id}/$everything"
    given, position, inner = _begun(hub, caller, place, pairs, at_us)
    asked = _asked_for(given, strict=strict)
    types = _types(caller, asked.get("_type"))
    count = _count(hub, asked.get("_count"))
    dates = _dates(asked)
    found: list[Released] = []
    if position < 0:
        position = 0
        if _wants(asked, "Patient"):
            found.append(patient)
    while position < len(types) and len(found) < count:
        type_name = types[position]
        if inner:
            question: Pairs = (("_cursor", inner),)
        else:
            question = _question(type_name, public_id, dates, count - len(found))
        page = search(hub, token_digest, type_name, question) if question else None
        if page is not None:
            found.extend(page.matches)
        inner = page.next if page is not None else ""
        if inner:
            break
        position += 1
    following = ""
    if position < len(types):
        following = seal_cursor(
            hub.cursors, caller, place, [*asked.items(), (_INNER, inner)], (position, 0), at_us
        )
    return Everything(tuple(found), following, tuple(asked.items()))


def _begun(hub: Hub, caller: Principal, place: str, pairs: Pairs, at_us: int) -> tuple[Pairs, int, str]:
    """Gives what was asked, and where the page begins: at which type (-1 is the Patient), and within it."""
    given = [(name, value) for name, value in pairs if name not in GENERAL]
    sealed = [value for name, value in given if name == "_cursor"]
    if not sealed:
        return given, -1, ""
    if len(given) != 1:
        raise InvalidParameter("_cursor", "A page link is followed as it was given.")
    cursor = open_cursor(hub.cursors, caller, place, sealed[0], at_us)
    inner = next((value for name, value in cursor.pairs if name == _INNER), "")
    return [pair for pair in cursor.pairs if pair[0] != _INNER], int(cursor.after[0]), inner


def _asked_for(pairs: Pairs, *, strict: bool) -> dict[str, str]:
    asked: dict[str, str] = {}
    for name, value in pairs:
        if name not in _ASKED:
            if strict:
                raise NotSupportedParameter(name, f"$everything takes {', '.join(_ASKED)}.")
        elif name in asked and name != "_type":
            raise InvalidParameter(name, f"{name} is asked once.")
        else:
            asked[name] = f"{asked[name]},{value}" if name in asked else value
    return asked


def _wants(asked: dict[str, str], type_name: str) -> bool:
    return "_type" not in asked or type_name in asked["_type"].split(",")


def _types(caller: Principal, wanted: str | None) -> list[str]:
    """Gives the types that lead to a person and that the token's scope opens to searches, in one fixed order."""
    names = wanted.split(",") if wanted is not None else None
    unknown = [name for name in names or () if name not in DEFINITIONS]
    if unknown:
        raise InvalidParameter("_type", "_type holds types this hub serves, apart by commas.")
    return [
        name
        for name in sorted(DEFINITIONS)
        if name not in _NOT_IN_IT
        and (names is None or name in names)
        and _link_of(name)
        and may_ask(caller, name, "search")
    ]


def _link_of(type_name: str) -> str:
    definition = DEFINITIONS[type_name]
    if "search-type" not in definition.interactions or not definition.about_person:
        return ""
    return next((code for code in _LINKS if code in declared(type_name)), "")


def _question(type_name: str, public_id: str, dates: Sequence[tuple[str, str]], count: int) -> Pairs:
    """Gives the search of one type; empty where it has no date and a time of care is asked for."""
    question = [(_link_of(type_name), f"Patient/{public_id}"), ("_count", str(count))]
    known = declared(type_name)
    date = next((code for code in _CARE_DATES if code in known and known[code].type == "date"), "")
    for name, value in dates:
        if name == "_lastUpdated":
            question.append((name, value))
        elif date:
            question.append((date, value))
        else:
            return ()
    return tuple(question)


def _dates(asked: dict[str, str]) -> list[tuple[str, str]]:
    found = []
    for name, code, prefix in (("start", "", "ge"), ("end", "", "le"), ("_since", "_lastUpdated", "ge")):
        if name not in asked:
            continue
        try:
            search_span(asked[name])
        except ValueError:
            raise InvalidParameter(name, f"{name} is a date or a time, such as 2026-11-24.") from None
        found.append((code, f"{prefix}{asked[name]}"))
    return found


def _count(hub: Hub, text: str | None) -> int:
    if text is None:
        return hub.limits.page_entries
    if not (text.isascii() and text.isdigit() and len(text) < 10) or int(text) == 0:
        raise InvalidParameter("_count", "_count is a whole number from 1.")
    return min(int(text), hub.limits.max_page_entries)
