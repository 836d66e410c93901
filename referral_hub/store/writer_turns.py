"""Whose turn it is at the writer: what changes a permission goes before all else, also in the middle of a group.

What lives here: what waits at the writer, and the order it is written in. What does not: the socket it comes by
(``store.sqlite_writer``), writing (``store.sqlite_group``).

Source: ``engine.md`` 1; ``consent.md`` D-30.
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from referral_hub.store.plan import Plan
from referral_hub.store.sqlite_group import GROUP

C = TypeVar("C")


class Turns(Generic[C]):
    """What was sent and is not written yet.

    Where somebody sent several plans at once, theirs stay in the order they were sent in.
    """

    def __init__(self) -> None:
        self._first: deque[tuple[C, Plan]] = deque()
        self._others: deque[tuple[C, Plan]] = deque()

    def __len__(self) -> int:
        """Gives how many wait."""
        return len(self._first) + len(self._others)

    def add(self, caller: C, plan: Plan) -> None:
        """Adds what somebody sent."""
        goes_first = any(name == "consent_grant_clear" for name, _, _ in plan.steps) and not any(
            waiting is caller for waiting, _ in self._others
        )
        (self._first if goes_first else self._others).append((caller, plan))

    def group(self, look: Callable[[], None], taken: list[C]) -> Iterator[Plan]:
        """Gives plan after plan of what shares the next commit.

        Between two of them it is looked whether more arrived. A plan that goes first is given next and ends the group,
        so whoever withdraws waits for one plan and one commit of others at most; what else arrives waits for its turn.

        Args:
            look: adds what arrived meanwhile.
            taken: filled with whose plans were given, in their order.
        """
        left = min(GROUP, len(self._others))
        while True:
            if self._first:
                while self._first:
                    yield self._next(self._first, taken)
                return
            if not left:
                return
            left -= 1
            yield self._next(self._others, taken)
            look()

    @staticmethod
    def _next(waiting: deque[tuple[C, Plan]], taken: list[C]) -> Plan:
        caller, plan = waiting.popleft()
        taken.append(caller)
        return plan
