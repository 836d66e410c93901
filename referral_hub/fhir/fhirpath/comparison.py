"""Equal, smaller, larger: as FHIRPath sees it.

What lives here: comparing two values, partial dates included, with three answers: yes, no, cannot be said
(None). What does not: operators on whole collections (:mod:`referral_hub.fhir.fhirpath.operators`).

Source: FHIRPath 2.0 sections 6.1 (equality) and 6.2 (comparison); FHIR R4 ``datatypes.html#range`` (units
of a range must match, so quantities in different units are not comparable here).
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from referral_hub.fhir.element_tables import is_a, is_primitive
from referral_hub.fhir.fhirpath.nodes import Node

TEMPORAL_TYPES = frozenset({"date", "dateTime", "instant"})

_MOMENT = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:T([0-9]{2}):([0-9]{2}):([0-9]{2}(?:\.[0-9]+)?)"
    r"(Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?"
)
_TIME = re.compile(r"([0-9]{2}):([0-9]{2})(?::([0-9]{2}(?:\.[0-9]+)?))?")


@dataclass(frozen=True, slots=True)
class Moment:
    """A date or time as far as it is known: year to second, in UTC where a zone is given."""

    parts: tuple[int | Decimal, ...]
    has_zone: bool = False


def moment(text: str) -> Moment | None:
    """Reads a FHIR date or dateTime; None for what is no such thing.

    >>> moment("2026-11").parts, moment("2026-11-24T00:30:00+01:00").parts
    ((2026, 11), (2026, 11, 23, 23, 30, Decimal('0')))
    """
    match = _MOMENT.fullmatch(text)
    if match is None:
        return None
    *whole, second, zone = match.groups()
    parts = tuple(int(part) for part in whole if part is not None)
    if second is None:
        return Moment(parts)
    if zone is None:
        return Moment((*parts, Decimal(second).normalize()))
    try:
        shifted = datetime(*parts, tzinfo=_zone(zone)).astimezone(UTC)  # type: ignore[misc, arg-type]
    except (ValueError, OverflowError):
        return None
    in_utc = (shifted.year, shifted.month, shifted.day, shifted.hour, shifted.minute)
    return Moment((*in_utc, Decimal(second).normalize() + 0), has_zone=True)


def time_of_day(text: str) -> Moment | None:
    """Reads a FHIR time; None for what is no such thing."""
    match = _TIME.fullmatch(text)
    return None if match is None else Moment(tuple(Decimal(part) for part in match.groups() if part))


def _zone(text: str) -> timezone:
    if text == "Z":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[4:6]))
    return timezone(-offset if text[0] == "-" else offset)


def plain(item: Any) -> Any:
    """Gives what a value counts as in a comparison: text, number, boolean, Moment, or the node of an object.

    Gives None for a primitive without a value.
    """
    if not isinstance(item, Node) or not is_primitive(item.type_name):
        return item
    if not isinstance(item.value, str):
        return item.value
    if item.type_name in TEMPORAL_TYPES:
        return moment(item.value)
    return time_of_day(item.value) if item.type_name == "time" else item.value


def equal(left: Any, right: Any) -> bool | None:
    """Says whether two values are equal; None where one of them is not known well enough.

    >>> equal(1, Decimal("1.0")), equal("a", "b"), equal(moment("2026"), moment("2026-11"))
    (True, False, None)
    """
    left, right = plain(left), plain(right)
    if left is None or right is None:
        return None
    if isinstance(left, Moment) and isinstance(right, Moment):
        order = _order_of_moments(left, right)
        return None if order is None else order == 0
    if isinstance(left, Node) and isinstance(right, Node):
        return bool(left.value == right.value)
    if isinstance(left, bool) != isinstance(right, bool):
        return False
    return bool(left == right)


def order(left: Any, right: Any) -> int | None:
    """Gives -1, 0 or 1 as the left value is smaller, equal or larger; None where that cannot be said.

    >>> order(moment("2026-11-24"), moment("2026-12")), order(moment("2026-11-24"), moment("2026-11"))
    (-1, None)
    """
    left, right = plain(left), plain(right)
    if isinstance(left, Moment) and isinstance(right, Moment):
        return _order_of_moments(left, right)
    if isinstance(left, Node) and isinstance(right, Node):
        return _order_of_quantities(left, right)
    if isinstance(left, str) and isinstance(right, str):
        return (left > right) - (left < right)
    if _is_number(left) and _is_number(right):
        return int(left > right) - int(left < right)
    return None


def identity(item: Any) -> object:
    """Gives something hashable that two values share exactly when they are the same value.

    >>> identity(Decimal("1.50")) == identity(Decimal("1.5")), identity("1") == identity(1)
    (True, False)
    """
    if isinstance(item, Node) and not is_primitive(item.type_name):
        return _frozen(item.value)
    value = item.value if isinstance(item, Node) else item
    if value is None:
        return id(item)
    if isinstance(value, bool):
        return ("boolean", value)
    return ("number", Decimal(value)) if _is_number(value) else value


def _frozen(value: Any) -> object:
    if isinstance(value, dict):
        return frozenset((key, _frozen(item)) for key, item in value.items())
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _order_of_moments(left: Moment, right: Moment) -> int | None:
    for one, other in zip(left.parts, right.parts, strict=False):
        if one != other:
            return 1 if one > other else -1
    return 0 if len(left.parts) == len(right.parts) else None


def _order_of_quantities(left: Node, right: Node) -> int | None:
    if not (is_a(left.type_name, "Quantity") and is_a(right.type_name, "Quantity")):
        return None
    one, other = left.value, right.value
    if any(one.get(key) != other.get(key) for key in ("system", "code")):
        return None
    if one.get("code") is None and one.get("unit") != other.get("unit"):
        return None
    return order(one.get("value"), other.get("value"))
