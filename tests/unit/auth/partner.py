"""A partner's software, written from the standards alone: cryptography signs, and it knows no hub code."""

import base64
import json
import secrets
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
DROP = object()
"""A header or claim with this value is left out."""

_HASHES = {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}
_CURVES = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}


def b64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode("ascii")


def integer(value: int, length: int = 0) -> str:
    return b64(value.to_bytes(length or (value.bit_length() + 7) // 8, "big"))


@cache
def rsa_key(name: str, bits: int = 2048, exponent: int = 65537) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=exponent, key_size=bits)


@cache
def ec_key(name: str, alg: str = "ES384") -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(_CURVES[alg]())


def public_jwk(key: Any, kid: str | None, **more: Any) -> dict[str, Any]:
    numbers = key.public_key().public_numbers()
    named = {} if kid is None else {"kid": kid}
    if isinstance(key, rsa.RSAPrivateKey):
        return {"kty": "RSA", "n": integer(numbers.n), "e": integer(numbers.e), **named, **more}
    size = (key.key_size + 7) // 8
    curve = {256: "P-256", 384: "P-384", 521: "P-521"}[key.key_size]
    return {
        "kty": "EC",
        "crv": curve,
        "x": integer(numbers.x, size),
        "y": integer(numbers.y, size),
        **named,
        **more,
    }


def key_set(*keys: dict[str, Any]) -> str:
    return json.dumps({"keys": list(keys)})


def signature(alg: str, key: Any, text: bytes) -> bytes:
    if alg == "none":
        return b""
    algorithm = _HASHES[alg[2:]]()
    if alg.startswith("RS"):
        return key.sign(text, padding.PKCS1v15(), algorithm)
    if alg.startswith("PS"):
        return key.sign(text, padding.PSS(padding.MGF1(algorithm), algorithm.digest_size), algorithm)
    if alg.startswith("HS"):
        mac = hmac.HMAC(key, algorithm)
        mac.update(text)
        return mac.finalize()
    r, s = decode_dss_signature(key.sign(text, ec.ECDSA(algorithm)))
    size = (key.key_size + 7) // 8
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


@dataclass
class Partner:
    """One registered client with its key. ``assertion`` is right unless told otherwise."""

    client_id: str
    key: Any
    kid: str
    audience: str
    alg: str = "ES384"
    extra: dict[str, Any] = field(default_factory=dict)

    def assertion(self, now_s: float, *, header: Any = None, claims: Any = None, key: Any = None) -> str:
        full_header = {"alg": self.alg, "kid": self.kid, "typ": "JWT", **(header or {})}
        full_claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.audience,
            "exp": int(now_s) + 300,
            "jti": secrets.token_hex(32),
            **self.extra,
            **(claims or {}),
        }
        parts = [_json(full_header), _json(full_claims)]
        text = ".".join(b64(part) for part in parts)
        return f"{text}.{b64(signature(full_header['alg'], key or self.key, text.encode()))}"

    def form(self, now_s: float, scope: str = "system/Task.rs", **more: Any) -> dict[str, str]:
        return {
            "grant_type": "client_credentials",
            "scope": scope,
            "client_assertion_type": JWT_BEARER,
            "client_assertion": self.assertion(now_s, **more),
        }


def basic(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode("ascii")


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps({name: held for name, held in value.items() if held is not DROP}).encode()
