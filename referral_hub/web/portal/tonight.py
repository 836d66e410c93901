"""Tonight without names: what is needed, adult or child, interpreter or not, sent to who is on call; and her card.

What lives here: the routes. What does not: what is written (``casework.referring``), who may be asked
(``web.portal.refer_options``), the code on the card (``auth.people.referral_links``).

Nothing of it says who she is, so it needs no permission and is possible where she cannot sign. It is tied to her file
by a link in her own record alone, which nobody else reads.

Source: ``practice.md`` 1; ``views.md`` 9 (No-name referral).
"""

from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, request

from referral_hub.auth.people.portal_tokens import Seat
from referral_hub.auth.people.referral_links import ReferralLinks
from referral_hub.casework.needs import TONIGHT
from referral_hub.casework.person_file import is_nameless
from referral_hub.casework.referring import AGE_GROUPS, Nameless, nameless_of, nameless_proposals
from referral_hub.casework.telling import told
from referral_hub.errors import NotFound
from referral_hub.exchange.own_person import own_person
from referral_hub.exchange.phone_answers import asked_on_paper
from referral_hub.exchange.proposal import Proposal
from referral_hub.fhir.elements import reference_text
from referral_hub.web.portal.asking import Asking, version_of
from referral_hub.web.portal.frame import Portal
from referral_hub.web.portal.refer_options import options_for, organizations_named

ANSWER_US = 2 * 3600 * 1_000_000
"""An answer is hoped for within two hours."""
_ONCE = "urn:referral-hub:form"
"""System of the number by which a form that is sent twice is known."""
_SHOWN = ("requested", "accepted", "in-progress", "on-hold", "completed", "rejected")


def tonight_blueprint(portal: Portal, links: ReferralLinks) -> Blueprint:
    """Gives the routes.

    Args:
        portal: the frame.
        links: gives the code by which the recipient names the referral on the phone.
    """
    blueprint = Blueprint("tonight", __name__)

    def page(
        seat: Seat, asked: Nameless, patient: str, form: dict[str, str], problems: dict[str, str]
    ) -> Response:
        asking = Asking(portal.hub, seat)
        named = form.get("name", "").strip()
        return portal.page(
            seat,
            "portal/tonight/ask.html",
            422 if problems else 200,
            asked=asked,
            patient=patient,
            needs=TONIGHT,
            ages=AGE_GROUPS,
            interpreter=form.get("interpreter", ""),
            name=named,
            options=options_for(asking, asked.kind) if asked.kind in TONIGHT else (),
            named=organizations_named(asking, named) if named else (),
            looked=bool(form),
            once=form.get("once") or portal.hub.ids.public_id(),
            problems=problems,
        )

    @blueprint.get("/tonight")
    @portal.staff()
    def ask(seat: Seat) -> Response:
        patient = request.args.get("patient", "")
        if patient:
            own_person(portal.hub, seat.token, patient)
        return page(seat, Nameless("", "", "", interpreter=False), patient, {}, {})

    @blueprint.post("/tonight")
    @portal.staff()
    def asked(seat: Seat) -> Response:
        form = portal.form()
        patient = form.get("patient", "")
        wanted, problems = nameless_of(form, TONIGHT)
        if form.get("act") != "send":
            problems.pop("recipient", None)
            return page(seat, wanted, patient, form, problems)
        if problems:
            return page(seat, wanted, patient, form, problems)
        task = ""
        with portal.telling(problems):
            task = _sent(portal, seat, wanted, patient, form.get("once", ""))
        return page(seat, wanted, patient, form, problems) if problems else portal.to(f"/tonight/{task}")

    @blueprint.get("/tonight/<task_id>")
    @portal.staff()
    def card(seat: Seat, task_id: str) -> Response:
        hub = portal.hub
        found = asked_on_paper(hub, seat.token, task_id, _SHOWN)
        asking = Asking(hub, seat)
        task = asking.one("Task", task_id)
        person = asking.one("Patient", reference_text(task.get("for")).partition("/")[2])
        if not is_nameless(person):
            raise NotFound
        needed = asking.one("ServiceRequest", reference_text(task.get("focus")).partition("/")[2])
        code = links.call_back(
            task_id, found.person, found.recipient, found.sender, seat.signed.account, hub.clock()
        )
        return portal.page(
            seat,
            "portal/tonight/card.html",
            task=task,
            task_id=task_id,
            lines=told([needed, person]),
            code=code,
        )

    return blueprint


def _tied(portal: Portal, seat: Seat, patient: str, someone: str) -> Proposal:
    """Gives the write that ties the nameless person to her file, in her own record alone."""
    own_person(portal.hub, seat.token, patient)
    hers: dict[str, Any] = Asking(portal.hub, seat).one("Patient", patient)
    link = {"other": {"reference": f"Patient/{someone}"}, "type": "seealso"}
    body = {**hers, "link": [*(hers.get("link") or ()), link]}
    return Proposal("update", "Patient", patient, body=body, if_match=version_of(hers))


def _sent(portal: Portal, seat: Seat, wanted: Nameless, patient: str, once: str) -> str:
    """Writes the referral in one act and gives its Task; the same page sent twice asks once."""
    hub = portal.hub
    at_us = hub.clock()
    asking = Asking(hub, seat)
    once = once or hub.ids.public_id()
    known = f"{_ONCE}|{once}"
    found = asking.find("Task", [("identifier", known), ("_count", "1")], own=True).matches
    if found:
        return str(found[0]["id"])
    someone = hub.ids.public_id()
    person, needed, task = nameless_proposals(wanted, someone, hub.ids.public_id(), at_us, at_us + ANSWER_US)
    body = {**task.body, "identifier": [{"system": _ONCE, "value": once}]}
    tied = (_tied(portal, seat, patient, someone),) if patient else ()
    task = replace(task, body=body, if_none_exist=f"identifier={known}")
    return asking.write(person, needed, task, *tied)[2].id
