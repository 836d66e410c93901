"""Shared secrets of simple tools: made here once, kept as a hash.

What lives here: making, hashing and comparing. What does not: passwords of people.

The hub makes the secret itself (256 random bits), so no dictionary helps a thief; scrypt is the second line
should a secret ever be set by other means. Its cost (16 MiB, some 30 ms) is met once per token request of
such a client.

Source: RFC 6749 2.3.1 and 10.10; RFC 7914.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets

_LOG_N, _R, _P = 14, 8, 1
_MOST_LOG_N, _MOST_R, _MOST_P = 17, 8, 4
_MOST_MEMORY = 192 * 1024 * 1024
_LENGTH = 32
# Printable ASCII only: scrypt hashes a secret and the same secret with a NUL behind it to the same value.
_SECRET = re.compile(r"[\x21-\x7e]{1,256}", re.ASCII)


def new_secret() -> str:
    """Gives a fresh secret of 256 random bits, to be shown once.

    >>> len(new_secret())
    43
    """
    return secrets.token_urlsafe(32)


def hash_secret(secret: str) -> str:
    """Gives what is kept of a secret of printable ASCII: the salt, the cost and the hash, as one text.

    >>> is_secret("right", hash_secret("right")), is_secret("wrong", hash_secret("right"))
    (True, False)
    """
    salt = secrets.token_bytes(16)
    return f"scrypt${_LOG_N}${_R}${_P}${_text(salt)}${_text(_scrypt(secret, salt, _LOG_N, _R, _P))}"


def is_secret(secret: str, kept: str) -> bool:
    """Tells whether this is the secret the hash was made of; a hash that cannot be read matches nothing.

    Args:
        secret: what the caller sent.
        kept: the hash as stored. An empty one costs the same time and matches nothing, so that the time of an
            answer does not tell whether a client exists.
    """
    found = _read(kept)
    log_n, r, p, salt, expected = found or (_LOG_N, _R, _P, b"\0" * 16, b"")
    if not _SECRET.fullmatch(secret):
        return False
    return hmac.compare_digest(_scrypt(secret, salt, log_n, r, p), expected)


def _read(kept: str) -> tuple[int, int, int, bytes, bytes] | None:
    parts = kept.split("$")
    if len(parts) != 6 or parts[0] != "scrypt":
        return None
    try:
        log_n, r, p = int(parts[1]), int(parts[2]), int(parts[3])
        salt, expected = (base64.b64decode(part, validate=True) for part in parts[4:])
    except (ValueError, binascii.Error):
        return None
    if not (_LOG_N <= log_n <= _MOST_LOG_N and 1 <= r <= _MOST_R and 1 <= p <= _MOST_P):
        return None
    return (log_n, r, p, salt, expected) if len(expected) == _LENGTH else None


def _scrypt(secret: str, salt: bytes, log_n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(
        secret.encode("ascii"), salt=salt, n=1 << log_n, r=r, p=p, maxmem=_MOST_MEMORY, dklen=_LENGTH
    )


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")
