"""The values that one element gives to a search, by the type of the element.

What lives here: for each parameter type and element type, how the element is read: what of a HumanName is a
text to find it by, what span a Timing has. What does not: reaching the element in a resource
(:mod:`.search_values`).

Source: FHIR R4 ``search.html`` (sections for each parameter type).
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from referral_hub.errors import InvalidResource
from referral_hub.fhir import references
from referral_hub.fhir.code_tables import value_set
from referral_hub.fhir.dates import EARLIEST_US, LATEST_US, span
from referral_hub.fhir.folding import fold
from referral_hub.fhir.index_values import (
    DateValue,
    IndexValue,
    NumberValue,
    QuantityValue,
    ReferenceValue,
    StringValue,
    TokenValue,
    UriValue,
)
from referral_hub.fhir.outcome import Issue
from referral_hub.fhir.search_paths import Place

Read = Callable[[Any, list[IndexValue]], None]
"""Reads one element (first argument, validated) and adds its values to the list."""

CURRENCY = "urn:iso:std:iso:4217"

_NAME_PARTS = ("family", "given", "prefix", "suffix", "text")
_ADDRESS_PARTS = ("line", "city", "district", "state", "postalCode", "country", "text")


def single(key: str, then: Read) -> Read:
    """Goes down to what stands under a key, if anything does."""

    def visit(node: Any, found: list[IndexValue]) -> None:
        value = node.get(key)
        if value is not None:
            then(value, found)

    return visit


def each(key: str, then: Read) -> Read:
    """Goes down to each item of the list under a key; a null in a parallel list is no item."""

    def visit(node: Any, found: list[IndexValue]) -> None:
        for value in node.get(key) or ():
            if value is not None:
                then(value, found)

    return visit


# ---- tokens ----


def _coding(place: Place) -> Read:
    def emit(value: Any, found: list[IndexValue]) -> None:
        code = value.get("code")
        if code is not None:
            found.append(TokenValue(value.get("system", ""), code))

    return emit


def _concept(place: Place) -> Read:
    return each("coding", _coding(place))


def _identifier(place: Place) -> Read:
    def emit(value: Any, found: list[IndexValue]) -> None:
        text = value.get("value")
        if text is not None:
            found.append(TokenValue(value.get("system", ""), text))

    return emit


def _contact_point(place: Place) -> Read:
    return single("value", lambda text, found: found.append(TokenValue("", text)))


def _code(place: Place) -> Read:
    """A bare code stands for its code system, which its required value set says."""
    known = value_set(place.row.binding) if place.row is not None and place.row.binding else None
    systems = {code: system for system, codes in known.codes.items() for code in codes} if known else {}

    def emit(value: Any, found: list[IndexValue]) -> None:
        found.append(TokenValue(systems.get(value, ""), value))

    return emit


def _boolean(place: Place) -> Read:
    return lambda value, found: found.append(TokenValue("", "true" if value else "false"))


def _plain_token(place: Place) -> Read:
    return lambda value, found: found.append(TokenValue("", value))


# ---- texts ----


def _text(place: Place) -> Read:
    def emit(value: Any, found: list[IndexValue]) -> None:
        folded = fold(value)
        if folded:
            found.append(StringValue(folded, value))

    return emit


def _parts(names: tuple[str, ...]) -> Callable[[Place], Read]:
    def make(place: Place) -> Read:
        text = _text(place)

        def emit(value: Any, found: list[IndexValue]) -> None:
            for name in names:
                part = value.get(name)
                if isinstance(part, str):
                    text(part, found)
                elif part is not None:
                    for one in part:
                        if one is not None:
                            text(one, found)

        return emit

    return make


# ---- references and addresses ----


def _reference(place: Place) -> Read:
    target, expression = place.target, place.expression

    def emit(value: Any, found: list[IndexValue]) -> None:
        try:
            to = references.of(value)
        except ValueError:
            raise _unreadable("reference", expression) from None
        if target and to.type != target:
            return
        if to.kind == "relative":
            found.append(ReferenceValue(to.type, to.id))
        elif to.kind == "absolute":
            found.append(ReferenceValue(to.type, url=f"{to.base}/{to.type}/{to.id}"))
        elif to.kind in ("url", "urn"):
            found.append(ReferenceValue(to.type, url=to.text))
        if to.identifier is not None:
            found.append(ReferenceValue(to.type, identifier=to.identifier))

    return emit


def _canonical(place: Place) -> Read:
    """A canonical with a version is found with and without it."""

    def emit(value: Any, found: list[IndexValue]) -> None:
        found.append(ReferenceValue(url=value))
        url, bar, _ = value.partition("|")
        if bar:
            found.append(ReferenceValue(url=url))

    return emit


def _uri(place: Place) -> Read:
    return lambda value, found: found.append(UriValue(value))


# ---- dates ----


def _date(place: Place) -> Read:
    def emit(value: Any, found: list[IndexValue]) -> None:
        found.append(DateValue(*_span(value, place)))

    return emit


def _period(place: Place) -> Read:
    def emit(value: Any, found: list[IndexValue]) -> None:
        limits = _limits(value, place)
        if limits is not None:
            found.append(DateValue(*limits))

    return emit


def _timing(place: Place) -> Read:
    """Only the outer limits of a schedule count: its first and last event and its bounds."""

    def emit(value: Any, found: list[IndexValue]) -> None:
        spans = [_span(event, place) for event in value.get("event") or () if event is not None]
        bounds = _limits(value.get("repeat", {}).get("boundsPeriod") or {}, place)
        if bounds is not None:
            spans.append(bounds)
        if spans:
            found.append(DateValue(min(low for low, _ in spans), max(high for _, high in spans)))

    return emit


def _limits(period: Mapping[str, Any], place: Place) -> tuple[int, int] | None:
    start, end = period.get("start"), period.get("end")
    if start is None and end is None:
        return None
    low = EARLIEST_US if start is None else _span(start, place)[0]
    high = LATEST_US if end is None else _span(end, place)[1]
    return low, high


def _span(text: str, place: Place) -> tuple[int, int]:
    try:
        return span(text)
    except ValueError:
        raise _unreadable("date or time", place.expression) from None


def _unreadable(what: str, expression: str) -> InvalidResource:
    return InvalidResource([Issue("error", "value", f"This {what} cannot be read.", expression)])


# ---- numbers and amounts ----


def _number(place: Place) -> Read:
    def emit(value: Any, found: list[IndexValue]) -> None:
        number = Decimal(value)
        found.append(NumberValue(number, number))

    return emit


def _number_range(place: Place) -> Read:
    def emit(value: Any, found: list[IndexValue]) -> None:
        low, high = _ends(value)
        if low is not None or high is not None:
            found.append(NumberValue(low, high))

    return emit


def _quantity(place: Place) -> Read:
    def emit(value: Any, found: list[IndexValue]) -> None:
        amount = value.get("value")
        if amount is None:
            return
        number = Decimal(amount)
        comparator = value.get("comparator", "")
        low = None if comparator.startswith("<") else number
        high = None if comparator.startswith(">") else number
        found.append(QuantityValue(low, high, *_unit(value)))

    return emit


def _quantity_range(place: Place) -> Read:
    def emit(value: Any, found: list[IndexValue]) -> None:
        low, high = _ends(value)
        if low is not None or high is not None:
            found.append(QuantityValue(low, high, *_unit(value.get("low") or value.get("high"))))

    return emit


def _money(place: Place) -> Read:
    def emit(value: Any, found: list[IndexValue]) -> None:
        amount = value.get("value")
        if amount is not None:
            currency = value.get("currency", "")
            found.append(QuantityValue(Decimal(amount), Decimal(amount), CURRENCY, currency, currency))

    return emit


def _ends(value: Mapping[str, Any]) -> tuple[Decimal | None, Decimal | None]:
    low, high = (value.get(end, {}).get("value") for end in ("low", "high"))
    return None if low is None else Decimal(low), None if high is None else Decimal(high)


def _unit(value: Mapping[str, Any]) -> tuple[str, str, str]:
    return value.get("system", ""), value.get("code", ""), value.get("unit", "")


READERS: Mapping[str, Mapping[str, Callable[[Place], Read]]] = MappingProxyType(
    {
        "token": {
            "CodeableConcept": _concept,
            "Coding": _coding,
            "Identifier": _identifier,
            "ContactPoint": _contact_point,
            "code": _code,
            "boolean": _boolean,
            "id": _plain_token,
            "string": _plain_token,
            "uri": _plain_token,
        },
        "string": {
            "string": _text,
            "markdown": _text,
            "HumanName": _parts(_NAME_PARTS),
            "Address": _parts(_ADDRESS_PARTS),
        },
        "reference": {"Reference": _reference, "canonical": _canonical, "uri": _canonical},
        "date": {"date": _date, "dateTime": _date, "instant": _date, "Period": _period, "Timing": _timing},
        "number": {"decimal": _number, "integer": _number, "positiveInt": _number, "Range": _number_range},
        "quantity": {
            "Quantity": _quantity,
            "SimpleQuantity": _quantity,
            "Age": _quantity,
            "Duration": _quantity,
            "Range": _quantity_range,
            "Money": _money,
        },
        "uri": {"uri": _uri, "url": _uri, "canonical": _uri},
    }
)
"""By parameter type and element type; a choice may have other types too, which no search finds."""
