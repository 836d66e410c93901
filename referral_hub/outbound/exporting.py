"""Walks exports piece by piece, in the delivery process.

What lives here: ``ExportWork``. What does not: what a piece holds (``exchange.exports``), the rows
(``store.exports``).

A walk holds a lease and gives way after each piece, so that a long export never keeps others waiting. What fails
is tried again; what fails for good ends the export with a reason its owner reads.

Source: HL7 Bulk Data Access 2.0; ``performance.md`` R9 (a background lane).
"""

import logging
from collections.abc import Sequence
from typing import Protocol

from referral_hub.errors import Busy, HubError, Unavailable
from referral_hub.exchange.exports import Job, step
from referral_hub.exchange.hub import Hub
from referral_hub.outbound.counting import Tally
from referral_hub.outbound.patience import SECOND_US

log = logging.getLogger(__name__)

LEASE_US = 60 * SECOND_US
MOST_ATTEMPTS = 12
_ENDED = "The software or organisation that asked is not served any more."
_GIVEN_UP = "The export could not be finished. Start it again."


class Walks(Protocol):
    """The exports as this room sees them."""

    def claim(self, now_us: int, lease_us: int) -> Job | None:
        """Claims the export that waits longest, or gives None."""

    def step(
        self, job: Job, type_name: str, rows: Sequence[int], position: str, now_us: int, lease_us: int
    ) -> bool:
        """Writes what one step found; False where the claim was lost."""

    def end(self, job: Job, type_name: str, rows: Sequence[int], now_us: int, *, failed: str = "") -> bool:
        """Ends a walk."""

    def later(self, job: Job, now_us: int, until_us: int) -> bool:
        """Lets a walk go on later."""


class ExportWork:
    """Takes exports up and walks one piece of one. Safe for threads and processes.

    Args:
        hub: store, gate and clock.
        walks: the exports.
        tally: counts what was done.
    """

    def __init__(self, hub: Hub, walks: Walks, *, tally: Tally | None = None) -> None:
        self._hub = hub
        self._walks = walks
        self.tally = tally or Tally()

    def walk_one(self, at_us: int) -> bool:
        """Walks one piece of the export that waits longest; False where none does.

        Args:
            at_us: now, microseconds UTC.
        """
        job = self._walks.claim(at_us, LEASE_US)
        if job is None:
            return False
        if not job.live:
            self._end(job, _ENDED)
        elif job.attempts > MOST_ATTEMPTS:
            self._end(job, _GIVEN_UP)
        else:
            self._walk(job)
        return True

    def _walk(self, job: Job) -> None:
        try:
            piece = step(self._hub, job)
        except (Busy, Unavailable) as failed:
            self._put_off(job, type(failed).__name__)
            return
        except HubError as refused:
            log.warning("an export ends: %s", type(refused).__name__)
            self._end(job, _ENDED)
            return
        now_us = self._hub.clock()
        if piece.following is None:
            if self._walks.end(job, piece.type, piece.rows, now_us):
                self.tally.add("export-done")
        elif self._walks.step(job, piece.type, piece.rows, piece.following.text, now_us, 0):
            self.tally.add("export-piece")

    def _end(self, job: Job, why: str) -> None:
        if self._walks.end(job, "", (), self._hub.clock(), failed=why):
            self.tally.add("export-failed")

    def _put_off(self, job: Job, why: str) -> None:
        log.warning("an export is put off: %s", why)
        now_us = self._hub.clock()
        self._walks.later(job, now_us, now_us + min(SECOND_US << job.attempts, LEASE_US))
