"""Answering a referral without an account: the code that was read out, the link of a letter, the notice, two taps.

What lives here: the routes and their cookie. What does not: the lives of codes (``auth.people.referral_links``), what
is shown (the gate, by the token of the link), the moves (``casework.moves``).

Nothing of a person is shown before a button: gateways of mail servers open what they carry. The page with the button
is the same for every code and looks none up; a code that opens nothing is answered alike whatever the reason.

Source: ``practice.md`` 17; ``referral-loop.md`` Part A row 5; OWASP ASVS 5.0, V3.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, request

from referral_hub.auth.people.referral_links import LinkSeat, ReferralLinks
from referral_hub.auth.people.refusals import Refused
from referral_hub.casework.moves import (
    CANNOT_TAKE,
    RECIPIENT_ACTS,
    UNNAMED,
    Act,
    Said,
    act_named,
    conditions,
    moved,
)
from referral_hub.casework.telling import told
from referral_hub.errors import HubError, NotFound, Unauthenticated, UpdateAsCreate
from referral_hub.exchange.building import Draft
from referral_hub.exchange.everything import everything
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.interactions import by_token, write_prepared
from referral_hub.exchange.ports import OrganizationRow
from referral_hub.exchange.proposal import Proposal
from referral_hub.exchange.reading import read
from referral_hub.fhir import json_codec
from referral_hub.fhir.elements import reference_text
from referral_hub.resources.task import ACCEPTED_STATUSES
from referral_hub.texts.catalogs import catalog
from referral_hub.web.portal.frame import Portal
from referral_hub.web.sign_in import status_of
from referral_hub.web.sign_in import told as told_when

ADDRESSES = frozenset({"/link", "/link/<code>", "/link/here"})
"""Addresses that answer a stranger: what they show of a person is asked by the token of the link, which the gate reads
each time; without a live link they show nothing."""
ANSWERS = ("accept", "cannot", "ask")
_OTHERS = frozenset({"Task", "ServiceRequest", "Patient", "Provenance", "Consent"})
_OVER = (NotFound, Unauthenticated, UpdateAsCreate)
"""What a referral answers whose door closed in the same moment."""
_COOKIE_S = 90 * 24 * 3600
Resource = dict[str, Any]


def link_blueprint(  # noqa: C901 - routes
    portal: Portal, links: ReferralLinks, organization: Callable[[str], OrganizationRow | None]
) -> Blueprint:
    """Gives the routes.

    Args:
        portal: the frame.
        links: the lives of links.
        organization: reads an organisation's row.
    """
    blueprint = Blueprint("link", __name__)
    hub, pages = portal.hub, portal.pages
    cookie_name = "__Host-hub-link" if pages.secure else "hub-link"

    def closed() -> Response:
        return portal.page(None, "portal/link/closed.html", 404)

    def entered(secret: str | None) -> Response:
        if secret is None:
            return closed()
        response = portal.to("/link/here")
        response.set_cookie(
            cookie_name,
            secret,
            max_age=_COOKIE_S,
            secure=pages.secure,
            httponly=True,
            samesite="Lax",
            path="/",
        )
        return response

    @blueprint.get("/link")
    def typing() -> Response:
        return portal.page(None, "portal/link/code.html", wrong=None)

    @blueprint.post("/link")
    def typed() -> Response:
        code = portal.form().get("code", "")
        with portal.lane.held():
            try:
                secret = links.opened_by_voice(code, portal.browsers.here(), hub.clock())
            except Refused as wrong:
                page = portal.page(None, "portal/link/code.html", status_of(wrong), wrong=wrong)
                return told_when(page, wrong)
            except HubError:
                secret = None
        return entered(secret)

    @blueprint.get("/link/<code>")
    def button(code: str) -> Response:
        return portal.page(None, "portal/link/button.html", code=code)

    @blueprint.post("/link/<code>")
    def pressed(code: str) -> Response:
        portal.form()
        with portal.lane.held():
            try:
                secret = links.opened(code, hub.clock())
            except HubError:
                secret = None
        return entered(secret)

    def seated(view: Callable[[LinkSeat], Response]) -> Response:
        """Gives the page of a live link; the same page for every other."""
        with portal.lane.held():
            try:
                seat = links.seat(request.cookies.get(cookie_name, ""), hub.clock())
                return closed() if seat is None else view(seat)
            except _OVER:
                return closed()
            except HubError as refused:
                return portal.error(refused)

    def shown(seat: LinkSeat, problems: dict[str, str]) -> Response:
        task, rest = _seen(hub, seat)
        recipient = organization(seat.way.organization)
        kind = recipient.facts.kind if recipient is not None else ""
        return portal.page(
            None,
            "portal/link/shown.html",
            422 if problems else 200,
            task=task,
            lines=told(rest),
            number=_number(task),
            answer_by=task.get("restriction", {}).get("period", {}).get("end", ""),
            accepted=task.get("status") in ACCEPTED_STATUSES,
            waiting=task.get("status") == "requested",
            nameless=seat.way.nameless,
            conditions=conditions(task),
            reasons=answer_act("cannot", kind).reasons,
            problems=problems,
        )

    @blueprint.get("/link/here")
    def here() -> Response:
        return seated(lambda seat: shown(seat, {}))

    @blueprint.post("/link/here")
    def answered() -> Response:
        form = portal.form()

        def take(seat: LinkSeat) -> Response:
            if form.get("act") == "leave":
                links.leave(request.cookies.get(cookie_name, ""))
                response = portal.page(None, "portal/link/left.html", answer="")
                response.delete_cookie(cookie_name, path="/", secure=pages.secure, httponly=True)
                return response
            recipient = organization(seat.way.organization)
            kind = recipient.facts.kind if recipient is not None else ""
            act = answer_act(form.get("act", ""), kind)
            problems: dict[str, str] = {}
            if act.reasons and form.get("reason", "") not in act.reasons:
                return shown(seat, {"reason": catalog(pages.language()).text("link.wrong-reason")})
            with portal.telling(problems):
                _answer(seat, act, form.get("reason", ""))
            if problems:
                return shown(seat, problems)
            if act.name == "cannot":
                response = portal.page(None, "portal/link/left.html", answer="cannot")
                response.delete_cookie(cookie_name, path="/", secure=pages.secure, httponly=True)
                return response
            return portal.to("/link/here")

        return seated(take)

    def _answer(seat: LinkSeat, act: Act, reason: str) -> None:
        seen = read(hub, seat.token, "Task", seat.way.task).released
        task = dict(json_codec.decode_own(seen.body))
        body = moved(task, act, said_of(task, act, reason, pages.language()))

        def prepare(_caller: object, draft: Draft) -> tuple[Proposal, ...]:
            for row in links.answered(seat, hub.clock(), goes_on=act.name != "cannot"):
                draft.settle(row)
            return (Proposal("update", "Task", seat.way.task, body=body, if_match=seen.version),)

        write_prepared(hub, by_token(hub, seat.token), prepare, settles=False)

    return blueprint


def said_of(task: Resource, act: Act, reason: str, language: str) -> Said:
    """Gives what goes with an answer: with a yes every condition is confirmed, with a no the words of its reason."""
    if act.name == "accept":
        return Said(confirmed=conditions(task))
    if act.reasons:
        return Said(reason=reason, words=catalog(language).text(f"link.reason.{reason}"))
    return Said()


def answer_act(name: str, kind: str) -> Act:
    """Gives one of the answers of a recipient without an account; some kinds of organisation say no without a reason.

    Raises:
        NotFound: there is no such answer.
    """
    act = act_named(RECIPIENT_ACTS, name) if name in ANSWERS else None
    if act is None:
        raise NotFound
    if name == "cannot" and kind in UNNAMED:
        return replace(act, reasons=(CANNOT_TAKE,))
    return act


def _seen(hub: Hub, seat: LinkSeat) -> tuple[Resource, list[Resource]]:
    """Gives the Task of a link, and what else the recipient may read of this one referral."""

    def one(type_name: str, public_id: str) -> Resource:
        return dict(json_codec.decode_own(read(hub, seat.token, type_name, public_id).released.body))

    task = one("Task", seat.way.task)
    found = []
    for element in ("focus", "for"):
        type_name, _, public_id = reference_text(task.get(element)).partition("/")
        if public_id:
            found.append(one(type_name, public_id))
    if task.get("status") in ACCEPTED_STATUSES and not seat.way.nameless and seat.way.patient:
        page = everything(hub, seat.token, seat.way.patient, [("_count", "100")])
        found.extend(
            dict(json_codec.decode_own(other.body)) for other in page.found if other.type not in _OTHERS
        )
    return task, found


def _number(task: Resource) -> str:
    return next((str(one.get("value", ""))[:8] for one in task.get("identifier") or ()), "")
