"""A partner's software that proves possession of a key, written from RFC 9449 alone: it knows no hub code."""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass
from typing import Any

from tests.unit.auth.partner import DROP, b64, ec_key, public_jwk, signature


@dataclass
class Prover:
    """One key. ``proof`` is right unless told otherwise."""

    key: Any = None
    alg: str = "ES256"
    nonce: str = ""

    def __post_init__(self) -> None:
        self.key = self.key or ec_key("prover", self.alg)

    @property
    def jwk(self) -> dict[str, Any]:
        return public_jwk(self.key, None)

    @property
    def jkt(self) -> str:
        """RFC 7638: the required members in the order of their names, without spaces."""
        names = ("crv", "kty", "x", "y") if self.jwk["kty"] == "EC" else ("e", "kty", "n")
        text = json.dumps({name: self.jwk[name] for name in names}, separators=(",", ":"))
        return b64(hashlib.sha256(text.encode()).digest())

    def proof(
        self,
        method: str,
        url: str,
        now_s: float,
        *,
        token: str = "",
        header: Any = None,
        claims: Any = None,
        key: Any = None,
    ) -> str:
        full_header = {"typ": "dpop+jwt", "alg": self.alg, "jwk": self.jwk, **(header or {})}
        full_claims: dict[str, Any] = {
            "htm": method,
            "htu": url,
            "iat": int(now_s),
            "jti": secrets.token_hex(16),
        }
        if self.nonce:
            full_claims["nonce"] = self.nonce
        if token:
            full_claims["ath"] = b64(hashlib.sha256(token.encode()).digest())
        full_claims |= claims or {}
        parts = [
            json.dumps({name: value for name, value in part.items() if value is not DROP}).encode()
            for part in (full_header, full_claims)
        ]
        text = ".".join(b64(part) for part in parts)
        alg = full_header["alg"] if isinstance(full_header["alg"], str) else self.alg
        return f"{text}.{b64(signature(alg, key or self.key, text.encode()))}"


def tampered(proof: str) -> str:
    """The same proof with one bit of its signature changed."""
    head, _, signed = proof.rpartition(".")
    raw = bytearray(base64.urlsafe_b64decode(signed + "=" * (-len(signed) % 4)))
    raw[3] ^= 1
    return f"{head}.{b64(bytes(raw))}"
