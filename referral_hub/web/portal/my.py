"""Her own pages: few big things, her permissions and how to stop them, who received what, her copy, and the way out.

What lives here: routes below ``/my``, and the page a way out leads to. What does not: what she is shown
(``casework.her_view``), what stopping does (``exchange``), signing in with her code (``web.her_pages``).

Every page of hers begins with a button that leaves at once: it ends the session and shows a page about nothing. It
works without a script; with one the page is replaced, so that going back does not show it. A browser that left is, for
a while, shown that same page at every address of hers. Nothing here promises that nobody watches.

Source: ``practice.md`` 10 and 15; ``consent.md`` F (field safety); WCAG 2.2.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import wraps
from typing import Any

from flask import Blueprint, Response, request

from referral_hub import errors
from referral_hub.auth.people.portal_tokens import Seat
from referral_hub.casework.her_view import (
    Permission,
    category_of,
    disclosed_of,
    permissions_of,
    promises_of,
)
from referral_hub.exchange.corrections import CATEGORY
from referral_hub.exchange.disclosing import disclosures
from referral_hub.exchange.everything import everything
from referral_hub.exchange.interactions import by_token, write
from referral_hub.exchange.operations import Revocation, revoke
from referral_hub.exchange.proposal import Proposal
from referral_hub.exchange.reading import read
from referral_hub.exchange.search import search
from referral_hub.exchange.withdrawing import Wish, withdraw
from referral_hub.fhir import json_codec
from referral_hub.fhir.canonical import code_system
from referral_hub.fhir.dates import instant
from referral_hub.fhir.elements import codings, reference_text
from referral_hub.fhir.ids import is_id
from referral_hub.texts.catalogs import DEFAULT, catalog
from referral_hub.web.answers import collection
from referral_hub.web.copies import copy_for
from referral_hub.web.error_handlers import http_status_of
from referral_hub.web.papers import paper_response
from referral_hub.web.portal.frame import Portal, View

AWAY = "/notes"
"""The page about nothing that a way out leads to."""
AWAY_COOKIE = "hub-away"
ADDRESSES = frozenset({AWAY, "/my/leave"})
"""Addresses that answer a stranger, and hold nothing of a person."""

LONGEST_WISH = 2000
"""Letters of a request to correct something."""
_AWAY_S = 30 * 60
_REST_S = 10 * 60
"""After so long without a touch the page goes away by itself, as her session does."""
_PAGES_MOST = 400
_LIVE = "requested,accepted,in-progress,on-hold"


def my_blueprint(portal: Portal, sign_out: Callable[[str | None, int], None]) -> Blueprint:  # noqa: C901 - routes
    """Gives the routes.

    Args:
        portal: the frame.
        sign_out: ends the session of a cookie.
    """
    blueprint = Blueprint("my", __name__)
    pages, browsers, hub = portal.pages, portal.browsers, portal.hub

    def hers(view: View) -> View:
        """Gives the route of a page of hers; refusals keep the way out in sight, and strangers see no portal."""

        def calm(seat: Seat, **values: str) -> Response:
            try:
                return view(seat, **values)
            except errors.HubError as refused:
                http_status = http_status_of(refused)
                key = "my.absent" if http_status in (401, 403, 404, 410) else "my.not-now"
                return page(seat, "refused", http_status, sentence=key)

        guarded = portal.herself(calm)

        @wraps(view)
        def inside(**values: str) -> Response:
            if request.method == "GET" and browsers.signed_in() is None:
                left = request.cookies.get(AWAY_COOKIE) is not None
                return browsers.to(AWAY if left else "/sign-in/code?next=/my")
            return guarded(**values)

        return inside

    def page(seat: Seat, name: str, http_status: int = 200, **values: Any) -> Response:
        response = portal.page(seat, f"portal/my/{name}.html", http_status, minutes=_REST_S // 60, **values)
        response.headers["Refresh"] = f"{_REST_S}; url={AWAY}"
        return response

    # --- what she is shown -------------------------------------------------------------------------------------

    def found(seat: Seat, type_name: str, *pairs: tuple[str, str]) -> list[dict[str, Any]]:
        asked = [("patient", f"Patient/{seat.signed.patient}"), *pairs, ("_count", "100")]
        page_of = search(hub, seat.token, type_name, asked)
        return [json_codec.decode_own(one.body) for one in page_of.matches]

    def names(seat: Seat, ids: Iterable[str]) -> dict[str, str]:
        wanted = sorted({one for one in ids if one})
        told: dict[str, str] = {}
        for start in range(0, len(wanted), 50):
            asked = [("_id", ",".join(wanted[start : start + 50])), ("_count", "50")]
            for one in search(hub, seat.token, "Organization", asked).matches:
                body = json_codec.decode_own(one.body)
                told[one.id] = str(body.get("name", ""))
        return told

    def permissions(seat: Seat) -> tuple[Permission, ...]:
        return permissions_of(found(seat, "Consent", ("status", "active")))

    def permission(seat: Seat, consent: str) -> tuple[Permission, tuple[Permission, ...]]:
        """Gives one of her permissions and the others; anybody else's is not there."""
        running = permissions(seat)
        mine = next((one for one in running if one.id == consent), None)
        if mine is None:
            raise errors.NotFound
        return mine, tuple(one for one in running if one.id != consent)

    @blueprint.get("/my")
    @hers
    def first(seat: Seat) -> Response:
        return page(seat, "first", running=len(permissions(seat)))

    @blueprint.get("/my/permissions")
    @hers
    def allowed(seat: Seat) -> Response:
        running = permissions(seat)
        named = names(seat, (one for held in running for one in held.recipients))
        return page(
            seat, "permissions", running=running, names=named, words=_word, stopped=bool(request.args)
        )

    @blueprint.get("/my/permissions/<consent>/stop")
    @hers
    def stop_asked(seat: Seat, consent: str) -> Response:
        mine, others = permission(seat, consent)
        still = [one for one in others if set(one.recipients) & set(mine.recipients)]
        named = names(seat, mine.recipients)
        return page(seat, "stop", mine=mine, still=len(still), names=named, words=_word)

    @blueprint.post("/my/permissions/<consent>/stop")
    @hers
    def stop(seat: Seat, consent: str) -> Response:
        pages.form()
        if not is_id(consent):
            raise errors.NotFound
        with suppress(errors.Conflict):  # it ran no more: what she wants is so
            revoke(hub, seat.token, consent, Revocation())
        return portal.to("/my/permissions?stopped=1")

    @blueprint.get("/my/stop")
    @hers
    def stop_all_asked(seat: Seat) -> Response:
        running = permissions(seat)
        named = names(seat, (one for held in running for one in held.recipients))
        return page(seat, "stop_all", running=running, names=named)

    @blueprint.post("/my/stop")
    @hers
    def stop_all(seat: Seat) -> Response:
        pages.form()
        withdraw(hub, seat.token, seat.signed.patient, Wish())
        return portal.to("/my/permissions?stopped=1")

    @blueprint.get("/my/who")
    @hers
    def who(seat: Seat) -> Response:
        told = disclosed_of(disclosures(hub, seat.token, seat.signed.patient))
        ids = [one.organization for one in told.receivers]
        ids += [one.organization for one in (*told.openings, *told.orders, *told.taken_out)]
        return page(seat, "who", told=told, names=names(seat, ids))

    @blueprint.get("/my/promises")
    @hers
    def promises(seat: Seat) -> Response:
        tasks = found(seat, "Task", ("status", _LIVE))
        wanted = [reference_text(task.get("focus")).partition("/")[2] for task in tasks]
        requests = {}
        for body in found(seat, "ServiceRequest", ("_id", ",".join(wanted))) if wanted else ():
            requests[f"ServiceRequest/{body['id']}"] = category_of(body)
        promised = promises_of(tasks, requests)
        named = names(seat, (one.organization for one in promised))
        return page(seat, "promises", promised=promised, names=named, words=_word)

    # --- what she asks for -------------------------------------------------------------------------------------

    @blueprint.get("/my/correct")
    @hers
    def correct_asked(seat: Seat) -> Response:
        asked = found(seat, "Communication", ("category", f"{_COMMUNICATION}|{CATEGORY}"))
        return page(seat, "correct", asked=asked, sent=bool(request.args), problem="", wish="")

    @blueprint.post("/my/correct")
    @hers
    def correct(seat: Seat) -> Response:
        wish = pages.form().get("wish", "").strip()
        problem = "my.correct.empty" if not wish else "my.correct.long" if len(wish) > LONGEST_WISH else ""
        if problem:
            return page(seat, "correct", 422, asked=(), sent=False, problem=problem, wish=wish)
        write(
            hub, by_token(hub, seat.token), Proposal("create", "Communication", body=_correction(seat, wish))
        )
        return portal.to("/my/correct?sent=1")

    def _correction(seat: Seat, wish: str) -> dict[str, Any]:
        her = {"reference": f"Patient/{seat.signed.patient}"}
        return {
            "resourceType": "Communication",
            "status": "completed",
            "category": [{"coding": [{"system": _COMMUNICATION, "code": CATEGORY}]}],
            "subject": her,
            "sender": her,
            "recipient": [{"reference": f"Organization/{seat.signed.organization}"}],
            "sent": instant(hub.clock()),
            "payload": [{"contentString": " ".join(wish.split("\x00"))}],
        }

    @blueprint.get("/my/copy")
    @hers
    def copies(seat: Seat) -> Response:
        return page(seat, "copy")

    @blueprint.post("/my/copy/paper")
    @hers
    def copy_paper(seat: Seat) -> Response:
        pages.form()
        made = copy_for(hub, seat.token, seat.signed.patient, pages.language(), portal.lane.away)
        return paper_response(made, download=True)

    @blueprint.post("/my/copy/file")
    @hers
    def copy_file(seat: Seat) -> Response:
        pages.form()
        entries: list[tuple[str, bytes]] = []
        pairs: list[tuple[str, str]] = []
        for _ in range(_PAGES_MOST):
            part = everything(hub, seat.token, seat.signed.patient, pairs)
            entries += [(f"{one.type}/{one.id}", one.body) for one in part.found]
            if not part.next:
                break
            pairs = [("_cursor", part.next)]
        return _file(collection(entries, hub.base), "application/fhir+json", "notes.json")

    @blueprint.get("/my/languages")
    @hers
    def languages(seat: Seat) -> Response:
        body = json_codec.decode_own(read(hub, seat.token, "Patient", seat.signed.patient).released.body)
        spoken = [
            code
            for one in body.get("communication") or ()
            for _, code in codings(one.get("language") if isinstance(one, dict) else None)
        ]
        return page(seat, "languages", spoken=[_language(code, pages.language()) for code in spoken])

    # --- the way out -------------------------------------------------------------------------------------------

    @blueprint.post("/my/leave")
    def leave() -> Response:
        # No token is asked: leaving must never fail, and from elsewhere no cookie comes with a form (SameSite).
        with portal.lane.held():
            sign_out(browsers.cookie, hub.clock())
        response = browsers.ended(browsers.to(AWAY))
        response.set_cookie(
            AWAY_COOKIE, "1", max_age=_AWAY_S, secure=pages.secure, httponly=True, samesite="Lax", path="/"
        )
        return response

    @blueprint.get(AWAY)
    def away() -> Response:
        return pages.page("portal/my/notes.html")

    return blueprint


_COMMUNICATION = code_system("communication-category")


def _file(content: bytes, kind: str, name: str) -> Response:
    """Gives a file under a name that says nothing."""
    response = Response(content, mimetype=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Referrer-Policy"] = "same-origin"
    return response


def _word(kind: str, code: str) -> str:
    """Gives the key of a code's words: ``category`` or ``purpose``; where there are none, those of something else."""
    key = f"paper.{kind}.{code.lower()}"
    return key if key in catalog(DEFAULT).sentences else "my.something"


def _language(code: str, reader: str) -> str:
    from babel import Locale, UnknownLocaleError

    try:
        return Locale.parse(code, sep="-").get_display_name(reader) or code
    except (UnknownLocaleError, ValueError):
        return code
