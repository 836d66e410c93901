"""What sign-in with software needs of other rooms, as Protocols.

What lives here: who sits at a browser, which accounts still work, whom they may see, rows, sealing, signing. What does
not: accounts and browser sessions themselves (``auth.people``), SQL (``store.sign_in``).

Source: SMART App Launch 2.2; ``consent.md`` D-11.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from referral_hub.exchange.sign_in import (
    ApprovedRow,
    AppRow,
    CodeRow,
    FamilyRow,
    LaunchableRow,
    LaunchRow,
    PersonInSight,
    PushedRow,
    RefreshRow,
)


class SignedIn(Protocol):
    """Somebody who signed in wholly in a browser (``auth.people.browser_sessions``)."""

    @property
    def account(self) -> str:
        """Gives the id of the account."""

    @property
    def organization(self) -> str:
        """Gives the id of its organisation."""

    @property
    def kind(self) -> str:
        """Gives ``staff`` or ``person``."""

    @property
    def role(self) -> str:
        """Gives the active role; empty for a person."""

    @property
    def practitioner(self) -> str:
        """Gives the public id of the Practitioner, or an empty text."""

    @property
    def person(self) -> int | None:
        """Gives the row id of her own record; None for staff."""

    @property
    def patient(self) -> str:
        """Gives the public id of her own record; empty for staff."""

    @property
    def methods(self) -> tuple[str, ...]:
        """Gives how she was proven, codes of RFC 8176."""

    @property
    def signed_in_us(self) -> int:
        """Gives when she signed in."""

    @property
    def confirmed_us(self) -> int:
        """Gives when she last proved who she is."""


class Accounts(Protocol):
    """What is asked of an account again whenever software wants a token in its name."""

    def role_of(self, account: str, at_us: int) -> str | None:
        """Gives the active role, empty for a person; None where the account may not work now."""

    def persons_for(
        self, account: str, organization: str, role: str, purpose: str, at_us: int
    ) -> Sequence[PersonInSight]:
        """Gives the persons this member of staff may see, in the order they are shown."""

    def person(
        self, account: str, organization: str, role: str, purpose: str, patient: str, at_us: int
    ) -> int | None:
        """Gives the row id of one person by her public id; None where the account may not see her now."""


class SignInStore(Protocol):
    """The rows of sign-in with software (``store.sign_in``)."""

    def family(self, family: str) -> FamilyRow | None:
        """Gives an approval, in force or not."""

    def code(self, digest: bytes) -> CodeRow | None:
        """Gives an authorization code, used or not."""

    def refresh(self, digest: bytes) -> RefreshRow | None:
        """Gives a refresh token, used or not."""

    def pushed(self, digest: bytes) -> PushedRow | None:
        """Gives a request that was sent ahead and not taken yet."""

    def launch(self, digest: bytes) -> LaunchRow | None:
        """Gives a launch that was not taken yet."""

    def approved_scope(self, account: str, oauth_client: str) -> str | None:
        """Gives the scope an account approved for a software; None where it approved none."""

    def approved(self, account: str, at_us: int) -> list[ApprovedRow]:
        """Gives what an account approved, the newest first."""

    def app(self, client_id: str) -> AppRow | None:
        """Gives what only software has that people sign in with."""

    def launchable(self, organization: str) -> list[LaunchableRow]:
        """Gives an organisation's software that can be started out of the hub."""


class Seal(Protocol):
    """Seals what a browser carries between two pages, so that nobody reads or makes it (``keyring.cursors``)."""

    def seal(self, plain: bytes) -> str:
        """Gives a text fit for an address."""

    def open(self, sealed: str) -> bytes | None:
        """Gives what was sealed; None for anything this hub did not make."""


class Signer(Protocol):
    """Signs ID tokens with the hub's active key (``auth.signing_keys``)."""

    def signed(self, claims: dict[str, object], at_us: int) -> str:
        """Gives the claims as a JWT."""


@dataclass(frozen=True, slots=True)
class SignInParts:
    """Everything the authorization server needs for people who sign in with software.

    ``offline_us`` is how long refresh tokens of ``offline_access`` are given after an approval, in microseconds.
    """

    store: SignInStore
    accounts: Accounts
    seal: Seal
    signer: Signer
    offline_us: int
