"""Subscriptions as rows: the feed of changes, the events each subscription is owed, and their numbers.

What lives here: claims, numbers, acknowledgements. What does not: the statements (``store.subscription_statements``),
who is told what (``exchange.notifications``), when (``outbound.notifying``).

A change is in the feed in the transaction that made it. Looking at it and noting the events it makes is one
transaction too; so is giving an event its number. A killed process loses nothing, and an event that is told twice
carries the same number.

Source: Subscriptions R5 Backport IG 1.1.0; ``engine.md`` 3.
"""

import secrets
from collections.abc import Sequence

from referral_hub.errors import GuardFailed
from referral_hub.exchange.change import Row
from referral_hub.exchange.notifications import Event, Fed, Held
from referral_hub.exchange.ports import TokenRow
from referral_hub.store.apply import PlanWriter
from referral_hub.store.database import Database
from referral_hub.store.plan import Rule, Step, many, own_plan
from referral_hub.store.subscription_statements import (
    DUE,
    FED,
    OF,
    OF_ORGANIZATION,
    OF_TOPICS,
    READ,
    TOLD,
    WAITING_EVENTS,
)
from referral_hub.store.tables.subscriptions import ACTIVE, ASKED, BROKEN, OFF, WAITING

_STATES = {ASKED: "requested", ACTIVE: "active", BROKEN: "error", OFF: "off"}
_NEVER_US = 2**62


