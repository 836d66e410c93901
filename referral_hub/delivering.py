"""Joins the parts of a hub into what the delivery process does.

What lives here: wiring, apart from ``referral_hub.app`` so that a worker does not carry what it never uses.
What does not: the work (``outbound``), the process (``referral_hub.serving``).
"""

from referral_hub.adapters.fhir_rest import FhirRestChannel
from referral_hub.adapters.mail import Mail, MailServer
from referral_hub.adapters.rest_hook import RestHook
from referral_hub.app import Parts, checkpoints_file, clock
from referral_hub.outbound.counting import Tally
from referral_hub.outbound.delivery import Delivery
from referral_hub.outbound.exporting import ExportWork
from referral_hub.outbound.loop import DeliveryLoop
from referral_hub.outbound.notifying import Matching, Notifier, Notifying
from referral_hub.outbound.polling import Poller
from referral_hub.outbound.timers import TimerWork
from referral_hub.store import upkeep
from referral_hub.store.exports import ExportJobs
from referral_hub.store.outbox import Outbox
from referral_hub.store.own_file_keeping import OwnFileKeeper
from referral_hub.store.partner_copies import PartnerCopies
from referral_hub.store.retention import Retention
from referral_hub.store.sealer import Sealer
from referral_hub.store.segments import Segments
from referral_hub.store.subscriptions import Subscriptions
from referral_hub.store.timers import Timers


def open_delivery(parts: Parts) -> DeliveryLoop:
    """Gives the loop that delivers, polls partners, works timers, and keeps the audit's chain."""
    channel = FhirRestChannel(parts.http, parts.hub.base, clock)
    copies = PartnerCopies(parts.database, parts.writer)
    subscriptions = Subscriptions(parts.database, parts.writer)
    tally = Tally()
    retention = retention_of(parts)
    own_files = OwnFileKeeper(parts.database, parts.writer, parts.bodies)
    return DeliveryLoop(
        clock,
        delivery=Delivery(
            parts.hub, Outbox(parts.database, parts.writer, parts.bodies), copies, channel, tally=tally
        ),
        poller=Poller(parts.hub, copies, channel, tally=tally),
        timers=TimerWork(parts.hub, Timers(parts.database, parts.writer, parts.bodies), tally=tally),
        exports=ExportWork(parts.hub, ExportJobs(parts.database, parts.writer, parts.bodies), tally=tally),
        matching=Matching(parts.hub, subscriptions, tally=tally),
        notifying=Notifying(parts.hub, subscriptions, _channels(parts), tally=tally),
        segments=Segments(parts.settings.audit_spool_dir, parts.database, parts.writer),
        sealer=Sealer(parts.database, parts.writer, parts.keyring, checkpoints_file(parts.settings)),
        upkeep=lambda now_us: _keep_up(parts, retention, now_us),
        own_files=lambda now_us: _keep_own_files(own_files, now_us),
    )


def retention_of(parts: Parts) -> Retention:
    """Gives what takes away the audit of times that are over."""
    return Retention(
        parts.database,
        parts.writer,
        parts.keyring,
        parts.settings.audit_days,
        parts.settings.audit_spool_dir,
    )


def _keep_up(parts: Parts, retention: Retention, now_us: int) -> None:
    upkeep.prune(parts.writer, now_us)
    retention.remove(now_us)


def _keep_own_files(own_files: OwnFileKeeper, now_us: int) -> None:
    own_files.keep(now_us)


def _channels(parts: Parts) -> dict[str, Notifier]:
    """Gives the ways to subscribers, by kind of channel."""
    settings = parts.settings
    server = MailServer.of(settings.smtp_url) if settings.smtp_url else None
    return {
        "rest-hook": RestHook(parts.http),
        "email": Mail(server, settings.mail_from, settings.base_url),
    }
