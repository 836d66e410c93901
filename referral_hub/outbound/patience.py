"""How long a delivery is tried again, and when it is given up for a person to look at.

What lives here: arithmetic on attempts. What does not: the queue (``store``), the sending
(``outbound.delivery``).

Two faults are told apart. A partner that cannot be reached keeps its messages for three days, since a server
may be down over a weekend. A partner that is there and answers with an error of its own gets fewer tries:
one message it cannot take must not hold up every message behind it.

Source: ``stack.md`` 8; ``referral-loop.md`` Part C 2 (a minute of retries loses messages).
"""

import hashlib
from dataclasses import dataclass

from referral_hub.errors import DeliveryFailed
from referral_hub.outbound.ports import TryLater

SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Patience:
    """The policy of one hub. Pauses double from ``first_s`` to ``most_s`` seconds; tries count attempts."""

    first_s: float = 2.0
    most_s: float = 900.0
    tries_answered: int = 16
    tries_unreached: int = 300

    def pause_us(self, key: str, attempts: int, failed: DeliveryFailed) -> int:
        """Gives how long to wait before the next attempt, in microseconds.

        The key spreads deliveries over a quarter, so that they do not all come back in the same second. What
        the partner asks for (Retry-After) is kept, up to the longest pause.

        >>> [Patience().pause_us("k", n, DeliveryFailed("")) // SECOND_US for n in (1, 2, 3, 30)]
        [2, 4, 9, 1014]
        """
        doubled = min(self.first_s * 2.0 ** min(max(attempts, 1) - 1, 30), self.most_s)
        spread = hashlib.sha256(key.encode()).digest()[0] / 1023
        asked = failed.after_s if isinstance(failed, TryLater) and failed.after_s is not None else 0.0
        return round(max(doubled * (1 + spread), min(asked, self.most_s)) * SECOND_US)

    def is_over(self, attempts: int, failed: DeliveryFailed) -> bool:
        """Tells whether to give up.

        >>> Patience().is_over(1, DeliveryFailed("", permanent=True)), Patience().is_over(20, TryLater(""))
        (True, False)
        """
        if failed.permanent:
            return True
        answered = isinstance(failed, TryLater) and failed.answered
        return attempts >= (self.tries_answered if answered else self.tries_unreached)
