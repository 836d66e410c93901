"""Who may do what in the office when it is done on a page: for whom, and never for oneself.

What lives here: the reach of a supervisor and of a coordinator, and the acts of the office within it. What does not:
the acts themselves (``auth.people.office``), pages (``web.portal``).

A coordinator of the network's own organisation reaches every organisation; a supervisor, and a coordinator of another
organisation, her own. A supervisor neither makes nor changes coordinators. Nobody changes her own account here, so the
network always keeps a coordinator: the one who acts. What is out of reach looks like what is not there.

Source: ``practice.md`` 12 (leavers are removed the same day; nobody authorises herself) and 17.
"""

from collections.abc import Callable
from typing import Protocol

from referral_hub.auth.people.browser_sessions import SignedIn
from referral_hub.auth.people.office import Given, Office
from referral_hub.auth.people.ports import PeopleRows
from referral_hub.auth.people.standing import HOUR_US
from referral_hub.errors import ConfigurationError, NotFound
from referral_hub.exchange.accounts import REMOVED, ROLES, STAFF, Account

SUPERVISOR, COORDINATOR = "supervisor", "coordinator"
MOST_LISTED = 500


class StaffRows(PeopleRows, Protocol):
    """The rows of accounts, and the staff of an organisation without the persons it works with."""

    def staff_of(self, organization: str, count: int) -> list[tuple[Account, str]]:
        """Gives the staff of an organisation, each with its login."""


class Governing:
    """The office within the reach of whoever sits at a page. Safe for threads and processes.

    Args:
        office: does what is asked.
        rows: the store.
        hub_organization: gives the id of the network's own organisation.
    """

    def __init__(self, office: Office, rows: StaffRows, hub_organization: Callable[[], str]) -> None:
        self._office = office
        self._rows = rows
        self._hub_organization = hub_organization

    # --- reach ---------------------------------------------------------------------------------------------

    def is_network(self, signed: SignedIn) -> bool:
        """Tells whether somebody is a coordinator of the network itself."""
        return signed.role == COORDINATOR and signed.organization == self._hub_organization()

    def check_network(self, signed: SignedIn) -> None:
        """Refuses everybody but coordinators of the network.

        Raises:
            NotFound: somebody else (404).
        """
        if not self.is_network(signed):
            raise NotFound

    def check_reach(self, signed: SignedIn, organization: str) -> None:
        """Refuses an organisation that is not within reach.

        Raises:
            NotFound: it is none of hers (404).
        """
        governs = signed.kind == STAFF and signed.role in (SUPERVISOR, COORDINATOR)
        if not governs or (organization != signed.organization and not self.is_network(signed)):
            raise NotFound

    def roles(self, signed: SignedIn) -> tuple[str, ...]:
        """Gives the roles somebody may give."""
        return tuple(role for role in ROLES if role != COORDINATOR or signed.role == COORDINATOR)

    def staff(self, signed: SignedIn, organization: str) -> list[tuple[Account, str]]:
        """Gives the staff of an organisation within reach, each with its login.

        Raises:
            NotFound: it is none of hers (404).
        """
        self.check_reach(signed, organization)
        return self._rows.staff_of(organization, MOST_LISTED)

    def account(self, signed: SignedIn, account_id: str) -> Account:
        """Gives an account of staff within reach, her own too.

        Raises:
            NotFound: there is none, or it is out of reach (404).
        """
        account = self._rows.account(account_id)
        if account is None or account.kind != STAFF or account.state == REMOVED:
            raise NotFound
        self.check_reach(signed, account.organization)
        return account

    def login_of(self, account_id: str) -> str:
        """Gives the login of an account that was found within reach."""
        return self._rows.login_of(account_id)

    def may_change(self, signed: SignedIn, account: Account) -> bool:
        """Tells whether somebody may change an account within her reach."""
        is_above = account.role != COORDINATOR or signed.role == COORDINATOR
        return account.id != signed.account and is_above

    # --- acts ----------------------------------------------------------------------------------------------

    def add(self, signed: SignedIn, organization: str, role: str, login: str, at_us: int) -> Given:
        """Adds an account; a second person authorises it.

        Raises:
            NotFound: the organisation is none of hers (404).
            ConfigurationError: the first reason why not.
        """
        self.check_reach(signed, organization)
        self._check_role(signed, role)
        return self._office.add(organization, role, login, at_us, by=signed.account)

    def remove(self, signed: SignedIn, account_id: str, at_us: int) -> None:
        """Removes an account at once."""
        self._changeable(signed, account_id)
        self._office.remove(account_id, at_us, by=signed.account)

    def set_role(self, signed: SignedIn, account_id: str, role: str, at_us: int) -> None:
        """Gives an account another role; it has to be authorised anew."""
        self._changeable(signed, account_id)
        self._check_role(signed, role)
        self._office.set_role(account_id, role, at_us, by=signed.account)

    def train(self, signed: SignedIn, account_id: str, until_us: int, at_us: int) -> None:
        """Records until when somebody's training is good."""
        self._changeable(signed, account_id)
        self._office.train(account_id, until_us, at_us, by=signed.account)

    def authorise(self, signed: SignedIn, account_id: str, at_us: int) -> None:
        """Stands for an account, as a second person."""
        self._changeable(signed, account_id)
        self._office.authorise(account_id, signed.account, at_us, self._hub_organization())

    def withdraw(self, signed: SignedIn, account_id: str, at_us: int) -> None:
        """Takes the authorisation back; the role ends at once."""
        self._changeable(signed, account_id)
        self._office.withdraw_authorisation(account_id, at_us, by=signed.account)

    def unlock(self, signed: SignedIn, account_id: str, hours: int, at_us: int) -> None:
        """Lets somebody work for some hours whose training has run out."""
        self._changeable(signed, account_id)
        self._office.unlock(account_id, signed.account, hours, at_us, self._hub_organization())

    def on_call(self, signed: SignedIn, account_id: str, hours: int, at_us: int) -> None:
        """Records a shift that begins now."""
        self._changeable(signed, account_id)
        self._office.on_call(account_id, at_us, at_us + hours * HOUR_US, at_us, by=signed.account)

    def reset(self, signed: SignedIn, account_id: str, at_us: int, *, factors: bool) -> Given:
        """Gives a new one-time password; everything the account had open ends."""
        self._changeable(signed, account_id)
        return self._office.reset(account_id, at_us, by=signed.account, factors=factors)

    def _changeable(self, signed: SignedIn, account_id: str) -> None:
        account = self.account(signed, account_id)
        if account.id == signed.account:
            raise ConfigurationError("Nobody changes her own account here: ask somebody else to.")
        if not self.may_change(signed, account):
            raise ConfigurationError("A coordinator's account is changed by another coordinator.")

    def _check_role(self, signed: SignedIn, role: str) -> None:
        if role not in self.roles(signed):
            raise ConfigurationError(f"You can give one of these roles: {', '.join(self.roles(signed))}.")
