"""What a program can find out about this hub's authorization server before it has a token.

What lives here: the SMART configuration and the OpenID configuration, as bytes made once at start. What does
not: the routes (``web.oauth_api``), the hub's public keys (``auth.signing_keys``).

The documents name what works and nothing else: each capability has a test that does it. The two say the same of what
they share, so that a program reads whichever it knows.

Source: SMART App Launch 2.2, conformance (``.well-known/smart-configuration``); RFC 8414 2; OpenID Connect Discovery 3.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from referral_hub.auth.addresses import Addresses
from referral_hub.auth.dpop_keys import ALGORITHMS
from referral_hub.auth.grant_telling import type_of
from referral_hub.auth.keys import KEY_TYPES
from referral_hub.auth.oauth_clients import (
    AUTH_METHODS,
    CODE_GRANT,
    GRANT_TYPE,
    PUBLIC_METHOD,
    REFRESH_GRANT,
    RESPONSE_TYPE,
)
from referral_hub.auth.offered_scopes import OTHER_SCOPES
from referral_hub.auth.signing_keys import ALGORITHM

CAPABILITIES = (
    "authorize-post",
    "client-confidential-asymmetric",
    "client-confidential-symmetric",
    "client-public",
    "context-banner",
    "context-ehr-patient",
    "context-standalone-patient",
    "launch-ehr",
    "launch-standalone",
    "permission-offline",
    "permission-online",
    "permission-patient",
    "permission-user",
    "permission-v1",
    "permission-v2",
    "sso-openid-connect",
)
"""What the hub says it can do; each one has a test that does it."""


@dataclass(frozen=True, slots=True)
class Documents:
    """What a program can find out before it has a token, as bytes made once at start."""

    smart: bytes
    openid: bytes


def documents_of(addresses: Addresses, letters: Mapping[str, str]) -> Documents:
    """Gives both configurations.

    Args:
        addresses: where this hub is found.
        letters: the letters of scope by resource type that a client can be registered for.
    """
    scopes = [f"{c}/{name}.{said}" for c in ("patient", "system", "user") for name, said in letters.items()]
    return Documents(smart_configuration(addresses, scopes), openid_configuration(addresses, scopes))


def smart_configuration(addresses: Addresses, scopes: Iterable[str]) -> bytes:
    """Gives the SMART configuration as JSON.

    Args:
        addresses: where this hub is found.
        scopes: the resource scopes a client can be registered for, in v2 spelling.

    >>> document = json.loads(smart_configuration(Addresses("https://hub.example"), ["system/Task.rs"]))
    >>> document["code_challenge_methods_supported"], document["management_endpoint"]
    (['S256'], 'https://hub.example/manage')
    """
    return _json(
        {
            **_shared(addresses, scopes),
            "management_endpoint": addresses.management,
            "capabilities": list(CAPABILITIES),
        }
    )


def openid_configuration(addresses: Addresses, scopes: Iterable[str]) -> bytes:
    """Gives the OpenID configuration as JSON.

    >>> document = json.loads(openid_configuration(Addresses("https://hub.example"), []))
    >>> document["issuer"], document["id_token_signing_alg_values_supported"]
    ('https://hub.example', ['RS256'])
    """
    return _json(
        {
            **_shared(addresses, scopes),
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "claims_supported": [
                *(
                    "iss",
                    "sub",
                    "aud",
                    "exp",
                    "iat",
                    "auth_time",
                    "nonce",
                    "acr",
                    "amr",
                    "at_hash",
                    "fhirUser",
                )
            ],
            "acr_values_supported": [
                f"{addresses.base_url}/assurance/one-factor",
                f"{addresses.base_url}/assurance/two-factors",
            ],
            "prompt_values_supported": ["none", "login", "consent", "select_account"],
            "claims_parameter_supported": False,
            "request_parameter_supported": False,
            "request_uri_parameter_supported": False,
        }
    )


def _shared(addresses: Addresses, scopes: Iterable[str]) -> dict[str, Any]:
    algorithms = sorted(KEY_TYPES)
    methods = list(AUTH_METHODS)
    return {
        "issuer": addresses.base_url,
        "jwks_uri": addresses.keys,
        "authorization_endpoint": addresses.authorization,
        "authorization_response_iss_parameter_supported": True,
        "pushed_authorization_request_endpoint": addresses.pushed,
        "require_pushed_authorization_requests": False,
        "token_endpoint": addresses.token,
        "token_endpoint_auth_methods_supported": [*methods, PUBLIC_METHOD],
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
        "grant_types_supported": [CODE_GRANT, GRANT_TYPE, REFRESH_GRANT],
        "response_types_supported": [RESPONSE_TYPE],
        "response_modes_supported": ["query"],
        "scopes_supported": [*OTHER_SCOPES, *sorted(scopes)],
        "introspection_endpoint": addresses.introspection,
        "introspection_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
        "revocation_endpoint": addresses.revocation,
        "revocation_endpoint_auth_methods_supported": [*methods, PUBLIC_METHOD],
        "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
        "code_challenge_methods_supported": ["S256"],
        "dpop_signing_alg_values_supported": list(ALGORITHMS),
        "authorization_details_types_supported": [type_of(addresses)],
    }


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")
