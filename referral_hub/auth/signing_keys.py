"""The keys with which the hub signs ID tokens: several may be published, one signs.

What lives here: making, publishing, choosing and replacing them. What does not: the wrapping (``keyring.master``) and
the rows of wrapped keys (``store.key_rows``), which a change of the master key wraps anew with all others.

A new key is published at once and signs ten minutes later, so that nobody meets a signature by a key he could not
have fetched. A replaced key stays published for a day.

Source: OpenID Connect Core 10.1.1; SMART App Launch 2.2 (RS256 for ID tokens); RFC 7517; RFC 7638.
"""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Protocol

from referral_hub.errors import Unavailable

ALGORITHM = "RS256"
LEAD_US = 600 * 1_000_000
"""How long a key is published before it signs."""
KEPT_US = 24 * 3600 * 1_000_000
"""How long a replaced key stays published."""
LOOKED_US = 60 * 1_000_000
"""How long a process goes on with the keys it read."""
BITS = 2048
FIRST = "signing:first"


class WrappedKeys(Protocol):
    """Where wrapped keys are kept."""

    def add(self, name: str, wrapped: bytes, master: str, at_us: int) -> None:
        """Keeps a wrapped key unless there is one of this name already."""


class StoredSigningKeys(Protocol):
    """Where signing keys are read."""

    def signing_keys(self) -> Sequence[tuple[str, bytes, str, int]]:
        """Gives the keys, oldest first: name, wrapped key, its master's name, when it was made."""


class Wrapping(Protocol):
    """Wraps and unwraps keys (``keyring.master.MasterKey``)."""

    def wrap(self, name: str, key: bytes) -> tuple[bytes, str]:
        """Gives the wrapped key and the name of its master."""

    def unwrap(self, name: str, wrapped: bytes, master: str) -> bytes:
        """Gives the key."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key, opened; ``public`` is what the key set says of it."""

    name: str
    kid: str
    made_us: int
    private: Any
    public: dict[str, str]


class SigningKeys:
    """The hub's signing keys. Safe for threads.

    Args:
        stored: reads the rows.
        kept: adds rows.
        master: wraps them.
    """

    def __init__(self, stored: StoredSigningKeys, kept: WrappedKeys, master: Wrapping) -> None:
        self._stored = stored
        self._kept = kept
        self._master = master
        self._lock = Lock()
        self._keys: tuple[SigningKey, ...] = ()
        self._opened: dict[str, SigningKey] = {}
        self._looked_us = -LOOKED_US

    def published(self, at_us: int) -> bytes:
        """Gives the key set as JSON: every key that may have signed something that still counts."""
        keys = self._all(at_us)
        active = _active(keys, at_us)
        shown = [key for key in keys if key.made_us >= active.made_us or _is_kept(keys, key, at_us)]
        return json.dumps({"keys": [key.public for key in shown]}, separators=(",", ":")).encode("ascii")

    def signed(self, claims: dict[str, object], at_us: int) -> str:
        """Gives the claims as a JWT, signed with RS256 by the active key.

        Raises:
            Unavailable: the keys cannot be had now.
        """
        from joserfc import jwt

        key = _active(self._all(at_us), at_us)
        header = {"alg": ALGORITHM, "typ": "JWT", "kid": key.kid}
        return jwt.encode(header, claims, key.private, algorithms=[ALGORITHM])

    def add(self, at_us: int) -> str:
        """Makes a key that signs in ten minutes' time, and gives its name in the key set."""
        name = f"signing:{at_us:016}-{secrets.token_hex(4)}"
        self._make(name, at_us)
        self._looked_us = at_us - LOOKED_US
        return next(key.kid for key in self._all(at_us) if key.name == name)

    def _all(self, at_us: int) -> tuple[SigningKey, ...]:
        with self._lock:
            if not 0 <= at_us - self._looked_us < LOOKED_US or not self._keys:
                self._keys = self._read() or self._made_first(at_us)
                self._looked_us = at_us
            return self._keys

    def _read(self) -> tuple[SigningKey, ...]:
        found = []
        for name, wrapped, master, made_us in self._stored.signing_keys():
            key = self._opened.get(name)
            if key is None:
                key = self._opened[name] = _opened(name, self._master.unwrap(name, wrapped, master), made_us)
            found.append(key)
        return tuple(found)

    def _made_first(self, at_us: int) -> tuple[SigningKey, ...]:
        # Two processes that come here at once keep one key: the second row of the name is not added.
        self._make(FIRST, at_us)
        keys = self._read()
        if not keys:
            raise Unavailable("The hub has no key to sign with yet.")
        return keys

    def _make(self, name: str, at_us: int) -> None:
        from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        private = generate_private_key(public_exponent=65537, key_size=BITS)
        plain = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        wrapped, master = self._master.wrap(name, plain)
        self._kept.add(name, wrapped, master, at_us)


def _active(keys: Sequence[SigningKey], at_us: int) -> SigningKey:
    """Gives the newest key that was published long enough; the oldest where none was."""
    ready = [key for key in keys if key.made_us <= at_us - LEAD_US]
    return ready[-1] if ready else keys[0]


def _is_kept(keys: Sequence[SigningKey], key: SigningKey, at_us: int) -> bool:
    """Tells whether a replaced key stays published."""
    later = [other.made_us for other in keys if other.made_us > key.made_us]
    return not later or at_us < later[0] + LEAD_US + KEPT_US


def _opened(name: str, plain: bytes, made_us: int) -> SigningKey:
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        load_der_private_key,
    )
    from joserfc.jwk import RSAKey

    pem = load_der_private_key(plain, None).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    key = RSAKey.import_key(pem)
    kid = key.thumbprint()
    parts = key.as_dict(private=False)
    public = {
        "kty": "RSA",
        "kid": kid,
        "use": "sig",
        "alg": ALGORITHM,
        "n": str(parts["n"]),
        "e": str(parts["e"]),
    }
    return SigningKey(name, kid, made_us, key, public)
