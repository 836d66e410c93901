"""From a request of software to a code: what a signed-in person is asked, and what comes of the answer.

What lives here: the ticket a browser carries while somebody signs in, the question, the approval and the denial. What
does not: the request's own checks (``auth.authorization_requests``), pages (``web.authorize_pages``), the tokens
(``auth.sign_in_grants``).

Nothing is decided twice in different ways: the answer to the page goes through every question again that led to the
page. A ticket is sealed, so no address can be made that skips a check; it opens nothing by itself.

Source: SMART App Launch 2.2, obtain authorization code; RFC 6749 4.1.2; RFC 9207; OpenID Connect Core 3.1.2.
"""

import json
import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from referral_hub.access.scopes import ScopeSet
from referral_hub.auth.authorization_requests import (
    AuthorizationRequest,
    SentBack,
    Stopped,
    checked_request,
    parameters_of,
)
from referral_hub.auth.id_tokens import assurance, fhir_user_of
from referral_hub.auth.offered_scopes import LAUNCH, Offer, is_within, lasting_of, offered
from referral_hub.auth.ports import OAuthClientRow
from referral_hub.auth.pushed_requests import PREFIX
from referral_hub.auth.refusals import InvalidClient
from referral_hub.auth.sign_in_changes import approved, launch_taken, request_taken
from referral_hub.auth.sign_in_grants import CODE_LIFE_S, handle_digest, new_handle
from referral_hub.auth.sign_in_ports import SignedIn, SignInParts
from referral_hub.auth.tokens import TOKEN_LIFE_S
from referral_hub.exchange.sign_in import CodeRow, FamilyRow, LaunchRow, PersonInSight

TICKET_LIFE_S = 600
"""Seconds between the request and the answer to the page; signing in with two factors fits into it."""
ONLINE_US = 12 * 3600 * 1_000_000
"""How long after the sign-in refresh tokens of ``online_access`` are given at most; signing out ends them."""

_SECOND = 1_000_000
_LABEL = "authorize"


@dataclass(frozen=True, slots=True)
class Ticket:
    """A request on its way through sign-in; ``again``: a new sign-in was asked for because of it already."""

    request: AuthorizationRequest
    given: dict[str, str]
    asked_us: int
    again: bool

    def is_fresh(self, who: SignedIn, at_us: int) -> bool:
        """Tells whether the sign-in is as young as the request wants it."""
        proven_us = proven_at(who)
        if proven_us >= self.asked_us:
            return True
        most = self.request.max_age_s
        return "login" not in self.request.prompt and (most is None or at_us - proven_us <= most * _SECOND)


@dataclass(frozen=True, slots=True)
class Question:
    """What a page asks one signed-in person.

    ``answered`` is True where nothing has to be asked: the same was approved before. ``persons`` is empty where no
    person has to be chosen.
    """

    ticket: Ticket
    offer: Offer
    persons: Sequence[PersonInSight]
    launch: LaunchRow | None
    answered: bool


@dataclass(frozen=True, slots=True)
class Answered:
    """How a person answered: the boxes ticked and the person chosen; ``remembers`` keeps the approval for next time."""

    ticked: Collection[str] = field(default=())
    patient: str = ""
    remembers: bool = False


