"""The work of the delivery process, going round until it is told to stop.

What lives here: ``DeliveryLoop`` and its threads. What does not: any of the work itself (``outbound.delivery``,
``outbound.polling``, ``outbound.timers``, ``store``), starting the process (``serving``).

One thread takes messages up and hands them to a few that send; one looks at partners' Tasks; one works
timers; one seals the audit and tidies. A fault in one round ends that round only.

Source: ``engine.md`` 3 and 6; ``performance.md`` R8.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from referral_hub.errors import HubError
from referral_hub.exchange.ports import Clock
from referral_hub.outbound.counting import Tally
from referral_hub.outbound.delivery import Delivery
from referral_hub.outbound.exporting import ExportWork
from referral_hub.outbound.notifying import Matching, Notifying
from referral_hub.outbound.polling import Poller
from referral_hub.outbound.ports import Ingesting, Sealing, Upkeep
from referral_hub.outbound.timers import TimerWork

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """How often each thread looks where there was nothing to do, in seconds; and how many messages go at once."""

    senders: int = 8
    outbox_s: float = 0.02
    polling_s: float = 1.0
    timers_s: float = 1.0
    exports_s: float = 1.0
    matching_s: float = 0.2
    sealing_s: float = 1.0
    upkeep_s: float = 3600.0
    own_files_s: float = 30.0
    after_fault_s: float = 2.0


class DeliveryLoop:
    """Everything the delivery process does.

    Args:
        clock: the process clock.
        delivery: sends messages.
        poller: looks at partners' Tasks.
        timers: works timers.
        exports: walks exports.
        matching: looks at changes for subscribers; notifying: tells them.
        segments: brings the audit lines of reads into the database.
        sealer: brings the audit into its chain.
        upkeep: takes away what only served for a while.
        own_files: ends network copies of own files whose release ran out.
        pace: how often.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        delivery: Delivery[Any],
        poller: Poller,
        timers: TimerWork[Any],
        exports: ExportWork,
        matching: Matching,
        notifying: Notifying,
        segments: Ingesting,
        sealer: Sealing,
        upkeep: Upkeep,
        own_files: Upkeep = lambda _: None,
        pace: Pace | None = None,
    ) -> None:
        self._clock = clock
        self._delivery = delivery
        self._poller = poller
        self._timers = timers
        self._exports = exports
        self._matching = matching
        self._notifying = notifying
        self._segments = segments
        self._sealer = sealer
        self._upkeep = upkeep
        self._own_files = own_files
        self._pace = pace or Pace()
        self._stop = threading.Event()
        self._next_upkeep_us = 0

    def counts(self) -> dict[str, int]:
        """Gives what was done so far, by name: numbers about nobody."""
        found: dict[str, int] = {}
        for tally in {id(t): t for t in self._tallies()}.values():
            for name, count in tally.read().items():
                found[name] = found.get(name, 0) + count
        return found

    def _tallies(self) -> Sequence[Tally]:
        return (
            self._delivery.tally,
            self._poller.tally,
            self._timers.tally,
            self._exports.tally,
            self._matching.tally,
            self._notifying.tally,
        )

    def run(self, stopped: Callable[[], bool]) -> None:
        """Works until ``stopped()`` is true; messages on their way are brought to their end first.

        Args:
            stopped: asked a few times a second; a ``threading.Event``'s ``is_set`` fits.
        """
        pace = self._pace
        rounds = (
            ("send", self._send, 0.0),
            ("poll", lambda: self._poller.poll_due(self._clock()) > 0, pace.polling_s),
            ("timers", lambda: self._timers.fire_one(self._clock()), pace.timers_s),
            ("export", lambda: self._exports.walk_one(self._clock()), pace.exports_s),
            ("match", lambda: self._matching.match_one(self._clock()), pace.matching_s),
            ("notify", lambda: self._notifying.tell_one(self._clock()), pace.matching_s),
            ("seal", self._seal, pace.sealing_s),
            ("own files", self._keep_own_files, pace.own_files_s),
        )
        threads = [
            threading.Thread(target=self._go_round, args=one, name=f"delivery-{one[0]}") for one in rounds
        ]
        for thread in threads:
            thread.start()
        try:
            while not stopped() and any(thread.is_alive() for thread in threads):
                self._stop.wait(0.2)
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def _go_round(self, name: str, work: Callable[[], bool], idle_s: float) -> None:
        """Repeats one kind of work, at once where there was some, else after a while."""
        while not self._stop.is_set():
            try:
                wait_s = 0.0 if work() else idle_s
            except HubError as failed:
                wait_s = self._pace.after_fault_s
                log.warning("%s: %s", name, type(failed).__name__)
            except Exception as fault:  # noqa: BLE001 -- a fault ends this round; the process keeps delivering
                wait_s = self._pace.after_fault_s
                log.error("%s broke: %s", name, type(fault).__name__)
            if wait_s:
                self._stop.wait(wait_s)

    # --- sending ---------------------------------------------------------------------------------------

    def _send(self) -> bool:
        """Takes messages up as long as somebody is free to send them."""
        free = threading.Semaphore(self._pace.senders)
        settled = threading.Event()

        def end(sent: Future[None]) -> None:
            fault = sent.exception()
            if fault is not None:
                # Its lease ends, and it is sent again.
                log.error("what became of a delivery could not be recorded: %s", type(fault).__name__)
            free.release()
            settled.set()

        with ThreadPoolExecutor(self._pace.senders, "delivery-sender") as pool:
            while not self._stop.is_set():
                if not free.acquire(timeout=0.2):
                    continue
                settled.clear()
                try:
                    claimed = self._delivery.claim(self._clock())
                except BaseException:
                    free.release()
                    raise
                if claimed is None:
                    free.release()
                    settled.wait(self._pace.outbox_s)
                else:
                    pool.submit(self._delivery.deliver, claimed).add_done_callback(end)
        return True

    def _keep_own_files(self) -> bool:
        self._own_files(self._clock())
        return False

    # --- the audit -------------------------------------------------------------------------------------

    def _seal(self) -> bool:
        now_us = self._clock()
        self._segments.ingest(now_us)
        self._sealer.seal(now_us)
        if now_us >= self._next_upkeep_us:
            self._next_upkeep_us = now_us + round(self._pace.upkeep_s * 1_000_000)
            self._upkeep(now_us)
        return False
