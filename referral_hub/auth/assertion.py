"""The signed assertion by which a partner's software proves who it is (``private_key_jwt``).

What lives here: every check of the assertion that needs no write. What does not: keeping its ``jti``, which
happens in the Change of what the request does (``auth.server``), and which key sets count
(``auth.client_keys``).

Authlib's own class would take RS256, an assertion that ends tomorrow, one of several audiences, a set's first
key, and 60 seconds of clock difference; each of these is closed here and has a test.

Source: SMART App Launch 2.2, client authentication (asymmetric); RFC 7523 3; RFC 7515 4.1; RFC 8725 3.
"""

import hashlib
import json
import math
from collections.abc import Callable
from typing import Any

from authlib.oauth2.rfc6749 import InvalidClientError
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.util import json_b64decode

from referral_hub.auth.client_keys import ClientKeys
from referral_hub.auth.keys import KEY_TYPES, KeyRefused
from referral_hub.auth.oauth_clients import KEY_METHOD, OAuthClient
from referral_hub.auth.refusals import InvalidClient
from referral_hub.auth.request import OAuthRequest, Verified

LONGEST_LIFE_S = 300
"""Seconds between now and ``exp`` at most."""

LEEWAY_S = 5
"""Seconds by which the two clocks may differ."""

_LONGEST_ASSERTION = 16 * 1024
_LONGEST_JTI = 256
_KEPT_AFTER_S = 60  # beyond exp and leeway, so that no process with a slower clock meets a forgotten name


class _Registry(jws.JWSRegistry):
    """What joserfc is told to accept: our two algorithms; long key names and addresses; no b64 or crit."""

    max_header_length = 4096
    max_payload_length = _LONGEST_ASSERTION
    max_signature_length = 2048


_REGISTRY = _Registry(algorithms=tuple(KEY_TYPES), strict_check_header=False)


