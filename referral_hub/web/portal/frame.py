"""What every page of the portal stands in: who sits there, what may be shown to her, and how a refusal looks.

What lives here: ``Portal``, which gives a route its seat, keeps a form whose session ended, and makes pages with the
way around. What does not: the pages themselves.

Source: ``architecture.md`` 4; OWASP ASVS 5.0, V3 and V7; WCAG 2.2, 2.2.5 (re-authenticating) and 3.3.7.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import wraps
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, request

from referral_hub import errors
from referral_hub.auth.people.browser_sessions import SignedIn, cookie_digest
from referral_hub.auth.people.portal_tokens import PortalTokens, Seat
from referral_hub.casework.consent_templates import template_of
from referral_hub.exchange.accounts import PERSON, STAFF
from referral_hub.exchange.hub import Hub
from referral_hub.fhir.outcome import Issue
from referral_hub.web.browsers import Browsers
from referral_hub.web.error_handlers import http_status_of, issues_of
from referral_hub.web.lane import Lane
from referral_hub.web.pages import Pages, local_address
from referral_hub.web.portal.kept_forms import KEPT_FIELD, Kept, KeptForms
from referral_hub.web.portal.moments import Moments

PURPOSE_COOKIE = "hub-purpose"

WORKING = ("caseworker", "supervisor", "clinician", "lawyer", "intake")
"""Roles that work with persons."""
COUNTING = ("coordinator", "evaluator")
"""Roles that see counts, never persons."""

View = Callable[..., Response]


@dataclass(frozen=True, slots=True)
class Way:
    """One entry of the way around: its address, the key of its words, and the roles that have it."""

    address: str
    text_key: str
    roles: tuple[str, ...]


WAYS = (
    Way("/", "way.home", WORKING),
    Way("/inbox", "way.inbox", WORKING),
    Way("/referrals", "way.referrals", WORKING),
    Way("/people", "way.people", WORKING),
    Way("/refer", "way.refer", WORKING),
    Way("/admin", "way.admin", ("coordinator", "supervisor")),
    Way("/account", "way.account", WORKING + COUNTING),
)
HER_WAYS = (Way("/my", "way.my", ()), Way("/account", "way.account", ()))


class Portal:
    """Gives routes their seat and pages their frame. One per worker; safe for threads.

    Args:
        pages: makes pages and checks forms.
        browsers: reads cookies.
        hub: store, gate and clock: what every interaction takes first.
        tokens: gives the token a session acts through.
        lane: the lane of the worker.
        kept: keeps a form whose session ended while it was written.
        zone: the time zone people read.
    """

    def __init__(
        self,
        pages: Pages,
        browsers: Browsers,
        hub: Hub,
        tokens: PortalTokens,
        lane: Lane,
        kept: KeptForms,
        zone: tzinfo = UTC,
    ) -> None:
        self.pages = pages
        self.browsers = browsers
        self.hub = hub
        self.lane = lane
        self._tokens = tokens
        self._kept = kept
        self._zone = zone

    # --- who sits there ----------------------------------------------------------------------------------------

    def seat(self) -> Seat | None:
        """Gives the seat of this request; None where nobody signed in wholly."""
        signed = self.browsers.signed_in()
        session = cookie_digest(self.browsers.cookie)
        if signed is None or session is None:
            return None
        wanted = request.cookies.get(PURPOSE_COOKIE, "")
        return self._tokens.seat(signed, session, wanted, self.hub.clock())

    def staff(self, *roles: str) -> Callable[[View], View]:
        """Gives the decorator of a route for staff in one of these roles; ``view(seat, **values)``.

        Nobody signed in: to the sign-in page, and back; a form that was sent is kept sealed meanwhile. Another role,
        or the person: the page of what is not there. A refusal of the hub: the page of an error, in one calm sentence.
        """
        return lambda view: self._guarded(view, STAFF, roles or WORKING)

    def herself(self, view: View) -> View:
        """Gives the route of a page of the person's own; ``view(seat, **values)``."""
        return self._guarded(view, PERSON, ("",))

    def anybody(self, view: View) -> View:
        """Gives the route of a page for whoever signed in; ``view(seat, **values)``."""
        return self._guarded(view, "", ())

    def _guarded(self, view: View, kind: str, roles: tuple[str, ...]) -> View:
        @wraps(view)
        def inside(**values: str) -> Response:
            with self.lane.held():
                seat = self.seat()
                if seat is None:
                    return self._signed_out()
                signed = seat.signed
                if kind and (signed.kind != kind or signed.role not in roles):
                    return self.refused("error.absent", 404)
                try:
                    return view(seat, **values)
                except errors.HubError as refused:
                    return self.error(refused)

        return inside

    def _signed_out(self) -> Response:
        """Leads to the sign-in page. What was typed is not lost: it waits sealed for the same account."""
        if request.method == "POST":
            return self._kept.keep(self.pages, self.browsers, self.hub.clock())
        return self.browsers.to_sign_in()

    def kept(self, sealed: str, seat: Seat) -> Kept | None:
        """Gives a form that waited for this account; None where there is none."""
        return self._kept.opened(sealed, seat.signed, self.hub.clock())

    def confirm(self, seat: Seat, back: str) -> Response | None:
        """Gives the answer that asks for a proof of identity before a dangerous act; None where it was just given.

        Args:
            seat: who sits there.
            back: the page to come back to.
        """
        if seat.signed.is_confirmed(self.hub.clock()):
            return None
        return self.browsers.to(f"/sign-in?confirm=1&next={quote(back, safe='')}")

    # --- pages -------------------------------------------------------------------------------------------------

    def page(self, seat: Seat | None, template: str, http_status: int = 200, **values: Any) -> Response:
        """Gives a page in the frame of the portal.

        Beside ``values`` the template has ``seat``, ``ways`` (the way around), ``moment`` (dates and times as people
        say them: ``moment.day(us_or_text)``, ``moment.time(...)``, ``moment.since(...)``) and ``owner()`` (a hidden
        field that lets a form survive the end of its session; put it into every long form).

        Args:
            seat: who sits there; None on a page for strangers.
            template: the file below ``web/templates``.
            http_status: the status of the answer.
            values: what the template shows; never a sentence.
        """
        signed = seat.signed if seat is not None else None
        ways = _ways_of(signed)
        here = max((way.address for way in ways if _is_below(request.path, way.address)), key=len, default="")
        now_us = self.hub.clock()
        return self.pages.page(
            template,
            http_status,
            frame_class="portal",
            seat=seat,
            purposes=[(code, template_of(code).text_key) for code in (seat.purposes if seat else ())],
            ways=ways,
            way_here=here,
            moment=Moments(self.pages.language(), self._zone, now_us),
            owner=self._kept.owner_field(signed),
            **values,
        )

    def refused(self, sentence: str, http_status: int, seat: Seat | None = None) -> Response:
        """Gives the page that says in one sentence what did not work."""
        return self._refusal(sentence, http_status, seat, ())

    def error(self, refused: errors.HubError, seat: Seat | None = None) -> Response:
        """Gives the page of a refusal of the hub; absent and refused are the same page."""
        http_status = http_status_of(refused)
        told = issues_of(refused) if http_status in (400, 409, 412, 422) else ()
        return self._refusal(_SENTENCES.get(http_status, "error.fault"), http_status, seat, told)

    def _refusal(
        self, sentence: str, http_status: int, seat: Seat | None, issues: tuple[Issue, ...]
    ) -> Response:
        signed = self.browsers.signed_in()
        if signed is not None and signed.kind == PERSON:
            return self.pages.refused(
                sentence, http_status
            )  # no product, no word of staff: others may look on
        return self.page(seat, "portal/refused.html", http_status, sentence=sentence, issues=issues)

    def form(self, largest: int = 0) -> dict[str, str]:
        """Gives the form that was sent (see :meth:`Pages.form`); ``largest``: bytes, where more than usual is taken."""
        return self.pages.form(largest) if largest else self.pages.form()

    def to(self, address: str) -> Response:
        """Gives the answer after a form was taken: on to another page (303), so that a reload sends nothing twice."""
        return self.browsers.to(address)

    @contextmanager
    def telling(self, problems: dict[str, str]) -> Iterator[None]:
        """Catches what the hub finds wrong with a form, as sentences by FHIR path, for the fields to show.

        Example::

            problems: dict[str, str] = {}
            with portal.telling(problems):
                write(...)
            if problems:
                return portal.page(seat, "...", 422, problems=problems)
        """
        try:
            yield
        except errors.HubError as refused:
            if http_status_of(refused) not in (400, 409, 412, 422):
                raise
            for issue in issues_of(refused):
                problems.setdefault(issue.expression or "", issue.text)

    @property
    def now(self) -> datetime:
        """Gives now in the time zone people read."""
        return datetime.fromtimestamp(self.hub.clock() / 1e6, tz=self._zone)


