"""Reading a search: from the pairs of a URL or form to a typed tree.

What lives here: the parameters every search has (``_count``, ``_sort``, ``_include`` and so on), which
parameters are refused for everyone, and how criteria are put together. What does not: the values of each
parameter type (:mod:`.search_terms`), the tree (:mod:`.search_query`), visibility and the answer
(``exchange``).

Errors name the parameter and what is possible, never the value: it may name a person.

Source: FHIR R4 ``search.html``; ``http.html#search``.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, cast, get_args
from urllib.parse import parse_qsl

from referral_hub.errors import InvalidParameter, MalformedContent, NotSupportedParameter
from referral_hub.fhir.search_parameters import SearchParameter
from referral_hub.fhir.search_query import Criterion, Include, Query, SortKey, Summary, Total
from referral_hub.fhir.search_terms import MODIFIERS, Surroundings, Unreadable, alternatives, read_term

REFUSED = frozenset(
    ("_filter", "_text", "_content", "_security", "_query", "_tag", "_profile", "_source", "_has", "_list")
)
"""Refused for everyone: each can find a resource by what its reader may not see."""

LARGEST_PAGE = 500
"""The most entries of one page; a larger ``_count`` gets this many, as the standard allows."""
MOST_PARAMETERS = 100
MOST_VALUES = 200
LONGEST_VALUE = 2_000

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_\-.]{0,63}(?::[A-Za-z][A-Za-z0-9\-.:]{0,127})?", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_TYPE_NAME = re.compile(r"[A-Z][A-Za-z]{1,63}", re.ASCII)
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
    """

    declared: Mapping[str, SearchParameter]
    includes: Collection[str] = ()
    revincludes: Collection[str] = ()
    sortable: Collection[str] | None = None


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
    r"""Reads a whole search.

    A parameter that is written twice must hold twice; a comma means one of the values. ``\,`` ``\|`` ``\$``
    and ``\\`` stand for the characters themselves.

    Args:
        pairs: names and values, already decoded, in order.
        declared: the parameters this type answers, by code.
        includes: what ``_include`` may name, as ``Task:focus``.
        revincludes: what ``_revinclude`` may name, as ``Provenance:target``.
        sortable: what ``_sort`` may name; None for every declared parameter.
        base_urls: addresses of the hub itself, so that absolute references home are found.
        at_us: the time ``ap`` is near to, microseconds UTC; without it ``ap`` on dates is refused.

    Raises:
        NotSupportedParameter: a parameter of :data:`REFUSED`, or a chain. 400 on the wire.
        InvalidParameter: a value or modifier that cannot be read. 400 on the wire.
        MalformedContent: more than :data:`MOST_PARAMETERS` pairs. 400 on the wire.

    Source: FHIR R4 ``search.html``.

    >>> from referral_hub.fhir.search_parameters import official
    >>> query = parse_query([("status", "requested,accepted"), ("_count", "20")], official("Task"))
    >>> [len(criterion.terms) for criterion in query.criteria], query.count
    ([2], 20)
    """
    if len(pairs) > MOST_PARAMETERS:
        raise MalformedContent(f"A search may have at most {MOST_PARAMETERS} parameters.")
    reading = _Reading(Possible(declared, includes, revincludes, sortable), Surroundings(base_urls, at_us))
    for name, value in pairs:
        reading.take(name, value)
    return reading.query()


def refuse_unknown(query: Query) -> None:
    """Refuses a search with parameters that were not understood (``Prefer: handling=strict``).

    Raises:
        NotSupportedParameter: names the first of them. 400 on the wire.

    Source: FHIR R4 ``search.html#errors``.
    """
    if query.unknown:
        name = query.unknown[0]
        raise NotSupportedParameter(name, f"There is no search parameter {name} for this type.")


Single = Literal["_sort", "_count", "_summary", "_total", "_format", "_pretty"]
_SINGLE = frozenset(get_args(Single))


