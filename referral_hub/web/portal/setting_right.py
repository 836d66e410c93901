"""The "wrong person" button, and one referral as plain text.

What lives here: routes. What does not: what the button does (``exchange.wrong_person``), the lines of the text
(``casework.referral_text``), that it is counted (``exchange.taking_out``).

The button asks nothing about anybody. What it closed is gone for whoever pressed it, so the page after it says the same
for all.

Source: ``practice.md`` 12, 17 and 18.
"""

from typing import Any

from flask import Blueprint, Response, request

from referral_hub.auth.people.portal_tokens import Seat
from referral_hub.casework.referral_text import lines_of
from referral_hub.errors import HubError, NotFound
from referral_hub.exchange.reading import read
from referral_hub.exchange.taking_out import record_taking_out
from referral_hub.exchange.wrong_person import report_wrong_person
from referral_hub.fhir import json_codec
from referral_hub.fhir.elements import reference_text
from referral_hub.fhir.ids import is_id
from referral_hub.web.portal.frame import Portal

_OF = {"referral": "Task", "patient": "Patient"}


def setting_right_blueprint(portal: Portal) -> Blueprint:
    """Gives the routes."""
    blueprint = Blueprint("setting_right", __name__)
    hub = portal.hub

    @blueprint.get("/wrong-person")
    @portal.staff()
    def ask(seat: Seat) -> Response:
        name, public_id = _named(dict(request.args))
        released = read(hub, seat.token, _OF[name], public_id).released
        own = released.voice == "own"
        if name == "referral":
            owner = reference_text(json_codec.decode_own(released.body).get("owner"))
            own = own or owner != f"Organization/{seat.signed.organization}"
        return portal.page(seat, "portal/my/wrong.html", name=name, public_id=public_id, own=own)

    @blueprint.post("/wrong-person")
    @portal.staff()
    def close(seat: Seat) -> Response:
        name, public_id = _named(portal.form())
        report_wrong_person(hub, seat.token, _OF[name], public_id)
        return portal.to("/wrong-person/done")

    @blueprint.get("/wrong-person/done")
    @portal.staff()
    def done(seat: Seat) -> Response:
        return portal.page(seat, "portal/my/wrong_done.html")

    @blueprint.get("/referrals/<task>/text")
    @portal.staff()
    def text(seat: Seat, task: str) -> Response:
        referral = _body(seat, f"Task/{task}")
        if referral is None:
            raise NotFound
        focus, person = reference_text(referral.get("focus")), reference_text(referral.get("for"))
        request_of, patient = _body(seat, focus), _body(seat, person)
        organizations = {reference_text(referral.get(name)) for name in ("requester", "owner")}
        names = {
            one.partition("/")[2]: str(found.get("name", ""))
            for one in organizations
            if one.startswith("Organization/") and (found := _body(seat, one)) is not None
        }
        lines = lines_of(referral, request_of or {}, patient or {}, names)
        record_taking_out(
            hub, seat.token, "print", [f"Task/{task}", *(one for one in (focus, person) if one)]
        )
        return portal.page(seat, "portal/my/text.html", lines=lines, task=task)

    def _body(seat: Seat, reference: str) -> dict[str, Any] | None:
        """Gives a resource as the caller sees it; None where there is none for her."""
        type_name, slash, public_id = reference.partition("/")
        if not slash or not is_id(public_id):
            return None
        try:
            return dict(json_codec.decode_own(read(hub, seat.token, type_name, public_id).released.body))
        except HubError:
            return None

    return blueprint


def _named(given: dict[str, str]) -> tuple[str, str]:
    """Gives what the button is about: ``referral`` or ``patient``, and its id.

    Raises:
        NotFound: nothing is named (404).
    """
    for name in _OF:
        public_id = given.get(name, "")
        if is_id(public_id):
            return name, public_id
    raise NotFound
