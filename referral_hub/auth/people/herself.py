"""The account of the person herself: a code her caseworker hands over, and a secret she chooses.

What lives here: handing over a code, setting up her own access with her, closing it, contact lost, and what the code
alone can do. What does not: signing in with both (``auth.people.signing_in``), the withdrawal
(``exchange.withdrawing``), who may hand over a code (the gate, through ``app``).

The code alone stops all sharing and does nothing else. Her own pages stay shut until they are set up with her: from
then she has half an hour, beside her worker, to choose a secret. Contact lost shuts both; a new code opens them.

Source: ``practice.md`` 9 and 10; ``consent.md`` F (field safety).
"""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import replace

from referral_hub.auth.people.browser_sessions import MINUTE_US
from referral_hub.auth.people.codes import HANDED_GROUPS, folded, new_code
from referral_hub.auth.people.office import account_row
from referral_hub.auth.people.passwords import LEAST_PERSON, Passwords, refuse_weak
from referral_hub.auth.people.ports import Apply, PeopleRows
from referral_hub.auth.people.recording import REFUSED, change, line, put
from referral_hub.auth.people.refusals import Refused
from referral_hub.auth.people.signing_in import Opened, SigningIn
from referral_hub.auth.people.throttle import Browser, Throttle, is_known
from referral_hub.auth.sign_in_changes import ended_with_account
from referral_hub.errors import ConfigurationError, GuardFailed
from referral_hub.exchange.accounts import ACTIVE, PAUSED, PERSON, REMOVED, Account
from referral_hub.exchange.change import Row

SET_UP_US = 30 * MINUTE_US
"""How long she has, beside her worker, to choose her secret."""
_TRIES = 5

Withdraw = Callable[[int | None], None]
"""Stops all sharing about the person of this row id; None for a code that belongs to nobody (as much is done)."""


