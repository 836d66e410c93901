"""What the authorization server needs of other rooms, as Protocols.

What lives here: rows of OAuth clients and tokens as this room reads them, the fetcher of partners' keys, the
question which resource types have something behind them, and the gate's word that a Change may be applied.
What does not: SQL (``store.oauth_rows``) and sockets (``adapters.guarded_http``). ``store`` and ``auth``
never import each other: a row is known by its attributes.

Source: ``consent.md`` D-02, D-03 and D-10; ``views.md`` 7.
"""

from collections.abc import Callable
from typing import Protocol

from referral_hub.exchange.change import Change
from referral_hub.exchange.ports import Admitted, OrganizationRow, TokenRow

AdmitOAuth = Callable[[Change], Admitted]
"""The gate's ``admit_token``: the only way a Change of this room becomes one the store applies."""


class OAuthClientRow(Protocol):
    """A partner's software as the hub registered it.

    ``kind`` says how it proves itself: ``jwks`` (public keys kept here), ``jwks_url`` (public keys fetched),
    ``secret`` (a shared secret, kept as a hash) or ``public`` (it cannot). ``purposes`` are bare codes.
    """

    @property
    def client_id(self) -> str:
        """Gives the public name of the software."""

    @property
    def organization(self) -> str:
        """Gives the id of the organisation it acts for; no request can name another."""

    @property
    def kind(self) -> str:
        """Gives ``jwks``, ``jwks_url``, ``secret`` or ``public``."""

    @property
    def jwks(self) -> str:
        """Gives the JWK Set as text, or an empty text."""

    @property
    def jwks_url(self) -> str:
        """Gives the address of the JWK Set, or an empty text."""

    @property
    def secret_hash(self) -> str:
        """Gives the hash of the shared secret, or an empty text."""

    @property
    def scope(self) -> str:
        """Gives the registered scopes in v2 spelling; never with ``*``."""

    @property
    def purposes(self) -> tuple[str, ...]:
        """Gives the registered purposes of use; none opens nothing of other organisations."""

    @property
    def name(self) -> str:
        """Gives its name for people."""

    @property
    def redirect_uris(self) -> tuple[str, ...]:
        """Gives the addresses a browser may be sent back to; none for software that nobody signs in with."""

    @property
    def require_dpop(self) -> bool:
        """Tells that a token may be given only with a proof of possession."""

    @property
    def very_restricted(self) -> bool:
        """Tells that very restricted content may go to a standard token of this client."""

    @property
    def active(self) -> bool:
        """Tells that the client may get tokens and use them."""


class OAuthRows(Protocol):
    """The store as this room sees it: four reads and the application of a whole Change."""

    def oauth_client(self, client_id: str) -> OAuthClientRow | None:
        """Gives the registration of this client, active or not."""

    def oauth_token(self, digest: bytes) -> TokenRow | None:
        """Gives the token of this SHA-256 digest, live or not; ``revoked`` too if its client is inactive."""

    def organization(self, organization_id: str) -> OrganizationRow | None:
        """Gives the hub's own row of an organisation."""

    def hub_organization(self) -> OrganizationRow | None:
        """Gives the network's own organisation: its clients are the resource servers."""

    def apply(self, change: Admitted) -> None:
        """Applies the Change whole.

        Raises:
            GuardFailed: a row that had to be new was there already: a replayed assertion.
            Busy: the writer cannot take it now.
        """


class FetchedKeys(Protocol):
    """The answer of a partner's JWK Set address."""

    @property
    def body(self) -> bytes:
        """Gives the document as it came."""

    @property
    def max_age_s(self) -> int | None:
        """Gives for how many seconds it may be kept: 0 not at all, None where the partner does not say."""


class JwksFetcher(Protocol):
    """Fetches partners' keys, guarded against being sent to addresses inside (``adapters.guarded_http``)."""

    def fetch(self, url: str) -> FetchedKeys:
        """Gives the document at this registered address.

        Raises:
            Unavailable: the address is refused, does not answer in time, or answers with too much.
        """


class ScopeBacking(Protocol):
    """Tells which resource types have something behind them for an organisation."""

    def backed_types(self, organization: str, purpose: str, at_us: int) -> frozenset[str]:
        """Gives the types the organisation authored, or that a live release opens to it for this purpose."""
