"""What a token is, told to those who may know (RFC 7662).

What lives here: who may ask, and what is answered. What does not: how a caller of the FHIR API is recognised
(``auth.tokens``).

The token's own client may ask, and so may the clients of the network's own organisation, which are its
resource servers. For everybody else, and for whatever is not live, the answer is ``{"active": false}`` and
nothing more. No answer names a person.

Source: RFC 7662 2; SMART App Launch 2.2, token introspection; ``consent.md`` O-11 and D-04.
"""

from dataclasses import dataclass
from typing import Any

from authlib.oauth2.rfc7662 import IntrospectionEndpoint

from referral_hub.auth.addresses import Addresses
from referral_hub.auth.oauth_clients import AUTH_METHODS, OAuthClient
from referral_hub.auth.ports import OAuthRows
from referral_hub.auth.refusals import InvalidClient, InvalidRequest
from referral_hub.auth.request import OAuthRequest
from referral_hub.auth.tokens import digest_of, live, token_digest
from referral_hub.errors import Unauthenticated
from referral_hub.exchange.ports import TokenRow


@dataclass(frozen=True, slots=True)
class _Asked:
    """A token that was asked about, with the moment of the question."""

    row: TokenRow
    at_us: int
    is_usable: bool

    def is_expired(self) -> bool:
        return self.at_us >= self.row.expires_us

    def is_revoked(self) -> bool:
        return self.row.revoked or not self.is_usable


class HubIntrospection(IntrospectionEndpoint):
    """Answers what a token is.

    A caller proves itself as at the token endpoint, or with a live access token of its own, which is how
    SMART describes resource servers.

    Args:
        server: the authorization server it belongs to.
        rows: the store, as this room sees it.
        addresses: where this hub is found.
    """

    CLIENT_AUTH_METHODS = AUTH_METHODS

    def __init__(self, server: Any, rows: OAuthRows, addresses: Addresses) -> None:
        super().__init__(server)
        self._rows = rows
        self._addresses = addresses

    def authenticate_endpoint_client(self, request: OAuthRequest) -> OAuthClient:
        """Gives the client that asks.

        Raises:
            InvalidClient: no proof, or one that does not hold: 401 here (RFC 7662 2.3).
        """
        if (request.authorization or "")[:7].lower() != "bearer " or "client_assertion" in request.form:
            proved: OAuthClient = self.server.authenticate_client(request, AUTH_METHODS, self.ENDPOINT_NAME)
            return proved
        try:
            token = live(self._rows.oauth_token(digest_of(request.authorization)), request.at_us)
        except Unauthenticated:
            raise InvalidClient("bearer", scheme="Bearer") from None
        found: OAuthClient | None = self.server.query_client(token.oauth_client)
        if found is None:
            raise InvalidClient("bearer", scheme="Bearer")
        request.client, request.named = found, found.row.client_id
        return found

    def check_params(self, request: OAuthRequest, client: OAuthClient) -> None:
        """Checks that a token is named; a hint about its kind is a hint and may be anything.

        Raises:
            InvalidRequest: no token is named.
        """
        if "token" not in request.form:
            raise InvalidRequest("token is missing.")

    def authenticate_token(self, request: OAuthRequest, client: OAuthClient) -> _Asked | None:
        """Gives the token asked about, if this client may know of it."""
        self.check_params(request, client)
        row = self.query_token(request.form["token"], None)
        if row is None or not self.check_permission(row, client, request):
            return None
        organization = self._rows.organization(row.organization)
        return _Asked(row, request.at_us, organization is not None and organization.facts.active)

    def query_token(self, token_string: str, token_type_hint: str | None) -> TokenRow | None:
        """Gives the row of a token, live or not."""
        return self._rows.oauth_token(token_digest(token_string))

    def check_permission(self, token: TokenRow, client: OAuthClient, request: OAuthRequest) -> bool:
        """Tells whether this client may know of this token."""
        if token.oauth_client == client.row.client_id:
            return True
        hub = self._rows.hub_organization()
        return hub is not None and hub.facts.id == client.row.organization

    def introspect_token(self, token: _Asked) -> dict[str, Any]:
        """Gives the facts of a live token; times in seconds since 1970 UTC."""
        row = token.row
        return {
            "active": True,
            "scope": row.scope,
            "client_id": row.oauth_client,
            "token_type": "bearer",
            "exp": row.expires_us // 1_000_000,
            "iat": row.issued_us // 1_000_000,
            "sub": row.oauth_client,
            "aud": self._addresses.fhir,
            "iss": self._addresses.base_url,
        }
