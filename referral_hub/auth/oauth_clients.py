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

GRANT_TYPE = "client_credentials"

_CLIENT_ID = re.compile(r"[A-Za-z0-9._~-]{1,128}", re.ASCII)
_METHOD_OF_KIND = {"jwks": KEY_METHOD, "jwks_url": KEY_METHOD, "secret": SECRET_METHOD}


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
        return grant_type == GRANT_TYPE and self.row.kind in _METHOD_OF_KIND

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Tells that no browser is ever sent anywhere: there is no authorization endpoint yet."""
        return False

    def check_response_type(self, response_type: str) -> bool:
        """Tells that no authorization response exists yet."""
        return False
