"""Dates as blocks of the calendar, so that a date kept as keyed digests can still be searched by range.

A birth date is never stored in clear beside its record. It is kept as digests of the day, its month, its year,
its decade and its century. A range of time is then a few dozen such blocks, and a search asks for their digests.

What lives here: blocks and ranges, as texts. What does not: digests (``store``).

Source: FHIR R4 ``search.html#prefix``; ``engine.md`` 4 (birth dates are indexed as keyed digests).
"""

from collections.abc import Iterator
from datetime import date

from referral_hub.fhir.dates import EARLIEST_US, LATEST_US
from referral_hub.fhir.index_values import DateValue
from referral_hub.fhir.search_query import Prefix

EXACTLY = "="
"""Stands before the text of the very date that was written: a day, a month or a year."""

_DAY = 86_400_000_000
_EPOCH = date(1970, 1, 1).toordinal()
_FIRST, _AFTER_LAST = date(1, 1, 1).toordinal(), date(9999, 12, 31).toordinal() + 1
_LENGTHS = (2, 3, 4, 7, 10)
"""How much of ``1994-03-02`` names its century, decade, year, month and day."""


def blocks_of(value: DateValue) -> tuple[str, ...]:
    """Gives every block a date lies in, and the date itself.

    >>> from referral_hub.fhir.dates import span
    >>> blocks_of(DateValue(*span("1994-03-02")))
    ('=1994-03-02', '19', '199', '1994', '1994-03', '1994-03-02')
    >>> blocks_of(DateValue(*span("1994")))
    ('=1994', '19', '199', '1994')
    """
    low, high = value.low_us // _DAY + _EPOCH, value.high_us // _DAY + _EPOCH
    day = date.fromordinal(low).isoformat()
    written = day if high - low == 1 else day[:7] if high - low < 32 else day[:4]
    return (EXACTLY + written, *(day[:length] for length in _LENGTHS if length <= len(written)))


def blocks_asked(prefix: Prefix, low_us: int, high_us: int) -> tuple[str, ...]:
    """Gives the blocks of which a date must have one to meet what is asked.

    Args:
        prefix: how it compares; for ``ap`` the span is widened already.
        low_us: the first microsecond asked for.
        high_us: the microsecond after the last.

    Source: FHIR R4 ``search.html#prefix``; ``search_match.date_meets`` says the same of two spans.

    >>> from referral_hub.fhir.dates import span
    >>> blocks_asked("eq", *span("1994-03"))
    ('1994-03',)
    >>> after = blocks_asked("gt", *span("9998-11"))
    >>> after
    ('9998-12', '9999', '=9998')
    """
    # A stored date begins and ends at midnight: only whole days lie inside.
    first, last = -(-low_us // _DAY) + _EPOCH, high_us // _DAY + _EPOCH
    inside = tuple(_between(first, last))
    before = tuple(_between(_FIRST, low_us // _DAY + _EPOCH))
    after = tuple(_between(-(-high_us // _DAY) + _EPOCH, _AFTER_LAST))
    at_start, at_end = tuple(_across(low_us)), tuple(_across(high_us))
    found: dict[Prefix, tuple[str, ...]] = {
        "eq": inside,
        "ne": before + at_start + after + at_end,
        "gt": after + at_end,
        "ge": after + at_end + inside,
        "lt": before + at_start,
        "le": before + at_start + inside,
        "sa": after,
        "eb": before,
        "ap": inside + at_start + at_end,
    }
    return tuple(dict.fromkeys(found[prefix]))


def _between(first: int, last: int) -> Iterator[str]:
    """Gives the fewest blocks that together are the days from ``first`` up to ``last``, which is not in them."""
    here = max(first, _FIRST)
    last = min(last, _AFTER_LAST)
    while here < last:
        text = date.fromordinal(here).isoformat()
        for length in _LENGTHS:
            begin, end = _limits(text[:length])
            if begin == here and end <= last:
                yield text[:length]
                here = end
                break


def _across(at_us: int) -> Iterator[str]:
    """Gives the dates, as written, that begin before a moment and end after it."""
    if not EARLIEST_US < at_us < LATEST_US:
        return
    text = date.fromordinal(at_us // _DAY + _EPOCH).isoformat()
    for length in (4, 7, 10):
        begin, end = _limits(text[:length])
        if (begin - _EPOCH) * _DAY < at_us < (end - _EPOCH) * _DAY:
            yield EXACTLY + text[:length]


def _limits(block: str) -> tuple[int, int]:
    """Gives the first day of a block and the day after its last, as ordinals."""
    if len(block) == 10:
        day = date.fromisoformat(block).toordinal()
        return day, day + 1
    if len(block) == 7:
        year, month = int(block[:4]), int(block[5:])
        after = date(year + month // 12, month % 12 + 1, 1).toordinal() if block != "9999-12" else _AFTER_LAST
        return date(year, month, 1).toordinal(), after
    years = 10 ** (4 - len(block))
    year = int(block) * years
    end = year + years
    return date(max(year, 1), 1, 1).toordinal(), date(end, 1, 1).toordinal() if end < 10_000 else _AFTER_LAST
