"""Views that were chosen already, kept for exactly as long as everything they were chosen by is the same.

What lives here: ``KeptViews``. What does not: choosing a view (``exchange.sight``), making the copy
(``exchange.gate``).

A view of a referral follows from the version of the row, the reader, its referral_access rows, what the consents
open and the moment. The first two are the key; the next two are compared as the very objects they were, which
change with the person's epoch; the moment must lie where no row begins or ends.

Source: ``engine.md`` 2 (only immutable facts are cached, decisions by their full key).
"""

from collections.abc import Iterable

import msgspec

from referral_hub.access.rows import ReferralAccess
from referral_hub.access.views import View
from referral_hub.exchange.openings import Openness
from referral_hub.exchange.ports import ResourceRow, Standing

Key = tuple[int, str, str, bool]
Beside = tuple[frozenset[str], str, bool]
"""What the row points at and may be seen, the person as a reference, and whether a shelter wrote it."""
_NEVER_US = 2**62
_MOST_BESIDE = 8


class Chosen(msgspec.Struct):
    """One choice: what it was made by, the view without what lies beside the row, and the row it stands on."""

    standing: Standing
    openness: Openness
    from_us: int
    until_us: int
    view: View | None
    access: ReferralAccess | None
    beside: dict[Beside, View] = {}

    def keep_beside(self, beside: Beside, view: View) -> None:
        """Keeps the whole view for what lies beside the row."""
        if len(self.beside) >= _MOST_BESIDE:
            self.beside.clear()
        self.beside[beside] = view


class KeptViews:
    """Remembers choices. Safe to use from many threads.

    Args:
        size: how many; when there are more, all are forgotten and made afresh.
    """

    def __init__(self, size: int = 8192) -> None:
        self._size = size
        self._kept: dict[Key, Chosen] = {}

    def of(self, key: Key, standing: Standing, openness: Openness, at_us: int) -> Chosen | None:
        """Gives the choice, if everything it was made by still is what it was."""
        found = self._kept.get(key)
        if (
            found is not None
            and found.standing is standing
            and found.openness is openness
            and found.from_us <= at_us < found.until_us
        ):
            return found
        return None

    def keep(self, key: Key, chosen: Chosen) -> None:
        """Keeps a choice."""
        if len(self._kept) >= self._size:
            self._kept.clear()
        self._kept[key] = chosen


def key_of(row: ResourceRow, reader: str, *, deep: bool) -> Key:
    """Gives the key of a choice: the version of the row, and who reads how much of it."""
    return (row.row_id, row.version, reader, deep)


def until_us(accesses: Iterable[ReferralAccess], at_us: int) -> int:
    """Gives the next moment at which a referral_access row ends."""
    moments = [a.until_us for a in accesses if a.until_us is not None and a.until_us > at_us]
    return min(moments, default=_NEVER_US)
