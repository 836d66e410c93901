"""Proofs of possession: that whoever sends a request holds the key its token is bound to (DPoP).

What lives here: every check of a proof that needs no write, and the nonces it asks for. What does not: keeping the
proof's name so that it counts once (``auth.changes``), which request has to bring one (``auth.dpop_requests``), HTTP
(``web.proving``).

A proof is good for one method at one address for one minute, with a nonce of this hub, once. The address is compared
with the hub's own, from its settings: what the request says of its host may come from anybody.

Source: RFC 9449 4.2, 4.3, 8 and 9; RFC 8725 3.
"""

import base64
import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.util import json_b64decode

from referral_hub.auth.dpop_keys import ALGORITHMS, proof_key
from referral_hub.auth.dpop_nonces import RENEWED_AFTER_S, Nonces

OLDEST_S = 60
"""Seconds by which a proof may be older than now."""

AHEAD_S = 10
"""Seconds by which the sender's clock may be ahead of ours."""

INVALID, NONCE_WANTED = "invalid_dpop_proof", "use_dpop_nonce"
_LONGEST_PROOF = 8 * 1024
_LONGEST_JTI = 256
_KEPT_AFTER_S = (
    60  # beyond the time in which it is taken, so that no process with a slower clock meets it forgotten
)
_PORTS = {"http": 80, "https": 443}

Place = tuple[str, str, int, bytes]
"""Scheme, host, port and path of an address, as two spellings of one address have them alike."""


class _Registry(jws.JWSRegistry):
    """What joserfc is told to accept: the listed algorithms, and headers that hold a key; no b64 or crit."""

    max_header_length = 4096
    max_payload_length = _LONGEST_PROOF
    max_signature_length = 2048


_REGISTRY = _Registry(algorithms=ALGORITHMS, strict_check_header=False)


class ProofRefused(Exception):
    """A proof that does not hold.

    Args:
        reason: the cause, for the log only.
        error: ``invalid_dpop_proof``, or ``use_dpop_nonce`` where the same proof with a nonce of the hub may hold.
    """

    def __init__(self, reason: str, error: str = INVALID) -> None:
        super().__init__(reason)
        self.reason = reason
        self.error = error


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that holds, and what is left to do with it.

    ``jkt`` is the thumbprint of its key; ``jti`` the SHA-256 of its name, to be kept until ``expires_us``;
    ``next_nonce`` what the sender is told to use from now on, empty while its present one will do.
    """

    jkt: str
    jti: bytes
    expires_us: int
    next_nonce: str = ""


def place_of(url: str) -> Place | None:
    """Gives what an address means, without query and fragment; None for what is no plain ``http`` address.

    Source: RFC 9449 4.3, point 9; RFC 3986 6.2.2 and 6.2.3.

    >>> place_of("HTTPS://Hub.Example:443/fhir/T%61sk?a=1") == place_of("https://hub.example/fhir/Task")
    True
    """
    if not url.isascii() or not url.isprintable() or " " in url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None
    if parts.scheme not in _PORTS or port is None or not parts.hostname or parts.username is not None:
        return None
    return parts.scheme, parts.hostname, port, unquote_to_bytes(parts.path or "/")


class Proofs:
    """Checks proofs. Safe for threads.

    Args:
        base_url: the address others see of this hub, from its settings.
        nonces: the nonces of this hub.

    Raises:
        ValueError: the base address is none.
    """

    def __init__(self, base_url: str, nonces: Nonces) -> None:
        found = place_of(base_url)
        if found is None:
            raise ValueError("The base address of the hub is no http address.")
        *self._origin, path = found
        self._path = path.rstrip(b"/")
        self._nonces = nonces

    def nonce(self, at_us: int) -> str:
        """Gives the nonce to send with a refusal."""
        return self._nonces.fresh(at_us)

    def check(self, text: str, method: str, path: bytes, at_us: int, *, token: str = "") -> Proof:
        """Gives the proof of a request, if it holds in everything but its name, which counts once.

        Args:
            text: the one ``DPoP`` header of the request.
            method: the method as sent.
            path: the path below the hub's base address, percent-encoding undone.
            at_us: the moment, microseconds since 1970 UTC.
            token: the access token the request brought; the proof must name it. Empty at the token endpoint.

        Raises:
            ProofRefused: any check failed.
        """
        if len(text) > _LONGEST_PROOF or not text.isascii():
            raise ProofRefused("proof-too-long")
        try:
            jkt, claims = _opened(text)
        except (JoseError, ValueError, TypeError, RecursionError):
            raise ProofRefused("proof-unreadable") from None
        place = place_of(claims["htu"]) if isinstance(claims.get("htu"), str) else None
        if claims.get("htm") != method or place != (*self._origin, self._path + path):
            raise ProofRefused("htm-or-htu")
        if token and claims.get("ath") != ath(token):
            raise ProofRefused("ath")
        issued_s = _issued(claims.get("iat"), at_us / 1_000_000)
        jti = claims.get("jti")
        if not isinstance(jti, str) or not 0 < len(jti) <= _LONGEST_JTI:
            raise ProofRefused("jti")
        age_s = self._nonces.age_s(nonce, at_us) if isinstance(nonce := claims.get("nonce"), str) else None
        if age_s is None:
            raise ProofRefused("nonce", NONCE_WANTED)
        until_us = int((issued_s + OLDEST_S + _KEPT_AFTER_S) * 1_000_000)
        digest = hashlib.sha256(jti.encode("utf-8", "surrogatepass")).digest()
        return Proof(jkt, digest, until_us, self._nonces.fresh(at_us) if age_s > RENEWED_AFTER_S else "")


def ath(token: str) -> str:
    """Gives what a proof says of the access token it goes with: its SHA-256 in base64url.

    Source: RFC 9449 4.2; the token is the example of section 7.1.

    >>> ath("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU")
    'fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo'
    """
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode("ascii")).digest()).decode().rstrip("=")


def _opened(text: str) -> tuple[str, dict[str, Any]]:
    """Gives thumbprint and claims once the signature was verified with the key the proof itself carries."""
    segments = text.split(".")
    if len(segments) != 3 or not all(segments):
        raise ValueError("not three parts")
    alg, key, jkt = _proved_by(segments[0])
    signed = jws.deserialize_compact(text, key, algorithms=[alg], registry=_REGISTRY)
    claims = json.loads(signed.payload or b"")
    if not isinstance(claims, dict):
        raise ProofRefused("proof-unreadable")
    return jkt, claims


@lru_cache(maxsize=512)
def _proved_by(segment: str) -> tuple[str, RSAKey | ECKey, str]:
    """Gives algorithm, key and thumbprint of a proof's header; a sender has the same header each time."""
    header: object = json_b64decode(segment.encode("ascii"))
    if not isinstance(header, dict) or header.get("typ") != "dpop+jwt":
        raise ProofRefused("typ")
    alg = header.get("alg")
    if not isinstance(alg, str) or alg not in ALGORITHMS:
        raise ProofRefused("alg")
    if "crit" in header or "b64" in header:
        raise ProofRefused("crit")
    try:
        key, jkt = proof_key(header.get("jwk"), alg)
    except ValueError:
        raise ProofRefused("jwk") from None
    return alg, key, jkt


def _issued(value: object, at_s: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ProofRefused("iat")
    if not at_s - OLDEST_S <= value <= at_s + AHEAD_S:
        raise ProofRefused("iat")
    return float(value)
