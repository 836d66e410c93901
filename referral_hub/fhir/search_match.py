"""Answering a search for one resource in memory.

What lives here: the meaning of every comparison, once, in plain Python: what a span of time, a number, a
token must be like to match. It serves where a resource is at hand and the store is not asked (scopes with
parameters, subscription criteria), and as the measure for the store's SQL. What does not: visibility and
order.

Source: FHIR R4 ``search.html#prefix`` and the sections of each parameter type.
"""

from collections.abc import Iterable

from referral_hub.fhir.index_values import (
    CompositeValue,
    DateValue,
    IndexValue,
    NumberValue,
    QuantityValue,
    ReferenceValue,
    StringValue,
    TokenValue,
    UriValue,
)
from referral_hub.fhir.references import ancestors
from referral_hub.fhir.search_query import (
    CompositeTerm,
    Criterion,
    DateTerm,
    MissingTerm,
    NumberTerm,
    Prefix,
    QuantityTerm,
    ReferenceTerm,
    StringTerm,
    Term,
    TokenTerm,
    UriTerm,
)


def matches(criterion: Criterion, values: Iterable[IndexValue]) -> bool:
    """Says whether a resource with these values meets a criterion.

    Args:
        criterion: one condition of a search.
        values: all values of the resource for the criterion's parameter.

    >>> from referral_hub.fhir.search_grammar import parse_query
    >>> from referral_hub.fhir.search_parameters import official
    >>> [criterion] = parse_query([("authored-on", "ge2026-11")], official("Task")).criteria
    >>> from referral_hub.fhir.dates import span
    >>> matches(criterion, [DateValue(*span("2026-11-24"))])
    True
    """
    found = tuple(values)
    first = criterion.terms[0]
    if isinstance(first, MissingTerm):
        return first.is_missing is not bool(found)
    met = any(_meets(criterion.modifier, term, value) for term in criterion.terms for value in found)
    return met is not (criterion.modifier == "not")


def date_meets(prefix: Prefix, low_us: int, high_us: int, value: DateValue) -> bool:
    """Says whether a span in a resource meets the span asked for.

    ``eq`` wants it wholly inside; ``gt`` and ``lt`` want some of it after or before; ``sa`` and ``eb`` all
    of it; ``ap`` wants the two to overlap.

    Source: FHIR R4 ``search.html#prefix``.

    >>> date_meets("gt", 0, 10, DateValue(5, 15)), date_meets("sa", 0, 10, DateValue(5, 15))
    (True, False)
    """
    inside = low_us <= value.low_us and value.high_us <= high_us
    after, before = value.high_us > high_us, value.low_us < low_us
    answers = {
        "eq": inside,
        "ne": not inside,
        "gt": after,
        "ge": after or inside,
        "lt": before,
        "le": before or inside,
        "sa": value.low_us >= high_us,
        "eb": value.high_us <= low_us,
        "ap": value.low_us < high_us and value.high_us > low_us,
    }
    return answers[prefix]


def _meets(modifier: str, term: Term, value: IndexValue) -> bool:
    match term, value:
        case TokenTerm(), TokenValue():
            return _token_meets(term, value.system, value.code)
        case TokenTerm(), ReferenceValue():
            return value.identifier is not None and _token_meets(term, *value.identifier)
        case StringTerm(), StringValue():
            return _string_meets(modifier, term, value)
        case ReferenceTerm(), ReferenceValue():
            return _reference_meets(term, value)
        case DateTerm(), DateValue():
            return date_meets(term.prefix, term.low_us, term.high_us, value)
        case NumberTerm(), NumberValue():
            return _number_meets(term, value)
        case QuantityTerm(), QuantityValue():
            return _quantity_meets(term, value)
        case UriTerm(), UriValue():
            return _uri_meets(modifier, term.uri, value.uri)
        case CompositeTerm(), CompositeValue():
            return _meets("", term.first, value.first) and _meets("", term.second, value.second)
        case _:
            return False


def _token_meets(term: TokenTerm, system: str, code: str) -> bool:
    return term.system in (None, system) and term.code in (None, code)


def _string_meets(modifier: str, term: StringTerm, value: StringValue) -> bool:
    if modifier == "exact":
        return value.exact == term.exact
    if modifier == "contains":
        return term.folded in value.folded
    return value.folded.startswith(term.folded)


def _uri_meets(modifier: str, asked: str, stored: str) -> bool:
    if modifier == "above":
        return stored in (asked, *ancestors(asked))
    if modifier == "below":
        return asked in (stored, *ancestors(stored))
    return asked == stored


def _reference_meets(term: ReferenceTerm, value: ReferenceValue) -> bool:
    if value.identifier is not None:
        return False
    if term.url:
        return term.url == value.url
    return term.id == value.id and term.type in ("", value.type)


def _number_meets(term: NumberTerm, value: NumberValue | QuantityValue) -> bool:
    low, high, wanted = value.low, value.high, term.value
    inside = low is not None and high is not None and term.low <= low and high < term.high
    if low is not None and low == high:
        # ``eq`` of the exact number holds even where the digits leave nothing open.
        inside = inside or low == wanted
    above, below = high is None or high > wanted, low is None or low < wanted
    answers = {
        "eq": inside,
        "ne": not inside,
        "gt": above,
        "ge": above or high == wanted,
        "lt": below,
        "le": below or low == wanted,
        "sa": low is not None and low > wanted,
        "eb": high is not None and high < wanted,
        "ap": (high is None or high >= term.low) and (low is None or low <= term.high),
    }
    return answers[term.prefix]


def _quantity_meets(term: QuantityTerm, value: QuantityValue) -> bool:
    if term.system is not None:
        if term.system != value.system or term.code != value.code:
            return False
    elif term.code is not None and term.code not in (value.code, value.unit):
        return False
    return _number_meets(term.number, value)
