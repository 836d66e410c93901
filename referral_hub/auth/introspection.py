"""What a token is, told to those who may know (RFC 7662).

What lives here: who may ask, and what is answered. What does not: how a caller of the FHIR API is recognised
(``auth.tokens``).

The token's own client may ask, and so may the clients of the network's own organisation, which are its
resource servers. For everybody else, and for whatever is not live, the answer is ``{"active": false}`` and
nothing more. What a token is bound to is told in full to the network's own resource servers alone: it names the
person and her consents. No other answer names a person.

Source: RFC 7662 2; RFC 9449 6.2; RFC 9396 9.2; SMART App Launch 2.2, token introspection; ``consent.md`` O-11 and D-04.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authlib.oauth2.rfc7662 import IntrospectionEndpoint

from referral_hub.auth.addresses import Addresses
from referral_hub.auth.oauth_clients import AUTH_METHODS, OAuthClient
from referral_hub.auth.offered_scopes import FHIR_USER, PROFILE
from referral_hub.auth.ports import OAuthRows
from referral_hub.auth.refusals import InvalidClient, InvalidRequest
from referral_hub.auth.request import OAuthRequest
from referral_hub.auth.rich_requests import RichRequests
from referral_hub.auth.sign_in_grants import launch_context
from referral_hub.auth.tokens import digest_of, live, token_digest
from referral_hub.errors import Unauthenticated
from referral_hub.exchange.ports import TokenRow


@dataclass(frozen=True, slots=True)
class _Asked:
    """A token that was asked about, with the moment of the question."""

    row: TokenRow
    at_us: int
    is_usable: bool
    details: Mapping[str, Any]

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
        rich_requests: knows what a token is bound to.
    """

    CLIENT_AUTH_METHODS = AUTH_METHODS

    def __init__(
        self, server: Any, rows: OAuthRows, addresses: Addresses, rich_requests: RichRequests
    ) -> None:
        super().__init__(server)
        self._rows = rows
        self._addresses = addresses
        self._rich_requests = rich_requests

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
        if token.context != "system":
            # A token of somebody who signed in speaks for a person, not for a resource server.
            raise InvalidClient("bearer-of-a-person", scheme="Bearer")
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
        details = self._rich_requests.described(row, request.at_us, in_full=self._is_resource_server(client))
        is_usable = organization is not None and organization.facts.active and details is not None
        return _Asked(row, request.at_us, is_usable, details or {})

    def query_token(self, token_string: str, token_type_hint: str | None) -> TokenRow | None:
        """Gives the row of a token, live or not."""
        return self._rows.oauth_token(token_digest(token_string))

    def check_permission(self, token: TokenRow, client: OAuthClient, request: OAuthRequest) -> bool:
        """Tells whether this client may know of this token."""
        return token.oauth_client == client.row.client_id or self._is_resource_server(client)

    def _is_resource_server(self, client: OAuthClient) -> bool:
        """Tells whether software of the network's own asks; an app that people sign in with is no server."""
        hub = self._rows.hub_organization()
        ours = hub is not None and hub.facts.id == client.row.organization
        return ours and not client.row.redirect_uris

    def introspect_token(self, token: _Asked) -> dict[str, Any]:
        """Gives the facts of a live token; times in seconds since 1970 UTC."""
        row = token.row
        return {
            "active": True,
            "scope": row.scope,
            "client_id": row.oauth_client,
            "token_type": "DPoP" if row.jkt else "bearer",
            "exp": row.expires_us // 1_000_000,
            "iat": row.issued_us // 1_000_000,
            "sub": row.account or row.oauth_client,
            "aud": self._addresses.fhir,
            "iss": self._addresses.base_url,
            **({"cnf": {"jkt": row.jkt}} if row.jkt else {}),
            **token.details,
            **self._signed_in(row),
        }

    def _signed_in(self, row: TokenRow) -> dict[str, Any]:
        """Gives what the token response said of the person, the referral and who signed in.

        Source: SMART App Launch 2.2, token introspection.
        """
        family = self.server.sign_in.store.family(row.family) if row.family else None
        if family is None:
            return {}
        found = launch_context(family)
        found.pop("need_patient_banner", None)
        names = row.scope.split(" ")
        if family.fhir_user and "openid" in names and (FHIR_USER in names or PROFILE in names):
            found["fhirUser"] = f"{self._addresses.fhir}/{family.fhir_user}"
        return found
