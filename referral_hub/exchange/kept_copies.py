"""Copies that were made already, kept by the version of the row and the view they were made by.

What lives here: the keeping. What does not: making a copy and its ETag (``exchange.gate``).

Source: ``engine.md`` 2 (views by (id, version, obligations digest)).
"""

from collections import OrderedDict
from threading import Lock

from referral_hub.access.views import View

Key = tuple[int, str, View]


class KeptCopies:
    """Remembers copies and their ETags; the oldest goes first. Safe for threads.

    Args:
        size: how many are kept.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = Lock()
        self._kept: OrderedDict[Key, tuple[bytes, str]] = OrderedDict()

    def of(self, key: Key) -> tuple[bytes, str] | None:
        """Gives the copy of this version for this view."""
        return self._kept.get(key)

    def keep(self, key: Key, made: tuple[bytes, str]) -> None:
        """Keeps a copy."""
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)
