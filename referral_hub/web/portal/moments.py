"""Dates and times as people say them, in their language and their time zone.

What lives here: that. What does not: FHIR's dates (``fhir.dates``), the clock.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Moments:
    """Says moments to one reader.

    Args:
        language: of the page.
        zone: the time zone people read.
        now_us: now, microseconds UTC.
    """

    language: str
    zone: tzinfo
    now_us: int

    @property
    def _locale(self) -> str:
        """Gives the language with the country whose way of writing dates most people read without thinking twice."""
        return {"en": "en_GB"}.get(self.language, self.language)

    def day(self, moment: int | str) -> str:
        """Gives a day, such as ``24 Nov 2026``.

        Args:
            moment: microseconds UTC, or a FHIR date or instant; empty gives nothing.
        """
        from babel.dates import format_date

        at = self._at(moment)
        return "" if at is None else format_date(at, "medium", locale=self._locale)

    def time(self, moment: int | str) -> str:
        """Gives a day and a time of day, such as ``24 Nov 2026, 19:05``."""
        from babel.dates import format_datetime

        at = self._at(moment)
        if at is None:
            return ""
        return format_datetime(at, "d MMM y, HH:mm", tzinfo=self.zone, locale=self._locale)

    def since(self, moment: int | str) -> str:
        """Gives how long ago or how far away, such as ``2 days ago`` or ``in 3 hours``."""
        from babel.dates import format_timedelta

        at = self._at(moment)
        if at is None:
            return ""
        away = timedelta(microseconds=_us_of(at) - self.now_us)
        return format_timedelta(away, add_direction=True, threshold=1.2, locale=self._locale)

    def is_past(self, moment: int | str) -> bool:
        """Tells whether a moment is over; an empty one never is."""
        at = self._at(moment)
        return at is not None and _us_of(at) < self.now_us

    def _at(self, moment: int | str) -> datetime | None:
        if not moment:
            return None
        if isinstance(moment, int):
            return datetime.fromtimestamp(moment / _US, tz=self.zone)
        try:
            at = datetime.fromisoformat(moment)
        except ValueError:
            return None
        return at.replace(tzinfo=self.zone) if at.tzinfo is None else at.astimezone(self.zone)


def _us_of(at: datetime) -> int:
    return int(at.timestamp() * _US)
