"""What somebody changes of her own account: password, authenticator app, passkeys, recovery codes, sessions.

What lives here: each act, with the proof it needs. What does not: pages (``web.account``), what others change of an
account (``auth.people.office``).

Every act but looking needs a session whose owner was proven in the last five minutes. After each the browser gets a
new cookie, and after a new password all other browsers are signed out.

Source: OWASP ASVS 5.0, V6.2, V6.4 and V7.5; NIST SP 800-63B-4, 4.
"""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from referral_hub.auth.people import totp
from referral_hub.auth.people.browser_sessions import CONFIRMED_US
from referral_hub.auth.people.codes import RECOVERY_COUNT, RECOVERY_GROUPS, folded, new_code
from referral_hub.auth.people.passkeys import METHODS, MOST_PASSKEYS, Passkeys
from referral_hub.auth.people.passwords import LEAST_PERSON, LEAST_STAFF, Passwords, refuse_weak
from referral_hub.auth.people.ports import Apply, PeopleRows, SeenSession
from referral_hub.auth.people.recording import change, line, unchanged
from referral_hub.auth.people.refusals import Refused
from referral_hub.auth.people.signing_in import Opened, SigningIn
from referral_hub.auth.people.standing import SECOND_STEP
from referral_hub.auth.people.throttle import Browser
from referral_hub.auth.people.tickets import new_ticket, opened
from referral_hub.auth.sign_in_changes import ended_with_account
from referral_hub.errors import GuardFailed
from referral_hub.exchange.accounts import PASSKEY, RECOVERY, STAFF, TOTP, Factor
from referral_hub.exchange.change import Row


