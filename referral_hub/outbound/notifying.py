"""Tells subscribers: looks at what changed, and sends each subscription what it is owed, in order.

What lives here: ``Matching``, which turns a change into events, and ``Notifying``, which tells one subscription one
thing at a time. What does not: what a notification holds (``exchange.notifications``), the rows
(``store.subscriptions``), how it travels (``adapters``).

An event counts, and so has a number, only once the gate showed it to the subscriber at the moment of sending. What
she withdrew before is dropped and leaves no gap. An event that may have arrived, and can be shown no more when it is
tried again, is told with its number and nothing else.

Source: Subscriptions R5 Backport IG 1.1.0; ``views.md`` 8 (numbers are given at sending); ``consent.md`` S-26, D-35.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from referral_hub.errors import DeliveryFailed, HubError
from referral_hub.exchange.audit import DONE
from referral_hub.exchange.building import Draft, body_of
from referral_hub.exchange.change import AuditEntry, Row
from referral_hub.exchange.gate import Outcome
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.interactions import hub_write
from referral_hub.exchange.notifications import (
    Event,
    Fed,
    Held,
    Kind,
    Subscribed,
    Told,
    notification,
    subscribed_of,
    visible,
)
from referral_hub.exchange.ports import ResourceRow
from referral_hub.exchange.subscription_asking import Wanted
from referral_hub.exchange.subscription_writing import ACTIVE, ERROR, OFF
from referral_hub.exchange.topics import TOPICS
from referral_hub.fhir import json_codec
from referral_hub.outbound.counting import Tally
from referral_hub.outbound.patience import SECOND_US

log = logging.getLogger(__name__)

LEASE_US = 60 * SECOND_US
MOST_FAILURES = 8
"""Failures in a row after which a subscription is in error: with the pauses below, about two minutes."""
_LONGEST_PAUSE_US = 60 * SECOND_US
_IDLE_US = 3600 * SECOND_US
_NO_ANSWER = "The address did not take notifications. Write the Subscription again once it does."
_NOT_SERVED = "The software, its organisation or the address is not served any more."


class Queue(Protocol):
    """The subscriptions, the feed and the events, as this room sees them."""

    def listening(self, topics: Sequence[str]) -> list[Held]:
        """Gives the subscriptions of these topics."""

    def claim_change(self, now_us: int, lease_us: int) -> Fed | None:
        """Claims the oldest change nobody has looked at."""

    def noted(self, fed: Fed, subscriptions: Sequence[int], now_us: int) -> bool:
        """Writes the events of a change, and takes it out of the feed."""

    def claim(self, now_us: int, lease_us: int) -> Held | None:
        """Claims the subscription that has been due longest."""

    def waiting(self, resource: int) -> Event | None:
        """Gives the oldest event a subscription is owed."""

    def number(self, held: Held, event: Event, number: int, now_us: int) -> bool:
        """Gives an event its number."""

    def drop(self, held: Held, event: Event, now_us: int) -> bool:
        """Takes an event away that was never told."""

    def acknowledged(self, held: Held, event: Event | None, number: int, now_us: int, next_us: int) -> bool:
        """Notes that something was told."""

    def failed(self, held: Held, now_us: int, next_us: int) -> bool:
        """Notes that it could not be told."""

    def quiet(self, held: Held, now_us: int, next_us: int) -> bool:
        """Ends a claim with nothing to tell."""

    def state_row(self, held: Held, state: int, now_us: int) -> Row:
        """Gives the row of a Change that moves the subscription itself."""


class Notifier(Protocol):
    """A way to a subscriber."""

    def notify(self, wanted: Wanted, kind: Kind, body: bytes) -> None:
        """Sends one notification, FHIR JSON.

        Raises:
            DeliveryFailed: it was not taken.
        """


class Matching:
    """Looks at what changed and notes whom it concerns. Safe for threads and processes.

    Args:
        hub: store, gate and clock.
        queue: subscriptions, feed and events.
        tally: counts what was done.
    """

    def __init__(self, hub: Hub, queue: Queue, *, tally: Tally | None = None) -> None:
        self._hub = hub
        self._queue = queue
        self.tally = tally or Tally()

    def match_one(self, at_us: int) -> bool:
        """Looks at the oldest change; False where there is none."""
        fed = self._queue.claim_change(at_us, LEASE_US)
        if fed is None:
            return False
        concerned = self._concerned(fed)
        if self._queue.noted(fed, concerned, self._hub.clock()) and concerned:
            self.tally.add("subscription-events", len(concerned))
        return True

    def _concerned(self, fed: Fed) -> list[int]:
        at_us = self._hub.clock()
        with self._hub.store.snapshot() as snapshot:
            row = snapshot.rows([fed.resource]).get(fed.resource)
            if row is None or row.deleted:
                return []
            versions = {one.number: one for one in snapshot.versions(fed.resource)}
            after = versions.get(fed.number)
            if after is None:
                return []
            before = versions.get(fed.number - 1)
            if after.locked or (before is not None and before.locked):
                return []  # of an own file whose key is not here: what happened to it cannot be told
            was = None if before is None or before.deleted else body_of(before)
            now = body_of(after)
            topics = [t.url for t in TOPICS.values() if t.type_name == fed.type and t.fires(was, now)]
            found = []
            for held in self._queue.listening(topics) if topics else ():
                try:
                    subscribed = subscribed_of(held, snapshot)
                    seen = held.live and visible(self._hub, subscribed, row, snapshot, at_us)
                except HubError:
                    continue  # it is told nothing, and put in error when its own turn comes
                if seen:
                    found.append(held.resource)
        return found


class Notifying:
    """Tells subscriptions what they are owed. Safe for threads and processes.

    Args:
        hub: store, gate and clock.
        queue: subscriptions and events.
        channels: the way for each kind of channel.
        tally: counts what was done.
    """

    def __init__(
        self, hub: Hub, queue: Queue, channels: Mapping[str, Notifier], *, tally: Tally | None = None
    ) -> None:
        self._hub = hub
        self._queue = queue
        self._channels = channels
        self.tally = tally or Tally()

    def tell_one(self, at_us: int) -> bool:
        """Tells the subscription that has been due longest one thing; False where none is due.

        Args:
            at_us: now, microseconds UTC.
        """
        held = self._queue.claim(at_us, LEASE_US)
        if held is None:
            return False
        if not held.live:
            self._move(held, "error", ERROR, _NOT_SERVED)
            return True
        try:
            with self._hub.store.snapshot() as snapshot:
                subscribed = subscribed_of(held, snapshot)
        except HubError:
            self._move(held, "error", ERROR, _NOT_SERVED)
            return True
        if subscribed.wanted.end_us and at_us >= subscribed.wanted.end_us:
            self._move(held, "off", OFF, "")
        elif held.state == "requested":
            self._greet(subscribed, at_us)
        else:
            self._tell(subscribed, at_us)
        return True

    # --- the three things that are told ---------------------------------------------------------------------

    def _greet(self, subscribed: Subscribed, at_us: int) -> None:
        if self._sent(subscribed, "handshake", at_us):
            self._move(subscribed, "active", ACTIVE, "")

    def _tell(self, subscribed: Subscribed, at_us: int) -> None:
        event = self._queue.waiting(subscribed.resource)
        beat_us = subscribed.wanted.heartbeat_s * SECOND_US
        if event is not None:
            self._tell_event(subscribed, event, at_us)
        elif beat_us and at_us >= subscribed.told_us + beat_us:
            if self._sent(subscribed, "heartbeat", at_us):
                now_us = max(at_us, self._hub.clock())
                following_us = self._next(subscribed, now_us + (beat_us or _IDLE_US))
                self._queue.acknowledged(subscribed, None, subscribed.last_number, now_us, following_us)
        else:
            following_us = subscribed.told_us + beat_us if beat_us else at_us + _IDLE_US
            self._queue.quiet(subscribed, at_us, self._next(subscribed, following_us))

    def _tell_event(self, subscribed: Subscribed, event: Event, at_us: int) -> None:
        now_us = max(at_us, self._hub.clock())
        row, outcome = self._look(subscribed, event)
        if outcome is None and event.number is None:
            if self._queue.drop(subscribed, event, now_us):
                self._queue.quiet(subscribed, now_us, now_us)
                self.tally.add("subscription-dropped")
            return
        number = event.number or subscribed.last_number + 1
        if event.number is None and not self._queue.number(subscribed, event, number, now_us):
            return
        told = Told(number, event.at_us, None if outcome is None else outcome.released)
        row, outcome = self._look(subscribed, event)  # asked once more: numbering took a moment
        if outcome is None:
            told = replace(told, shown=None)
        if not self._sent(subscribed, "event-notification", at_us, told):
            return
        done_us = max(at_us, self._hub.clock())
        if subscribed.wanted.content == "full-resource" and row is not None and outcome is not None:
            self._hub.store.spool((self._line(subscribed, row, outcome, done_us),), durable=True)
        self._queue.acknowledged(subscribed, event, number, done_us, done_us)
        self.tally.add("subscription-told")

    def _look(self, subscribed: Subscribed, event: Event) -> tuple[ResourceRow | None, Outcome | None]:
        with self._hub.store.snapshot() as snapshot:
            row = snapshot.rows([event.resource]).get(event.resource)
            if row is None:
                return None, None
            try:
                return row, visible(self._hub, subscribed, row, snapshot, self._hub.clock())
            except HubError:
                return row, None

    # --- sending ---------------------------------------------------------------------------------------------

    def _sent(self, subscribed: Subscribed, kind: Kind, at_us: int, told: Told | None = None) -> bool:
        body = notification(
            subscribed,
            self._hub.base,
            kind,
            public_id=self._hub.ids.public_id(),
            at_us=self._hub.clock(),
            status="requested" if kind == "handshake" else "active",
            events=() if told is None else (told,),
        )
        try:
            self._channels[subscribed.wanted.channel].notify(subscribed.wanted, kind, json_codec.encode(body))
        except DeliveryFailed:
            self._failed(subscribed, at_us)
            return False
        return True

    def _failed(self, subscribed: Subscribed, at_us: int) -> None:
        self.tally.add("subscription-failed")
        if subscribed.failures + 1 >= MOST_FAILURES:
            self._move(subscribed, "error", ERROR, _NO_ANSWER)
            return
        now_us = max(at_us, self._hub.clock())
        pause_us = min(SECOND_US << subscribed.failures, _LONGEST_PAUSE_US)
        self._queue.failed(subscribed, now_us, now_us + pause_us)

    @staticmethod
    def _next(subscribed: Subscribed, following_us: int) -> int:
        """Gives when it is looked at next at the latest: its end may come before."""
        end_us = subscribed.wanted.end_us
        return min(following_us, end_us) if end_us else following_us

    def _move(self, held: Held, status: str, state: int, error: str) -> None:
        """Gives the Subscription another status, in one Change with its row."""

        def decide(draft: Draft) -> bool:
            row = draft.working.row(held.resource)
            hub = draft.working.hub_organization()
            if hub is None or row is None:
                return False
            draft.settle(self._queue.state_row(held, state, draft.at_us))
            if row.deleted:
                return True
            body = {name: value for name, value in body_of(row).items() if name != "error"}
            body["status"] = status
            if error:
                body["error"] = error
            moved = draft.revise(row, body, written_by=hub.facts.id)
            draft.audit.append(_line_of_move(hub.facts.id, moved, draft.at_us))
            return True

        try:
            hub_write(self._hub, decide)
        except HubError as failed:
            log.warning("a subscription could not be moved: %s", type(failed).__name__)
            return
        self.tally.add(f"subscription-{status}")

    def _line(self, subscribed: Subscribed, row: ResourceRow, outcome: Outcome, at_us: int) -> AuditEntry:
        token = subscribed.token
        return AuditEntry(
            at_us=at_us,
            action="E",
            interaction="subscription-notification",
            outcome=DONE,
            organization=row.author,
            oauth_client=token.oauth_client,
            user="",
            purpose=token.purpose,
            person=row.person,
            entities=(f"{row.type}/{row.id}/{row.version}",),
            consents=tuple(f"{consent}/{version}" for consent, version in outcome.consents),
            recipient="" if outcome.own and not outcome.discloses else token.organization,
        )


def _line_of_move(hub: str, row: ResourceRow, at_us: int) -> AuditEntry:
    return AuditEntry(
        at_us=at_us,
        action="U",
        interaction="update",
        outcome=DONE,
        organization=hub,
        oauth_client="",
        user="",
        purpose="",
        person=None,
        entities=(f"{row.type}/{row.id}/{row.version}",),
    )
