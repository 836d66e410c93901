"""The office that gives accounts to staff and takes them away: whoever runs the hub works through it.

What lives here: adding, removing, roles, training, authorisation, unlocking, a new one-time password; each is one
Change that takes effect at once. What does not: reading a command (``referral_hub.commands.people``), what training
means (``auth.people.standing``), the account of a person (``auth.people.herself``).

One human has one account in the whole network: a login can be given once.

Source: ``interfaces.md`` 2; ``practice.md`` 12 (leavers are removed the same day; nobody authorises herself) and 17.
"""

import re
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from referral_hub.auth.people.codes import ONE_TIME_GROUPS, folded, new_code
from referral_hub.auth.people.passwords import Passwords
from referral_hub.auth.people.ports import Apply, PeopleRows
from referral_hub.auth.people.recording import change, line, put, unchanged
from referral_hub.auth.people.signing_in import folded_login
from referral_hub.auth.people.standing import DAY_US, LONGEST_SHIFT_US, LONGEST_UNLOCK_US, may_sign_in
from referral_hub.auth.sign_in_changes import ended_with_account
from referral_hub.errors import ConfigurationError, GuardFailed
from referral_hub.exchange.accounts import ACTIVE, RECOVERY, REMOVED, ROLES, STAFF, Account
from referral_hub.exchange.change import Row

ONE_TIME_US = 7 * DAY_US
"""How long a one-time password may wait for its first use."""
FIRST_TRAINING_US = 365 * DAY_US
BY_INIT = "init"
"""Who authorised the first coordinator: nobody was there before."""
AUTHORISING = frozenset({"supervisor", "coordinator"})
_LOGIN = re.compile(r"[^\s@\x00-\x1f\x7f]{1,64}@[^\s@\x00-\x1f\x7f]{1,190}")
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Given:
    """An account and the one-time password to hand over; it is kept nowhere."""

    account: str
    one_time_password: str


