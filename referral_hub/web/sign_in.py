"""The pages of signing in and out, for staff: password, second factor, passkey, a provider outside.

What lives here: routes, and which page follows which. What does not: every rule (``auth.people``), the pages of the
person (``web.her_pages``), the account (``web.account``).

Source: ``practice.md`` 17 (passkey on the shelter's computer, or printed codes).
"""

import json

from flask import Blueprint, Response, request

from referral_hub.auth.people.people import OUTSIDE_ADDRESS, People
from referral_hub.auth.people.refusals import Refused
from referral_hub.auth.people.standing import SECOND_STEP, WHOLE
from referral_hub.errors import GuardFailed
from referral_hub.exchange.ports import Clock
from referral_hub.web.browsers import Browsers, onward_address
from referral_hub.web.pages import Pages

ADDRESSES = frozenset(
    {
        "/sign-in",
        "/sign-in/second",
        "/sign-in/confirm",
        "/sign-in/passkey",
        "/sign-in/passkey/options",
        "/sign-in/outside",
        OUTSIDE_ADDRESS,
        "/sign-out",
    }
)
"""Addresses that answer a stranger, and hold nothing of a person."""


def sign_in_blueprint(people: People, pages: Pages, browsers: Browsers, clock: Clock) -> Blueprint:  # noqa: C901 - routes
    """Gives the routes.

    Args:
        people: the rules.
        pages: makes pages and checks forms.
        browsers: reads and writes cookies.
        clock: the process clock, microseconds since 1970 UTC.
    """
    blueprint = Blueprint("sign_in", __name__)

    def page(onward: str, wrong: Refused | None = None, login: str = "") -> Response:
        providers = people.rows.providers()
        return told(
            pages.page(
                "people/sign_in.html",
                status_of(wrong),
                form_targets=[provider.origin for provider in providers],
                onward=onward,
                wrong=wrong,
                login=login,
                passkeys=people.passkeys.offered,
                providers=providers,
            ),
            wrong,
        )

    def second_page(onward: str, wrong: Refused | None = None) -> Response:
        return told(
            pages.page(
                "people/second.html",
                status_of(wrong),
                onward=onward,
                wrong=wrong,
                passkeys=people.passkeys.offered,
            ),
            wrong,
        )

    def confirm_page(onward: str, wrong: Refused | None = None) -> Response:
        return told(
            pages.page(
                "people/confirm.html",
                status_of(wrong),
                onward=onward,
                wrong=wrong,
                passkeys=people.passkeys.offered,
            ),
            wrong,
        )

    @blueprint.get("/sign-in")
    def sign_in() -> Response:
        wanted = onward_address(request.args.get("next", ""))
        seen = browsers.seen()
        if seen is None:
            return page(wanted)
        step = browsers.step(seen)
        if step == WHOLE and request.args.get("confirm"):
            return confirm_page(wanted)
        return browsers.onward(step, wanted)

    @blueprint.post("/sign-in")
    def signed() -> Response:
        form = pages.form()
        wanted = onward_address(form.get("next", ""))
        login = form.get("login", "")
        try:
            opened = people.signing_in.with_password(
                login, form.get("password", ""), browsers.here(), clock()
            )
        except Refused as wrong:
            return page(wanted, wrong, login)
        except GuardFailed:
            return page(wanted, Refused("sign-in.wrong"), login)
        return browsers.begun(opened, browsers.onward(opened.step, wanted))

    @blueprint.get("/sign-in/second")
    def second() -> Response:
        wanted = onward_address(request.args.get("next", ""))
        seen = browsers.seen()
        if seen is None:
            return browsers.to("/sign-in")
        step = browsers.step(seen)
        return second_page(wanted) if step == SECOND_STEP else browsers.onward(step, wanted)

    @blueprint.post("/sign-in/second")
    def second_given() -> Response:
        form = pages.form()
        wanted = onward_address(form.get("next", ""))
        seen = browsers.seen()
        if seen is None:
            return browsers.to("/sign-in")
        if browsers.step(seen) != SECOND_STEP:
            return browsers.onward(browsers.step(seen), wanted)
        digits, code = form.get("digits", ""), form.get("code", "")
        try:
            if code.strip():
                opened = people.signing_in.with_recovery(seen, code, browsers.here(), clock())
            else:
                opened = people.signing_in.with_digits(seen, digits, browsers.here(), clock())
        except Refused as wrong:
            return second_page(wanted, wrong)
        return browsers.begun(opened, browsers.onward(opened.step, wanted))

    @blueprint.post("/sign-in/confirm")
    def confirmed() -> Response:
        form = pages.form()
        wanted = onward_address(form.get("next", ""))
        seen = browsers.seen()
        if seen is None or browsers.step(seen) == SECOND_STEP:
            return browsers.to("/sign-in")
        try:
            people.signing_in.confirm(seen, form.get("password", ""), browsers.here(), clock())
        except Refused as wrong:
            return confirm_page(wanted, wrong)
        return browsers.to(wanted)

    @blueprint.post("/sign-in/passkey/options")
    def passkey_options() -> Response:
        pages.form()
        if not people.passkeys.offered:
            return pages.refused("error.absent", 404)
        return sent(people.passkeys.assertion(clock()))

    @blueprint.post("/sign-in/passkey")
    def passkey() -> Response:
        form = pages.form()
        wanted = onward_address(form.get("next", ""))
        seen = browsers.seen()
        try:
            opened = people.signing_in.with_passkey(
                people.passkeys,
                form.get("ticket", ""),
                object_of(form.get("response", "")),
                browsers.here(),
                clock(),
                seen,
            )
        except Refused as wrong:
            return page(wanted, wrong)
        return browsers.begun(opened, browsers.onward(opened.step, wanted))

    @blueprint.post("/sign-in/outside")
    def outside() -> Response:
        form = pages.form()
        wanted = onward_address(form.get("next", ""))
        try:
            there = people.outside.begin(form.get("provider", ""), clock(), onward=wanted)
        except Refused as wrong:
            return page(wanted, wrong)
        return browsers.away(there.ticket, browsers.to(there.address))

    @blueprint.get(OUTSIDE_ADDRESS)
    def back() -> Response:
        seen = browsers.seen()
        try:
            opened, wanted = people.outside.finish(
                browsers.outside, request.args.to_dict(), browsers.here(), clock(), seen=seen
            )
        except Refused as wrong:
            return browsers.away("", page("", wrong))
        if opened is None:
            return browsers.away("", browsers.to(onward_address(wanted)))
        return browsers.away("", browsers.begun(opened, browsers.onward(opened.step, wanted)))

    @blueprint.post("/sign-out")
    def out() -> Response:
        pages.form()
        people.signing_in.sign_out(browsers.cookie, clock())
        return browsers.ended(browsers.to("/sign-in"))

    return blueprint


def told(response: Response, wrong: Refused | None) -> Response:
    """Gives an answer that says when to try again, where it is too early."""
    if wrong is not None and wrong.wait_s:
        response.headers["Retry-After"] = str(wrong.wait_s)
    return response


def sent(values: dict[str, object]) -> Response:
    """Gives an answer for the script of a page."""
    response = Response(json.dumps(values), mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def status_of(wrong: Refused | None) -> int:
    """Gives the HTTP status of a page that says what did not work."""
    if wrong is None:
        return 200
    return 429 if wrong.wait_s else 403


def object_of(text: str) -> dict[str, object]:
    """Gives the JSON object in a form field; an empty one for anything else."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {}
