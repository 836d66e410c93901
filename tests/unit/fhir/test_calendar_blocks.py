"""Dates as blocks of the calendar: a search by blocks says what a comparison of spans says."""

from datetime import date, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_hub.fhir.calendar_blocks import blocks_asked, blocks_of
from referral_hub.fhir.dates import search_span, span
from referral_hub.fhir.index_values import DateValue
from referral_hub.fhir.search_match import date_meets
from referral_hub.fhir.search_query import Prefix

PREFIXES = get_args(Prefix)
DAYS = st.dates(date(1, 1, 1), date(9999, 12, 31))
WRITTEN = st.builds(lambda day, length: day.isoformat()[:length], DAYS, st.sampled_from((4, 7, 10)))
NEAR = st.builds(
    lambda days, length: (date(1994, 3, 2) + timedelta(days)).isoformat()[:length],
    st.integers(-400, 400),
    st.sampled_from((4, 7, 10)),
)
ASKED = st.one_of(
    WRITTEN, NEAR, NEAR.filter(lambda text: len(text) == 10).map(lambda text: f"{text}T10:30:00Z")
)


@given(st.one_of(WRITTEN, NEAR), ASKED, st.sampled_from(PREFIXES))
def test_blocks_meet_where_spans_do(written: str, asked: str, prefix: Prefix) -> None:
    value = DateValue(*span(written))
    low, high = search_span(asked)
    found = bool(set(blocks_of(value)) & set(blocks_asked(prefix, low, high)))
    assert found is date_meets(prefix, low, high, value)


@given(ASKED, st.sampled_from(PREFIXES))
def test_a_range_is_a_few_blocks(asked: str, prefix: Prefix) -> None:
    assert len(blocks_asked(prefix, *search_span(asked))) < 260


@pytest.mark.parametrize(
    ("written", "blocks"),
    [
        ("1994", {"=1994", "19", "199", "1994"}),
        ("2000-02-29", {"=2000-02-29", "20", "200", "2000", "2000-02", "2000-02-29"}),
    ],
)
def test_a_date_lies_in_its_day_month_year_decade_and_century(written: str, blocks: set[str]) -> None:
    assert set(blocks_of(DateValue(*span(written)))) == blocks
