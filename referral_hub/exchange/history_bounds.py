"""Which versions of a history are asked for, as the store needs to know it.

What lives here: the Protocol. What does not: reading it from a request (``exchange.history_query``), the statement
(``store.history_sql``).
"""

from typing import Protocol


class HistoryBounds(Protocol):
    """Which versions of a history are asked for (``exchange.history_query``)."""

    @property
    def count(self) -> int:
        """Gives how many versions make a page."""

    @property
    def bounds_us(self) -> tuple[int, int]:
        """Gives from when, and until before when, a version was made."""

    @property
    def replaced_us(self) -> int:
        """Gives the moment until which a version that was replaced is not asked for."""

    @property
    def below(self) -> tuple[int, int]:
        """Gives the keyset (time, row id) everything of the page stands behind."""
