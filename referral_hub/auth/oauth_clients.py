"""A registered client as Authlib asks about it.

What lives here: the answers Authlib wants of a client, each a plain no unless the registration says yes. What
does not: registering (``auth.clients``).

Source: RFC 6749 2; RFC 7591 2 (names of authentication methods).
"""

import re

from authlib.oauth2.rfc6749 import ClientMixin

from referral_hub.auth.client_secrets import is_secret
from referral_hub.auth.ports import OAuthClientRow

KEY_METHOD = "private_key_jwt"
SECRET_METHOD = "client_secret_basic"  # noqa: S105  (the name of a method, not a secret)
AUTH_METHODS = (KEY_METHOD, SECRET_METHOD)
"""How a client can prove itself at the token, introspection and revocation endpoints."""

PUBLIC_METHOD = "none"
"""How a client names itself that cannot keep a secret: it is known by its address to return to, and proves nothing."""

GRANT_TYPE = "client_credentials"
CODE_GRANT, REFRESH_GRANT = "authorization_code", "refresh_token"
RESPONSE_TYPE = "code"

_CLIENT_ID = re.compile(r"[A-Za-z0-9._~-]{1,128}", re.ASCII)
_METHOD_OF_KIND = {
    "jwks": KEY_METHOD,
    "jwks_url": KEY_METHOD,
    "secret": SECRET_METHOD,
    "public": PUBLIC_METHOD,
}


def is_client_id(text: str) -> bool:
    """Tells whether a text can be the name of a client at all, before the store is asked.

    >>> is_client_id("c-17"), is_client_id("")
    (True, False)
    """
    return _CLIENT_ID.fullmatch(text) is not None


class OAuthClient(ClientMixin):
    """A client whose registration was found and is active.

    Args:
        row: the registration.
    """

    def __init__(self, row: OAuthClientRow) -> None:
        self.row = row

    def __repr__(self) -> str:
        return f"OAuthClient({self.row.client_id!r})"

    def get_client_id(self) -> str:
        """Gives the public name of the client."""
        return self.row.client_id

    def check_client_secret(self, client_secret: str) -> bool:
        """Tells whether this is the client's secret; always no for a client that has keys."""
        return is_secret(client_secret, self.row.secret_hash if self.row.kind == "secret" else "")

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Tells whether the client proves itself in this way: each client has exactly one."""
        return _METHOD_OF_KIND.get(self.row.kind) == method

    def check_grant_type(self, grant_type: str) -> bool:
        """Tells whether the client may get tokens in this way."""
        if grant_type == GRANT_TYPE:
            return self.row.kind in _METHOD_OF_KIND and self.row.kind != "public"
        return grant_type in (CODE_GRANT, REFRESH_GRANT) and bool(self.row.redirect_uris)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Tells whether a browser may be sent to this address: it is, letter by letter, a registered one.

        Source: RFC 9700 2.1.
        """
        return bool(redirect_uri) and redirect_uri in self.row.redirect_uris

    def check_response_type(self, response_type: str) -> bool:
        """Tells whether the client may ask for this: a code, and no token in any address."""
        return response_type == RESPONSE_TYPE and bool(self.row.redirect_uris)