class Subscriptions:
    """The subscriptions of the hub; safe in several processes at once.

    Args:
        database: where they are looked for.
        writer: applies claims, numbers and acknowledgements.
    """

    def __init__(self, database: Database, writer: PlanWriter) -> None:
        self._database = database
        self._writer = writer

    # --- looking -------------------------------------------------------------------------------------------

    def of(self, resource: int) -> Held | None:
        """Gives a subscription by the row id of its resource."""
        row = self._database.first(OF, {"resource": resource})
        return None if row is None else _held(row)

    def ids_of(self, organization: str) -> list[str]:
        """Gives the ids of an organisation's Subscriptions."""
        return [found for (found,) in self._database.run(OF_ORGANIZATION, {"organization": organization})]

    def listening(self, topics: Sequence[str]) -> list[Held]:
        """Gives the subscriptions of these topics that are asked for or active."""
        return [_held(row) for row in self._database.run(OF_TOPICS, {"topics": list(topics)})]

    def waiting(self, resource: int) -> Event | None:
        """Gives the oldest event a subscription is owed."""
        row = self._database.first(WAITING_EVENTS, {"resource": resource})
        return None if row is None else Event(*row)

    def told(self, resource: int, low: int, high: int, count: int) -> list[Event]:
        """Gives the events told with these numbers, both included."""
        found = {"resource": resource, "low": low, "high": high, "count": count}
        return [Event(*row) for row in self._database.run(TOLD, found)]

    # --- the feed ------------------------------------------------------------------------------------------

    def claim_change(self, now_us: int, lease_us: int) -> Fed | None:
        """Claims the oldest change nobody has looked at, or gives None."""
        for row in self._database.run(FED, {"now_us": now_us}):
            lease = secrets.token_hex(8)
            claim = {"id": row[0], "now_us": now_us, "until_us": now_us + lease_us, "lease": lease}
            if self._done(now_us, ("feed_claim", Rule.TOUCHES, claim)):
                return Fed(*(*row, lease))
        return None

    def noted(self, fed: Fed, subscriptions: Sequence[int], now_us: int) -> bool:
        """Writes the events a change makes, and takes it out of the feed; False where the claim was lost."""
        events = [
            {
                "subscription": one,
                "resource": fed.resource,
                "version": fed.number,
                "at_us": fed.at_us,
                "number": None,
                "state": WAITING,
            }
            for one in subscriptions
        ]
        return self._done(
            now_us,
            ("feed_done", Rule.TOUCHES, {"id": fed.id, "lease": fed.lease}),
            *many("event_add", events),
            *many("subscription_wake", [{"resource": one} for one in subscriptions]),
        )

    # --- telling -------------------------------------------------------------------------------------------

    def claim(self, now_us: int, lease_us: int) -> Held | None:
        """Claims the subscription that has been due longest, or gives None."""
        for (resource,) in self._database.run(DUE, {"now_us": now_us}):
            lease = secrets.token_hex(8)
            claim = {"resource": resource, "now_us": now_us, "until_us": now_us + lease_us, "lease": lease}
            if not self._done(now_us, ("subscription_claim", Rule.TOUCHES, claim)):
                continue  # another process was first
            found = self.of(resource)
            if found is not None and found.lease == lease:
                return found
        return None

    def number(self, held: Held, event: Event, number: int, now_us: int) -> bool:
        """Gives an event its number, before it is told; False where the claim was lost."""
        return self._done(
            now_us,
            self._still(held),
            ("event_number", Rule.TOUCHES, {"id": event.id, "number": number}),
        )

    def drop(self, held: Held, event: Event, now_us: int) -> bool:
        """Takes an event away that was never told; False where the claim was lost."""
        return self._done(now_us, self._still(held), ("event_drop", Rule.ANY, {"id": event.id}))

    def acknowledged(self, held: Held, event: Event | None, number: int, now_us: int, next_us: int) -> bool:
        """Notes that something was told, an event or a heartbeat; the claim ends with it."""
        steps: list[Step] = [self._still(held)]
        if event is not None:
            steps.append(("event_sent", Rule.ANY, {"id": event.id}))
        steps.append(("subscription_told", Rule.TOUCHES, self._after(held, number, now_us, next_us, 0)))
        return self._done(now_us, *steps)

    def failed(self, held: Held, now_us: int, next_us: int) -> bool:
        """Notes that it could not be told, and when it is tried again."""
        after = self._after(held, held.last_number, held.told_us, next_us, held.failures + 1)
        return self._done(now_us, ("subscription_told", Rule.TOUCHES, after))

    def quiet(self, held: Held, now_us: int, next_us: int) -> bool:
        """Ends a claim with nothing to tell, until another time or the next event."""
        after = self._after(held, held.last_number, held.told_us, next_us, 0)
        return self._done(now_us, ("subscription_told", Rule.TOUCHES, after))

    def state_row(self, held: Held, state: int, now_us: int) -> Row:
        """Gives the row of a Change that moves the subscription itself; it fails where the claim was lost."""
        return Row(
            "subscription_state",
            {
                "resource": held.resource,
                "lease": held.lease,
                "state": state,
                "told_us": now_us,
                "next_us": now_us,
            },
            at_least_one=True,
        )

    def _after(self, held: Held, number: int, told_us: int, next_us: int, failures: int) -> dict[str, object]:
        return {
            "resource": held.resource,
            "lease": held.lease,
            "last_number": number,
            "told_us": told_us,
            "next_us": next_us,
            "failures": failures,
        }

    @staticmethod
    def _still(held: Held) -> Step:
        return "subscription_held", Rule.FOUND, {"resource": held.resource, "lease": held.lease}

    def _done(self, now_us: int, *steps: Step) -> bool:
        try:
            self._writer.apply(own_plan(now_us, *steps))
        except GuardFailed:
            return False
        return True


def _held(row: Sequence[object]) -> Held:
    *columns, client_active, organization_active, organization_version = row
    found = dict(zip(READ, columns, strict=True))
    token = TokenRow(
        digest=f"subscription/{found['resource']}/{found['generation']}".encode(),
        version=0,
        oauth_client=str(found["oauth_client"]),
        organization=str(found["organization"]),
        organization_version=int(str(organization_version)),
        scope=str(found["scope"]),
        purpose=str(found["purpose"]),
        role=str(found["role"]),
        user=str(found["user_id"]),
        expires_us=_NEVER_US,
        revoked=not client_active,
        very_restricted=bool(found["very_restricted"]),
    )
    return Held(
        resource=int(str(found["resource"])),
        id=str(found["id"]),
        token=token,
        state=_STATES[int(str(found["state"]))],
        generation=int(str(found["generation"])),
        last_number=int(str(found["last_number"])),
        told_us=int(str(found["told_us"])),
        failures=int(str(found["failures"])),
        lease=str(found["lease"]),
        live=bool(client_active and organization_active),
    )