class Office:
    """Gives accounts and takes them away. Safe for threads and processes.

    Args:
        rows: the store.
        apply: applies a Change.
        passwords: hashes one-time passwords.
    """

    def __init__(self, rows: PeopleRows, apply: Apply, passwords: Passwords) -> None:
        self._rows = rows
        self._apply = apply
        self._passwords = passwords

    def add(
        self, organization: str, role: str, login: str, at_us: int, *, practitioner: str = "", by: str = ""
    ) -> Given:
        """Adds an account of a member of staff; its role is active once it is trained and authorised.

        Args:
            organization: id of the organisation or unit it works for.
            role: one of ``ROLES``.
            login: an e-mail address; the database does not show it.
            at_us: now, microseconds UTC.
            practitioner: public id of its Practitioner, or empty.
            by: id of the account that adds it; empty for the command line.

        Raises:
            ConfigurationError: the first reason why not; an address that has an account is one.
        """
        self._check(organization, role)
        address = folded_login(login)
        if not _LOGIN.fullmatch(address):
            raise ConfigurationError("A login is an e-mail address, such as name@organisation.example.")
        account_id, password = str(uuid.uuid4()), new_code(ONE_TIME_GROUPS)
        account = Account(
            account_id,
            1,
            organization,
            STAFF,
            role,
            practitioner,
            None,
            "",
            ACTIVE,
            self._passwords.hashed(password),
            at_us,
            one_time=True,
            one_time_until_us=at_us + ONE_TIME_US,
            trained_until_us=0,
            authorised_by="",
            on_call_from_us=0,
            on_call_until_us=0,
            unlocked_until_us=0,
            my_set_up_us=0,
            created_us=at_us,
            removed_us=0,
            given_by=by,
        )
        row = account_row(self._rows, account, login=address)
        try:
            self._apply(change((row,), line("account", account, at_us, by=by, how="add")))
        except GuardFailed:
            raise ConfigurationError(
                "This address has an account in the network already: one human has one account. "
                "Remove that one first, or use it."
            ) from None
        return Given(account_id, password)

    def first(self, organization: str, login: str, at_us: int) -> Given | None:
        """Adds the first coordinator of a network, trained and authorised; None where a coordinator is there.

        Raises:
            ConfigurationError: the login cannot be used.
        """
        if any(account.state != REMOVED for account, _ in self._rows.accounts_of(organization)):
            return None
        given = self.add(organization, "coordinator", login, at_us)
        made = self._known(given.account)
        ready = replace(made, trained_until_us=at_us + FIRST_TRAINING_US, authorised_by=BY_INIT)
        self._apply(change((put(ready),), line("account", ready, at_us, how="first")))
        return given

    def remove(self, account_id: str, at_us: int, *, by: str = "") -> None:
        """Removes an account: sessions, tokens and everything it let software do end in the same moment.

        Raises:
            ConfigurationError: there is no such account.
        """

        def removed(account: Account) -> Account:
            return replace(account, state=REMOVED, removed_us=at_us, password_hash="")

        self._change(account_id, removed, at_us, "remove", by, ends=True, more=_forgotten(account_id))

    def set_role(self, account_id: str, role: str, at_us: int, *, by: str = "") -> None:
        """Gives an account another role; it is signed out, and has to be authorised anew.

        Raises:
            ConfigurationError: there is no such account or role.
        """

        def changed(account: Account) -> Account:
            self._check(account.organization, role)
            return replace(account, role=role, authorised_by="")

        self._change(account_id, changed, at_us, "role", by, ends=True)

    def train(self, account_id: str, until_us: int, at_us: int, *, by: str = "") -> None:
        """Records until when the training of an account is good; 0 takes it away.

        Raises:
            ConfigurationError: there is no such account.
        """
        self._change(
            account_id, lambda account: replace(account, trained_until_us=until_us), at_us, "train", by
        )

    def authorise(self, account_id: str, by: str, at_us: int, hub_organization: str) -> None:
        """Records who stands for an account: a supervisor of its organisation or a coordinator, never itself.

        Nor whoever handed out its one-time password: two people know that somebody is there.

        Raises:
            ConfigurationError: ``by`` may not authorise it.
        """

        def authorised(account: Account) -> Account:
            self._refuse_authority(account, by, hub_organization)
            if account.given_by == by:
                raise ConfigurationError(
                    "Whoever handed out the one-time password of an account cannot authorise it: a second "
                    "person does."
                )
            return replace(account, authorised_by=by)

        self._change(account_id, authorised, at_us, "authorise", by)

    def withdraw_authorisation(self, account_id: str, at_us: int, *, by: str = "") -> None:
        """Takes the authorisation back; the role ends at once, and with it sessions and tokens.

        Raises:
            ConfigurationError: there is no such account.
        """
        self._change(
            account_id,
            lambda account: replace(account, authorised_by=""),
            at_us,
            "unauthorise",
            by,
            ends=True,
        )

    def unlock(self, account_id: str, by: str, hours: int, at_us: int, hub_organization: str) -> None:
        """Lets somebody work whose training has run out, for hours, because a supervisor stands for it.

        Raises:
            ConfigurationError: too long, or ``by`` may not do it.
        """
        until_us = at_us + hours * 3_600_000_000
        if not 0 < until_us - at_us <= LONGEST_UNLOCK_US:
            raise ConfigurationError("A supervisor can unlock for 1 to 72 hours.")

        def unlocked(account: Account) -> Account:
            self._refuse_authority(account, by, hub_organization)
            return replace(account, unlocked_until_us=until_us)

        self._change(account_id, unlocked, at_us, "unlock", by)

    def on_call(self, account_id: str, from_us: int, until_us: int, at_us: int, *, by: str = "") -> None:
        """Records a shift: while it runs no end of a training cuts it.

        Raises:
            ConfigurationError: it is longer than a day, or ends before it begins.
        """
        if not 0 < until_us - from_us <= LONGEST_SHIFT_US:
            raise ConfigurationError("A shift is longer than nothing and at most 24 hours.")
        self._change(
            account_id,
            lambda account: replace(account, on_call_from_us=from_us, on_call_until_us=until_us),
            at_us,
            "on-call",
            by,
        )

    def reset(self, account_id: str, at_us: int, *, by: str = "", factors: bool = False) -> Given:
        """Gives a new one-time password to somebody who lost hers; everything she had open ends.

        Where another account does it and nothing but the password would protect hers, the role has to be authorised
        anew, by a third: nobody walks into another's role with a password handed out by herself.

        Args:
            account_id: whose.
            at_us: now, microseconds UTC.
            by: who does it.
            factors: her second factors are gone too, and are forgotten.

        Raises:
            ConfigurationError: there is no such account.
        """
        password = new_code(ONE_TIME_GROUPS)
        kept = self._passwords.hashed(password)
        alone = bool(by) and (factors or not self._has_second(account_id))

        def again(account: Account) -> Account:
            return replace(
                account,
                authorised_by="" if alone else account.authorised_by,
                given_by=by,
                password_hash=kept,
                password_us=at_us,
                one_time=True,
                one_time_until_us=at_us + ONE_TIME_US,
            )

        more = [Row("known_device_forget_all", {"account": account_id})]
        if factors:
            more.append(Row("account_factor_drop_all", {"account": account_id}))
        self._change(account_id, again, at_us, "reset", by, ends=True, more=more)
        return Given(account_id, password)

    # --- what they share -------------------------------------------------------------------------------------

    def _change(
        self,
        account_id: str,
        made: Callable[[Account], Account],
        at_us: int,
        how: str,
        by: str,
        *,
        ends: bool = False,
        more: Iterable[Row] = (),
    ) -> None:
        for _ in range(_TRIES):
            account = self._known(account_id)
            rows = [put(made(account)), *more]
            if by and by != account_id:
                # Who does it still works here at the moment it is done; one order for both rows, for the locks.
                acting = unchanged(self._acting(by))
                rows = [acting, *rows] if by < account_id else [*rows, acting]
            if ends:
                rows += [
                    Row("browser_session_end_all", {"account": account_id}),
                    *ended_with_account(account_id),
                ]
            try:
                self._apply(change(rows, line("account", account, at_us, by=by, how=how)))
            except GuardFailed:
                continue  # somebody signed in or changed it at the same moment: decide again
            return
        raise ConfigurationError("Others are changing the same account. Try again in a moment.")

    def _acting(self, by: str) -> Account:
        account = self._rows.account(by)
        if account is None or not may_sign_in(account, organization_active=True):
            raise ConfigurationError("The account that does this does not work here any more.")
        return account

    def _has_second(self, account_id: str) -> bool:
        return any(factor.kind != RECOVERY for factor in self._rows.factors_of(account_id))

    def _known(self, account_id: str) -> Account:
        account = self._rows.account(account_id)
        if account is None or account.state == REMOVED or account.kind != STAFF:
            raise ConfigurationError("There is no account of staff with this id, or it was removed.")
        return account

    def _check(self, organization: str, role: str) -> None:
        if role not in ROLES:
            raise ConfigurationError(f"A role is one of: {', '.join(ROLES)}.")
        if not self._rows.is_organization_active(organization):
            raise ConfigurationError("There is no active organisation with this id.")

    def _refuse_authority(self, account: Account, by: str, hub_organization: str) -> None:
        other = self._rows.account(by)
        knows = (
            other is not None
            and other.id != account.id
            and other.kind == STAFF
            and may_sign_in(other, organization_active=True)
            and (
                (other.organization == account.organization and other.role in AUTHORISING)
                or (other.organization == hub_organization and other.role == "coordinator")
            )
        )
        if not knows:
            raise ConfigurationError(
                "It takes a supervisor or coordinator of the same organisation, or a coordinator of the "
                "network; nobody does it for herself."
            )


def account_row(rows: PeopleRows, account: Account, *, login: str = "", code: str = "") -> Row:
    """Gives the row of a new account; it fails the Change where its login or code is taken."""
    parameters: dict[str, int | str | bytes | None] = {
        name: getattr(account, name) for name in Account.__dataclass_fields__ if name != "version"
    }
    parameters["one_time"] = int(account.one_time)
    parameters["login_digest"] = rows.digest("login", login) if login else ""
    parameters["login"] = rows.seal(login.encode(), f"account/{account.id}")
    parameters["code_digest"] = rows.digest("code", folded(code)) if code else ""
    return Row("account_insert", parameters, at_least_one=True)


def _forgotten(account_id: str) -> tuple[Row, ...]:
    """Gives the rows that forget what a removed account signed in with; who it was stays sealed for the audit."""
    named: dict[str, int | str | bytes | None] = {"account": account_id}
    return (
        Row("account_forget_login", {"id": account_id}),
        Row("account_factor_drop_all", dict(named)),
        Row("known_device_forget_all", dict(named)),
        Row("account_identity_drop_all", dict(named)),
    )
