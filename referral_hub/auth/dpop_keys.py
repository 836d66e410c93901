"""The key in a proof of possession: which keys and algorithms count, and the thumbprint that stands for a key.

What lives here: reading the ``jwk`` of a proof, refusing weak and private keys, and RFC 7638. What does not: the
other checks of a proof (``auth.dpop``), and keys that partners register (``auth.keys``).

A key has one spelling here: numbers without needless zeros, base64url without stray bits. Otherwise one key would
have several thumbprints, and a name used once under one of them could be used again under another.

Source: RFC 9449 4.2 and 4.3; RFC 7638 3; RFC 7518 3 and 6; RFC 8725 3.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping
from types import MappingProxyType

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

ALGORITHMS = ("ES256", "ES384", "PS256", "PS384", "RS256", "RS384")
"""The signature algorithms a proof may have: asymmetric ones only."""

_CURVES: Mapping[str, tuple[str, int]] = MappingProxyType({"ES256": ("P-256", 32), "ES384": ("P-384", 48)})
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_BASE64URL = re.compile(r"[A-Za-z0-9_-]{1,1400}", re.ASCII)
_RSA_BITS = range(2048, 8192 + 1)
_RSA_EXPONENTS = range(65537, 1 << 32)


def proof_key(jwk: object, alg: str) -> tuple[RSAKey | ECKey, str]:
    """Gives the public key in the header of a proof, and its thumbprint.

    Args:
        jwk: what the header holds.
        alg: one of :data:`ALGORITHMS`; the key has to be of its kind.

    Raises:
        ValueError: it is no such key, is weak, has a private part, is labelled for something else, or is spelled in
            another way than RFC 7518 does.
    """
    if not isinstance(jwk, dict) or _PRIVATE & jwk.keys():
        raise ValueError("no public key")
    if jwk.get("use", "sig") != "sig" or jwk.get("alg", alg) != alg:
        raise ValueError("a key for something else")
    operations = jwk.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        raise ValueError("a key for something else")
    members = _curve_members(jwk, alg) if alg in _CURVES else _rsa_members(jwk)
    try:
        key: RSAKey | ECKey = (
            ECKey.import_key(dict(members)) if alg in _CURVES else RSAKey.import_key(dict(members))
        )
    except JoseError as fault:
        raise ValueError("its numbers make no key") from fault
    return key, _thumbprint(members)


def _curve_members(jwk: dict[str, object], alg: str) -> dict[str, str]:
    curve, size = _CURVES[alg]
    if jwk.get("kty") != "EC" or jwk.get("crv") != curve:
        raise ValueError("a key of another kind")
    found = {"crv": curve, "kty": "EC"}
    for name in ("x", "y"):
        text, raw = _octets(jwk.get(name))
        if len(raw) != size:
            raise ValueError("a coordinate of another length")
        found[name] = text
    return found


def _rsa_members(jwk: dict[str, object]) -> dict[str, str]:
    if jwk.get("kty") != "RSA":
        raise ValueError("a key of another kind")
    (modulus_text, modulus), (exponent_text, exponent) = _octets(jwk.get("n")), _octets(jwk.get("e"))
    if modulus[0] == 0 or exponent[0] == 0:
        raise ValueError("a number with needless zeros")
    if int.from_bytes(modulus, "big").bit_length() not in _RSA_BITS:
        raise ValueError("a weak key")
    number = int.from_bytes(exponent, "big")
    if number not in _RSA_EXPONENTS or number % 2 == 0:
        raise ValueError("a weak key")
    return {"e": exponent_text, "kty": "RSA", "n": modulus_text}


def _thumbprint(members: Mapping[str, str]) -> str:
    """Gives the SHA-256 thumbprint of a key's required members, in base64url.

    Source: RFC 7638 3.1; the key is the example there.

    >>> n = (
    ...     "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWK"
    ...     "RXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMic"
    ...     "AtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3"
    ...     "XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    ... )
    >>> _thumbprint({"e": "AQAB", "kty": "RSA", "n": n})
    'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs'
    """
    text = json.dumps({name: members[name] for name in sorted(members)}, separators=(",", ":"))
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode("ascii")).digest()).decode().rstrip("=")


def _octets(value: object) -> tuple[str, bytes]:
    """Gives a base64url text and what it stands for; a text with stray bits stands for nothing."""
    if not isinstance(value, str) or not _BASE64URL.fullmatch(value):
        raise ValueError("no base64url text")
    try:
        raw = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
    except binascii.Error as fault:
        raise ValueError("no base64url text") from fault
    if not raw or base64.urlsafe_b64encode(raw).decode().rstrip("=") != value:
        raise ValueError("a text with stray bits")
    return value, raw
