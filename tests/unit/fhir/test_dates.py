"""Dates as spans: what a text names, to the microsecond."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_hub.fhir.dates import EARLIEST_US, EPOCH, LATEST_US, instant, microseconds, search_span, span

SECOND = 1_000_000
DAY = 86_400 * SECOND


def us(*parts: int) -> int:
    return (datetime(*parts, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)  # type: ignore[misc,arg-type]


SPANS = [
    ("2026", us(2026, 1, 1), us(2027, 1, 1)),
    ("2024", us(2024, 1, 1), us(2025, 1, 1)),
    ("2024-02", us(2024, 2, 1), us(2024, 3, 1)),
    ("1900-02", us(1900, 2, 1), us(1900, 3, 1)),
    ("2026-12", us(2026, 12, 1), us(2027, 1, 1)),
    ("2026-11-24", us(2026, 11, 24), us(2026, 11, 25)),
    ("2026-11-24T10:00:00Z", us(2026, 11, 24, 10), us(2026, 11, 24, 10, 0, 1)),
    ("2026-11-24T10:00:00+02:00", us(2026, 11, 24, 8), us(2026, 11, 24, 8, 0, 1)),
    ("2026-11-24T10:00:00-05:30", us(2026, 11, 24, 15, 30), us(2026, 11, 24, 15, 30, 1)),
    ("2026-11-24T10:00:00.5Z", us(2026, 11, 24, 10) + 500_000, us(2026, 11, 24, 10) + 600_000),
    ("2026-11-24T10:00:00.123Z", us(2026, 11, 24, 10) + 123_000, us(2026, 11, 24, 10) + 124_000),
    ("2026-11-24T10:00:00.123456789Z", us(2026, 11, 24, 10) + 123_456, us(2026, 11, 24, 10) + 123_457),
    ("2016-12-31T23:59:60Z", us(2016, 12, 31, 23, 59, 59), us(2017, 1, 1)),
    ("1969-12-31T23:59:59Z", -SECOND, 0),
    ("0001", EARLIEST_US, us(2, 1, 1)),
    ("9999", us(9999, 1, 1), LATEST_US),
    ("9999-12-31T23:59:59-14:00", LATEST_US - 1, LATEST_US),
    ("0001-01-01T00:00:00+14:00", EARLIEST_US, EARLIEST_US + 1),
]


@pytest.mark.parametrize(("text", "low", "high"), SPANS)
def test_a_text_names_its_whole_span(text: str, low: int, high: int) -> None:
    assert span(text) == (low, high)
    assert search_span(text) == (low, high)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "26",
        "0000",
        "2026-13",
        "2026-1",
        "2026-00",
        "2026-02-30",
        "2025-02-29",
        "2026-11-24T",
        "2026-11-24T10",
        "2026-11-24T24:00:00Z",
        "2026-11-24T10:60:00Z",
        "2026-11-24T10:00:61Z",
        "2026-11-24T10:00:00.Z",
        "2026-11-24T10:00:00+15:00",
        "2026-11-24 10:00:00Z",
        "24.11.2026",
        " 2026",
        "2026\n",
        "\u0662\u0660\u0662\u0666",
    ],
)
def test_other_texts_are_no_dates(text: str) -> None:
    for read in (span, search_span):
        with pytest.raises(ValueError, match=r"not a") as refusal:
            read(text)
        assert not text or text not in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("2026-11-24T10:00", us(2026, 11, 24, 10), us(2026, 11, 24, 10, 1)),
        ("2026-11-24T10:00Z", us(2026, 11, 24, 10), us(2026, 11, 24, 10, 1)),
        ("2026-11-24T10:00:07", us(2026, 11, 24, 10, 0, 7), us(2026, 11, 24, 10, 0, 8)),
        ("2026-11-24T10:00:00 02:00", us(2026, 11, 24, 8), us(2026, 11, 24, 8, 0, 1)),
    ],
)
def test_a_search_may_leave_out_seconds_and_zone(text: str, low: int, high: int) -> None:
    assert search_span(text) == (low, high)
    with pytest.raises(ValueError, match="not a"):
        span(text)


AWARE = st.datetimes(
    datetime(2, 1, 1),  # noqa: DTZ001
    datetime(9998, 12, 31),  # noqa: DTZ001
    timezones=st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)


@given(AWARE)
def test_instants_come_back(at: datetime) -> None:
    moment = microseconds(at)
    assert moment == (at - EPOCH) // timedelta(microseconds=1)
    text = instant(moment)
    assert span(text) == (moment, moment + 1)
    assert datetime.fromisoformat(text) == at
    assert span(at.isoformat(timespec="microseconds")) == (moment, moment + 1)


@given(st.integers(EARLIEST_US, LATEST_US - 1))
def test_every_moment_lies_in_its_second_day_month_and_year(moment: int) -> None:
    text = instant(moment)
    for length, zone in ((19, "Z"), (10, ""), (7, ""), (4, "")):
        low, high = span(text[:length] + zone)
        assert low <= moment < high


def test_a_time_without_a_zone_is_no_moment() -> None:
    with pytest.raises(ValueError, match="zone"):
        microseconds(datetime(2026, 11, 24))  # noqa: DTZ001
