"""Reading a search: from the pairs of a URL or form to a typed tree.

What lives here: the parameters every search has (``_count``, ``_sort``, ``_include`` and so on), which
parameters are refused for everyone, and how criteria are put together. What does not: the values of each
parameter type (:mod:`.search_terms`), one criterion (:mod:`.search_criteria`), the tree
(:mod:`.search_query`), visibility and the answer (``exchange``).

Errors name the parameter and what is possible, never the value: it may name a person.

Source: FHIR R4 ``search.html``; ``http.html#search``.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, cast, get_args
from urllib.parse import parse_qsl

from referral_hub.errors import InvalidParameter, MalformedContent, NotSupportedParameter
from referral_hub.fhir.search_criteria import (
    LONGEST_VALUE,
    MOST_VALUES,
    TYPE_NAME,
    Elsewhere,
    chained,
    criterion_of,
    listed,
    nowhere,
    reversed_chain,
)
from referral_hub.fhir.search_parameters import SearchParameter
from referral_hub.fhir.search_query import Criterion, Include, Link, Query, SortKey, Summary, Total
from referral_hub.fhir.search_terms import Surroundings

REFUSED = frozenset(
    ("_filter", "_text", "_content", "_security", "_query", "_tag", "_profile", "_source", "_list")
)
"""Refused for everyone: each can find a resource by what its reader may not see."""

LARGEST_PAGE = 500
"""The most entries of one page; a larger ``_count`` gets this many, as the standard allows."""
MOST_PARAMETERS = 100
MOST_TERMS = 1_000
"""The most values of one search together."""
MOST_LINKS = 10
"""The most chains and ``_has`` of one search together."""
MOST_SORT_KEYS = 5

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_\-.]{0,63}(?::[A-Za-z_][A-Za-z0-9_\-.:]{0,191})?", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ELEMENT = re.compile(r"[a-z][A-Za-z0-9]{0,63}", re.ASCII)
_COUNT = re.compile(r"[0-9]{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Possible:
    """What a search of one type may say.

    Args:
        declared: the parameters by code, ``_id`` and ``_lastUpdated`` among them.
        includes: for ``_include``, as ``Task:focus``.
        revincludes: for ``_revinclude``, as ``Provenance:target``.
        sortable: the codes ``_sort`` may name; None: every declared one.
        iterated: for ``_include:iterate`` and ``_revinclude:iterate``, of any type, as ``Task:focus``.
        chains: what may be asked along a reference, as ``subject.Patient.identifier``.
        has: what may be asked of those that point here, as ``Task:focus:status``.
        elsewhere: gives the parameters of another type by code, for chains and ``_has``.
    """

    declared: Mapping[str, SearchParameter]
    includes: Collection[str] = ()
    revincludes: Collection[str] = ()
    sortable: Collection[str] | None = None
    iterated: Collection[str] = ()
    chains: Collection[str] = ()
    has: Collection[str] = ()
    elsewhere: Elsewhere = nowhere


def query_pairs(text: str) -> list[tuple[str, str]]:
    """Cuts a query string, or the form body of ``POST _search``, into its pairs.

    Raises:
        MalformedContent: it is not UTF-8, or has too many pairs. 400 on the wire.

    Source: FHIR R4 ``http.html#search``; HTML form encoding.

    >>> query_pairs("status=requested&_lastUpdated=gt2026-11-24")
    [('status', 'requested'), ('_lastUpdated', 'gt2026-11-24')]
    """
    try:
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS)
    except UnicodeDecodeError:
        raise MalformedContent("The search is not UTF-8.") from None
    except ValueError:
        raise MalformedContent(f"A search may have at most {MOST_PARAMETERS} parameters.") from None


def parse_query(
    pairs: Sequence[tuple[str, str]],
    declared: Mapping[str, SearchParameter],
    *,
    includes: Collection[str] = (),
    revincludes: Collection[str] = (),
    sortable: Collection[str] | None = None,
    base_urls: Collection[str] = (),
    at_us: int | None = None,
) -> Query:
    r"""Reads a search of one type, without chains.

    Args:
        pairs: names and values, already decoded, in order.
        declared: the parameters this type answers, by code.
        includes: what ``_include`` may name, as ``Task:focus``.
        revincludes: what ``_revinclude`` may name, as ``Provenance:target``.
        sortable: what ``_sort`` may name; None for every declared parameter.
        base_urls: addresses of the hub itself, so that absolute references home are found.
        at_us: the time ``ap`` is near to, microseconds UTC; without it ``ap`` on dates is refused.

    Raises:
        NotSupportedParameter, InvalidParameter, MalformedContent: as :func:`read_query`.

    >>> from referral_hub.fhir.search_parameters import official
    >>> query = parse_query([("status", "requested,accepted"), ("_count", "20")], official("Task"))
    >>> [len(criterion.terms) for criterion in query.criteria], query.count
    ([2], 20)
    """
    possible = Possible(declared, includes, revincludes, sortable)
    return read_query(pairs, possible, Surroundings(base_urls, at_us))


def read_query(pairs: Sequence[tuple[str, str]], possible: Possible, around: Surroundings) -> Query:
    r"""Reads a whole search.

    A parameter that is written twice must hold twice; a comma means one of the values. ``\,`` ``\|`` ``\$``
    and ``\\`` stand for the characters themselves.

    Args:
        pairs: names and values, already decoded, in order.
        possible: what a search of this type may say.
        around: the hub's own addresses, and the time.

    Raises:
        NotSupportedParameter: a parameter of :data:`REFUSED`, or a chain outside the list. 400 on the wire.
        InvalidParameter: a value or modifier that cannot be read. 400 on the wire.
        MalformedContent: more than :data:`MOST_PARAMETERS` pairs or :data:`MOST_TERMS` values. 400 on the wire.

    Source: FHIR R4 ``search.html``.
    """
    if len(pairs) > MOST_PARAMETERS:
        raise MalformedContent(f"A search may have at most {MOST_PARAMETERS} parameters.")
    reading = _Reading(possible, around)
    for name, value in pairs:
        reading.take(name, value)
    return reading.query()


def refuse_unknown(query: Query, possible: Iterable[str] = ()) -> None:
    """Refuses a search with parameters that were not understood (``Prefer: handling=strict``).

    Args:
        query: the search as it was read.
        possible: the codes this type answers, for the message.

    Raises:
        NotSupportedParameter: names the first of them. 400 on the wire.

    Source: FHIR R4 ``search.html#errors``.
    """
    if query.unknown:
        name = query.unknown[0]
        known = f" Possible: {', '.join(sorted(possible))}." if possible else ""
        raise NotSupportedParameter(name, f"There is no search parameter {name} for this type.{known}")


Single = Literal["_sort", "_count", "_summary", "_total", "_format", "_pretty"]
_SINGLE = frozenset(get_args(Single))
_INCLUDES = ("_include", "_revinclude")


@dataclass(slots=True)
class _Reading:
    """A search while it is being read."""

    possible: Possible
    around: Surroundings
    criteria: list[Criterion] = field(default_factory=list)
    links: list[tuple[Link, ...]] = field(default_factory=list)
    single: dict[str, str] = field(default_factory=dict)
    includes: list[Include] = field(default_factory=list)
    revincludes: list[Include] = field(default_factory=list)
    elements: list[str] = field(default_factory=list)
    unknown: dict[str, None] = field(default_factory=dict)
    terms: int = 0

    def take(self, name: str, value: str) -> None:
        """Reads one pair."""
        code, _, modifier = name.partition(":")
        if code in REFUSED:
            raise NotSupportedParameter(code, f"The parameter {code} is not available.")
        if not _NAME.fullmatch(name):
            self.unknown["(unreadable name)"] = None
        elif code in self.possible.declared and not _leads_on(modifier):
            _check_value(code, value)
            self._add(criterion_of(self.possible.declared[code], modifier, value, self.around))
        elif code == "_has" or code.partition(".")[0] in self.possible.declared:
            _check_value(code, value)
            self._link(name, value)
        elif code.startswith("_"):
            self._control(code, modifier, value)
        else:
            self.unknown[code] = None

    def _add(self, criterion: Criterion) -> None:
        self.criteria.append(criterion)
        self._count_terms(len(criterion.terms))

    def _link(self, name: str, value: str) -> None:
        possible = self.possible
        if name.startswith("_has"):
            links: tuple[Link, ...] = (
                reversed_chain(name, value, possible.has, possible.elsewhere, self.around),
            )
        else:
            links = chained(name, value, possible.chains, possible.elsewhere, self.around)
        self.links.append(links)
        if len(self.links) > MOST_LINKS:
            raise MalformedContent(f"A search may have at most {MOST_LINKS} chains and _has.")
        self._count_terms(sum(len(link.criterion.terms) for link in links))

    def _count_terms(self, more: int) -> None:
        self.terms += more
        if self.terms > MOST_TERMS:
            raise MalformedContent(f"A search may have at most {MOST_TERMS} values: ask in several searches.")

    def _control(self, code: str, modifier: str, value: str) -> None:
        if code not in _SINGLE and code not in (*_INCLUDES, "_elements"):
            self.unknown[code] = None
            return
        _check_value(code, value)
        iterate = modifier == "iterate" and code in _INCLUDES
        if modifier and not iterate:
            also = " or with :iterate" if code in _INCLUDES else ""
            raise InvalidParameter(code, f"{code} is possible without a modifier{also} only.")
        if code in _INCLUDES:
            possible = self.possible.includes if code == "_include" else self.possible.revincludes
            found = _include(code, value, self.possible.iterated if iterate else possible, iterate=iterate)
            (self.includes if code == "_include" else self.revincludes).append(found)
        elif code == "_elements":
            self.elements.extend(_element(name) for name in value.split(","))
        elif code in self.single:
            raise InvalidParameter(code, f"{code} is given twice: give it once.")
        else:
            self.single[code] = value

    def query(self) -> Query:
        """Gives the whole tree."""
        count, summary = _count(self.single), _summary(self.single)
        if self.elements and summary not in (None, "false"):
            raise InvalidParameter("_elements", "_elements and _summary say different things: give one.")
        return Query(
            criteria=tuple(self.criteria),
            links=tuple(self.links),
            sort=_sort(self.single, self.possible),
            count=count or None,
            includes=tuple(dict.fromkeys(self.includes)),
            revincludes=tuple(dict.fromkeys(self.revincludes)),
            elements=tuple(dict.fromkeys(self.elements)),
            summary="count" if count == 0 else summary,
            total=_total(self.single),
            format=self.single.get("_format", ""),
            pretty=_one_of("_pretty", self.single, ("true", "false")) == "true",
            unknown=tuple(self.unknown),
        )


def _leads_on(modifier: str) -> bool:
    """Tells a chain (``subject:Patient.name``) from a modifier."""
    return "." in modifier


def _check_value(code: str, value: str) -> None:
    if not value:
        raise InvalidParameter(code, f"{code} has no value: give one, or leave the parameter out.")
    if len(value) > LONGEST_VALUE * MOST_VALUES or _CONTROL.search(value):
        raise InvalidParameter(code, f"The value of {code} is too long or holds control characters.")


def _include(code: str, value: str, possible: Collection[str], *, iterate: bool) -> Include:
    parts = value.split(":")
    if len(parts) in (2, 3) and f"{parts[0]}:{parts[1]}" in possible:
        target = parts[2] if len(parts) == 3 else ""
        if not target or TYPE_NAME.fullmatch(target):
            return Include(parts[0], parts[1], target, iterate)
    name = f"{code}:iterate" if iterate else code
    raise InvalidParameter(code, f"{name} cannot be answered; possible: {listed(possible)}.")


def _element(name: str) -> str:
    if not _ELEMENT.fullmatch(name):
        raise InvalidParameter("_elements", "_elements takes names of elements, with commas between them.")
    return name


def _sort(single: Mapping[str, str], possible: Possible) -> tuple[SortKey, ...]:
    keys = []
    allowed = possible.declared if possible.sortable is None else possible.sortable
    for part in single["_sort"].split(",") if "_sort" in single else ():
        code = part.removeprefix("-")
        if code not in allowed or code not in possible.declared:
            raise InvalidParameter("_sort", f"_sort cannot use that; possible: {listed(allowed)}.")
        keys.append(SortKey(possible.declared[code], part.startswith("-")))
    if len(keys) > MOST_SORT_KEYS or len({key.parameter.code for key in keys}) < len(keys):
        raise InvalidParameter("_sort", f"_sort takes at most {MOST_SORT_KEYS} parameters, each once.")
    return tuple(keys)


def _count(single: Mapping[str, str]) -> int | None:
    value = single.get("_count")
    if value is None:
        return None
    if not _COUNT.fullmatch(value):
        raise InvalidParameter("_count", f"_count takes a whole number from 0 to {LARGEST_PAGE}.")
    return min(int(value), LARGEST_PAGE)


def _summary(single: Mapping[str, str]) -> Summary | None:
    return cast("Summary | None", _one_of("_summary", single, get_args(Summary)))


def _total(single: Mapping[str, str]) -> Total | None:
    return cast("Total | None", _one_of("_total", single, get_args(Total)))


def _one_of(code: str, single: Mapping[str, str], possible: Iterable[str]) -> str | None:
    value = single.get(code)
    listed = tuple(possible)
    if value is not None and value not in listed:
        raise InvalidParameter(code, f"{code} takes one of {', '.join(listed)}.")
    return value