class Approvals:
    """Asks people what software may do in their name. Safe for threads.

    Args:
        server: the authorization server.
        parts: everything it needs for people who sign in.
    """

    def __init__(self, server: Any, parts: SignInParts) -> None:
        self._server = server
        self._parts = parts

    def asked(self, pairs: Iterable[tuple[str, str]], at_us: int) -> str:
        """Gives the ticket of a request, once everything about it holds that needs no person.

        Args:
            pairs: the parameters, from the address or the form.
            at_us: now, microseconds since 1970 UTC.

        Raises:
            Stopped: nobody may be sent anywhere.
            SentBack: the request is refused.
        """
        given, twice = parameters_of(pairs)
        if "request_uri" in given and "request_uri" not in twice:
            given, twice = self._taken(given, at_us), frozenset()
            return self._ticket(self._checked(given, twice), given, at_us)
        request = self._checked(given, twice)
        app = self._parts.store.app(request.client.client_id)
        if app is not None and app.require_par:
            raise request.refused(
                "invalid_request", "This software has to send its requests ahead (RFC 9126)."
            )
        return self._ticket(request, given, at_us)

    def opened(self, ticket: str, at_us: int) -> Ticket:
        """Gives what a ticket stands for.

        Raises:
            Stopped: it is none of this hub, or too old.
            SentBack: the software may not ask this any more.
        """
        plain = self._parts.seal.open(ticket)
        try:
            label, given, asked_us, again = json.loads(plain or b"null")
        except (ValueError, TypeError):
            raise Stopped("authorize.too-late") from None
        if label != _LABEL or not 0 <= at_us - asked_us < TICKET_LIFE_S * _SECOND:
            raise Stopped("authorize.too-late")
        return Ticket(self._checked(given, frozenset()), given, asked_us, bool(again))

    def sealed_again(self, ticket: Ticket) -> str:
        """Gives the ticket to come back with after a new sign-in that the request wants."""
        return self._ticket(ticket.request, ticket.given, ticket.asked_us, again=True)

    def question(self, ticket: Ticket, who: SignedIn, at_us: int) -> Question:
        """Gives what a signed-in person is asked.

        Raises:
            SentBack: there is nothing to ask: the person may not use this software, or nothing can be given.
        """
        request, client = ticket.request, ticket.request.client
        if not self._may_use(client.organization, who):
            raise request.refused("access_denied", "The person cannot use this software here.")
        if len(client.purposes) > 1:
            raise request.refused("invalid_request", "Register one client for each purpose of use.")
        launch = self._launch(request, who, at_us)
        purpose = purpose_of(client)
        offer = offered(
            ScopeSet.parse(client.scope),
            request.scopes,
            kind=who.kind,
            has_practitioner=bool(who.practitioner),
            launched_about=launch is not None and launch.person is not None,
            is_launched=launch is not None,
            floor=self._server.floor,
            backed=self._server.backing.backed_types(client.organization, purpose, at_us),
        )
        if offer.opens_nothing:
            raise request.refused("invalid_scope", "Nothing of this scope can be given to this person.")
        named = (who.account, who.organization, who.role, purpose)
        persons = self._parts.accounts.persons_for(*named, at_us) if offer.needs_person else ()
        known = self._parts.store.approved_scope(who.account, client.client_id)
        answered = (
            known is not None
            and client.kind != "public"
            and not offer.needs_person
            and "consent" not in request.prompt
            and is_within(offer.scope, known)
        )
        if "none" in request.prompt and not answered:
            error = "interaction_required" if offer.needs_person else "consent_required"
            raise request.refused(error, "The person has to be asked.")
        return Question(ticket, offer, persons, launch, answered)

    def approve(self, question: Question, who: SignedIn, answer: Answered, at_us: int) -> str:
        """Gives the address to send the browser to, with the code.

        Args:
            question: what was asked, decided anew for this answer.
            who: who answered.
            answer: how.
            at_us: now, microseconds since 1970 UTC.

        Raises:
            SentBack: nothing was allowed, or no person was chosen where one has to be.
        """
        request, offer = question.ticket.request, question.offer
        every = {line.text for line in offer.lines}
        scope = offer.granted(every if question.answered else answer.ticked)
        parsed = ScopeSet.parse(scope)
        if parsed.opens_nothing and "openid" not in parsed.other:
            raise request.refused("access_denied", "The person allowed nothing.")
        person, patient = self._about(question, who, answer)
        code, digest = new_handle()
        family = self._family(question, who, scope, person, patient, at_us)
        row = CodeRow(
            digest,
            request.redirect_uri,
            request.challenge,
            request.nonce,
            at_us + CODE_LIFE_S * _SECOND,
            used=False,
            family=family,
        )
        taken = () if question.launch is None else (launch_taken(question.launch.digest, at_us=at_us),)
        remembered = scope if answer.remembers and request.client.kind != "public" else ""
        listed = remembered or (self._parts.store.approved_scope(who.account, family.oauth_client) or "")
        change = approved(family, row, taken, remembered=listed, at_us=at_us)
        try:
            self._server.applied(change)
        except InvalidClient:
            raise request.refused("access_denied", "The launch was used before.") from None
        return sent_to(
            request.redirect_uri, code=code, state=request.state, iss=self._server.addresses.base_url
        )

    def _checked(self, given: dict[str, str], twice: frozenset[str]) -> AuthorizationRequest:
        client = self._server.query_client(given.get("client_id", ""))
        return checked_request(given, twice, client, self._server.addresses.fhir)

    def _taken(self, given: dict[str, str], at_us: int) -> dict[str, str]:
        """Gives the parameters that were sent ahead, which are gone with that."""
        wanted = given["request_uri"]
        digest = handle_digest(wanted.removeprefix(PREFIX))
        pushed = self._parts.store.pushed(digest) if wanted.startswith(PREFIX) else None
        if pushed is None or pushed.oauth_client != given.get("client_id") or at_us >= pushed.expires_us:
            raise Stopped("authorize.too-late")
        try:
            self._server.applied(request_taken(digest, at_us=at_us))
        except InvalidClient:
            raise Stopped("authorize.too-late") from None
        found: dict[str, str] = json.loads(pushed.request)
        return found

    def _ticket(
        self, request: AuthorizationRequest, given: dict[str, str], asked_us: int, *, again: bool = False
    ) -> str:
        return self._parts.seal.seal(json.dumps([_LABEL, given, asked_us, again]).encode())

    def _may_use(self, organization: str, who: SignedIn) -> bool:
        """Tells whether an account may use software of this organisation: its own; a person also the network's."""
        if organization == who.organization:
            return True
        hub = self._server.hub_organization()
        return who.kind == "person" and hub is not None and hub.facts.id == organization

    def _launch(self, request: AuthorizationRequest, who: SignedIn, at_us: int) -> LaunchRow | None:
        if not request.launch or LAUNCH not in request.scopes.other:
            return None
        found = self._parts.store.launch(handle_digest(request.launch))
        counts = (
            found is not None
            and found.oauth_client == request.client.client_id
            and found.account == who.account
            and at_us < found.expires_us
        )
        if found is not None and counts and found.person is not None:
            named = (who.account, who.organization, who.role, purpose_of(request.client), found.patient)
            counts = self._parts.accounts.person(*named, at_us) == found.person
        if not counts:
            raise request.refused("invalid_request", "The launch does not count: start the software again.")
        return found

    def _about(self, question: Question, who: SignedIn, answer: Answered) -> tuple[int | None, str]:
        """Gives row id and public id of the one person the tokens are about; None and empty for no one person."""
        if who.kind == "person":
            return who.person, who.patient
        if question.launch is not None and question.launch.person is not None:
            return question.launch.person, question.launch.patient
        if not question.offer.needs_person:
            return None, ""
        chosen = [one for one in question.persons if one.patient == answer.patient]
        if not chosen:
            raise question.ticket.request.refused("access_denied", "No person was chosen.")
        return chosen[0].person, chosen[0].patient

    def _family(
        self, question: Question, who: SignedIn, scope: str, person: int | None, patient: str, at_us: int
    ) -> FamilyRow:
        client, lasting = question.ticket.request.client, lasting_of(scope)
        ends_us = {
            "offline": at_us + self._parts.offline_us,
            "online": max(who.signed_in_us, at_us - ONLINE_US) + ONLINE_US,
        }.get(lasting, at_us + (CODE_LIFE_S + TOKEN_LIFE_S) * _SECOND)
        return FamilyRow(
            family=secrets.token_hex(16),
            oauth_client=client.client_id,
            organization=client.organization,
            account=who.account,
            context="patient" if who.kind == "person" else "user",
            person=person,
            patient=patient,
            scope=scope,
            purpose=purpose_of(client),
            role=who.role,
            fhir_user=fhir_user_of(who.kind, who.practitioner, who.patient),
            task=question.launch.task if question.launch is not None else "",
            very_restricted=client.very_restricted or who.kind == "person",
            auth_us=proven_at(who),
            acr=assurance(self._server.addresses, who.methods),
            amr=" ".join(who.methods),
            lasting=lasting,
            jkt=question.ticket.request.dpop_jkt,
            created_us=at_us,
            used_us=0,
            ends_us=ends_us,
            revoked=False,
        )


def proven_at(who: SignedIn) -> int:
    """Gives when somebody last proved who she is: when she signed in, or confirmed it since."""
    return max(who.signed_in_us, who.confirmed_us)


def purpose_of(client: OAuthClientRow) -> str:
    """Gives the one purpose of software that people sign in with; empty where it has none."""
    return client.purposes[0] if len(client.purposes) == 1 else ""


def sent_back(refusal: SentBack, issuer: str) -> str:
    """Gives the address to send the browser to where a request is refused."""
    return sent_to(
        refusal.redirect_uri,
        error=refusal.error,
        error_description=refusal.text,
        state=refusal.state,
        iss=issuer,
    )


def sent_to(redirect_uri: str, **values: str) -> str:
    """Gives a registered address with values added to its query; empty values are left out.

    >>> sent_to("https://app.example/back?a=1", code="x y", state="")
    'https://app.example/back?a=1&code=x%20y'
    """
    mark = "&" if urlsplit(redirect_uri).query else "?"
    pairs = "&".join(f"{name}={quote(value, safe='')}" for name, value in values.items() if value)
    return f"{redirect_uri}{mark}{pairs}"
