"""What a token request is given: ``client_credentials``, for one purpose, with the scope that is left.

What lives here: the decision from registration, request and backing, and the making of the answer. What does
not: who is calling (``auth.server``), and the arithmetic of scopes (``access.scopes``).

Authlib's own grant writes the token to its log; this one never does. Its default token lives ten days and has
250 random bits; this one lives 300 seconds and has 256.

Source: SMART App Launch 2.2 Backend Services; ``views.md`` 7; ``consent.md`` 0, 3 and D-02.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from authlib.oauth2.base import invalid_error_characters
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant

from referral_hub.access.scopes import ScopeSet, granted_scopes
from referral_hub.auth.oauth_clients import AUTH_METHODS, GRANT_TYPE
from referral_hub.auth.ports import OAuthClientRow, ScopeBacking
from referral_hub.auth.purposes import choose_purpose, read_b2b
from referral_hub.auth.refusals import (
    InvalidRequest,
    InvalidScope,
    TemporarilyUnavailable,
    UnauthorizedClient,
)
from referral_hub.auth.request import Decided, OAuthRequest
from referral_hub.auth.tokens import TOKEN_LIFE_S, new_token
from referral_hub.errors import GuardFailed, MalformedContent

_TRIES = 5


class BackendServiceGrant(ClientCredentialsGrant):
    """The one grant of this hub: software acting for its organisation, with no person logging in."""

    GRANT_TYPE = GRANT_TYPE
    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS
    request: OAuthRequest

    def validate_token_request(self) -> None:
        """Checks who is calling and decides what the token is for.

        Raises:
            InvalidClient: who is calling could not be established.
            UnauthorizedClient: the client may not use this grant.
            InvalidRequest: the purpose is missing, unknown or unreadable.
            InvalidScope: nothing of the requested scope can be granted.
            DpopRefused: the client has to prove possession of a key with each request, and did not.
            InvalidAuthorizationDetails: the token is to be bound to something that cannot be given.
        """
        client: Any = self.authenticate_token_endpoint_client()
        if not client.check_grant_type(GRANT_TYPE):
            raise UnauthorizedClient("This client cannot use grant_type client_credentials.")
        self.server.proven.demand(client.row, self.request)
        self.request.decided = decide(client.row, self.request, self.server.backing, self.server.floor)
        if "authorization_details" in self.request.form:
            self.request.decided = self._bound(self.request.decided)

    def create_token_response(self) -> tuple[int, Any, Any]:
        """Gives the answer, once the token is written; nothing of it is logged."""
        if self.request.decided is None:
            raise InvalidRequest("The request was not decided.")
        for _ in range(_TRIES):
            token = access_token(self.request.decided, self.request.dpop_jkt)
            try:
                self.server.save_token(token, self.request)
            except GuardFailed:
                # Her permissions changed meanwhile: what the token is bound to is decided anew.
                self.request.decided = self._bound(self.request.decided)
            else:
                return 200, token, self.TOKEN_RESPONSE_HEADER
        raise TemporarilyUnavailable

    def _bound(self, decided: Decided) -> Decided:
        request = self.request
        client: Any = request.client
        scope, bound = self.server.rich_requests.bound(
            client.row,
            request.form["authorization_details"],
            ScopeSet.parse(decided.scope),
            decided.purpose,
            decided.asserted,
            at_us=request.at_us,
            expires_us=request.at_us + TOKEN_LIFE_S * 1_000_000,
        )
        life_s = (bound.binding.not_after_us - request.at_us) // 1_000_000
        return replace(decided, scope=scope.text(), bound=bound, life_s=life_s)


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
        InvalidRequest: the purpose cannot be told.
        InvalidScope: no scope was asked for, it cannot be read, or nothing of it can be granted.

    Source: ``views.md`` 7.
    """
    asserted = read_b2b(request.verified.claims if request.verified is not None else {})
    purpose = choose_purpose(client.purposes, asserted.purposes)
    text = request.form.get("scope", "")
    if not text:
        raise InvalidScope("scope is missing: name what the token is for, such as system/Task.rs.")
    try:
        # Nobody signed in: what stands for somebody who did is not for this token.
        asked = ScopeSet.parse(text)
        requested = ScopeSet(tuple(scope for scope in asked.scopes if scope.context == "system"))
    except MalformedContent as fault:
        raise InvalidScope(_plain(fault.text)) from None
    backed = backing.backed_types(client.organization, purpose, request.at_us)
    granted = granted_scopes(ScopeSet.parse(client.scope), requested, floor=floor, backed_types=backed)
    if granted.opens_nothing:
        raise InvalidScope("Nothing of this scope is registered for the client with something behind it.")
    return Decided(scope=granted.text(), purpose=purpose, asserted=asserted)


def access_token(decided: Decided, jkt: str = "") -> dict[str, Any]:
    """Gives the fields of a token response.

    Args:
        decided: what the token is for.
        jkt: the thumbprint of the key it is bound to; empty for a Bearer token.

    Source: RFC 6749 5.1; RFC 9449 5; RFC 9396 7.
    """
    fields = {
        "access_token": new_token(jkt)[0],
        "token_type": "DPoP" if jkt else "bearer",
        "expires_in": decided.life_s,
        "scope": decided.scope,
    }
    return fields if decided.bound is None else {**fields, "authorization_details": [decided.bound.details]}


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
