"""The periods of a provision, as microseconds.

What lives here: how a period with partial dates becomes a span for a permit and for a deny. What does not:
reading FHIR dates (``fhir.dates``), and the other elements of a provision (``access.provision_elements``).

A date without a time is read in UTC: a permit gets the narrowest time it can mean, a deny the widest. Spans
are half-open. A permit ends one second early, so that an answer on its way is not late.

Source: ``consent.md`` C-09 and C-16; ``engine.md`` 2.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from referral_hub.fhir.dates import EARLIEST_US, LATEST_US, span

EARLY_US = 1_000_000
_DATE_LENGTH = 10

Note = Callable[[str, str], None]
"""Takes the place of something not understood, and a sentence about it."""
_Placed = tuple[Mapping[str, Any], str]


class _Edge(NamedTuple):
    """One end of a period: the time its text names, and whether that text is a date without a time."""

    low_us: int
    high_us: int
    is_date: bool


def narrow(placed: Iterable[_Placed], note: Note) -> tuple[int, int]:
    """Gives the time in which permits under all these provisions are in force.

    Args:
        placed: a provision and the ones around it, each with its path.
        note: told of what cannot be read.

    Returns:
        microseconds since 1970 UTC, half-open; ``LATEST_US`` where none has an end.

    >>> node = {"period": {"start": "1970-01-01", "end": "1970-01-03T00:00:00Z"}}
    >>> narrow([(node, "provision")], print)
    (86400000000, 172799000000)
    """
    from_us, until_us = EARLIEST_US, LATEST_US
    for node, path in placed:
        start, end = _edges(node, "period", path, note)
        if start is not None:
            from_us = max(from_us, start.high_us if start.is_date else start.low_us)
        if end is not None:
            until_us = min(until_us, end.low_us - EARLY_US)
    return from_us, until_us


def wide(placed: Iterable[_Placed], note: Note) -> tuple[int | None, int | None]:
    """Gives the time in which a deny under all these provisions is in force; None for no bound.

    >>> wide([({"period": {"end": "1970-01-01"}}, "provision")], print)
    (None, 86400000000)
    """
    starts: list[int] = []
    ends: list[int] = []
    for node, path in placed:
        start, end = _edges(node, "period", path, note)
        if start is not None:
            starts.append(start.low_us)
        if end is not None:
            ends.append(end.high_us if end.is_date else end.low_us)
    return max(starts, default=None), min(ends, default=None)


def data_period(node: Mapping[str, Any], path: str, note: Note) -> tuple[int | None, int | None]:
    """Gives the time the data must tell of, both ends included as FHIR reads a period; None for no bound.

    >>> data_period({"dataPeriod": {"start": "1970", "end": "1970"}}, "provision", print)
    (0, 31536000000000)
    """
    start, end = _edges(node, "dataPeriod", path, note)
    return None if start is None else start.low_us, None if end is None else end.high_us


def _edges(node: Mapping[str, Any], element: str, path: str, note: Note) -> tuple[_Edge | None, _Edge | None]:
    period = node.get(element, {})
    if not isinstance(period, dict) or not period.keys() <= {"id", "start", "end"}:
        note(f"{path}.{element}", "A period has a start and an end, and nothing else.")
        return None, None
    return _edge(period, "start", f"{path}.{element}", note), _edge(period, "end", f"{path}.{element}", note)


def _edge(period: Mapping[str, Any], name: str, path: str, note: Note) -> _Edge | None:
    text = period.get(name)
    if text is None:
        return None
    try:
        low_us, high_us = span(text if isinstance(text, str) else "")
    except ValueError:
        note(f"{path}.{name}", "Write the time as 2026-11-24T10:00:00Z.")
        return None
    return _Edge(low_us, high_us, len(text) <= _DATE_LENGTH)