class Herself:
    """Keeps the accounts of persons. Safe for threads and processes.

    Args:
        rows: the store.
        apply: applies a Change.
        passwords: hashes her secret.
        throttle: counts attempts.
        signing_in: lets her in.
    """

    def __init__(
        self,
        rows: PeopleRows,
        apply: Apply,
        passwords: Passwords,
        throttle: Throttle,
        signing_in: SigningIn,
    ) -> None:
        self._rows = rows
        self._apply = apply
        self._passwords = passwords
        self._throttle = throttle
        self._signing_in = signing_in

    # --- what her worker does ----------------------------------------------------------------------------------

    def hand_code(self, person: int, patient: str, organization: str, by: str, at_us: int) -> str:
        """Gives a fresh code to hand over; an earlier one is worth nothing any more.

        After contact was lost this is how she comes back: her own pages stay shut until they are set up anew.

        Args:
            person: row id of her record.
            patient: public id of her record.
            organization: whose record it is.
            by: id of the account that hands it over.
            at_us: now, microseconds UTC.
        """
        code = new_code(HANDED_GROUPS)
        account = self._rows.account_of_person(person)
        if account is not None:
            back = account.state == PAUSED
            self._change(
                person,
                lambda held: replace(held, state=ACTIVE, my_set_up_us=0 if back else held.my_set_up_us),
                "code",
                by,
                at_us,
                more=(self._code_row(account.id, code),),
            )
            return code
        account = _fresh(person, patient, organization, at_us)
        row = account_row(self._rows, account, code=code)
        try:
            self._apply(change((row,), line("account", account, at_us, by=by, how="code")))
        except GuardFailed:
            raise ConfigurationError(
                "Others are handing over a code to her. Try again in a moment."
            ) from None
        return code

    def set_up(self, person: int, by: str, at_us: int) -> None:
        """Opens her own pages, with her: for half an hour her code lets her choose a secret.

        Raises:
            ConfigurationError: she has no code yet, or contact with her is lost.
        """

        def open_for(account: Account) -> Account:
            if account.state != ACTIVE:
                raise ConfigurationError("Contact with her is lost. Hand over a new code first.")
            return replace(
                account,
                my_set_up_us=at_us,
                password_hash="",
                one_time=True,
                one_time_until_us=at_us + SET_UP_US,
            )

        self._change(person, open_for, "my-set-up", by, at_us)

    def close(self, person: int, by: str, at_us: int) -> None:
        """Shuts her own pages at once; the code alone goes on.

        Raises:
            ConfigurationError: she has no account.
        """
        self._change(
            person, lambda account: replace(account, my_set_up_us=0, password_hash=""), "my-closed", by, at_us
        )

    def contact_lost(self, person: int, by: str, at_us: int) -> None:
        """Locks her code and her own pages: somebody else may hold them.

        Raises:
            ConfigurationError: she has no account.
        """
        self._change(
            person,
            lambda account: replace(account, state=PAUSED, my_set_up_us=0, password_hash=""),
            "contact-lost",
            by,
            at_us,
        )

    def standing(self, person: int, at_us: int) -> str:
        """Gives how it stands with her account: ``none``, ``code``, ``choosing``, ``my`` or ``contact-lost``."""
        account = self._rows.account_of_person(person)
        if account is None:
            return "none"
        if account.state == PAUSED:
            return "contact-lost"
        if not account.my_set_up_us:
            return "code"
        if account.password_hash:
            return "my"
        return "choosing" if at_us < account.one_time_until_us else "code"

    def _change(
        self,
        person: int,
        made: Callable[[Account], Account],
        how: str,
        by: str,
        at_us: int,
        *,
        more: Iterable[Row] = (),
    ) -> None:
        for _ in range(_TRIES):
            account = self._rows.account_of_person(person)
            if account is None or account.state == REMOVED:
                raise ConfigurationError("She was handed no code yet.")
            rows = (
                put(made(account)),
                *more,
                Row("browser_session_end_all", {"account": account.id}),
                *ended_with_account(account.id),
            )
            try:
                self._apply(change(rows, line("account", account, at_us, by=by, how=how)))
            except GuardFailed:
                continue
            return
        raise ConfigurationError("Others are changing the same account. Try again in a moment.")

    def _code_row(self, account_id: str, code: str) -> Row:
        digest = self._rows.digest("code", folded(code))
        return Row("account_set_code", {"id": account_id, "code_digest": digest}, at_least_one=True)

    # --- what she does -------------------------------------------------------------------------------------------

    def choose_secret(self, code: str, secret: str, browser: Browser, at_us: int) -> Opened:
        """Keeps the secret she chose and lets her in, in the half hour after it was set up with her.

        Raises:
            Refused: ``sign-in.wrong`` whatever was wrong with the code, or what is wrong with the secret.
        """
        digest = self._rows.digest("code", folded(code))
        found = self._rows.account_of_code(digest)
        refuse_weak(secret, LEAST_PERSON, (code,))
        keys = self._throttle.keys(digest, browser, "" if found is None else found.id)
        with self._passwords.turn(known=is_known(keys)):
            taken = self._throttle.take(keys, at_us)
            kept = self._passwords.hashed(secret)
        account = found
        if (
            account is None
            or account.kind != PERSON
            or account.state != ACTIVE
            or not account.my_set_up_us
            or account.password_hash
            or at_us >= account.one_time_until_us
        ):
            self._apply(change((), line("sign-in", found, at_us, outcome=REFUSED, how="choose")))
            raise Refused("sign-in.wrong")
        chosen = replace(account, password_hash=kept, password_us=at_us, one_time=False)
        rows = self._throttle.right(taken, at_us)
        try:
            return self._signing_in.open(account, ("pwd",), browser, at_us, rows=rows, write=chosen)
        except GuardFailed:
            raise Refused("sign-in.wrong") from None

    def withdraw(self, code: str, act: Withdraw) -> None:
        """Stops all sharing for whoever holds a code, and gives nothing: not even whether there is such a code.

        There is no count of attempts here: a code has 55 random bits, and stopping too much harms less than stopping
        too late. A code that was locked because contact was lost stops nothing.

        Args:
            code: as it was typed.
            act: the withdrawal.
        """
        account = self._rows.account_of_code(self._rows.digest("code", folded(code)))
        holds = account is not None and account.state == ACTIVE
        act(account.person if account is not None and holds else None)


def _fresh(person: int, patient: str, organization: str, at_us: int) -> Account:
    return Account(
        str(uuid.uuid4()),
        1,
        organization,
        PERSON,
        "",
        "",
        person,
        patient,
        ACTIVE,
        "",
        0,
        one_time=False,
        one_time_until_us=0,
        trained_until_us=0,
        authorised_by="",
        on_call_from_us=0,
        on_call_until_us=0,
        unlocked_until_us=0,
        my_set_up_us=0,
        created_us=at_us,
        removed_us=0,
    )
