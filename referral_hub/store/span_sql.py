"""Dates and numbers of a search as SQL: how what is stored compares with what is asked.

What lives here: the two finders and the comparisons behind every prefix. What does not: other criteria
(``store.criteria_sql``), the grammar of searches (``fhir``).

Source: FHIR R4 search 3.1.1.4.6 (prefixes), 3.1.1.4.7 (date), 3.1.1.4.5 (number), 3.1.1.4.11 (quantity).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from referral_hub.exchange.search_plan import Criterion
from referral_hub.store import schema
from referral_hub.store.index_rows import Digests, number_parameter, span_parameter
from referral_hub.store.referral_filter import Condition, Rows
from referral_hub.store.statements import one_of, whole, words

Values = dict[str, Any]

_BOUNDS: Mapping[str, frozenset[str]] = {
    "eq": frozenset({"low", "high"}),
    "ne": frozenset({"low", "high"}),
    "ap": frozenset({"low", "high"}),
    "gt": frozenset({"high"}),
    "lt": frozenset({"low"}),
    "ge": frozenset({"low", "high"}),
    "le": frozenset({"low", "high"}),
    "sa": frozenset({"high"}),
    "eb": frozenset({"low"}),
}


def compared(operator: str, low: ColumnElement[Any], high: ColumnElement[Any], name: str) -> Condition:
    """Gives how a stored span compares with the searched one, by the prefix of the search.

    Args:
        operator: ``eq``, ``ne``, ``gt``, ``lt``, ``ge``, ``le``, ``sa``, ``eb`` or ``ap`` (whose span the
            search has widened already).
        low: first microsecond of the stored span.
        high: the microsecond after its last.
        name: parameters are ``<name>_low`` and ``<name>_high``, the searched span.

    Raises:
        KeyError: another operator.

    Source: FHIR R4 search 3.1.1.4.6 (prefixes), 3.1.1.4.7 (date).
    """
    start, end = whole(f"{name}_low"), whole(f"{name}_high")
    makers: Mapping[str, Callable[[], Condition]] = {
        "eq": lambda: sa.and_(low >= start, high <= end),
        "ne": lambda: sa.or_(low < start, high > end),
        "ap": lambda: sa.and_(low < end, high > start),
        "gt": lambda: high > end,
        "lt": lambda: low < start,
        "ge": lambda: sa.or_(high > end, low >= start),
        "le": lambda: sa.or_(low < start, high <= end),
        "sa": lambda: low >= end,
        "eb": lambda: high <= start,
    }
    return makers[operator]()


def span_values(criterion: Criterion, name: str) -> Values:
    """Gives the bounds that the prefixes of a criterion compare with."""
    found: Values = {}
    for place, (operator, low, high) in enumerate(criterion.spans):
        for bound, value in (("low", low), ("high", high)):
            if bound in _BOUNDS[operator]:
                found[f"{name}_{place}_{bound}"] = value
    return found


def compared_number(operator: str, low: ColumnElement[Any], high: ColumnElement[Any], name: str) -> Condition:
    """Gives how a stored number or range, both ends in it, compares with the searched number.

    Args:
        operator: the prefix, as in :func:`compared`.
        low: the lower end, as a text that sorts like the number.
        high: the upper end.
        name: parameters are ``<name>_value``, and ``<name>_low`` and ``<name>_high``, what its digits leave open.

    Raises:
        KeyError: another operator.

    Source: FHIR R4 search 3.1.1.4.5: only ``eq``, ``ne`` and ``ap`` regard how many digits were written.
    """
    value, start, end = words(f"{name}_value"), words(f"{name}_low"), words(f"{name}_high")
    # 5 meets eq5.0 even where the digits leave nothing open.
    inside = sa.or_(sa.and_(low >= start, high < end), sa.and_(low == value, high == value))
    makers: Mapping[str, Callable[[], Condition]] = {
        "eq": lambda: inside,
        "ne": lambda: ~inside,
        "ap": lambda: sa.and_(high >= start, low <= end),
        "gt": lambda: high > value,
        "lt": lambda: low < value,
        "ge": lambda: high >= value,
        "le": lambda: low <= value,
        "sa": lambda: low > value,
        "eb": lambda: high < value,
    }
    return makers[operator]()


_REGARDS_DIGITS = frozenset({"eq", "ne", "ap"})


@dataclass(frozen=True, slots=True)
class ByDate:
    """The spans a date parameter indexes."""

    operators: tuple[str, ...]
    leads: str = ""

    def condition(self, r: Rows, name: str) -> Condition:
        """Looks for an index row whose span compares as asked with one of the spans."""
        index = schema.index_date.alias()
        matches = sa.or_(
            *(
                compared(operator, index.c.low_us, index.c.high_us, f"{name}_{place}")
                for place, operator in enumerate(self.operators)
            )
        )
        return found_in(index, r, index.c.parameter == whole(name), matches)

    def values(self, type_name: str, criterion: Criterion, name: str, digests: Digests) -> Values:
        """Gives the parameter's digest and the spans."""
        parameter = span_parameter(digests, type_name, criterion.parameter, criterion.under)
        return {name: parameter, **span_values(criterion, name)}


@dataclass(frozen=True, slots=True)
class ByNumber:
    """The numbers a number or quantity parameter indexes, each with the unit it is asked in."""

    operators: tuple[str, ...]
    leads: str = ""

    def condition(self, r: Rows, name: str) -> Condition:
        """Looks for an index row of the unit whose number compares as asked with one of the numbers."""
        index = schema.index_number.alias()
        matches = sa.or_(
            *(
                sa.and_(
                    index.c.parameter == whole(f"{name}_{place}"),
                    compared_number(operator, index.c.low, index.c.high, f"{name}_{place}"),
                )
                for place, operator in enumerate(self.operators)
            )
        )
        return found_in(index, r, one_of(index.c.parameter, name), matches)

    def values(self, type_name: str, criterion: Criterion, name: str, digests: Digests) -> Values:
        """Gives the digests of parameter and unit, and the numbers."""
        found: Values = {}
        for place, number in enumerate(criterion.numbers):
            found[f"{name}_{place}"] = number_parameter(
                digests, type_name, criterion.parameter, criterion.under, number.unit
            )
            if number.prefix != "ap":
                found[f"{name}_{place}_value"] = number.value
            if number.prefix in _REGARDS_DIGITS:
                found[f"{name}_{place}_low"], found[f"{name}_{place}_high"] = number.low, number.high
        units = [found[f"{name}_{place}"] for place in range(len(criterion.numbers))]
        return found | {name: list(dict.fromkeys(units))}


def found_in(index: Rows, r: Rows, *conditions: Condition) -> Condition:
    """Holds where an index row of the resource meets the conditions."""
    return sa.exists(sa.literal_column("1")).where(index.c.row_id == r.c.row_id, *conditions).correlate(r)
