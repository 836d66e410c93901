"""The first page: where a visitor finds her door, and where whoever signed in is led.

What lives here: ``/``. What does not: what stands behind each door.
"""

from collections.abc import Callable

from flask import Blueprint, Response

from referral_hub.auth.people.portal_tokens import Seat
from referral_hub.exchange.accounts import PERSON
from referral_hub.web.portal.frame import COUNTING, Portal

ADDRESSES = frozenset({"/"})
"""Addresses that answer a stranger, and hold nothing of a person."""


def front_blueprint(portal: Portal, home: Callable[[Seat], Response]) -> Blueprint:
    """Gives the route.

    Args:
        portal: the frame.
        home: makes the first page of staff who work with persons.
    """
    blueprint = Blueprint("front", __name__)

    @blueprint.get("/")
    def front() -> Response:
        if portal.browsers.seen() is None:
            return portal.page(None, "portal/front.html")
        return seated()

    @portal.anybody
    def seated(seat: Seat) -> Response:
        if seat.signed.kind == PERSON:
            return portal.to("/my")
        if seat.signed.role in COUNTING:
            return portal.to("/admin" if seat.signed.role == "coordinator" else "/account")
        return home(seat)

    return blueprint
