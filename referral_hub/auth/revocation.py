"""Ending a token before its time, at the wish of the client it was given to (RFC 7009).

What lives here: the revocation endpoint. What does not: the ending of tokens by a withdrawal or by the
operator.

A refresh token ends the whole approval it came of, the access tokens with it; an access token ends alone.

A token nobody knows, or that has ended, is answered like one that ended just now: 200. A live token of
another client is refused with ``invalid_grant``, as RFC 7009 2.1 asks; only who holds the token already can
learn that.

Source: RFC 7009 2.
"""

from typing import Any

from authlib.oauth2.rfc7009 import RevocationEndpoint

from referral_hub.auth.changes import token_revoked
from referral_hub.auth.oauth_clients import AUTH_METHODS, PUBLIC_METHOD, OAuthClient
from referral_hub.auth.ports import OAuthRows
from referral_hub.auth.refusals import InvalidGrant, InvalidRequest
from referral_hub.auth.request import OAuthRequest
from referral_hub.auth.sign_in_changes import family_ended
from referral_hub.auth.sign_in_grants import handle_digest
from referral_hub.auth.tokens import live, token_digest
from referral_hub.errors import Unauthenticated
from referral_hub.exchange.ports import TokenRow
from referral_hub.exchange.sign_in import RefreshRow


class HubRevocation(RevocationEndpoint):
    """Ends tokens.

    Args:
        server: the authorization server it belongs to.
        rows: the store, as this room sees it.
    """

    CLIENT_AUTH_METHODS = (*AUTH_METHODS, PUBLIC_METHOD)

    def __init__(self, server: Any, rows: OAuthRows) -> None:
        super().__init__(server)
        self._rows = rows

    def check_params(self, request: OAuthRequest, client: OAuthClient) -> None:
        """Checks that a token is named; a hint about its kind is a hint and may be anything.

        Raises:
            InvalidRequest: no token is named.
        """
        if "token" not in request.form:
            raise InvalidRequest("token is missing.")

    def authenticate_token(self, request: OAuthRequest, client: OAuthClient) -> TokenRow | RefreshRow | None:
        """Gives the live token to end, or None where there is nothing to end.

        Raises:
            InvalidGrant: the token is live and another client's.
        """
        self.check_params(request, client)
        refresh = self._refresh(request)
        if refresh is not None:
            if refresh.family.oauth_client != client.row.client_id:
                raise InvalidGrant("The token was given to another client.")
            return refresh
        try:
            token = live(self.query_token(request.form["token"], None), request.at_us)
        except Unauthenticated:
            return None
        if token.oauth_client != client.row.client_id:
            raise InvalidGrant("The token was given to another client.")
        return token

    def query_token(self, token_string: str, token_type_hint: str | None) -> TokenRow | None:
        """Gives the row of a token, live or not."""
        return self._rows.oauth_token(token_digest(token_string))

    def _refresh(self, request: OAuthRequest) -> RefreshRow | None:
        """Gives the refresh token that was named, while its approval is in force."""
        if self.server.sign_in is None:
            return None
        found: RefreshRow | None = self.server.sign_in.store.refresh(handle_digest(request.form["token"]))
        if found is None or found.family.revoked or request.at_us >= found.expires_us:
            return None
        return found

    def revoke_token(self, token: TokenRow | RefreshRow, request: OAuthRequest) -> None:
        """Ends the token, with the used assertion and the audit line in one Change."""
        client: Any = request.client
        if isinstance(token, RefreshRow):
            change = family_ended(token.family, "revoked-by-client", request.verified, at_us=request.at_us)
            self.server.apply(change, request)
            return
        change = token_revoked(client.row, token.digest, request.verified, at_us=request.at_us)
        self.server.apply(change, request)
