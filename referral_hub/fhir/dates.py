"""Dates and times as spans.

What lives here: reading FHIR dates, dateTimes and instants, each as the span of time it names, and writing
instants. What does not: clocks (``now`` is handed in), Period and Timing elements (:mod:`.search_values`),
and the comparison of spans in a search (:mod:`.search_grammar` names the prefixes).

A span is two whole numbers of microseconds since 1970 UTC, half-open: ``2026`` is the whole year,
``2026-11-24T10:00:00Z`` one second. A date without a zone is taken in UTC, which is the hub's own zone.
Fractions finer than a microsecond are cut here only; the text that is stored keeps all its digits.

Source: FHIR R4 ``datatypes.html#dateTime``, ``search.html#date``.
"""

import re
from datetime import UTC, date, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST_US = -62_135_596_800_000_000
"""Midnight before the year 1: the beginning of a Period without a start."""
LATEST_US = 253_402_300_800_000_000
"""Midnight after the year 9999: the end of a Period without an end."""

_SECOND = 1_000_000
_MINUTE = 60 * _SECOND
_DAY = 86_400 * _SECOND
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()

_DATE = r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})"
_ZONE = r"(Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)"
_DATE_TIME = re.compile(
    rf"{_DATE}(?:T([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9]|60)(?:\.([0-9]+))?{_ZONE})?)?)?"
)
_SEARCHED = re.compile(
    rf"{_DATE}(?:T([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]|60)(?:\.([0-9]+))?)?{_ZONE}?)?)?)?"
)


def span(text: str) -> tuple[int, int]:
    """Gives the time a FHIR date, dateTime or instant names, from its first microsecond to after its last.

    Args:
        text: as in a resource: year, month, day, or a time with seconds and a zone.

    Returns:
        microseconds since 1970 UTC, half-open, between :data:`EARLIEST_US` and :data:`LATEST_US`.

    Raises:
        ValueError: not such a text; the message does not repeat it.

    Source: FHIR R4 ``datatypes.html#dateTime``.

    >>> span("1970-01-01")
    (0, 86400000000)
    >>> span("1970-01-01T00:00:00.123456789Z")
    (123456, 123457)
    """
    return _span(_DATE_TIME.fullmatch(text))


def search_span(text: str) -> tuple[int, int]:
    """Gives the time a search value names; here seconds and the zone may be missing (then UTC).

    A blank where the zone's plus sign belongs is read as that plus sign, since URLs turn one into the other.

    Raises:
        ValueError: not such a text.

    Source: FHIR R4 ``search.html#date``.

    >>> search_span("1970-01-01T00:01")
    (60000000, 120000000)
    """
    if len(text) > 6 and text[-6] == " ":
        text = f"{text[:-6]}+{text[-5:]}"
    return _span(_SEARCHED.fullmatch(text))


def instant(at_us: int) -> str:
    """Writes a moment as a FHIR instant in UTC with microseconds.

    Args:
        at_us: microseconds since 1970 UTC.

    >>> instant(1_500_000)
    '1970-01-01T00:00:01.500000Z'
    """
    at = EPOCH + timedelta(microseconds=at_us)
    return f"{at.isoformat(timespec='microseconds')[:26]}Z"


def microseconds(at: datetime) -> int:
    """Gives an aware datetime as microseconds since 1970 UTC.

    Raises:
        ValueError: the time says no zone.

    >>> microseconds(EPOCH)
    0
    """
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    passed = at - EPOCH
    return (passed.days * 86_400 + passed.seconds) * _SECOND + passed.microseconds


def _span(match: re.Match[str] | None) -> tuple[int, int]:
    if match is None:
        raise ValueError("not a FHIR date or time")
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    low, high = _days(int(year), int(month) if month else None, int(day) if day else None)
    if hour is None:
        return low, high
    low += int(hour) * 3600 * _SECOND + int(minute) * _MINUTE
    width = _MINUTE
    if second is not None:
        # A leap second has no number of its own in UTC microseconds: it falls into the second before it.
        low += min(int(second), 59) * _SECOND
        width = _SECOND
    if fraction is not None:
        digits = fraction[:6]
        width = 10 ** (6 - len(digits))
        low += int(digits) * width
    if zone is not None and zone != "Z":
        offset = (int(zone[1:3]) * 60 + int(zone[4:6])) * _MINUTE
        low += -offset if zone[0] == "+" else offset
    high = low + width
    return min(max(low, EARLIEST_US), LATEST_US - 1), min(max(high, EARLIEST_US + 1), LATEST_US)


def _days(year: int, month: int | None, day: int | None) -> tuple[int, int]:
    """Gives the first microsecond of a year, month or day and of the next one."""
    try:
        first = date(year, 1 if month is None else month, 1 if day is None else day).toordinal()
    except ValueError:
        raise ValueError("not a day of the calendar") from None
    if day is not None:
        after = first + 1
    elif month is not None:
        after = first + _month_length(year, month)
    else:
        after = first + (366 if _month_length(year, 2) == 29 else 365)
    return (first - _EPOCH_ORDINAL) * _DAY, (after - _EPOCH_ORDINAL) * _DAY


def _month_length(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31
