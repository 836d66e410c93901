"""The meaning of comparisons: the tables of the standard, and agreement with plain reasoning on moments."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_hub.fhir.dates import EARLIEST_US, LATEST_US, span
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
from referral_hub.fhir.search_grammar import parse_query
from referral_hub.fhir.search_match import date_meets, matches
from referral_hub.fhir.search_parameters import ParameterType, SearchParameter

UCUM = "http://unitsofmeasure.org"


def asked(kind: ParameterType, value: str, values: list[IndexValue], modifier: str = "") -> bool:
    parameter = SearchParameter("x", kind, "")
    name = f"x:{modifier}" if modifier else "x"
    [criterion] = parse_query([(name, value)], {"x": parameter}, at_us=0).criteria
    return matches(criterion, values)


@pytest.mark.parametrize(
    ("search", "resource", "expected"),
    [
        ("2026-11-24", "2026-11-24", True),
        ("2026-11-24", "2026-11-24T10:00:00Z", True),
        ("2026-11-24", "2026-11", False),
        ("2026-11", "2026-11-24", True),
        ("ne2026-11-24", "2026-11", True),
        ("ne2026-11-24", "2026-11-24T10:00:00Z", False),
        ("gt2026-11-24", "2026-11-24T23:59:59Z", False),
        ("gt2026-11-24", "2026-11-25", True),
        ("gt2026-11-24", "2026-11", True),
        ("ge2026-11-24", "2026-11-24T00:00:00Z", True),
        ("ge2026-11-24", "2026-11-23", False),
        ("lt2026-11-24", "2026-11-24", False),
        ("lt2026-11-24", "2026-11", True),
        ("le2026-11-24", "2026-11-24T23:59:59Z", True),
        ("le2026-11-24", "2026-11-25", False),
        ("sa2026-11-24", "2026-11-25", True),
        ("sa2026-11-24", "2026-11", False),
        ("eb2026-11-24", "2026-11-23", True),
        ("eb2026-11-24", "2026-11", False),
        ("gt2026-11-24T10:00:00.123456Z", "2026-11-24T10:00:00.123457Z", True),
        ("gt2026-11-24T10:00:00.123456Z", "2026-11-24T10:00:00.123456789Z", False),
    ],
)
def test_dates(search: str, resource: str, expected: bool) -> None:
    assert asked("date", search, [DateValue(*span(resource))]) is expected


@pytest.mark.parametrize(
    ("search", "expected"),
    [("sa2020", False), ("gt2999", True), ("lt2020", False), ("eq2026", False), ("ge2030", True)],
)
def test_a_period_without_an_end_goes_on(search: str, expected: bool) -> None:
    assert asked("date", search, [DateValue(span("2020-05-01")[0], LATEST_US)]) is expected
    assert asked("date", "lt1000", [DateValue(EARLIEST_US, span("2020")[1])])


@given(
    st.sampled_from(["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"]),
    *[st.tuples(st.integers(0, 12), st.integers(1, 6)) for _ in range(2)],
)
def test_spans_agree_with_their_moments(prefix: Any, search: tuple[int, int], value: tuple[int, int]) -> None:
    wanted = set(range(search[0], sum(search)))
    found = set(range(value[0], sum(value)))
    inside = found <= wanted
    later, earlier = any(m > max(wanted) for m in found), any(m < min(wanted) for m in found)
    expected = {
        "eq": inside,
        "ne": not inside,
        "gt": later,
        "lt": earlier,
        "ge": later or inside,
        "le": earlier or inside,
        "sa": all(m > max(wanted) for m in found),
        "eb": all(m < min(wanted) for m in found),
        "ap": bool(found & wanted),
    }
    assert date_meets(prefix, search[0], sum(search), DateValue(value[0], sum(value))) is expected[prefix]


@pytest.mark.parametrize(
    ("search", "system", "code", "expected"),
    [
        ("a", "urn:x", "a", True),
        ("a", "", "a", True),
        ("A", "", "a", False),
        ("urn:x|a", "urn:x", "a", True),
        ("urn:x|a", "urn:y", "a", False),
        ("urn:x|a", "", "a", False),
        ("|a", "", "a", True),
        ("|a", "urn:x", "a", False),
        ("urn:x|", "urn:x", "b", True),
        ("urn:x|", "urn:y", "b", False),
        ("b,a", "", "a", True),
    ],
)
def test_tokens(search: str, system: str, code: str, expected: bool) -> None:
    assert asked("token", search, [TokenValue(system, code)]) is expected
    assert asked("token", search, [TokenValue(system, code)], "not") is not expected
    assert asked("reference", search, [ReferenceValue(identifier=(system, code))], "identifier") is expected


def test_not_wants_none_of_the_values() -> None:
    values: list[IndexValue] = [TokenValue("", "a"), TokenValue("", "b")]
    assert not asked("token", "a", values, "not")
    assert not asked("token", "a,c", values, "not")
    assert asked("token", "c", values, "not")
    assert asked("token", "c", [], "not")


@pytest.mark.parametrize(("value", "expected"), [("true", True), ("false", False)])
def test_missing(value: str, expected: bool) -> None:
    assert asked("token", value, [], "missing") is expected
    assert asked("token", value, [TokenValue("", "a")], "missing") is not expected


@pytest.mark.parametrize(
    ("search", "modifier", "expected"),
    [
        ("eve", "", True),
        ("EVÉ", "", True),
        ("elyn", "", False),
        ("elyn", "contains", True),
        ("Évelyn", "exact", True),
        ("evelyn", "exact", False),
        ("Éve", "exact", False),
    ],
)
def test_strings(search: str, modifier: str, expected: bool) -> None:
    assert asked("string", search, [StringValue("evelyn", "Évelyn")], modifier) is expected


@pytest.mark.parametrize(
    ("search", "value", "expected"),
    [
        ("7", ReferenceValue("Patient", "7"), True),
        ("Patient/7", ReferenceValue("Patient", "7"), True),
        ("Group/7", ReferenceValue("Patient", "7"), False),
        ("8", ReferenceValue("Patient", "7"), False),
        ("https://e.example/Patient/7", ReferenceValue("Patient", url="https://e.example/Patient/7"), True),
        ("Patient/7", ReferenceValue("Patient", url="https://e.example/Patient/7"), False),
        ("7", ReferenceValue("Patient", identifier=("", "7")), False),
    ],
)
def test_references(search: str, value: ReferenceValue, expected: bool) -> None:
    assert asked("reference", search, [value]) is expected


@pytest.mark.parametrize(
    ("search", "value", "expected"),
    [
        ("100", "100.4", True),
        ("100", "99.5", True),
        ("100", "100.5", False),
        ("100.00", "100.01", False),
        ("ne100", "100.4", False),
        ("gt100", "100.4", True),
        ("gt100", "100", False),
        ("ge100", "100", True),
        ("lt100", "99.9", True),
        ("lt100", "100", False),
        ("le100", "100", True),
        ("sa100", "100.1", True),
        ("eb100", "100.1", False),
        ("ap100", "109", True),
        ("ap100", "111", False),
        ("0", "0", True),
    ],
)
def test_numbers(search: str, value: str, expected: bool) -> None:
    exact = Decimal(value)
    assert asked("number", search, [NumberValue(exact, exact)]) is expected
    assert asked("quantity", search, [QuantityValue(exact, exact, UCUM, "mg", "mg")]) is expected


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        (f"5||{UCUM}", False),
        ("5||mg", True),
        ("5||milligram", True),
        ("5||g", False),
        (f"5|{UCUM}|mg", True),
        (f"5|{UCUM}|g", False),
        ("5|urn:x|mg", False),
    ],
)
def test_amounts_have_units(search: str, expected: bool) -> None:
    value = QuantityValue(Decimal(5), Decimal(5), UCUM, "mg", "milligram")
    assert asked("quantity", search, [value]) is expected


def test_an_open_amount_is_above_or_below() -> None:
    below_five = QuantityValue(None, Decimal(5))
    assert asked("quantity", "lt3", [below_five])
    assert not asked("quantity", "gt5", [below_five])
    assert not asked("quantity", "3", [below_five])
    assert asked("quantity", "ap3", [below_five])


def test_addresses_match_whole() -> None:
    assert asked("uri", "urn:a", [UriValue("urn:a")])
    assert not asked("uri", "urn:a", [UriValue("urn:A"), UriValue("urn:a:b")])


def test_a_value_of_another_kind_never_matches() -> None:
    assert not asked("token", "a", [StringValue("a", "a")])
