"""What bodies say, kept by row and version: a version never changes, so what it says does not either.

What lives here: ``Sayings``, which remembers one thing worked out from a body. What does not: what is worked out
(``access.facts``), decisions.

Source: ``engine.md`` 2 (only immutable facts are cached).
"""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from referral_hub.exchange.building import body_of
from referral_hub.exchange.ports import ResourceRow

Said = TypeVar("Said")


class Sayings(Generic[Said]):
    """Remembers what was worked out from the body of each version. Safe to use from many threads.

    Args:
        work_out: gives it from a decoded body.
        size: how many are remembered; when there are more, all are forgotten and worked out afresh.
    """

    def __init__(self, work_out: Callable[[dict[str, Any]], Said], size: int = 8192) -> None:
        self._work_out = work_out
        self._size = size
        self._kept: dict[tuple[int, str], Said] = {}

    def of(self, row: ResourceRow) -> Said:
        """Gives it for one version of one row."""
        key = (row.row_id, row.version)
        found = self._kept.get(key)
        if found is None:
            found = self._work_out(body_of(row))
            if len(self._kept) >= self._size:
                self._kept.clear()
            self._kept[key] = found
        return found