class OwnAccount:
    """Changes what an account is signed in with. Safe for threads.

    Args:
        rows: the store.
        apply: applies a Change.
        signing_in: gives the browser a new session after each act.
        passwords: checks and hashes.
        passkeys: registers passkeys.
    """

    def __init__(
        self,
        rows: PeopleRows,
        apply: Apply,
        signing_in: SigningIn,
        passwords: Passwords,
        passkeys: Passkeys,
    ) -> None:
        self._rows = rows
        self._apply = apply
        self._signing_in = signing_in
        self._passwords = passwords
        self._passkeys = passkeys

    # --- password --------------------------------------------------------------------------------------------

    def change_password(self, seen: SeenSession, old: str, new: str, browser: Browser, at_us: int) -> Opened:
        """Puts a new password in the place of the old one, and signs out every other browser.

        Args:
            seen: the session; it may be one whose only missing step is this.
            old: the password until now; not asked again right after a one-time password.
            new: the new one.
            browser: where it is done.
            at_us: now, microseconds UTC.

        Raises:
            Refused: the old one is wrong, or the new one cannot be taken.
        """
        account = seen.account
        if self._signing_in.step(seen, at_us) == SECOND_STEP:
            raise Refused("account.confirm")
        if account.one_time:
            _refuse_unconfirmed(seen, at_us)
        else:
            self._signing_in.confirm(seen, old, browser, at_us)
        least = LEAST_STAFF if account.kind == STAFF else LEAST_PERSON
        refuse_weak(new, least, (self._rows.login_of(account.id),))
        if self._passwords.fits(account.password_hash, new):
            raise Refused("password.same")
        renewed = replace(
            account, password_hash=self._passwords.hashed(new), password_us=at_us, one_time=False
        )
        others = Row("browser_session_end_all", {"account": account.id})
        self._apply(change((), line("account", account, at_us, how="password")))
        return self._signing_in.open(
            account, seen.session.methods, browser, at_us, rows=(others,), write=renewed
        )

    # --- authenticator app -----------------------------------------------------------------------------------

    def begin_app(self, seen: SeenSession, at_us: int) -> tuple[bytes, str]:
        """Gives a fresh secret to show, and the ticket that brings it back.

        Raises:
            Refused: the session is not confirmed, or still lacks a second factor it has.
        """
        self.refuse_unproven(seen, at_us)
        secret = totp.new_secret()
        remembered = {"secret": secret.hex(), "account": seen.account.id}
        return secret, new_ticket(self._rows, "app", remembered, at_us)

    def remembered_secret(self, seen: SeenSession, ticket: str, at_us: int) -> bytes:
        """Gives the secret a ticket holds, to show it again after wrong digits.

        Raises:
            Refused: it is none of this account, or it took too long.
        """
        held = opened(self._rows, "app", ticket, at_us)
        if held.remembered["account"] != seen.account.id:
            raise Refused("sign-in.begin-again")
        return bytes.fromhex(held.remembered["secret"])

    def add_app(
        self, seen: SeenSession, ticket: str, digits: str, browser: Browser, at_us: int
    ) -> tuple[Opened, tuple[str, ...]]:
        """Keeps an authenticator app that showed the right digits, in the place of an earlier one.

        Returns:
            the new session, and recovery codes where the account had none.

        Raises:
            Refused: ``second.wrong``, or the session is not confirmed.
        """
        self.refuse_unproven(seen, at_us)
        secret = self.remembered_secret(seen, ticket, at_us)
        step = totp.matching_step(secret, digits, at_us, 0)
        if step is None:
            raise Refused("second.wrong")
        account, factor = seen.account.id, secrets.token_hex(16)
        row = Row(
            "account_factor_insert",
            {
                "id": factor,
                "account": account,
                "kind": TOTP,
                "handle": account.encode(),
                "secret": self._rows.seal(secret, f"factor/{account}/{factor}"),
                "counter": step,
                "label": b"",
                "created_us": at_us,
                "used_us": at_us,
            },
            at_least_one=True,
        )
        earlier = Row("account_factor_drop_kind", {"account": account, "kind": TOTP})
        used = opened(self._rows, "app", ticket, at_us).used
        return self._added(seen, ("otp",), (used, earlier, row), browser, at_us, "app-added")

    # --- passkeys --------------------------------------------------------------------------------------------

    def begin_passkey(self, seen: SeenSession, at_us: int) -> dict[str, Any]:
        """Gives what the browser needs to make a passkey.

        Raises:
            Refused: the session is not confirmed, or there are enough passkeys.
        """
        self.refuse_unproven(seen, at_us)
        known = self._rows.factors_of(seen.account.id)
        if sum(factor.kind == PASSKEY for factor in known) >= MOST_PASSKEYS:
            raise Refused("passkey.enough")
        return self._passkeys.registration(seen.account.id, seen.session.digest, known, at_us)

    def add_passkey(
        self,
        seen: SeenSession,
        ticket: str,
        response: Mapping[str, Any],
        label: str,
        browser: Browser,
        at_us: int,
    ) -> tuple[Opened, tuple[str, ...]]:
        """Keeps a new passkey.

        Returns:
            the new session, and recovery codes where the account had none.

        Raises:
            Refused: ``passkey.wrong``, or the session is not confirmed.
        """
        self.refuse_unproven(seen, at_us)
        rows = self._passkeys.registered(
            seen.account.id, seen.session.digest, ticket, response, label, at_us=at_us
        )
        return self._added(seen, METHODS, rows, browser, at_us, "passkey-added")

    def _added(
        self,
        seen: SeenSession,
        methods: Iterable[str],
        rows: Iterable[Row],
        browser: Browser,
        at_us: int,
        how: str,
    ) -> tuple[Opened, tuple[str, ...]]:
        has_codes = any(factor.kind == RECOVERY for factor in self._rows.factors_of(seen.account.id))
        codes, code_rows = ((), ()) if has_codes else self._fresh_codes(seen.account.id, at_us)
        every = tuple(dict.fromkeys((*seen.session.methods, *methods)))
        try:
            made = self._signing_in.open(
                seen.account, every, browser, at_us, rows=(*rows, *code_rows), instead=seen.session
            )
        except GuardFailed:
            raise Refused("sign-in.begin-again") from None
        self._apply(change((), line("second-factor", seen.account, at_us, how=how)))
        return made, codes

    # --- taking away, and recovery codes ---------------------------------------------------------------------

    def drop_factor(self, seen: SeenSession, factor_id: str, at_us: int) -> None:
        """Forgets an authenticator app or a passkey; the last one where a second factor is needed stays.

        Raises:
            Refused: it is the last one, or the session is not confirmed.
        """
        self.refuse_unproven(seen, at_us)
        known = [factor for factor in self._rows.factors_of(seen.account.id) if factor.kind != RECOVERY]
        if not any(factor.id == factor_id for factor in known):
            return
        if len(known) == 1 and seen.account.kind == STAFF:
            raise Refused("second.last")
        rows = (
            unchanged(seen.account),
            Row("account_factor_drop", {"id": factor_id, "account": seen.account.id}),
        )
        self._apply(change(rows, line("second-factor", seen.account, at_us, how="dropped")))

    def new_recovery_codes(self, seen: SeenSession, at_us: int) -> tuple[str, ...]:
        """Gives ten fresh recovery codes, shown this once; earlier ones are worth nothing any more.

        Raises:
            Refused: the session is not confirmed.
        """
        self.refuse_unproven(seen, at_us)
        codes, rows = self._fresh_codes(seen.account.id, at_us)
        self._apply(
            change(
                (unchanged(seen.account), *rows),
                line("second-factor", seen.account, at_us, how="recovery-codes"),
            )
        )
        return codes

    def _fresh_codes(self, account: str, at_us: int) -> tuple[tuple[str, ...], tuple[Row, ...]]:
        codes = tuple(new_code(RECOVERY_GROUPS) for _ in range(RECOVERY_COUNT))
        rows = [Row("account_factor_drop_kind", {"account": account, "kind": RECOVERY})]
        for code in codes:
            handle = self._rows.digest("recovery", f"{account}|{folded(code)}").encode()
            rows.append(
                Row(
                    "account_factor_insert",
                    {
                        "id": secrets.token_hex(16),
                        "account": account,
                        "kind": RECOVERY,
                        "handle": handle,
                        "secret": b"",
                        "counter": 0,
                        "label": b"",
                        "created_us": at_us,
                        "used_us": 0,
                    },
                    at_least_one=True,
                )
            )
        return codes, tuple(rows)

    # --- sessions ----------------------------------------------------------------------------------------------

    def sign_out_everywhere(self, seen: SeenSession, at_us: int) -> None:
        """Ends every session of the account, here too, every approval of software, and forgets every device."""
        account = seen.account
        named: dict[str, int | str | bytes | None] = {"account": account.id}
        rows = (
            Row("browser_session_end_all", dict(named)),
            Row("known_device_forget_all", dict(named)),
            *ended_with_account(account.id),
        )
        self._apply(change(rows, line("sign-out", account, at_us, how="everywhere")))

    def end_session(self, seen: SeenSession, name: str, at_us: int) -> None:
        """Ends another session of the account.

        Args:
            seen: the session that asks.
            name: how the page named it (:func:`session_name`).
            at_us: now, microseconds UTC.
        """
        for session in self._rows.sessions_of(seen.account.id):
            if session_name(session.digest) == name:
                rows = (Row("browser_session_end", {"digest": session.digest}),)
                self._apply(change(rows, line("sign-out", seen.account, at_us, how="other")))

    def forget_other_devices(self, seen: SeenSession, browser: Browser, at_us: int) -> None:
        """Makes every other browser a stranger's again: who tries there shares the strangers' budget."""
        kept = browser.device or b""
        row = Row("known_device_forget_others", {"account": seen.account.id, "digest": kept})
        self._apply(change((row,), line("sign-out", seen.account, at_us, how="devices")))

    def factors(self, seen: SeenSession) -> list[Factor]:
        """Gives what the account has beside its password, its secrets left out."""
        return [replace(factor, secret=b"") for factor in self._rows.factors_of(seen.account.id)]

    def refuse_unproven(self, seen: SeenSession, at_us: int) -> None:
        """Refuses a dangerous act where who sits there was not proven just now.

        Raises:
            Refused: ``account.confirm``.
        """
        _refuse_unconfirmed(seen, at_us)
        if seen.account.kind != STAFF:
            # What the person signs in with is set up with her worker, and nothing is left on a telephone.
            raise Refused("error.refused")
        if self._signing_in.step(seen, at_us) == SECOND_STEP:
            # Whoever only knows the password must not add a factor beside the owner's.
            raise Refused("account.confirm")


def session_name(digest: bytes) -> str:
    """Gives what a page calls a session: enough to tell it apart, nothing to use it with."""
    return digest.hex()[:24]


def _refuse_unconfirmed(seen: SeenSession, at_us: int) -> None:
    if at_us - seen.session.confirmed_us >= CONFIRMED_US:
        raise Refused("account.confirm")
