"""Whether a waiting message may leave now, and as what: asked anew at the moment of departure.

What lives here: the look at one consistent state and the gate's answer to it. What does not: the decision
(``exchange.gate``), the sending and what is recorded of it (``outbound.delivery``).

Source: ``architecture.md`` 2, step 7; ``consent.md`` D-23 and D-36; ``views.md`` 6 and 8.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from referral_hub.errors import Busy
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.ports import OrganizationRow, Released, ResourceRow
from referral_hub.fhir import json_codec
from referral_hub.outbound.ports import Claimed, PartnerCopies, PartnerCopy
from referral_hub.resources.task import LIFECYCLE

LOOKS = 8
FRESH_US = 100_000
"""How old a decision may be when its message leaves (``engine.md`` 2)."""
CLOSING = frozenset({"cancelled", "entered-in-error"})
"""The ends of a referral that its sender sets, and that a partner's own Task must learn."""

How = Literal["create", "update", "look-up"]


@dataclass(frozen=True, slots=True)
class Departure:
    """A message that may leave now.

    ``how``: create the Task at the partner, update the partner's Task at ``url``, or look up whether an
    earlier attempt left one there. ``consents`` (id, version) are what the disclosure stands on.
    """

    how: How
    receiver: OrganizationRow
    row: ResourceRow
    released: Released
    consents: tuple[tuple[str, str], ...]
    url: str = ""


@dataclass(frozen=True, slots=True)
class Stays:
    """A message that does not leave, now or later. ``refused``: because nothing she signed covers it.

    ``tried`` is the message of an attempt before this one, where one may have arrived and nobody heard of it.
    """

    reason: str
    row: ResourceRow | None = None
    refused: bool = False
    tried: "Departure | None" = None


def departure_of(
    hub: Hub, copies: PartnerCopies, claimed: Claimed, ready: Callable[[OrganizationRow], None]
) -> Departure | Stays:
    """Gives the message as it may leave in this very moment, or why it stays.

    The person's epoch is read before the state is looked at and once more as the last thing of all: where a
    consent changed between the two, everything is decided anew; and also where getting ready took so long
    that a permit may have run out meanwhile.

    Args:
        hub: store, gate and clock.
        copies: where partners keep their copies.
        claimed: the message.
        ready: gets what sending needs (a token), which may take its time.

    Raises:
        Busy: her consents changed under every look: try again later.
        DeliveryFailed: the partner gives no token.
    """
    for _ in range(LOOKS):
        epoch, at_us = _epoch(hub, claimed), hub.clock()
        found = _decided(hub, copies, claimed, at_us)
        if isinstance(found, Stays):
            return found
        ready(found.receiver)
        if hub.clock() - at_us <= FRESH_US and _epoch(hub, claimed) == epoch:
            return found
    raise Busy("The consents of this person are being changed. The message waits.")


def _epoch(hub: Hub, claimed: Claimed) -> int:
    return hub.store.epoch(claimed.person) if claimed.person is not None else 0


def _decided(hub: Hub, copies: PartnerCopies, claimed: Claimed, at_us: int) -> Departure | Stays:
    with hub.store.snapshot() as snapshot:
        row = snapshot.rows((claimed.resource,)).get(claimed.resource)
        receiver = snapshot.organization(claimed.destination)
        if row is None or row.deleted or row.type != "Task":
            return Stays("gone")
        if receiver is None or row.owner != receiver.facts.id or not _may_hear(receiver, claimed):
            return Stays("recipient-not-active", row, refused=True)
        outcome = hub.gate.release_to(receiver, row, snapshot, at_us)
    if not receiver.fhir_endpoint:
        return Stays("recipient-without-server", row)
    if outcome is None or outcome.own:
        return Stays("no-release", row, refused=True)
    copy = copies.of(row.row_id, receiver.facts.id)
    how, url = _how(claimed, row, copy)
    departure = Departure(how or "look-up", receiver, row, outcome.released, outcome.consents, url)
    tried = departure if claimed.kind == "task-notice" and claimed.attempts > 1 else None
    if how is None:
        return Stays(url, row, tried=tried)
    if how == "create" and claimed.kind == "task-notice" and not _is_notice(outcome.released):
        return Stays("no-release", row, refused=True, tried=tried)
    return departure


def _may_hear(receiver: OrganizationRow, claimed: Claimed) -> bool:
    """A suspended partner is told nothing any more, but it is asked to give back what it has."""
    return receiver.facts.active or claimed.kind == "recall"


def _is_notice(released: Released) -> bool:
    """Says whether this is a notice or more: what is left of one without a release names no request.

    The empty card is for somebody who had the notice; sent to anybody else it would be the first to tell.
    """
    return "focus" in json_codec.decode_own(released.body)


def _how(claimed: Claimed, row: ResourceRow, copy: PartnerCopy | None) -> tuple[How | None, str]:
    """Gives how a message travels and the partner's URL; or None and the reason why nothing is to be sent."""
    if claimed.kind == "task-update":
        if row.status not in CLOSING:
            return None, "nothing-to-tell"
        # A look at the partner's Tasks that comes first forgets where the copy of a closed referral is.
        return ("update", copy.url) if copy is not None else ("look-up", "")
    if copy is not None:
        return None, "already-there"
    if row.status in LIFECYCLE.live:
        return "create", ""
    # It closed before it left. Only an attempt whose answer was lost may have left a Task at the partner.
    return (
        ("look-up", "") if claimed.attempts > 1 and row.status in CLOSING else (None, "closed-before-leaving")
    )
