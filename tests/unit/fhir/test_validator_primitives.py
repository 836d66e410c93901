"""Single values: what each primitive type takes, against the published patterns and the calendar."""

import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_hub.fhir.element_tables import index
from referral_hub.fhir.json_codec import ExactDecimal
from referral_hub.fhir.primitives import (
    CHECKS,
    EXPECTED,
    LANGUAGE_TAG,
    MEDIA_TYPE,
    Check,
    has_json_type,
    holds,
    json_type,
)

GOOD: dict[str, list[Any]] = {
    "base64Binary": ["SGVsbG8=", "SGVs\nbG8=", "AAAA"],
    "boolean": [True, False],
    "canonical": ["http://x.example/a|1.0", "#a", "urn:oid:1.2.3|2"],
    "code": ["a", "a b", "é"],
    "date": ["0001", "2026", "2026-11", "2026-11-24", "2024-02-29", "2000-02-29"],
    "dateTime": [
        "2026",
        "2026-11-24",
        "2026-11-24T23:59:60Z",
        "2026-11-24T00:00:00.1+14:00",
        "2024-02-29T00:00:00Z",
    ],
    "decimal": [1, Decimal("1.50"), ExactDecimal("1E2"), Decimal("-0.1")],
    "id": ["a", "A-1.b", "x" * 64],
    "instant": ["2026-11-24T00:00:00Z", "2026-11-24T00:00:00.123456789-11:30"],
    "integer": [0, -2147483648, 2147483647],
    "markdown": ["# a\n\nb", " "],
    "oid": ["urn:oid:1.2.3", "urn:oid:2.16.840.1"],
    "positiveInt": [1, 2147483647],
    "string": ["a", " ", "tab\t", "line\nline", "é", "x" * 1_048_576],
    "time": ["00:00:00", "23:59:60.5"],
    "unsignedInt": [0, 2147483647],
    "uri": [
        "x",
        "http://x.example/a b".replace(" ", "%20"),
        "urn:oid:1.2",
        "urn:uuid:0c1b2a3d-0000-4000-8000-000000000000",
    ],
    "url": ["https://x.example", "mailto:a@x.example"],
    "uuid": ["urn:uuid:0c1b2a3d-0000-4000-8000-000000000000"],
}

BAD: dict[str, list[Any]] = {
    "base64Binary": ["", " ", "SGVsbG8", "SGVsbG8==", "*", 1],
    "boolean": [1, 0, "true", None],
    "canonical": ["", "a b"],
    "code": ["", " a", "a ", "a  b", "a\tb", "a\nb", 1],
    "date": [
        "0000",
        "26",
        "2026-13",
        "2026-00",
        "2026-02-30",
        "2023-02-29",
        "1900-02-29",
        "2026-11-31",
        "2026-11-24T",
        2026,
    ],
    "dateTime": [
        "2026-11-24T10:00Z",
        "2026-11-24T10:00:00",
        "2026-11-24T24:00:00Z",
        "2026-11-24T10:00:00+15:00",
        "2023-02-29T00:00:00Z",
        "2026-11-24 10:00:00Z",
    ],
    "decimal": ["1", True, Decimal("NaN"), Decimal("Infinity")],
    "id": ["", "a_b", "x" * 65, "a\n"],
    "instant": ["2026", "2026-11-24", "2026-11-24T10:00:00", "2026-02-30T10:00:00Z"],
    "integer": [2147483648, -2147483649, Decimal("1.0"), True, "1"],
    "markdown": ["", "\x00"],
    "oid": ["1.2.3", "urn:oid:3.1", "urn:oid:1.02", "urn:oid:1"],
    "positiveInt": [0, -1, True],
    "string": ["", "\x01", "a\x1f", "x" * 1_048_577, 1],
    "time": ["24:00:00", "10:00", "10:00:00Z"],
    "unsignedInt": [-1, 2147483648],
    "uri": [
        "",
        "a b",
        "oid:1.2",
        "uuid:x",
        "urn:oid:9",
        "urn:uuid:1",
        "urn:uuid:0C1B2A3D-0000-4000-8000-000000000000",
        " x",
    ],
    "url": ["", "a b"],
    "uuid": ["urn:uuid:0C1B2A3D-0000-4000-8000-000000000000", "0c1b2a3d-0000-4000-8000-000000000000"],
}


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, values in GOOD.items() for v in values])
def test_is_taken(name: str, value: Any):
    assert holds(CHECKS[name], value)


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, values in BAD.items() for v in values])
def test_is_not_taken(name: str, value: Any):
    assert not holds(CHECKS[name], value)


def test_every_primitive_of_r4_has_a_check_and_a_sentence():
    assert set(CHECKS) | {"xhtml"} == set(index().primitives) == set(EXPECTED)


# Patterns that mean texts as XML writes them, not JSON values.
TEXTUAL = sorted(n for n in CHECKS if json_type(n) == "string")


@pytest.mark.parametrize("name", TEXTUAL)
def test_what_is_taken_also_matches_the_published_pattern(name: str):
    published = re.compile(index().primitives[name].pattern)
    assert [value for value in GOOD[name] if len(value) < 100 and not published.fullmatch(value)] == []


@given(st.dates())
def test_every_date_of_the_calendar_is_taken(day: date):
    assert holds(CHECKS["date"], day.isoformat())
    assert holds(CHECKS["instant"], f"{day.isoformat()}T12:00:00Z")


@given(st.integers(1, 9999), st.integers(0, 13), st.integers(0, 32))
def test_no_other_date_is_taken(year: int, month: int, day: int):
    try:
        date(year, month, day)
    except ValueError:
        exists = False
    else:
        exists = True
    assert holds(CHECKS["date"], f"{year:04}-{month:02}-{day:02}") is exists


@given(st.text(), st.sampled_from(TEXTUAL))
def test_nothing_is_taken_that_the_published_pattern_refuses(text: str, name: str):
    if holds(CHECKS[name], text):
        # Python counts more characters as blanks than the standard's patterns do.
        pattern = index().primitives[name].pattern
        assert re.fullmatch(pattern, text, re.ASCII) or re.fullmatch(pattern, text)


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (LANGUAGE_TAG, ["en", "fr-CA", "zh-Hant-TW", "x-hub"], ["en_US", "", "e n", "abcdefghi"]),
        (
            MEDIA_TYPE,
            ["text/plain", "text/plain; charset=UTF-8", "application/fhir+json"],
            ["text", "text/", "a b/c", "a/b" + ";" * 60 + "  x"],
        ),
    ],
)
def test_codes_by_grammar(check: Check, good: list[str], bad: list[str]):
    assert [holds(check, text) for text in good + bad] == [True] * len(good) + [False] * len(bad)


@pytest.mark.parametrize(
    ("value", "name", "expected"),
    [
        (True, "boolean", True),
        (True, "integer", False),
        (1, "decimal", True),
        ("1", "decimal", False),
        (1, "code", False),
    ],
)
def test_the_kind_of_json_value(value: Any, name: str, expected: bool):
    assert has_json_type(value, name) is expected
