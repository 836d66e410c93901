"""Tells a source's own Task, on the source's own server, what became of the referral.

What lives here: one report. What does not: when one is due (``exchange.reporting``), HTTP (``adapters.fhir_rest``).

A source that names no Task of its own reads its Task at the hub instead, as any requester does. What is told is what
it may read there: status and the code of its reason.

Source: ``views.md`` 2 and 6; SDOHCC Indirect (the outcome goes back along the chain).
"""

from referral_hub.exchange.audit import DONE
from referral_hub.exchange.change import AuditEntry, Row
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.sources import own_task_url
from referral_hub.outbound.ports import Claimed, SourceChannel
from referral_hub.outbound.source_places import REPORT, SOFTWARE, Place


def report(hub: Hub, channel: SourceChannel, place: Place, claimed: Claimed, done_row: Row) -> bool:
    """Moves the source's own Task to where its Task here stands; False where there is nothing to tell.

    Args:
        hub: store, gate and clock.
        channel: the way to the source's server.
        place: the source's Task here.
        claimed: the message.
        done_row: its acknowledgement, as a row of the Change that tells the audit.

    Raises:
        DeliveryFailed: the source's server does not take it now, or never will.
    """
    endpoint = place.source.fhir_endpoint
    url = own_task_url(place.body, (endpoint,)) if endpoint else ""
    if not url:
        return False
    channel.ready(place.source)
    at_us = hub.clock()
    with hub.store.snapshot() as snapshot:
        outcome = hub.gate.release_to(place.source, place.task, snapshot, at_us)
    if outcome is None:
        return False
    channel.update(place.source, url, outcome.released, key=claimed.key)
    change_id = f"reported/{claimed.key}"
    hub.store.apply(hub.gate.admit_delivery(change_id, (_told(place, at_us),), (done_row,)))
    return True


def _told(place: Place, at_us: int) -> AuditEntry:
    """Gives the line of a report: the source reads its own Task, which discloses nothing to anybody else."""
    row = place.task
    return AuditEntry(
        at_us=at_us,
        action="E",
        interaction=REPORT,
        outcome=DONE,
        organization=row.author,
        oauth_client=SOFTWARE,
        user="",
        purpose="",
        person=row.person,
        entities=(f"{row.type}/{row.id}/{row.version}",),
    )
