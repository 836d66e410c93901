"""ID tokens: who signed in, told to the software in a signed statement.

What lives here: the claims. What does not: the keys that sign (``auth.signing_keys``). An ID token names nobody: the
account is an opaque id, and ``fhirUser`` an address that only a token opens.

Source: OpenID Connect Core 2 and 3.1.3.6; SMART App Launch 2.2, scopes for requesting identity data.
"""

import base64
import hashlib
from typing import Final

from referral_hub.auth.addresses import Addresses
from referral_hub.auth.offered_scopes import FHIR_USER, OPENID, PROFILE
from referral_hub.exchange.sign_in import FamilyRow

ID_TOKEN_LIFE_S: Final = 300
"""Seconds an ID token may be relied on."""

_SECOND: Final = 1_000_000
_TWO_FACTORS: Final = frozenset({"otp", "hwk", "mfa", "recovery"})


def assurance(addresses: Addresses, methods: tuple[str, ...]) -> str:
    """Gives the ``acr``: an address that says whether one factor was shown, or two.

    >>> assurance(Addresses("https://hub.example"), ("pwd", "otp"))
    'https://hub.example/assurance/two-factors'
    """
    level = "two-factors" if _TWO_FACTORS & set(methods) else "one-factor"
    return f"{addresses.base_url}/assurance/{level}"


def fhir_user_of(kind: str, practitioner: str, patient: str) -> str:
    """Gives the relative reference that says who signed in; empty where no resource does."""
    if kind == "staff":
        return f"Practitioner/{practitioner}" if practitioner else ""
    return f"Patient/{patient}" if patient else ""


def id_claims(
    family: FamilyRow, scope: str, addresses: Addresses, access_token: str, nonce: str, at_us: int
) -> dict[str, object] | None:
    """Gives the claims of an ID token, or None where the scope asks for none.

    Args:
        family: the approval.
        scope: what the access token beside it carries.
        addresses: where this hub is found.
        access_token: the access token beside it, for ``at_hash``.
        nonce: the nonce of the authorization request, or an empty text.
        at_us: now, microseconds since 1970 UTC.
    """
    names = scope.split(" ")
    if OPENID not in names:
        return None
    claims: dict[str, object] = {
        "iss": addresses.base_url,
        "sub": family.account,
        "aud": family.oauth_client,
        "iat": at_us // _SECOND,
        "exp": at_us // _SECOND + ID_TOKEN_LIFE_S,
        "auth_time": family.auth_us // _SECOND,
        "acr": family.acr,
        "amr": family.amr.split(),
        "at_hash": at_hash(access_token),
    }
    if nonce:
        claims["nonce"] = nonce
    if family.fhir_user and (FHIR_USER in names or PROFILE in names):
        claims["fhirUser"] = f"{addresses.fhir}/{family.fhir_user}"
    return claims


def at_hash(access_token: str) -> str:
    """Gives the left half of the SHA-256 of an access token, as an ID token signed with RS256 carries it.

    >>> at_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y")
    '77QmUPtjPfzWtF2AnpK9RQ'
    """
    half = hashlib.sha256(access_token.encode("ascii")).digest()[:16]
    return base64.urlsafe_b64encode(half).rstrip(b"=").decode("ascii")