class SmartClientAssertion(JWTBearerClientAssertion):
    """Checks the assertion of one request; made anew for each, because moment and key belong to it.

    Args:
        request: the request that carries the assertion.
        keys: finds the key the assertion names.
        audience: the absolute token endpoint: the one audience that counts.
        also: further audiences that count at this endpoint (RFC 9126 2 names two for requests sent ahead).
    """

    CLIENT_AUTH_METHOD = KEY_METHOD  # type: ignore[misc]  # Authlib means it to be set by subclasses

    def __init__(
        self, request: OAuthRequest, keys: ClientKeys, audience: str, also: tuple[str, ...] = ()
    ) -> None:
        super().__init__(leeway=LEEWAY_S)
        self._request = request
        self._keys = keys
        self._audiences = (audience, *also)
        self._header: dict[str, Any] = {}

    def check(self, query_client: Callable[[str], OAuthClient | None]) -> OAuthClient:
        """Gives the client that signed the assertion, and notes the assertion on the request.

        Raises:
            InvalidClient: any check failed: 400 ``invalid_client``, the same text for all.
        """
        try:
            client: OAuthClient | None = self(query_client, self._request)
            if client is None:
                raise InvalidClient("assertion-type")
        except InvalidClientError as refusal:
            # Authlib notes the client on the request before the signature is verified.
            self._request.client = None
            raise refusal if isinstance(refusal, InvalidClient) else InvalidClient("client-unknown") from None
        except KeyRefused as refusal:
            self._request.client = None
            raise InvalidClient(refusal.reason) from None
        except (JoseError, ValueError, TypeError, RecursionError):
            self._request.client = None
            raise InvalidClient("assertion-unreadable") from None
        return client

    def extract_assertion(self, assertion: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Gives header and claims as the assertion states them, before anything is proved."""
        if len(assertion) > _LONGEST_ASSERTION:
            raise InvalidClient("assertion-too-long")
        segments = assertion.split(".")
        if len(segments) != 3 or not all(segments):
            raise InvalidClient("assertion-unreadable")
        self._header = self._checked_header(_object(segments[0]))
        claims = _object(segments[1])
        if not isinstance(claims.get("sub"), str):
            raise InvalidClient("sub")
        return self._header, claims

    def resolve_client_public_key(self, client: OAuthClient) -> RSAKey | ECKey:
        """Gives the one key whose ``kid`` and type the header names, among the keys of this client only."""
        self._request.named = client.row.client_id
        if "jku" in self._header and self._header["jku"] != (client.row.jwks_url or None):
            raise InvalidClient("jku")
        return self._keys.key_of(client.row, self._header["kid"], self._header["alg"], self._request.at_us)

    def process_assertion_claims(self, assertion: str, resolve_key: RSAKey | ECKey) -> dict[str, Any]:
        """Gives the claims once the signature is verified with RS384 or ES384 and every claim holds."""
        signed = jws.deserialize_compact(
            assertion, resolve_key, algorithms=[self._header["alg"]], registry=_REGISTRY
        )
        claims = json.loads(signed.payload or b"")
        if not isinstance(claims, dict):
            raise InvalidClient("assertion-unreadable")
        self.verify_claims(claims)
        return claims

    def verify_claims(self, claims: dict[str, Any]) -> None:
        """Checks iss, sub, aud, exp, iat, nbf and jti, and notes the assertion on the request."""
        at_s = self._request.at_us / 1_000_000
        client_id = claims.get("sub")
        if not isinstance(client_id, str) or claims.get("iss") != client_id:
            raise InvalidClient("iss-and-sub")
        named = claims.get("aud")
        if not any(named in (audience, [audience]) for audience in self._audiences):
            raise InvalidClient("aud")
        expires_s = _moment(claims, "exp")
        if expires_s is None or expires_s <= at_s - LEEWAY_S:
            raise InvalidClient("exp-missing-or-past")
        if expires_s > at_s + LONGEST_LIFE_S + LEEWAY_S:
            raise InvalidClient("exp-too-far")
        for name in ("iat", "nbf"):
            moment = _moment(claims, name)
            if moment is not None and (moment > at_s + LEEWAY_S or moment > expires_s):
                raise InvalidClient(f"{name}-in-the-future")
        jti = claims.get("jti")
        if not isinstance(jti, str) or not 0 < len(jti) <= _LONGEST_JTI:
            raise InvalidClient("jti-missing")
        self.validate_jti(claims, jti)

    def validate_jti(self, claims: dict[str, Any], jti: str) -> bool:
        """Notes the name of the assertion; the Change of the request keeps it, or finds it kept already."""
        expires_s = int(claims["exp"]) + LEEWAY_S + _KEPT_AFTER_S
        digest = hashlib.sha256(jti.encode("utf-8")).digest()
        self._request.verified = Verified(claims["sub"], digest, expires_s * 1_000_000, claims)
        return True

    def _checked_header(self, header: dict[str, Any]) -> dict[str, Any]:
        if header.get("alg") not in KEY_TYPES:
            raise InvalidClient("alg")
        if header.get("typ") != "JWT":
            raise InvalidClient("typ")
        if not isinstance(header.get("kid"), str) or not header["kid"]:
            raise InvalidClient("kid-missing")
        if "crit" in header or "b64" in header:
            raise InvalidClient("crit")
        return header


def _object(segment: str) -> dict[str, Any]:
    """Gives the JSON object of one segment, read exactly as joserfc reads it when it verifies."""
    value: object = json_b64decode(segment.encode("ascii"))
    if not isinstance(value, dict):
        raise InvalidClient("assertion-unreadable")
    return value


def _moment(claims: dict[str, Any], name: str) -> int | float | None:
    """Gives a NumericDate; None where the claim is left out. A claim that is no finite number refuses."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidClient(f"{name}-unreadable")
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidClient(f"{name}-unreadable")
    return value