@dataclass(slots=True)
class _Reading:
    """A search while it is being read."""

    possible: Possible
    around: Surroundings
    criteria: list[Criterion] = field(default_factory=list)
    single: dict[str, str] = field(default_factory=dict)
    includes: list[Include] = field(default_factory=list)
    revincludes: list[Include] = field(default_factory=list)
    elements: list[str] = field(default_factory=list)
    unknown: dict[str, None] = field(default_factory=dict)

    def take(self, name: str, value: str) -> None:
        """Reads one pair."""
        code, _, modifier = name.partition(":")
        if code in REFUSED:
            raise NotSupportedParameter(code, f"The parameter {code} is not available.")
        if not _NAME.fullmatch(name):
            self.unknown["(unreadable name)"] = None
        elif "." in name and code.partition(".")[0] in self.possible.declared:
            raise NotSupportedParameter(code.partition(".")[0], "Chained search is not available.")
        elif code in self.possible.declared:
            _check_value(code, value)
            self.criteria.append(_criterion(self.possible.declared[code], modifier, value, self.around))
        elif code.startswith("_"):
            self._control(code, modifier, value)
        else:
            self.unknown[code] = None

    def _control(self, code: str, modifier: str, value: str) -> None:
        if code not in _SINGLE and code not in ("_include", "_revinclude", "_elements"):
            self.unknown[code] = None
            return
        _check_value(code, value)
        if modifier:
            raise InvalidParameter(code, f"{code} is possible without a modifier only.")
        if code == "_include":
            self.includes.append(_include(code, value, self.possible.includes))
        elif code == "_revinclude":
            self.revincludes.append(_include(code, value, self.possible.revincludes))
        elif code == "_elements":
            self.elements.extend(_element(name) for name in value.split(","))
        elif code in self.single:
            raise InvalidParameter(code, f"{code} is given twice: give it once.")
        else:
            self.single[code] = value

    def query(self) -> Query:
        """Gives the whole tree."""
        count, summary = _count(self.single), _summary(self.single)
        return Query(
            criteria=tuple(self.criteria),
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


def _check_value(code: str, value: str) -> None:
    if not value:
        raise InvalidParameter(code, f"{code} has no value: give one, or leave the parameter out.")
    if len(value) > LONGEST_VALUE * MOST_VALUES or _CONTROL.search(value):
        raise InvalidParameter(code, f"The value of {code} is too long or holds control characters.")


def _criterion(parameter: SearchParameter, modifier: str, value: str, around: Surroundings) -> Criterion:
    code = parameter.code
    _check_modifier(parameter, modifier)
    parts = alternatives(value)
    if len(parts) > MOST_VALUES:
        raise InvalidParameter(code, f"{code} has more than {MOST_VALUES} values: ask in several searches.")
    terms = []
    for part in parts:
        if not part or len(part) > LONGEST_VALUE:
            raise InvalidParameter(code, f"{code} has an empty or overlong value between its commas.")
        try:
            terms.append(read_term(parameter, modifier, part, around))
        except Unreadable as problem:
            raise InvalidParameter(code, f"The value of {code} cannot be read: {problem}") from None
    if modifier == "missing" and len(terms) > 1:
        raise InvalidParameter(code, f"{code}:missing takes one value, true or false.")
    is_plain = _TYPE_NAME.fullmatch(modifier) is not None
    return Criterion(parameter, "" if is_plain else modifier, tuple(terms))


def _check_modifier(parameter: SearchParameter, modifier: str) -> None:
    possible = MODIFIERS[parameter.type]
    if not modifier or modifier in possible:
        return
    if parameter.type == "reference" and _TYPE_NAME.fullmatch(modifier):
        if not parameter.targets or modifier in parameter.targets:
            return
        possible = (*possible, *parameter.targets)
    listed = ", ".join(f":{one}" for one in possible)
    raise InvalidParameter(parameter.code, f"{parameter.code} has no such modifier; possible are {listed}.")


def _include(code: str, value: str, possible: Collection[str]) -> Include:
    parts = value.split(":")
    if len(parts) in (2, 3) and f"{parts[0]}:{parts[1]}" in possible:
        target = parts[2] if len(parts) == 3 else ""
        if not target or _TYPE_NAME.fullmatch(target):
            return Include(parts[0], parts[1], target)
    listed = ", ".join(sorted(possible)) or "none for this type"
    raise InvalidParameter(code, f"{code} cannot be answered; possible: {listed}.")


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
            raise InvalidParameter("_sort", f"_sort cannot use that; possible: {', '.join(sorted(allowed))}.")
        keys.append(SortKey(possible.declared[code], part.startswith("-")))
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
