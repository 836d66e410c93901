"""Sends what waits in the outbox: one message at a time, in order for each destination, at least once.

What lives here: ``Delivery``, from the claim of a message to the record of what became of it. What does not:
the queue (``store``), whether a message may leave (``outbound.departures``), HTTP (``adapters.fhir_rest``),
the threads (``outbound.loop``).

A message is sent between two transactions and never inside one. The process may be killed at any moment: then
the lease ends and the message is sent again under the same key, which the partner recognises. What left is
recorded in one Change together with the acknowledgement, under a name made of the key, so that the ledger has
one line for a delivery however often it was sent.

What a withdrawal can still cross is a message whose bytes are on their way while it commits. Such a message
was taken up before, and the withdrawal sees that: its recipient gets a recall.

Source: ``stack.md`` 8; ``consent.md`` D-36 and D-37; ``engine.md`` 3.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic

from referral_hub.errors import DeliveryFailed, GuardFailed, HubError, Unavailable
from referral_hub.exchange.audit import delivery_entry
from referral_hub.exchange.change import AuditEntry, Row
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.ports import ResourceRow
from referral_hub.outbound.alerts import alert, undelivered, withheld
from referral_hub.outbound.copying import KINDS, Copying
from referral_hub.outbound.counting import Tally
from referral_hub.outbound.departures import Departure, Stays, departure_of
from referral_hub.outbound.partner_status import known_status
from referral_hub.outbound.patience import SECOND_US, Patience
from referral_hub.outbound.ports import (
    C,
    NotedCopy,
    Outbox,
    PartnerChannel,
    PartnerCopies,
    TokenRefused,
    TryLater,
    Updated,
)

log = logging.getLogger(__name__)

LEASE_US = 60 * SECOND_US
"""Longer than every call of one delivery can take together, so that nobody else sends meanwhile.

It is also how long a destination waits after the process was killed in the middle of a message to it.
"""

POLL_S = 900
"""How often a partner's Task is looked at where the partner's row does not say: SDOHCC's floor."""

_RECORD_TRIES = 3


@dataclass(frozen=True, slots=True)
class _Sent:
    """A message that went its way: at which URL the partner keeps it ('' where it does not say)."""

    departure: Departure
    url: str
    updated: Updated


