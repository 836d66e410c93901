"""The beat: what may tell of something hidden leaves at the next full beat after it was asked, however long it took.

What lives here: which answers wait, and the waiting. What does not: what they say (``web.error_handlers`` makes a
refusal look like absence), the door that asks here (``web.front_door``).

To look at a person's permissions, to write down for her who asked, and to step over hidden rows takes time, on one
database more and on another less. Where all of it is done well before the beat, the clock tells nothing of it. The
thread waits without the worker's lane. What somebody may read, and what it wrote, leaves at once.

Source: ``consent.md`` 3.3, S-32 and S-34.
"""

import time
from collections.abc import Callable

_OF_THE_CALLER = frozenset({401, 429})
"""Refusals that depend on the token alone, or on how much was asked."""


class Beat:
    """Holds answers back until the next beat.

    Args:
        length_ms: from one beat to the next, milliseconds; 0 holds nothing back.
        now: seconds on a clock that never goes back.
        wait: waits for so many seconds.
    """

    def __init__(
        self,
        length_ms: int,
        now: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._length_s = length_ms / 1000
        self._wait = wait
        self.now = now

    def keep(self, begun_s: float) -> None:
        """Waits for the next beat of a request that began at ``begun_s``.

        >>> waited = []
        >>> Beat(10, lambda: 5.013, waited.append).keep(5.0)
        >>> [round(wait * 1000, 3) for wait in waited]
        [7.0]
        """
        if self._length_s:
            self._wait(self._length_s - (self.now() - begun_s) % self._length_s)

    @staticmethod
    def holds(method: str, path: str, http_status: int) -> bool:
        """Tells whether an answer waits: refusals, what a search finds, and a Bundle of such answers.

        Args:
            method: the HTTP method.
            path: the path of the address, from ``/fhir`` on.
            http_status: the status of the answer.

        >>> Beat.holds("GET", "/fhir/Patient/1", 404), Beat.holds("GET", "/fhir/Patient/1", 200)
        (True, False)
        >>> Beat.holds("GET", "/fhir/Task", 200), Beat.holds("POST", "/fhir/Task", 201)
        (True, False)
        """
        if http_status >= 400:
            return http_status < 500 and http_status not in _OF_THE_CALLER
        if method == "POST":
            return path.endswith("/_search") or path in ("/fhir", "/fhir/")
        return method in ("GET", "HEAD") and _searches(path)


def _searches(path: str) -> bool:
    """Tells whether an address that is read from is that of a search: a type, or a type within a person's record."""
    parts = path.split("/")
    return len(parts) in (3, 5) and parts[-1][:1].isupper()
