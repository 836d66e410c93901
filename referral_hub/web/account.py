"""The pages of one's own account: password, second factors, recovery codes, browsers, signing out everywhere.

What lives here: routes. What does not: every rule (``auth.people.own_account``), signing in (``web.sign_in``).

Nothing here shows anything about a person the hub is for.
"""

from collections.abc import Callable
from urllib.parse import quote

from flask import Blueprint, Response, request

from referral_hub.auth.people import totp
from referral_hub.auth.people.own_account import session_name
from referral_hub.auth.people.people import People
from referral_hub.auth.people.ports import SeenSession
from referral_hub.auth.people.refusals import Refused
from referral_hub.auth.people.standing import SECOND_STEP, role_standing
from referral_hub.exchange.accounts import RECOVERY, STAFF, TOTP
from referral_hub.exchange.ports import Clock
from referral_hub.fhir.dates import instant
from referral_hub.web.browsers import Browsers, onward_address
from referral_hub.web.pages import Pages
from referral_hub.web.sign_in import object_of, sent, status_of, told

Work = Callable[[SeenSession, dict[str, str]], Response]


def account_blueprint(people: People, pages: Pages, browsers: Browsers, clock: Clock) -> Blueprint:  # noqa: C901 - routes
    """Gives the routes.

    Args:
        people: the rules.
        pages: makes pages and checks forms.
        browsers: reads and writes cookies.
        clock: the process clock, microseconds since 1970 UTC.
    """
    blueprint = Blueprint("account", __name__)
    own = people.own

    def seen_here() -> SeenSession | None:
        """Gives the session, unless its second factor is still missing: then nothing of the account is shown."""
        seen = browsers.seen()
        return None if seen is None or browsers.step(seen) == SECOND_STEP else seen

    def posted(work: Work) -> Response:
        form = pages.form()
        seen = seen_here()
        if seen is None:
            return browsers.to("/sign-in")
        try:
            return work(seen, form)
        except Refused as wrong:
            if wrong.sentence == "account.confirm":
                back = quote(_page_of(request.path), safe="")
                return browsers.to(f"/sign-in?confirm=1&next={back}")
            return overview(seen, wrong)

    def overview(seen: SeenSession, wrong: Refused | None = None, codes: tuple[str, ...] = ()) -> Response:
        at_us, account = clock(), seen.account
        factors = own.factors(seen)
        identities = {identity.provider for identity in people.rows.identities_of(account.id)}
        providers = [
            provider
            for provider in people.rows.providers()
            if account.kind == STAFF and provider.organization == account.organization
        ]
        standing = role_standing(account, at_us) if account.kind == STAFF else None
        return told(
            pages.page(
                "people/account.html",
                status_of(wrong),
                form_targets=[provider.origin for provider in providers],
                wrong=wrong,
                codes=codes,
                staff=account.kind == STAFF,
                role_key=f"role.{account.role}",
                standing=standing,
                standing_key=f"standing.{standing.reason}" if standing else "",
                until=day(standing.until_us) if standing and standing.until_us else "",
                has_app=any(factor.kind == TOTP for factor in factors),
                factors=[
                    (factor.id, f"factor.{factor.kind}", factor.label, day(factor.created_us))
                    for factor in factors
                    if factor.kind != RECOVERY
                ],
                codes_left=sum(factor.kind == RECOVERY and not factor.used_us for factor in factors),
                sessions=[
                    (session_name(one.digest), minute(one.signed_in_us), one.digest == seen.session.digest)
                    for one in people.rows.sessions_of(account.id)
                ],
                devices=len(people.rows.devices_of(account.id)),
                passkeys=people.passkeys.offered,
                providers=[(one.id, one.name, one.id in identities) for one in providers],
            ),
            wrong,
        )

    @blueprint.get("/account")
    def account() -> Response:
        seen = seen_here()
        return browsers.to_sign_in() if seen is None else overview(seen)

    # --- password ----------------------------------------------------------------------------------------------

    def password_page(seen: SeenSession, onward: str, wrong: Refused | None = None) -> Response:
        return told(
            pages.page(
                "people/password.html",
                status_of(wrong),
                wrong=wrong,
                onward=onward,
                first=seen.account.one_time,
                staff=seen.account.kind == STAFF,
            ),
            wrong,
        )

    @blueprint.get("/account/password")
    def password() -> Response:
        seen = seen_here()
        if seen is None:
            return browsers.to_sign_in()
        return password_page(seen, onward_address(request.args.get("next", "")))

    @blueprint.post("/account/password")
    def password_given() -> Response:
        def work(seen: SeenSession, form: dict[str, str]) -> Response:
            wanted = onward_address(form.get("next", ""))
            new = form.get("new", "")
            try:
                if new != form.get("again", ""):
                    raise Refused("password.differ")
                opened = own.change_password(seen, form.get("old", ""), new, browsers.here(), clock())
            except Refused as wrong:
                if wrong.sentence == "account.confirm":
                    raise
                return password_page(seen, wanted, wrong)
            return browsers.begun(opened, browsers.onward(opened.step, wanted))

        return posted(work)

    # --- a second factor -------------------------------------------------------------------------------------

    def app_page(secret: bytes, ticket: str, onward: str, *, wrong: Refused | None = None) -> Response:
        return pages.page(
            "people/app.html",
            status_of(wrong),
            wrong=wrong,
            ticket=ticket,
            onward=onward,
            secret=totp.shown(secret),
            address=totp.app_address(secret, "account"),
            passkeys=people.passkeys.offered,
        )

    @blueprint.get("/account/second")
    def second() -> Response:
        seen = seen_here()
        if seen is None:
            return browsers.to_sign_in()
        try:
            secret, ticket = own.begin_app(seen, clock())
        except Refused as wrong:
            if wrong.sentence != "account.confirm":
                return overview(seen, wrong)
            return browsers.to(f"/sign-in?confirm=1&next={quote('/account/second', safe='')}")
        return app_page(secret, ticket, onward_address(request.args.get("next", "")))

    @blueprint.post("/account/second")
    def second_given() -> Response:
        def work(seen: SeenSession, form: dict[str, str]) -> Response:
            ticket, wanted = form.get("ticket", ""), onward_address(form.get("next", ""))
            try:
                opened, codes = own.add_app(seen, ticket, form.get("digits", ""), browsers.here(), clock())
            except Refused as wrong:
                if wrong.sentence != "second.wrong":
                    raise
                secret = own.remembered_secret(seen, ticket, clock())
                return app_page(secret, ticket, wanted, wrong=wrong)
            if codes:
                return browsers.begun(opened, codes_page(codes, wanted))
            return browsers.begun(opened, browsers.onward(opened.step, wanted))

        return posted(work)

    def codes_page(codes: tuple[str, ...], onward: str) -> Response:
        return pages.page("people/codes.html", codes=codes, onward=onward)

    @blueprint.post("/account/passkey/options")
    def passkey_options() -> Response:
        return posted(lambda seen, _: sent(own.begin_passkey(seen, clock())))

    @blueprint.post("/account/passkey")
    def passkey() -> Response:
        def work(seen: SeenSession, form: dict[str, str]) -> Response:
            wanted = onward_address(form.get("next", ""))
            opened, codes = own.add_passkey(
                seen,
                form.get("ticket", ""),
                object_of(form.get("response", "")),
                form.get("label", ""),
                browsers.here(),
                clock(),
            )
            if codes:
                return browsers.begun(opened, codes_page(codes, wanted))
            return browsers.begun(opened, browsers.onward(opened.step, wanted))

        return posted(work)

    @blueprint.post("/account/factor/drop")
    def drop() -> Response:
        def work(seen: SeenSession, form: dict[str, str]) -> Response:
            own.drop_factor(seen, form.get("factor", ""), clock())
            return browsers.to("/account")

        return posted(work)

    @blueprint.post("/account/codes")
    def codes() -> Response:
        return posted(lambda seen, _: codes_page(own.new_recovery_codes(seen, clock()), "/account"))

    # --- browsers, and providers outside -----------------------------------------------------------------------

    @blueprint.post("/account/sessions/end")
    def end_session() -> Response:
        def work(seen: SeenSession, form: dict[str, str]) -> Response:
            own.end_session(seen, form.get("session", ""), clock())
            return browsers.to("/account")

        return posted(work)

    @blueprint.post("/account/devices/forget")
    def forget_devices() -> Response:
        def work(seen: SeenSession, _: dict[str, str]) -> Response:
            own.forget_other_devices(seen, browsers.here(), clock())
            return browsers.to("/account")

        return posted(work)

    @blueprint.post("/account/sign-out-everywhere")
    def everywhere() -> Response:
        def work(seen: SeenSession, _: dict[str, str]) -> Response:
            own.sign_out_everywhere(seen, clock())
            return browsers.ended(browsers.to("/sign-in"))

        return posted(work)

    @blueprint.post("/account/outside")
    def outside() -> Response:
        def work(seen: SeenSession, form: dict[str, str]) -> Response:
            own.refuse_unproven(seen, clock())
            provider = form.get("provider", "")
            if form.get("act") == "unlink":
                people.outside.unlink(provider, seen, clock())
                return browsers.to("/account")
            there = people.outside.begin(provider, clock(), onward="/account", seen=seen)
            return browsers.away(there.ticket, browsers.to(there.address))

        return posted(work)

    return blueprint


def day(at_us: int) -> str:
    """Gives the day of a moment, in UTC.

    >>> day(0)
    '1970-01-01'
    """
    return instant(at_us)[:10]


def minute(at_us: int) -> str:
    """Gives a moment to the minute, in UTC.

    >>> minute(0)
    '1970-01-01 00:00 UTC'
    """
    return f"{instant(at_us)[:16].replace('T', ' ')} UTC"


def _page_of(path: str) -> str:
    """Gives the page an address of an act belongs to, which can be opened again after a proof."""
    return path if path in ("/account/password", "/account/second") else "/account"
