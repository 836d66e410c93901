"""What sign-in needs of other rooms, as Protocols.

What lives here: the rows of accounts as this room reads them, the application of a Change. What does not: SQL and
sealing (``store.accounts``).
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from referral_hub.exchange.accounts import (
    Account,
    Attempts,
    BrowserSession,
    Factor,
    Identity,
    IdentityProvider,
    KnownDevice,
)
from referral_hub.exchange.change import Change

Apply = Callable[[Change], None]
"""Has the gate admit a Change of accounts (``admit_token``) and applies it whole.

Raises ``GuardFailed`` where a row that had to be as it was read is not.
"""


class SeenSession(Protocol):
    """A browser session with its account, of one state of the database."""

    @property
    def session(self) -> BrowserSession:
        """Gives the session."""

    @property
    def account(self) -> Account:
        """Gives its account."""

    @property
    def organization_active(self) -> bool:
        """Tells that the account's organisation is not suspended."""

    @property
    def has_second(self) -> bool:
        """Tells that the account has a second factor (recovery codes are none)."""


class PeopleRows(Protocol):
    """The store as this room sees it."""

    def digest(self, purpose: str, text: str) -> str:
        """Gives the keyed digest of a login, a code or an address."""

    def seal(self, plain: bytes, label: str) -> bytes:
        """Seals something under the key of the hub; it opens under the same label only."""

    def open(self, sealed: bytes, label: str) -> bytes:
        """Opens what was sealed under this label.

        Raises:
            Unavailable: it was sealed elsewhere, under another label, or was changed.
        """

    def account(self, account_id: str) -> Account | None:
        """Gives an account, in whatever state."""

    def account_of_login(self, digest: str) -> Account | None:
        """Gives the account with this login."""

    def account_of_code(self, digest: str) -> Account | None:
        """Gives the account of the person who was handed this code."""

    def account_of_person(self, person: int) -> Account | None:
        """Gives the account of a person, by the row id of her record."""

    def accounts_of(self, organization: str) -> list[tuple[Account, str]]:
        """Gives the accounts of an organisation, each with its login."""

    def is_organization_active(self, organization: str) -> bool:
        """Tells whether an organisation is there and not suspended."""

    def login_of(self, account_id: str) -> str:
        """Gives the login of an account."""

    def session(self, digest: bytes) -> SeenSession | None:
        """Gives a browser session with its account, ended or not."""

    def sessions_of(self, account_id: str) -> list[BrowserSession]:
        """Gives the browser sessions of an account, the newest first."""

    def devices_of(self, account_id: str) -> list[KnownDevice]:
        """Gives the browsers an account is known in."""

    def device(self, digest: bytes, account_id: str) -> KnownDevice | None:
        """Gives what is known of one browser and one account."""

    def factors_of(self, account_id: str) -> list[Factor]:
        """Gives the second factors and recovery codes of an account."""

    def factor(self, kind: str, handle: bytes) -> Factor | None:
        """Gives the factor of this kind that is found by this handle."""

    def attempts(self, keys: Iterable[str]) -> Mapping[str, Attempts]:
        """Gives what failed under each of these keys."""

    def provider(self, provider_id: str) -> IdentityProvider | None:
        """Gives an outside provider, active or not."""

    def providers(self) -> list[IdentityProvider]:
        """Gives every provider that may be used."""

    def identity(self, provider: str, subject: str) -> Identity | None:
        """Gives the account's link to this name at this provider."""

    def identities_of(self, account_id: str) -> list[Identity]:
        """Gives the links of an account."""
