"""A delivery process as the hub starts one, for tests that watch it from outside and kill it.

``python -m tests.api.outbound.delivering ORIGIN`` reads its hub from the environment, delivers until its standard
input ends, and calls partners at ORIGIN only.
"""

import os
import sys
import threading

from referral_hub.adapters.fhir_rest import FhirRestChannel
from referral_hub.adapters.guarded_http import GuardedHttp
from referral_hub.adapters.rest_hook import RestHook
from referral_hub.app import Parts, clock, open_hub
from referral_hub.outbound.counting import Tally
from referral_hub.outbound.delivery import Delivery
from referral_hub.outbound.exporting import ExportWork
from referral_hub.outbound.loop import DeliveryLoop, Pace
from referral_hub.outbound.notifying import Matching, Notifying
from referral_hub.outbound.patience import Patience
from referral_hub.outbound.polling import Poller
from referral_hub.outbound.timers import TimerWork
from referral_hub.settings import Settings
from referral_hub.store import upkeep
from referral_hub.store.exports import ExportJobs
from referral_hub.store.outbox import Outbox
from referral_hub.store.partner_copies import PartnerCopies
from referral_hub.store.sealer import Sealer
from referral_hub.store.segments import Segments
from referral_hub.store.subscriptions import Subscriptions
from referral_hub.store.timers import Timers


def loop_of(parts: Parts, origin: str, *, pace: Pace | None = None) -> DeliveryLoop:
    """Joins the parts of a hub into its delivery loop."""
    spool = parts.settings.audit_spool_dir
    http = GuardedHttp(inner_origins=frozenset(origin.split(",")), timeout_s=5.0)
    channel = FhirRestChannel(http, parts.hub.base, clock)
    copies = PartnerCopies(parts.database, parts.writer)
    subscriptions = Subscriptions(parts.database, parts.writer)
    tally = Tally()
    outbox = Outbox(parts.database, parts.writer, parts.bodies)
    timers = Timers(parts.database, parts.writer, parts.bodies)
    return DeliveryLoop(
        clock,
        delivery=Delivery(
            parts.hub,
            outbox,
            copies,
            channel,
            patience=Patience(first_s=0.05, most_s=0.2),
            lease_us=1_000_000,
            tally=tally,
        ),
        poller=Poller(parts.hub, copies, channel, tally=tally),
        timers=TimerWork(parts.hub, timers, tally=tally),
        exports=ExportWork(parts.hub, ExportJobs(parts.database, parts.writer, parts.bodies), tally=tally),
        matching=Matching(parts.hub, subscriptions, tally=tally),
        notifying=Notifying(parts.hub, subscriptions, {"rest-hook": RestHook(http)}, tally=tally),
        segments=Segments(spool, parts.database, parts.writer),
        sealer=Sealer(parts.database, parts.writer, parts.keyring, spool / "checkpoints.jsonl"),
        upkeep=lambda now_us: upkeep.prune(parts.writer, now_us),
        pace=pace,
    )


def main() -> None:
    """Delivers until the standard input ends."""
    parts = open_hub(Settings.from_environment({k: v for k, v in os.environ.items() if "REFERRAL_HUB_" in k}))
    stop = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
    try:
        loop_of(parts, sys.argv[1]).run(stop.is_set)
    finally:
        parts.close()


if __name__ == "__main__":
    main()
