"""What a token request is given: ``client_credentials``, for one purpose, with the scope that is left.

What lives here: the decision from registration, request and backing, and the making of the answer. What does
not: who is calling (``auth.server``), and the arithmetic of scopes (``access.scopes``).

Authlib's own grant writes the token to its log; this one never does. Its default token lives ten days and has
250 random bits; this one lives 300 seconds and has 256.

Source: SMART App Launch 2.2 Backend Services; ``views.md`` 7; ``consent.md`` 0, 3 and D-02.
"""

from collections.abc import Mapping
from typing import Any

from authlib.oauth2.base import invalid_error_characters
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant

from referral_hub.access.scopes import ScopeSet, granted_scopes
from referral_hub.auth.oauth_clients import AUTH_METHODS, GRANT_TYPE
from referral_hub.auth.ports import OAuthClientRow, ScopeBacking
from referral_hub.auth.purposes import choose_purpose, read_b2b
from referral_hub.auth.refusals import InvalidRequest, InvalidScope, UnauthorizedClient
from referral_hub.auth.request import Decided, OAuthRequest
from referral_hub.auth.tokens import TOKEN_LIFE_S, new_token
from referral_hub.errors import MalformedContent


class BackendServiceGrant(ClientCredentialsGrant):
    """The one grant of this hub: software acting for its organisation, with no person logging in."""

    GRANT_TYPE = GRANT_TYPE
    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS
    request: OAuthRequest

    def validate_token_request(self) -> None:
        """Checks who is calling and decides what the token is for.

        Raises:
            InvalidClient: who is calling could not be established.
            UnauthorizedClient: the client may not use this grant, or only with a proof the hub cannot check
                yet.
            InvalidRequest: the purpose is missing, unknown or unreadable.
            InvalidScope: nothing of the requested scope can be granted.
        """
        client: Any = self.authenticate_token_endpoint_client()
        if not client.check_grant_type(GRANT_TYPE):
            raise UnauthorizedClient("This client cannot use grant_type client_credentials.")
        self.request.decided = decide(client.row, self.request, self.server.backing, self.server.floor)

    def create_token_response(self) -> tuple[int, Any, Any]:
        """Gives the answer, once the token is written; nothing of it is logged."""
        if self.request.decided is None:
            raise InvalidRequest("The request was not decided.")
        token = self.generate_token(scope=self.request.decided.scope, include_refresh_token=False)
        self.server.save_token(token, self.request)
        return 200, token, self.TOKEN_RESPONSE_HEADER


def decide(
    client: OAuthClientRow, request: OAuthRequest, backing: ScopeBacking, floor: Mapping[str, str]
) -> Decided:
    """Gives what an authenticated client gets: the narrowest of registration, request and what is there.

    Args:
        client: the registration.
        request: the request, its assertion verified where it came with one.
        backing: which types have something behind them.
        floor: letters by type that closing the loop needs.

    Raises:
        UnauthorizedClient: the client must prove possession of a key with each request, which the hub cannot
            check yet: it gets no token rather than a plain one.
        InvalidRequest: the purpose cannot be told.
        InvalidScope: no scope was asked for, it cannot be read, or nothing of it can be granted.

    Source: ``views.md`` 7.
    """
    if client.require_dpop:
        raise UnauthorizedClient("This client is registered to use DPoP, which this hub does not offer yet.")
    asserted = read_b2b(request.verified.claims if request.verified is not None else {})
    purpose = choose_purpose(client.purposes, asserted.purposes)
    text = request.form.get("scope", "")
    if not text:
        raise InvalidScope("scope is missing: name what the token is for, such as system/Task.rs.")
    try:
        requested = ScopeSet.parse(text)
    except MalformedContent as fault:
        raise InvalidScope(_plain(fault.text)) from None
    backed = backing.backed_types(client.organization, purpose, request.at_us)
    granted = granted_scopes(ScopeSet.parse(client.scope), requested, floor=floor, backed_types=backed)
    if granted.opens_nothing:
        raise InvalidScope("Nothing of this scope is registered for the client with something behind it.")
    return Decided(scope=granted.text(), purpose=purpose, asserted=asserted)


def bearer_token(
    grant_type: str,
    client: object,
    user: object = None,
    scope: str | None = None,
    expires_in: int | None = None,
    include_refresh_token: bool = True,  # noqa: FBT001, FBT002  (Authlib's own signature)
) -> dict[str, Any]:
    """Gives the fields of a token response; whatever is asked for, 300 seconds and no refresh token.

    Source: RFC 6749 5.1; SMART App Launch 2.2 Backend Services, access token response.
    """
    return {
        "access_token": new_token()[0],
        "token_type": "bearer",
        "expires_in": TOKEN_LIFE_S,
        "scope": scope or "",
    }


def _plain(text: str) -> str:
    """Gives a text without the characters an OAuth error description cannot hold."""
    barred = set(invalid_error_characters(text))
    return "".join(character for character in text if character not in barred)
