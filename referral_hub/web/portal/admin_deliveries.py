"""What waits to leave, and what was given up: counts by destination, another try, or the end with a reason.

What lives here: ``/admin/deliveries…``. What does not: sending (``outbound``), the rules of both acts
(``outbound.dead_letters``). Nothing here says about whom a message is, or what stands in it.

Source: ``practice.md`` 12; ``consent.md`` D-36.
"""

from flask import Blueprint, Response

from referral_hub.auth.people.portal_tokens import Seat
from referral_hub.errors import NotFound
from referral_hub.exchange.administration import GivenUp
from referral_hub.outbound.dead_letters import reasons_for
from referral_hub.web.portal.admin_room import OFFICE, Administration, number_of
from referral_hub.web.portal.frame import Portal

DELIVERIES = "/admin/deliveries"
SHOWN = 100
"""How many messages that were given up one page shows; the oldest."""


def admin_deliveries_blueprint(portal: Portal, room: Administration) -> Blueprint:
    """Gives the routes."""
    blueprint = Blueprint("admin_deliveries", __name__)

    def letter(sequence: str) -> GivenUp:
        wanted = number_of(sequence)
        found = next((one for one in room.reads.given_up(SHOWN) if one.sequence == wanted), None)
        if found is None:
            raise NotFound
        return found

    @blueprint.get(DELIVERIES)
    @portal.staff(*OFFICE)
    def monitor(seat: Seat) -> Response:
        room.governing.check_network(seat.signed)
        given_up = room.reads.given_up(SHOWN)
        return portal.page(
            seat,
            "portal/admin/deliveries.html",
            queues=room.reads.queues(),
            given_up=[(one, reasons_for(one.kind)) for one in given_up],
            count=room.reads.given_up_count(),
            names=room.names(seat.signed),
        )

    @blueprint.post(f"{DELIVERIES}/<sequence>/retry")
    @portal.staff(*OFFICE)
    def retry(seat: Seat, sequence: str) -> Response:
        portal.form()
        room.governing.check_network(seat.signed)
        signed = seat.signed
        room.letters.retry(letter(sequence), organization=signed.organization, by=signed.account)
        return portal.to(DELIVERIES)

    @blueprint.post(f"{DELIVERIES}/<sequence>/give-up")
    @portal.staff(*OFFICE)
    def give_up(seat: Seat, sequence: str) -> Response:
        reason = portal.form().get("reason", "")
        room.governing.check_network(seat.signed)
        found, signed = letter(sequence), seat.signed
        again = portal.confirm(seat, DELIVERIES)
        if again is not None:
            return again
        room.letters.give_up(found, reason, organization=signed.organization, by=signed.account)
        return portal.to(DELIVERIES)

    return blueprint
