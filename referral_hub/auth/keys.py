"""Public keys of partners: which are strong enough, and which one signed.

What lives here: reading a JWK Set, refusing weak and private keys, and choosing the one key an assertion
names. What does not: fetching (``auth.client_keys``) and verifying a signature (``auth.assertion``).

Two algorithms exist here: RS384 with RSA keys of 2048 to 8192 bits, and ES384 with P-384 keys. A key that
stands for something else (``use``, ``key_ops``, ``alg``) is not used against its label.

Source: SMART App Launch 2.2, client authentication (asymmetric); RFC 7517; RFC 7518 6.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

KEY_TYPES: Mapping[str, str] = MappingProxyType({"RS384": "RSA", "ES384": "EC"})
"""The signature algorithms the hub takes, each with the key type (``kty``) it needs."""

LARGEST_KEY_SET = 64 * 1024
"""Bytes of a JWK Set that are read at most."""

_MOST_KEYS = 64
_MOST_KID = 255
_RSA_BITS = range(2048, 8192 + 1)
_RSA_EXPONENTS = range(65537, 1 << 32)
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


class KeyRefused(Exception):
    """A key or key set that cannot be used; the text names the rule, never key material.

    Args:
        reason: a short code for the log.
        text: the rule, in words for the operator who registers a client.
    """

    def __init__(self, reason: str, text: str = "") -> None:
        super().__init__(text or reason)
        self.reason = reason
        self.text = text or reason


@dataclass(frozen=True, slots=True)
class PartnerKey:
    """One entry of a partner's key set; ``key`` is None where it must not be used, and ``fault`` says why."""

    kid: str
    kty: str
    key: RSAKey | ECKey | None
    fault: str = ""


@lru_cache(maxsize=256)
def read_key_set(text: str) -> tuple[PartnerKey, ...]:
    """Reads a JWK Set; entries that must not be used stay in it, and count where two share a name.

    Args:
        text: the JSON document.

    Raises:
        KeyRefused: it is no JWK Set, or larger than the hub reads.
    """
    if len(text) > LARGEST_KEY_SET:
        raise KeyRefused("key-set-too-large", "The key set is larger than 64 KiB.")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise KeyRefused("key-set-unreadable", "The key set is not JSON.") from None
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise KeyRefused("key-set-unreadable", "A key set is an object with an array named keys.")
    if len(entries) > _MOST_KEYS:
        raise KeyRefused("key-set-too-large", f"A key set may hold {_MOST_KEYS} keys.")
    return tuple(_entry(entry) for entry in entries)


def check_key_set(text: str) -> tuple[PartnerKey, ...]:
    """Gives the keys of a set that is about to be registered, if every one of them is fit for use.

    Raises:
        KeyRefused: the set is empty, or a key in it is weak, private, unnamed, or named twice.
    """
    keys = read_key_set(text)
    if not keys:
        raise KeyRefused("key-set-empty", "The key set holds no key.")
    for number, key in enumerate(keys, start=1):
        if key.key is None:
            raise KeyRefused("key-unfit", f"Key {number} of the set: {key.fault}")
    if len({(key.kid, key.kty) for key in keys}) != len(keys):
        raise KeyRefused("key-ambiguous", "Two keys of the set share kid and kty.")
    return keys


def choose_key(keys: tuple[PartnerKey, ...], kid: str, alg: str) -> RSAKey | ECKey:
    """Gives the one key with this ``kid`` and the key type of this algorithm.

    Raises:
        KeyRefused: none matches, more than one matches, or the match must not be used.

    Source: SMART App Launch 2.2, client authentication (asymmetric), signature verification, steps 3 and 4.
    """
    matches = [key for key in keys if key.kid == kid and key.kty == KEY_TYPES[alg]]
    if not matches:
        raise KeyRefused("key-unknown")
    if len(matches) > 1:
        raise KeyRefused("key-ambiguous")
    if matches[0].key is None:
        raise KeyRefused("key-unfit")
    return matches[0].key


def _entry(entry: dict[str, object]) -> PartnerKey:
    kid, kty = entry.get("kid"), entry.get("kty")
    named = PartnerKey(kid if isinstance(kid, str) else "", kty if isinstance(kty, str) else "", None)
    try:
        return PartnerKey(named.kid, named.kty, _key(entry))
    except KeyRefused as refusal:
        return PartnerKey(named.kid, named.kty, None, refusal.text)


def _key(entry: dict[str, object]) -> RSAKey | ECKey:
    if _PRIVATE & entry.keys():
        raise KeyRefused("key-private", "it holds a private or secret part; register public keys only.")
    kid = entry.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= _MOST_KID:
        raise KeyRefused("key-unnamed", "it needs a kid of 1 to 255 characters.")
    _check_label(entry)
    try:
        return _rsa(entry) if entry["kty"] == "RSA" else _p384(entry)
    except (JoseError, ValueError):
        raise KeyRefused("key-unreadable", "its numbers make no valid key.") from None


def _check_label(entry: dict[str, object]) -> None:
    kty, alg, operations = entry.get("kty"), entry.get("alg"), entry.get("key_ops")
    if kty not in KEY_TYPES.values():
        raise KeyRefused("key-type", "its kty has to be RSA or EC.")
    if entry.get("use", "sig") != "sig":
        raise KeyRefused("key-label", "its use has to be sig.")
    if operations is not None and not (isinstance(operations, list) and "verify" in operations):
        raise KeyRefused("key-label", "its key_ops have to include verify.")
    if alg is not None and not (isinstance(alg, str) and KEY_TYPES.get(alg) == kty):
        raise KeyRefused("key-label", "its alg has to be RS384 for RSA, or ES384 for EC.")


def _rsa(entry: dict[str, object]) -> RSAKey:
    modulus, exponent = _number(entry.get("n"), 1024), _number(entry.get("e"), 8)
    if modulus.bit_length() not in _RSA_BITS:
        raise KeyRefused("key-weak", "an RSA key has to be of 2048 to 8192 bits.")
    if exponent not in _RSA_EXPONENTS or exponent % 2 == 0:
        raise KeyRefused("key-weak", "the exponent of an RSA key has to be 65537 or a larger odd number.")
    return RSAKey.import_key({"kty": "RSA", "n": str(entry["n"]), "e": str(entry["e"])})


def _p384(entry: dict[str, object]) -> ECKey:
    if entry.get("crv") != "P-384":
        raise KeyRefused("key-weak", "an EC key has to be on the curve P-384.")
    for name in ("x", "y"):
        _number(entry.get(name), 48)
    return ECKey.import_key({"kty": "EC", "crv": "P-384", "x": str(entry["x"]), "y": str(entry["y"])})


def _number(value: object, most_bytes: int) -> int:
    if not isinstance(value, str) or not _BASE64URL.fullmatch(value):
        raise KeyRefused("key-unreadable", "its numbers have to be base64url texts.")
    try:
        raw = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
    except (ValueError, binascii.Error):
        raise KeyRefused("key-unreadable", "its numbers have to be base64url texts.") from None
    if len(raw) > most_bytes:
        raise KeyRefused("key-weak", "one of its numbers is larger than such a key can have.")
    return int.from_bytes(raw, "big")
