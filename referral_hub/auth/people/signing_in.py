"""Signing in: from a login and a password, or a code and a secret, to a session in a browser.

What lives here: the steps and what each leaves in the database. What does not: passkeys (``auth.people.passkeys``),
providers outside (``auth.people.outside``), pages (``web.sign_in``).

Whatever is wrong, the answer is one and the same, and takes the same work: an unknown login, a wrong password, an
account that was removed or whose organisation is suspended. A session gets a new cookie at each step.

Source: OWASP ASVS 5.0, V6 and V7; NIST SP 800-63B-4; ``practice.md`` 10.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from referral_hub.auth.people import totp
from referral_hub.auth.people.browser_sessions import BrowserSessions, cookie_digest, ended, new_cookie
from referral_hub.auth.people.codes import folded
from referral_hub.auth.people.passkeys import METHODS, Passkeys
from referral_hub.auth.people.passwords import Passwords
from referral_hub.auth.people.ports import Apply, PeopleRows, SeenSession
from referral_hub.auth.people.recording import REFUSED, change, line, put, unchanged
from referral_hub.auth.people.refusals import Refused
from referral_hub.auth.people.standing import SECOND_STEP, may_sign_in, step_of
from referral_hub.auth.people.throttle import Browser, Throttle, is_known
from referral_hub.auth.sign_in_changes import ended_with_session
from referral_hub.errors import GuardFailed
from referral_hub.exchange.accounts import PERSON, RECOVERY, STAFF, TOTP, Account, BrowserSession
from referral_hub.exchange.change import Row

DEVICE_LIFE_US = 180 * 24 * 3600 * 1_000_000
"""How long a browser stays known after it was last used to sign in."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that begins.

    ``cookie`` is the value of its cookie. ``device`` is the value of the device cookie where the browser is to get
    one, else empty. ``step`` is what is still missing (``auth.people.standing``).
    """

    cookie: str
    device: str
    step: str


def folded_login(login: str) -> str:
    """Gives a login as it is compared.

    >>> folded_login(" Anna.Nowak@Clinic.Example ")
    'anna.nowak@clinic.example'
    """
    return unicodedata.normalize("NFKC", login).strip().casefold()


class SigningIn:
    """Lets people in, and out again. Safe for threads.

    Args:
        rows: the store.
        apply: applies a Change.
        sessions: makes sessions and knows the policy.
        passwords: checks passwords.
        throttle: counts attempts.
    """

    def __init__(
        self,
        rows: PeopleRows,
        apply: Apply,
        sessions: BrowserSessions,
        passwords: Passwords,
        throttle: Throttle,
    ) -> None:
        self._rows = rows
        self._apply = apply
        self._sessions = sessions
        self._passwords = passwords
        self._throttle = throttle

    # --- the first step ----------------------------------------------------------------------------------

    def with_password(self, login: str, password: str, browser: Browser, at_us: int) -> Opened:
        """Lets a member of staff in who knows a login and its password.

        Raises:
            Refused: ``sign-in.wrong`` whatever was wrong, ``sign-in.wait`` where it is too early.
        """
        digest = self._rows.digest("login", folded_login(login))
        return self._first(STAFF, digest, self._rows.account_of_login(digest), password, browser, at_us)

    def with_code(self, code: str, secret: str, browser: Browser, at_us: int) -> Opened:
        """Lets the person in who has her code and her secret.

        Raises:
            Refused: as for :meth:`with_password`; also where her own access was not set up with her.
        """
        digest = self._rows.digest("code", folded(code))
        return self._first(PERSON, digest, self._rows.account_of_code(digest), secret, browser, at_us)

    def _first(
        self, kind: str, what: str, found: Account | None, secret: str, browser: Browser, at_us: int
    ) -> Opened:
        keys = self._throttle.keys(what, browser, "" if found is None else found.id)
        with self._passwords.turn(known=is_known(keys)):
            taken = self._throttle.take(keys, at_us)
            # The hash is checked whatever was found, so that nobody can tell from the time.
            fits = self._passwords.fits("" if found is None else found.password_hash, secret)
        account = self._allowed(found, kind)
        if not fits or account is None or _is_stale(account, at_us):
            how = "password" if kind == STAFF else "code"
            self._apply(change((), line("sign-in", found, at_us, outcome=REFUSED, how=how)))
            raise Refused("sign-in.wrong")
        write = account
        if self._passwords.is_outdated(account.password_hash):
            write = replace(account, password_hash=self._passwords.hashed(secret))
        rows = self._throttle.right(taken, at_us)
        return self.open(account, ("pwd",), browser, at_us, rows=rows, write=write)

    def _allowed(self, found: Account | None, kind: str) -> Account | None:
        if found is None or found.kind != kind:
            return None
        active = self._rows.is_organization_active(found.organization)
        return found if may_sign_in(found, organization_active=active) else None

    # --- the second step -----------------------------------------------------------------------------------

    def with_digits(self, seen: SeenSession, digits: str, browser: Browser, at_us: int) -> Opened:
        """Goes on with the six digits of an authenticator app.

        Raises:
            Refused: ``second.wrong`` where they are wrong or were used already, ``sign-in.wait``.
        """
        taken = self._throttle.take(self._throttle.second_keys(seen.account.id, browser), at_us)
        for factor in self._rows.factors_of(seen.account.id):
            if factor.kind != TOTP:
                continue
            step = totp.matching_step(factor.secret, digits, at_us, factor.counter)
            if step is not None:
                counted = Row(
                    "account_factor_counted",
                    {"id": factor.id, "seen_counter": factor.counter, "counter": step, "used_us": at_us},
                    at_least_one=True,
                )
                return self._second(
                    seen, "otp", browser, at_us, (*self._throttle.right(taken, at_us), counted)
                )
        raise self._wrong_second(seen, "otp", at_us)

    def with_recovery(self, seen: SeenSession, code: str, browser: Browser, at_us: int) -> Opened:
        """Goes on with a recovery code, which is then spent.

        Raises:
            Refused: ``second.wrong``, ``sign-in.wait``.
        """
        taken = self._throttle.take(self._throttle.second_keys(seen.account.id, browser), at_us)
        handle = self._rows.digest("recovery", f"{seen.account.id}|{folded(code)}").encode()
        factor = self._rows.factor(RECOVERY, handle)
        if factor is None or factor.account != seen.account.id or factor.used_us:
            raise self._wrong_second(seen, "recovery", at_us)
        spent = Row("account_factor_spend", {"id": factor.id, "used_us": at_us}, at_least_one=True)
        return self._second(seen, "recovery", browser, at_us, (*self._throttle.right(taken, at_us), spent))

    def _second(
        self, seen: SeenSession, method: str, browser: Browser, at_us: int, rows: Iterable[Row]
    ) -> Opened:
        methods = tuple(dict.fromkeys((*seen.session.methods, method)))
        try:
            return self.open(seen.account, methods, browser, at_us, rows=rows, instead=seen.session)
        except GuardFailed:
            # The same digits or code twice at the same moment: one of the two came too late.
            raise self._wrong_second(seen, method, at_us) from None

    def _wrong_second(self, seen: SeenSession, how: str, at_us: int) -> Refused:
        self._apply(change((), line("sign-in", seen.account, at_us, outcome=REFUSED, how=how)))
        return Refused("second.wrong")

    # --- both steps in one -----------------------------------------------------------------------------------

    def with_passkey(
        self,
        passkeys: Passkeys,
        ticket: str,
        response: Mapping[str, Any],
        browser: Browser,
        at_us: int,
        seen: SeenSession | None = None,
    ) -> Opened:
        """Lets somebody in who has a passkey: alone, as the second step, or to prove once more who sits there.

        Args:
            passkeys: checks the answer.
            ticket: of the challenge.
            response: what the authenticator answered.
            browser: where it comes from.
            at_us: now, microseconds UTC.
            seen: the session of this browser, where there is one; it ends, and only its own account may go on.

        Raises:
            Refused: ``passkey.wrong`` whatever was wrong.
        """
        asserted = passkeys.asserted(ticket, response, at_us)
        found = self._rows.account(asserted.factor.account)
        account = None if found is None else self._allowed(found, found.kind)
        if account is None or (seen is not None and seen.account.id != account.id):
            self._apply(change((), line("sign-in", found, at_us, outcome=REFUSED, how="passkey")))
            raise Refused("passkey.wrong")
        methods = METHODS if seen is None else tuple(dict.fromkeys((*seen.session.methods, *METHODS)))
        try:
            return self.open(
                account,
                methods,
                browser,
                at_us,
                rows=asserted.rows,
                instead=None if seen is None else seen.session,
            )
        except GuardFailed:
            raise Refused("passkey.wrong") from None

    # --- again, and out ------------------------------------------------------------------------------------

    def confirm(self, seen: SeenSession, password: str, browser: Browser, at_us: int) -> None:
        """Proves once more who sits there, for a dangerous act.

        Raises:
            Refused: ``sign-in.wrong``, ``sign-in.wait``.
        """
        account = seen.account
        taken = self._throttle.take(self._throttle.second_keys(account.id, browser), at_us)
        if not self._passwords.fits(account.password_hash, password):
            self._apply(change((), line("sign-in", account, at_us, outcome=REFUSED, how="confirm")))
            raise Refused("sign-in.wrong")
        confirmed = Row(
            "browser_session_confirm",
            {"digest": seen.session.digest, "confirmed_us": at_us},
            at_least_one=True,
        )
        self._apply(
            change(
                (*self._throttle.right(taken, at_us), confirmed),
                line("sign-in", account, at_us, how="confirm"),
            )
        )

    def sign_out(self, cookie_value: str | None, at_us: int) -> None:
        """Ends the session of a browser, and what held only while somebody was signed in."""
        digest = cookie_digest(cookie_value)
        seen = None if digest is None else self._rows.session(digest)
        if seen is not None:
            rows = (ended(seen.session), *ended_with_session(seen.account.id))
            self._apply(change(rows, line("sign-out", seen.account, at_us)))

    def step(self, seen: SeenSession, at_us: int) -> str:
        """Gives the step the sign-in of a session still lacks."""
        return self._sessions.step(seen, at_us)

    # --- sessions ------------------------------------------------------------------------------------------

    def open(
        self,
        account: Account,
        methods: tuple[str, ...],
        browser: Browser,
        at_us: int,
        *,
        rows: Iterable[Row] = (),
        write: Account | None = None,
        instead: BrowserSession | None = None,
    ) -> Opened:
        """Begins a session whose owner was proven in these ways.

        Args:
            account: as it was read; the Change fails where it was changed since.
            methods: codes of RFC 8176.
            browser: where it begins.
            at_us: now, microseconds UTC.
            rows: what else the Change does.
            write: the account as it is to be, where something of it changes.
            instead: the session that ends with this.

        Raises:
            GuardFailed: the account was changed or removed meanwhile, or something of ``rows`` did not hold.
        """
        cookie, digest = new_cookie()
        second = any(factor.kind != RECOVERY for factor in self._rows.factors_of(account.id))
        step = step_of(
            write or account,
            methods,
            at_us,
            has_second=second,
            second_needed=self._sessions.policy.second_needed,
        )
        device, made = browser.device, ""
        if device is None:
            made, device = new_cookie()
        work = [unchanged(account) if write is None or write == account else put(write), *rows]
        if instead is not None:
            work.append(ended(instead))
        work.append(self._sessions.session_row(account, digest, methods, device, at_us))
        if step != SECOND_STEP:
            work.append(
                Row(
                    "known_device_put",
                    {
                        "digest": device,
                        "account": account.id,
                        "created_us": at_us,
                        "used_us": at_us,
                        "expires_us": at_us + DEVICE_LIFE_US,
                    },
                )
            )
        self._apply(change(work, line("sign-in", account, at_us, how="+".join(methods))))
        return Opened(cookie, made, step)


def _is_stale(account: Account, at_us: int) -> bool:
    """Tells whether a handed-over password was left unused for too long."""
    return account.one_time and at_us >= account.one_time_until_us
