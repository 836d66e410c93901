"""What a program can find out about this hub's authorization server before it has a token.

What lives here: the SMART configuration and the hub's own key set, as bytes made once at start. What does
not: the routes (``web.oauth_api``).

The document names what works and nothing else. There is no ``authorization_endpoint`` and no
``authorization_code`` until people can log in with partners' software, no ``issuer`` without OpenID Connect,
and no ``jwks_uri`` until the hub signs something. ``code_challenge_methods_supported`` is demanded of every
server; S256 is what the hub will take.

Source: SMART App Launch 2.2, conformance (``.well-known/smart-configuration``); RFC 8414 2.
"""

import json
from collections.abc import Iterable

from referral_hub.auth.addresses import Addresses
from referral_hub.auth.keys import KEY_TYPES
from referral_hub.auth.oauth_clients import AUTH_METHODS, GRANT_TYPE

CAPABILITIES = ("client-confidential-asymmetric", "permission-v1", "permission-v2")
"""What the hub says it can do; each one has a test that does it."""


def smart_configuration(addresses: Addresses, scopes: Iterable[str]) -> bytes:
    """Gives the SMART configuration as JSON.

    Args:
        addresses: where this hub is found.
        scopes: the scopes a client can be registered for, in v2 spelling.

    >>> document = json.loads(smart_configuration(Addresses("https://hub.example"), ["system/Task.rs"]))
    >>> document["grant_types_supported"]
    ['client_credentials']
    """
    algorithms = sorted(KEY_TYPES)
    return _json(
        {
            "token_endpoint": addresses.token,
            "token_endpoint_auth_methods_supported": list(AUTH_METHODS),
            "token_endpoint_auth_signing_alg_values_supported": algorithms,
            "grant_types_supported": [GRANT_TYPE],
            "scopes_supported": sorted(scopes),
            "introspection_endpoint": addresses.introspection,
            "introspection_endpoint_auth_methods_supported": list(AUTH_METHODS),
            "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
            "revocation_endpoint": addresses.revocation,
            "revocation_endpoint_auth_methods_supported": list(AUTH_METHODS),
            "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
            "code_challenge_methods_supported": ["S256"],
            "capabilities": list(CAPABILITIES),
        }
    )


def hub_keys() -> bytes:
    """Gives the hub's own public keys: an empty set, because it signs nothing with keys of its own yet.

    >>> hub_keys()
    b'{"keys":[]}'
    """
    return _json({"keys": []})


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")