_SENTENCES: Mapping[int, str] = {
    **dict.fromkeys((404, 405, 410), "error.absent"),
    **dict.fromkeys((401, 403), "error.refused"),
    **dict.fromkeys((429, 503), "error.busy"),
    409: "error.changed",
    412: "error.changed",
    **dict.fromkeys((400, 413, 422), "error.form"),
}


def frame_blueprint(portal: Portal) -> Blueprint:
    """Gives the routes every page of the portal leans on: the choice of purpose, and a form that waited."""
    blueprint = Blueprint("portal_frame", __name__)
    pages = portal.pages

    @blueprint.post("/purpose")
    @portal.staff()
    def purpose(seat: Seat) -> Response:
        form = pages.form()
        response = portal.to(local_address(form.get("back", "")))
        wanted = form.get("purpose", "")
        if wanted in seat.purposes:
            response.set_cookie(
                PURPOSE_COOKIE, wanted, secure=pages.secure, httponly=True, samesite="Lax", path="/"
            )
        return response

    @blueprint.post("/kept")
    @portal.anybody
    def kept(seat: Seat) -> Response:
        found = portal.kept(pages.form().get(KEPT_FIELD, ""), seat)
        return portal.to("/") if found is None else portal.page(seat, "portal/kept.html", found=found)

    return blueprint


def _ways_of(signed: SignedIn | None) -> tuple[Way, ...]:
    if signed is None:
        return ()
    if signed.kind == PERSON:
        return HER_WAYS
    return tuple(way for way in WAYS if signed.role in way.roles)


def _is_below(path: str, address: str) -> bool:
    return path == address or (address != "/" and path.startswith(f"{address}/"))
