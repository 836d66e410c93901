"""Counts of what the delivery process did: numbers by name, about nobody.

What lives here: ``Tally``. What does not: who asks for it (``web``, ``serving``).
"""

import threading
from collections import Counter


class Tally:
    """Numbers by name; safe for threads.

    >>> tally = Tally()
    >>> tally.add("delivered")
    >>> tally.read()
    {'delivered': 1}
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def add(self, name: str, more: int = 1) -> None:
        """Counts one more, or several."""
        with self._lock:
            self._counts[name] += more

    def read(self) -> dict[str, int]:
        """Gives every count so far."""
        with self._lock:
            return dict(sorted(self._counts.items()))
