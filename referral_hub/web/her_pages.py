"""The pages of the person: stop sharing with a code alone, signing in with code and secret; and handing a code over.

What lives here: routes, and that the code page says and takes the same for every code. What does not: every rule
(``auth.people.herself``), what stops (``exchange.withdrawing``), who may hand over a code (the gate, through
``app``).

Source: ``practice.md`` 9 and 10 (one button, one answer for every code).
"""

import threading
import time
from collections.abc import Callable

from flask import Blueprint, Response, request

from referral_hub.auth.people.browser_sessions import SignedIn
from referral_hub.auth.people.herself import Withdraw
from referral_hub.auth.people.people import People
from referral_hub.auth.people.refusals import Refused
from referral_hub.errors import ConfigurationError, GuardFailed
from referral_hub.exchange.ports import Clock
from referral_hub.web.browsers import Browsers, onward_address
from referral_hub.web.pages import Pages
from referral_hub.web.sign_in import status_of, told

ADDRESSES = frozenset({"/code", "/sign-in/code", "/sign-in/code/choose"})
"""Addresses that answer a stranger, and hold nothing of a person."""

ANSWER_S = 1.0
"""Every code is answered a whole number of these seconds after it was sent."""

CODES_AT_ONCE = 8
"""Codes that one worker has in hand at the same time: waiting for the second to pass must not hold up the hub."""

ACTS = ("code", "set-up", "close", "contact-lost")
"""What a worker can do with her account."""

MayHand = Callable[[SignedIn, str, int], int | None]
"""Gives the row id of a person's record (by its public id) if this member of staff may hand a code over to her."""


SayLost = Callable[[SignedIn, str, int], None]
"""Writes into a person's file, in the name of her worker, that contact with her is lost."""


def her_blueprint(  # noqa: C901 - routes
    people: People,
    pages: Pages,
    browsers: Browsers,
    clock: Clock,
    withdraw: Withdraw,
    may_hand: MayHand,
    say_lost: SayLost,
    answer_s: float = ANSWER_S,
) -> Blueprint:
    """Gives the routes.

    Args:
        people: the rules.
        pages: makes pages and checks forms.
        browsers: reads and writes cookies.
        clock: the process clock, microseconds since 1970 UTC.
        withdraw: stops all sharing about a person.
        may_hand: tells who may hand over a code to whom.
        say_lost: writes that contact with a person is lost.
        answer_s: seconds after which a code is answered.
    """
    blueprint = Blueprint("her_pages", __name__)

    @blueprint.get("/code")
    def code() -> Response:
        return pages.page("people/code.html", done=False)

    places = threading.BoundedSemaphore(CODES_AT_ONCE)

    @blueprint.post("/code")
    def code_given() -> Response:
        begun = time.monotonic()
        form = pages.form()
        if not places.acquire(blocking=False):
            return pages.refused("error.busy", 503)
        try:
            people.herself.withdraw(form.get("code", ""), withdraw)
            response = pages.page("people/code.html", done=True)
            # The work for a code that is known takes longer. Nobody can tell from the time.
            spent = time.monotonic() - begun
            time.sleep(answer_s * (spent // answer_s + 1) - spent)
        finally:
            places.release()
        return response

    # --- signing in --------------------------------------------------------------------------------------------

    def sign_in_page(onward: str, *, choose: bool, wrong: Refused | None = None) -> Response:
        return told(
            pages.page(
                "people/her_sign_in.html", status_of(wrong), onward=onward, choose=choose, wrong=wrong
            ),
            wrong,
        )

    @blueprint.get("/sign-in/code")
    def sign_in() -> Response:
        return sign_in_page(onward_address(request.args.get("next", "")), choose=False)

    @blueprint.post("/sign-in/code")
    def signed() -> Response:
        form = pages.form()
        wanted = onward_address(form.get("next", ""))
        try:
            opened = people.signing_in.with_code(
                form.get("code", ""), form.get("secret", ""), browsers.here(), clock()
            )
        except Refused as wrong:
            return sign_in_page(wanted, choose=False, wrong=wrong)
        except GuardFailed:
            return sign_in_page(wanted, choose=False, wrong=Refused("sign-in.wrong"))
        return browsers.begun(opened, browsers.onward(opened.step, wanted))

    @blueprint.get("/sign-in/code/choose")
    def choose() -> Response:
        return sign_in_page(onward_address(request.args.get("next", "")), choose=True)

    @blueprint.post("/sign-in/code/choose")
    def chosen() -> Response:
        form = pages.form()
        secret, wanted = form.get("secret", ""), onward_address(form.get("next", ""))
        try:
            if secret != form.get("again", ""):
                raise Refused("password.differ")
            opened = people.herself.choose_secret(form.get("code", ""), secret, browsers.here(), clock())
        except Refused as wrong:
            return sign_in_page(wanted, choose=True, wrong=wrong)
        return browsers.begun(opened, browsers.onward(opened.step, wanted))

    # --- what her worker does ----------------------------------------------------------------------------------

    def worker(patient: str) -> tuple[SignedIn, int] | Response:
        signed = browsers.signed_in()
        if signed is None:
            return browsers.to_sign_in()
        person = may_hand(signed, patient, clock()) if patient else None
        if person is None:
            return pages.refused("error.absent", 404)
        if not signed.is_confirmed(clock()):
            return browsers.to(f"/sign-in?confirm=1&next=/her-code%3Fpatient%3D{patient}")
        return signed, person

    def worker_page(patient: str, person: int, *, code: str = "", problem: str = "") -> Response:
        return pages.page(
            "people/her_code.html",
            409 if problem else 200,
            patient=patient,
            standing_key=f"her-code.standing-{people.herself.standing(person, clock())}",
            acts=[(act, f"her-code.hint-{act}", f"her-code.do-{act}") for act in ACTS],
            code=code,
            problem=problem,
        )

    @blueprint.get("/her-code")
    def her_code() -> Response:
        patient = request.args.get("patient", "")
        allowed = worker(patient)
        if isinstance(allowed, Response):
            return allowed
        return worker_page(patient, allowed[1])

    @blueprint.post("/her-code")
    def her_code_given() -> Response:
        form = pages.form()
        patient, act = form.get("patient", ""), form.get("act", "")
        allowed = worker(patient)
        if isinstance(allowed, Response):
            return allowed
        signed, person = allowed
        made, problem = "", ""
        try:
            if act == "code":
                made = people.herself.hand_code(person, patient, signed.organization, signed.account, clock())
            elif act == "contact-lost":
                say_lost(signed, patient, clock())
                if people.herself.standing(person, clock()) != "none":
                    people.herself.contact_lost(person, signed.account, clock())
            elif act in ("set-up", "close"):
                acts = {
                    "set-up": people.herself.set_up,
                    "close": people.herself.close,
                }
                acts[act](person, signed.account, clock())
        except ConfigurationError:
            problem = "her-code.not-now"
        return worker_page(patient, person, code=made, problem=problem)

    return blueprint