class Delivery(Generic[C]):
    """Delivers messages. Safe for threads.

    Args:
        hub: store, gate and clock.
        outbox: the queue.
        copies: where partners keep their copies.
        channel: the way to partners' servers.
        patience: how long a message is tried again.
        lease_us: how long a message may take, in microseconds.
        tally: counts what became of messages.
    """

    def __init__(
        self,
        hub: Hub,
        outbox: Outbox[C],
        copies: PartnerCopies,
        channel: PartnerChannel,
        *,
        patience: Patience | None = None,
        lease_us: int = LEASE_US,
        tally: Tally | None = None,
    ) -> None:
        self._hub = hub
        self._outbox = outbox
        self._copies = copies
        self._channel = channel
        self._copying = Copying(hub, channel)
        self._patience = patience or Patience()
        self._lease_us = lease_us
        self.tally = tally or Tally()

    def deliver_one(self, at_us: int) -> bool:
        """Delivers the next message that may leave; False where none waits.

        Whatever becomes of it (sent, held back, put off, given up), it is settled before this returns.

        Args:
            at_us: now, microseconds UTC.
        """
        claimed = self.claim(at_us)
        if claimed is None:
            return False
        self.deliver(claimed)
        return True

    def claim(self, at_us: int) -> C | None:
        """Takes one message up for the length of a lease, or gives None."""
        return self._outbox.claim(at_us, self._lease_us)

    def deliver(self, claimed: C) -> None:
        """Sends one claimed message, or settles why not. Raises nothing but a fault of the store itself."""
        try:
            if claimed.kind in KINDS:
                self._visit(claimed)
                return
            found = self._sent(claimed)
        except DeliveryFailed as failed:
            self._put_off(claimed, failed)
        except HubError as failed:
            # What cannot be opened may never be; what is busy will be free.
            self._put_off(claimed, TryLater(failed.text, answered=isinstance(failed, Unavailable)))
        except Exception as fault:  # noqa: BLE001 -- one message that cannot be made must not stop the others
            log.error("a delivery of kind %s could not be made: %s", claimed.kind, type(fault).__name__)
            self._put_off(claimed, TryLater("The hub could not make this message.", answered=True))
        else:
            self._settle(claimed, found)

    # --- visiting a source ---------------------------------------------------------------------------------

    def _visit(self, claimed: C) -> None:
        try:
            done = self._copying.visit(claimed, self._outbox.done_row(claimed))
        except TokenRefused:
            done = self._copying.visit(claimed, self._outbox.done_row(claimed))
        if not done:
            self._outbox.done(claimed, self._hub.clock())
        self.tally.add("visited" if done else "nothing-to-send")

    # --- sending ---------------------------------------------------------------------------------------

    def _sent(self, claimed: C) -> "_Sent | Stays":
        """Sends, or gives why the message stays."""
        try:
            return self._sent_once(claimed)
        except TokenRefused:
            # The token may have ended early. Consent is asked again too: fetching a new one takes its time.
            return self._sent_once(claimed)

    def _sent_once(self, claimed: C) -> "_Sent | Stays":
        found = departure_of(self._hub, self._copies, claimed, self._channel.ready)
        if isinstance(found, Stays):
            return self._arrived(found) or found
        # Nothing may stand between the last look at her consents, just made, and the sending.
        if found.how == "create":
            url = self._channel.send(found.receiver, found.released, key=claimed.key)
            return _Sent(found, url, Updated(sent=True, status=found.row.status))
        url = found.url or self._channel.find(found.receiver, found.released)
        if not url:
            return _Sent(found, "", Updated(sent=False, status=found.row.status))
        return _Sent(found, url, self._channel.update(found.receiver, url, found.released, key=claimed.key))

    def _arrived(self, stays: Stays) -> "_Sent | None":
        """Gives what an attempt before this one came to, where the partner has the Task and nobody heard of it."""
        url = self._channel.find(stays.tried.receiver, stays.tried.released) if stays.tried else ""
        if stays.tried is None or not url:
            return None
        return _Sent(stays.tried, url, Updated(sent=True, status=stays.tried.row.status))

    # --- what became of it -----------------------------------------------------------------------------

    def _settle(self, claimed: C, found: "_Sent | Stays") -> None:
        at_us = self._hub.clock()
        if isinstance(found, Stays):
            self._stay(claimed, found, at_us)
            return
        departure, url, updated = found.departure, found.url, found.updated
        row, receiver = departure.row, departure.receiver
        entries: list[AuditEntry] = []
        # A notice that is found there had arrived, whoever closed it since and though its answer was lost.
        if updated.sent or (url and departure.how == "look-up" and claimed.kind == "task-notice"):
            entries.append(
                delivery_entry(row.author, receiver.facts.id, row, departure.consents, claimed.kind, at_us)
            )
        if updated.status != row.status:
            entries.append(alert(row, "partner-copy-differs", at_us, status=known_status(updated.status)))
        rows: tuple[Row, ...] = ()
        if departure.how == "create" and url:
            wait_us = (receiver.poll_seconds or POLL_S) * SECOND_US
            rows = (self._copies.put_row(NotedCopy(row.row_id, receiver.facts.id, url, "", at_us + wait_us)),)
        elif departure.how != "create":
            rows = (self._copies.forget_row(row.row_id, receiver.facts.id),)
        self._record(claimed, tuple(entries), rows)
        self.tally.add("delivered" if updated.sent else "nothing-to-send")

    def _stay(self, claimed: C, found: Stays, at_us: int) -> None:
        entries: tuple[AuditEntry, ...] = ()
        if found.row is not None and found.refused:
            entries = (withheld(found.row, claimed.destination, claimed.kind, found.reason, at_us),)
        self._record(claimed, entries, ())
        self.tally.add("withheld" if found.refused else "nothing-to-send")

    def _record(self, claimed: C, entries: tuple[AuditEntry, ...], rows: tuple[Row, ...]) -> None:
        """Acknowledges a message and tells the audit, both or neither.

        Where the message was cancelled while it was on its way, there is nothing to acknowledge any more, but
        what left did leave: it is told all the same. The name of the Change is made of the key, so a second
        process that did the same work adds nothing.
        """
        name = f"delivered/{claimed.key}"
        gate, store = self._hub.gate, self._hub.store
        try:
            self._surely(
                lambda: store.apply(
                    gate.admit_delivery(name, entries, (self._outbox.done_row(claimed), *rows))
                )
            )
        except GuardFailed:
            if entries or rows:
                self._surely(lambda: store.apply(gate.admit_delivery(name, entries, rows)))
        if claimed.attempts > 1:
            # Somebody else may have told it already, and left the acknowledgement to us.
            self._outbox.done(claimed, self._hub.clock())

    @staticmethod
    def _surely(act: Callable[[], None]) -> None:
        """Applies again where it is not known whether the Change was applied; twice is the same as once."""
        for left in reversed(range(_RECORD_TRIES)):
            try:
                act()
            except Unavailable:
                if not left:
                    raise
            else:
                return

    def _put_off(self, claimed: C, failed: DeliveryFailed) -> None:
        at_us = self._hub.clock()
        if not self._patience.is_over(claimed.attempts, failed):
            pause_us = self._patience.pause_us(claimed.key, claimed.attempts, failed)
            self._outbox.retry(claimed, at_us, failed.text, at_us + pause_us)
            self.tally.add("put-off")
            return
        # A source is told before its message is put away: after a kill in between it is told again, which changes
        # nothing, and never not at all.
        self._copying.give_up(claimed)
        if self._outbox.dead(claimed, at_us, failed.text):
            self.tally.add("given-up")
            row = self._row(claimed)
            if row is not None:
                entry = undelivered(row, claimed.destination, claimed.kind, at_us)
                self._hub.store.apply(
                    self._hub.gate.admit_record(f"given-up/{claimed.key}/{at_us}", (entry,))
                )

    def _row(self, claimed: C) -> ResourceRow | None:
        with self._hub.store.snapshot() as snapshot:
            return snapshot.rows((claimed.resource,)).get(claimed.resource)
