"""What leaves by itself: referrals sent to a partner's own server, recalls, and what the hub writes when time passes.

What lives here: a partner with a FHIR server, whose requests are kept, and timers that fire. What does not: the
delivery itself (``referral_hub.outbound``), stories of callers (``conformance.stories``).

Source: ``views.md`` 6, 8 and 9.
"""

from conformance.filling import Filler
from conformance.listening import Heard
from conformance.stories import EVERYTHING, filled_patient, filled_request, filled_task
from referral_hub.fhir import json_codec
from tests import builders as b
from tests.api.outbound.conftest import Place, placed
from tests.api.outbound.partner_server import Request, serving
from tests.world import World


def play_sent(heard: Heard, world: World) -> None:
    """Plays a notice, its moves at the partner, its end, a recall, and the hours that strike."""
    with serving() as partner:

        def listen(request: Request) -> None:
            if request.body is not None:
                heard.keep(f"hub to partner: {request.method} Task", json_codec.encode(request.body))

        partner.before = listen
        for seed, play in enumerate((_moved, _cancelled, _withdrawn, _late, _ended), start=1300):
            partner.tasks.clear()
            place = placed(world, partner)
            place.s, place.c = heard.ear(place.s, "sender"), heard.ear(place.c, "recipient")
            _refer(place, heard, seed)
            play(place, heard)
            _read(place)
        assert partner.faults == [], partner.faults


def _refer(place: Place, heard: Heard, seed: int) -> None:
    heard.scene = "sent to a partner's server (N)"
    own, clinic = f"Organization/{place.shelter}", f"Organization/{place.clinic}"
    filler = Filler(seed, {"Organization": [own, clinic]})
    place.person = f"Patient/{place.s.create(filled_patient(filler))['id']}"
    place.sign(categories=EVERYTHING)
    made = place.s.create(filled_request(filler, place.person, place.clinic))
    place.request = f"ServiceRequest/{made['id']}"
    task = filled_task(filler, place.person, place.request, place.clinic, "requested")
    place.task = f"Task/{place.s.create(task)['id']}"
    place.deliver()


def _moved(place: Place, heard: Heard) -> None:
    heard.scene = "moved at the partner's server (F, requester)"
    task = place.partner.only()
    for status in ("accepted", "in-progress", "completed"):
        place.partner.move(task, status=status, output=[b.output("attendance", valueCode="came")])
        place.poll()
        place.deliver()
        _read(place)


def _cancelled(place: Place, heard: Heard) -> None:
    heard.scene = "cancelled by the sender, the partner is told (H)"
    place.s.changed(place.task, status="cancelled", statusReason=b.reason("by-source"))
    place.deliver()


def _withdrawn(place: Place, heard: Heard) -> None:
    heard.scene = "withdrawn, the partner has a recall (K, recall)"
    place.partner.move(place.partner.only(), status="accepted")
    place.poll()
    place.c.read(place.person)
    place.revoke()
    place.deliver()


def _late(place: Place, heard: Heard) -> None:
    heard.scene = "nobody answered in time (overdue)"
    place.wait(4)
    place.fire()
    place.deliver()


def _ended(place: Place, heard: Heard) -> None:
    heard.scene = "the release came to its end (sharing-ended)"
    place.c.changed(place.task, status="accepted")
    place.deliver()
    place.wait(21)
    place.fire()
    place.deliver()


def _read(place: Place) -> None:
    for caller in (place.s, place.c):
        for query in (
            f"/{place.task}",
            f"/{place.task}/_history",
            "/Task",
            f"/Provenance?target={place.task}",
        ):
            caller.get(query)
    place.s.get(f"/{place.person}/$disclosures")
