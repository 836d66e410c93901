"""What a history is asked for: since when, at what time, how many at once, and where it goes on.

What lives here: reading the parameters of a history. What does not: the versions (``exchange.histories``), page links
(``exchange.cursors``).

Source: FHIR R4 http.html#history (``_count``, ``_since``, ``_at``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from referral_hub.access.principal import Principal
from referral_hub.errors import InvalidParameter, NotSupportedParameter
from referral_hub.exchange.cursors import open_cursor
from referral_hub.exchange.hub import Hub
from referral_hub.fhir.dates import EARLIEST_US, LATEST_US, search_span

Pairs = Sequence[tuple[str, str]]

GENERAL = frozenset({"_format", "_pretty", "_summary", "_elements"})
"""Parameters of every request; they are not of the history."""
_LARGEST_KEY = 2**62


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """A history as it is asked for.

    ``since_us`` and ``at_us`` (a span, half-open) are microseconds since 1970 UTC; without a bound they hold all time.
    ``after`` is the keyset of the last version of the page before.
    """

    pairs: tuple[tuple[str, str], ...]
    count: int
    since_us: int = EARLIEST_US
    at_us: tuple[int, int] | None = None
    after: tuple[int, int] | None = None

    @property
    def bounds_us(self) -> tuple[int, int]:
        """Gives from when, and until before when, a version was made."""
        return self.since_us, LATEST_US if self.at_us is None else self.at_us[1]

    @property
    def replaced_us(self) -> int:
        """Gives the moment until which a version that was replaced is not asked for."""
        return -_LARGEST_KEY if self.at_us is None else self.at_us[0]

    @property
    def below(self) -> tuple[int, int]:
        """Gives the keyset everything of the page stands behind."""
        return (_LARGEST_KEY, _LARGEST_KEY) if self.after is None else self.after


def history_query(
    hub: Hub, caller: Principal, place: str, pairs: Pairs, at_us: int, *, strict: bool
) -> HistoryQuery:
    """Reads the parameters of a history.

    Args:
        hub: limits, and the seal of page links.
        caller: whose page link it must be.
        place: which history: ``Task/1/_history``, ``Task/_history`` or ``_history``.
        pairs: decoded names and values, or the one pair of a page link.
        at_us: now.
        strict: refuse parameters that are not understood.

    Raises:
        InvalidParameter: a value cannot be read, or a page link not be followed (400).
        NotSupportedParameter: with ``strict``, a parameter that a history does not have (400).
    """
    given = [(name, value) for name, value in pairs if name not in GENERAL]
    sealed = [value for name, value in given if name == "_cursor"]
    after = None
    if sealed:
        if len(given) != 1:
            raise InvalidParameter("_cursor", "A page link is followed as it was given.")
        cursor = open_cursor(hub.cursors, caller, place, sealed[0], at_us)
        given, after = list(cursor.pairs), (int(cursor.after[0]), int(cursor.after[1]))
    asked: dict[str, str] = {}
    for name, value in given:
        if name not in ("_since", "_at", "_count"):
            if strict:
                raise NotSupportedParameter(name, "A history is asked for with _since, _at and _count.")
            continue
        if name in asked:
            raise InvalidParameter(name, f"{name} is asked once.")
        asked[name] = value
    return HistoryQuery(
        pairs=tuple(asked.items()),
        count=_count(hub, asked.get("_count")),
        since_us=_span("_since", asked["_since"])[0] if "_since" in asked else EARLIEST_US,
        at_us=_span("_at", asked["_at"]) if "_at" in asked else None,
        after=after,
    )


def _count(hub: Hub, text: str | None) -> int:
    if text is None:
        return hub.limits.page_entries
    if not (text.isascii() and text.isdigit() and len(text) < 10) or int(text) == 0:
        raise InvalidParameter("_count", "_count is a whole number from 1.")
    return min(int(text), hub.limits.max_page_entries)


def _span(name: str, text: str) -> tuple[int, int]:
    try:
        return search_span(text)
    except ValueError:
        raise InvalidParameter(name, f"{name} is a date or a time, such as 2026-11-24T10:00:00Z.") from None
