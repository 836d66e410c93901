"""The pages on which people let software act for them: the request arrives, they sign in, they answer.

What lives here: ``/oauth/authorize`` and the form of its page. What does not: every decision (``auth.approving``),
signing in (``web.sign_in``), the token endpoint (``web.oauth_api``).

However a request arrives, the browser is sent on to one address with a sealed ticket: so nothing of the request is
kept in two forms, a form posted by another site changes nothing, and the sign-in page carries no foreign address.

Source: SMART App Launch 2.2, obtain authorization code; RFC 6749 4.1; RFC 9700 4.12 and 4.16.
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, redirect, request

from referral_hub.auth.app_registrations import origin_of
from referral_hub.auth.approving import Answered, Approvals, Question, Ticket, sent_back
from referral_hub.auth.authorization_requests import SentBack, Stopped
from referral_hub.auth.refusals import TemporarilyUnavailable
from referral_hub.auth.server import HubAuthorizationServer
from referral_hub.auth.sign_in_ports import SignedIn
from referral_hub.exchange.ports import Clock
from referral_hub.web.pages import Pages
from referral_hub.web.scope_words import spoken

SIGN_IN = "/sign-in"
AUTHORIZE = "/oauth/authorize"
ANSWER = "/oauth/authorize/answer"
LARGEST_FORM = 64 * 1024

WhoIsThere = Callable[[], SignedIn | None]
"""Gives who signed in wholly in the browser of this request."""


class AuthorizePages:
    """The authorization endpoint and its page.

    Args:
        server: the authorization server.
        approvals: decides what is asked and what comes of it.
        pages: makes pages.
        who_is_there: knows who signed in.
        clock: the process clock, microseconds since 1970 UTC.
    """

    def __init__(
        self,
        server: HubAuthorizationServer,
        approvals: Approvals,
        pages: Pages,
        who_is_there: WhoIsThere,
        clock: Clock,
    ) -> None:
        self._server = server
        self._approvals = approvals
        self._pages = pages
        self._who_is_there = who_is_there
        self._clock = clock

    def blueprint(self) -> Blueprint:
        """Gives the routes."""
        found = Blueprint("authorize", __name__)
        found.add_url_rule(AUTHORIZE, "ask", self.authorize, methods=["GET", "POST"])
        found.add_url_rule(ANSWER, "answer", self.answer, methods=["POST"])
        return found

    def authorize(self) -> Response:
        """Takes a request, from the address or from a form; or shows the page of a ticket."""
        if request.method == "POST":
            request.max_content_length = LARGEST_FORM
            request.max_form_memory_size = LARGEST_FORM
            return self._answered(lambda: self._arrived(list(request.form.items(multi=True))))
        sealed = request.args.get("ticket", "")
        if sealed:
            return self._answered(lambda: self._shown(sealed))
        return self._answered(lambda: self._arrived(list(request.args.items(multi=True))))

    def answer(self) -> Response:
        """Takes the answer to the page."""
        form = self._pages.form()
        return self._answered(lambda: self._decided(form))

    def _answered(self, answer: Callable[[], Response]) -> Response:
        try:
            return answer()
        except Stopped as stopped:
            return self._pages.page("authorize/stopped.html", 400, sentence=stopped.sentence)
        except SentBack as refusal:
            return sent_on(sent_back(refusal, self._server.addresses.base_url))
        except TemporarilyUnavailable:
            return self._pages.refused("error.busy", 503)

    def _arrived(self, pairs: list[tuple[str, str]]) -> Response:
        ticket = self._approvals.asked(pairs, self._clock())
        return sent_on(f"{AUTHORIZE}?ticket={ticket}")

    def _shown(self, sealed: str) -> Response:
        at_us = self._clock()
        ticket, who = self._approvals.opened(sealed, at_us), self._who_is_there()
        if who is None or not ticket.is_fresh(who, at_us):
            return self._to_sign_in(ticket, sealed, is_there=who is not None)
        question = self._approvals.question(ticket, who, at_us)
        if question.answered:
            return sent_on(self._approvals.approve(question, who, Answered(), at_us))
        return self._page(sealed, question)

    def _decided(self, form: Mapping[str, str]) -> Response:
        at_us = self._clock()
        ticket, who = self._approvals.opened(form.get("ticket", ""), at_us), self._who_is_there()
        if who is None or not ticket.is_fresh(who, at_us):
            return self._to_sign_in(ticket, form["ticket"], is_there=who is not None)
        if form.get("answer") != "allow":
            raise ticket.request.refused("access_denied", "The person said no.")
        answer = Answered(
            frozenset(self._pages.all_of("scope")),
            form.get("patient", ""),
            remembers=form.get("remember") == "yes",
        )
        question = self._approvals.question(ticket, who, at_us)
        return sent_on(self._approvals.approve(question, who, answer, at_us))

    def _to_sign_in(self, ticket: Ticket, sealed: str, *, is_there: bool) -> Response:
        """Sends the browser to the sign-in and back here; once, where a new sign-in is wanted of who is there."""
        if "none" in ticket.request.prompt or (is_there and ticket.again):
            raise ticket.request.refused("login_required", "The person has to sign in.")
        back = self._approvals.sealed_again(ticket) if is_there else sealed
        following = quote(f"{AUTHORIZE}?ticket={back}", safe="")
        return sent_on(f"{SIGN_IN}?{'confirm=1&' if is_there else ''}next={following}")

    def _page(self, sealed: str, question: Question) -> Response:
        client = question.ticket.request.client
        organization = self._server.organization(client.organization)
        lines: list[dict[str, Any]] = [
            {"scope": line.text, "fixed": line.fixed, "ticked": line.ticked, "words": spoken(line)}
            for line in question.offer.lines
        ]
        return self._pages.page(
            "authorize/ask.html",
            form_targets=[origin_of(question.ticket.request.redirect_uri)],
            ticket=sealed,
            answer_to=ANSWER,
            software=client.name,
            organization=organization.name if organization is not None else "",
            resources=[line for line in lines if line["words"]["type"]],
            others=[line for line in lines if not line["words"]["type"]],
            needs_person=question.offer.needs_person,
            persons=question.persons,
            may_remember=client.kind != "public" and not question.offer.needs_person,
        )


def sent_on(address: str) -> Response:
    """Sends the browser on, with GET whatever came before, and tells nobody where it comes from."""
    response: Any = redirect(address, 303)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    found: Response = response
    return found
