"""Keys that an organisation holds itself: what is sealed to one opens nowhere without the organisation.

What lives here: key pairs and their texts, sealing to a public key, opening with a key that came with a request, and
which organisations hold one. What does not: where the public keys are kept (``store.key_rows``), which rows are sealed
so (``store.own_file``), the header a key comes in (``web.incoming``).

A private key is never written down by the hub. It is there for one request, in the memory of the thread that answers
it. Sealing takes an ephemeral X25519 key, HKDF-SHA256 and AES-256-GCM, as in RFC 9180's base mode: whoever seals needs
the public key alone and cannot open again.

Source: ``engine.md`` 4 (organisation-held keys); RFC 7748, RFC 5869, RFC 9180.
"""

import base64
import binascii
import hashlib
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from referral_hub.errors import InvalidParameter

KEY_BYTES = 32
ID_BYTES = 8
NONCE_BYTES = 12
MOST_GIVEN = 4
"""How many keys may come with one request: the one in force and earlier ones, while records are sealed anew."""
LOOK_AGAIN_S = 1.0
"""How old, at most, the list of organisations that hold a key is when something is sealed."""
_SECRET, _PUBLIC = "hub-own-secret-1.", "hub-own-public-1."


class OwnKey(NamedTuple):
    """A fresh pair as texts: ``secret`` stays with the organisation, ``public`` is given to the hub."""

    secret: str
    public: str


class OwnFileRows(Protocol):
    """Where the public keys are kept (``store.key_rows``)."""

    def own_keys(self) -> Sequence[tuple[str, bytes]]:
        """Gives (organisation id, public key) of every organisation that holds its key."""

    def own_locked(
        self, person: int, categories: Sequence[str], names: Sequence[str], at_us: int
    ) -> Sequence[tuple[int, str, str, bytes]]:
        """Gives (row id, public id, version, body) of a person's rows that lie sealed and a release may cover."""

    def own_earlier(
        self, person: int, organization: str, key: bytes
    ) -> Sequence[tuple[int, str, str, bytes, bool]]:
        """Gives (row id, public id, version, body, in place) of what lies under other keys of an organisation."""


class _Given(NamedTuple):
    private: X25519PrivateKey
    public: bytes


_NONE: Mapping[bytes, _Given] = {}
_given: ContextVar[Mapping[bytes, _Given]] = ContextVar("own_keys_given", default=_NONE)


def make_own_key() -> OwnKey:
    """Makes a key pair for an organisation; the hub keeps no copy of the secret.

    >>> made = make_own_key()
    >>> public_of(made.secret) == read_public(made.public)
    True
    """
    secret = secrets.token_bytes(KEY_BYTES)
    return OwnKey(
        _SECRET + _text(secret), _PUBLIC + _text(_public(X25519PrivateKey.from_private_bytes(secret)))
    )


def read_public(text: str) -> bytes:
    """Gives the public key of its text.

    Raises:
        InvalidParameter: it is none; a secret given in its place is not repeated.
    """
    found = _bytes(text, _PUBLIC)
    if found is None:
        raise InvalidParameter(
            "public",
            f"That is no public key of an organisation: it begins with {_PUBLIC} and has 43 more signs.",
        )
    return found


def public_of(secret: str) -> bytes:
    """Gives the public key that belongs to a secret.

    Raises:
        InvalidParameter: it is no secret.
    """
    found = _bytes(secret, _SECRET)
    if found is None:
        raise InvalidParameter("secret", f"That is no secret of an organisation: it begins with {_SECRET}.")
    return _public(X25519PrivateKey.from_private_bytes(found))


def key_id(public: bytes) -> bytes:
    """Gives the name of a key, 8 bytes: it stands in front of what is sealed to it and says nothing else."""
    return hashlib.sha256(b"referral-hub own file key\0" + public).digest()[:ID_BYTES]


def seal_to(public: bytes, body: bytes, label: str) -> bytes:
    """Seals bytes to a public key, under their name.

    Args:
        public: 32 bytes.
        body: what is sealed.
        label: the row's own name; under another it does not open.
    """
    ephemeral = X25519PrivateKey.generate()
    sender = _public(ephemeral)
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(public))
    key, nonce = _derived(shared, sender, public)
    return key_id(public) + sender + key.encrypt(nonce, body, label.encode())


@contextmanager
def given(header: str) -> Iterator[None]:
    """Lets the keys of a header open for the length of a block, in this thread alone.

    Args:
        header: one secret, or a few with commas between; what is no secret opens nothing.
    """
    found: dict[bytes, _Given] = {}
    for text in header.split(",")[:MOST_GIVEN]:
        secret = _bytes(text.strip(), _SECRET)
        if secret is not None:
            private = X25519PrivateKey.from_private_bytes(secret)
            public = _public(private)
            found[key_id(public)] = _Given(private, public)
    token = _given.set(found)
    try:
        yield
    finally:
        _given.reset(token)


class OwnFileKeys:
    """Which organisations hold their key, and opening with the keys of the request at hand. Safe for threads.

    Args:
        rows: where the public keys are kept, and what is sealed to them.
    """

    def __init__(self, rows: OwnFileRows) -> None:
        self._rows = rows
        self._public: Mapping[str, bytes] = {}
        self._asked_at = -LOOK_AGAIN_S

    def holders(self) -> Mapping[str, bytes]:
        """Gives the public keys by organisation, looked up anew where the list is older than a second."""
        if time.monotonic() - self._asked_at >= LOOK_AGAIN_S:
            # No lock over a question to the database: whoever asks gives up the worker's lane meanwhile, and would
            # wait for it with the lock in hand. Two that ask at once find the same.
            asked_at = time.monotonic()
            self._public = dict(self._rows.own_keys())
            self._asked_at = asked_at
        return self._public

    def seal(self, public: bytes, body: bytes, label: str) -> bytes:
        """Seals bytes to a public key; see :func:`seal_to`."""
        return seal_to(public, body, label)

    def is_given(self) -> bool:
        """Tells whether a key came with the request at hand."""
        return bool(_given.get())

    def locked(
        self, person: int, categories: Sequence[str], names: Sequence[str], at_us: int
    ) -> Sequence[tuple[int, str, str, bytes]]:
        """Gives a person's rows that lie sealed and a release may cover (``store.key_rows``)."""
        return self._rows.own_locked(person, categories, names, at_us)

    def earlier(
        self, person: int, organization: str, public: bytes
    ) -> Sequence[tuple[int, str, str, bytes, bool]]:
        """Gives what lies sealed of a person under another key of an organisation than this one."""
        return self._rows.own_earlier(person, organization, key_id(public))

    def forget(self) -> None:
        """Looks the list of organisations up anew when something is sealed next."""
        self._asked_at = -LOOK_AGAIN_S

    def open(self, stored: bytes, label: str) -> bytes | None:
        """Opens what was sealed to an organisation; None where no key that fits came with the request at hand."""
        found = _given.get().get(stored[:ID_BYTES])
        if found is None:
            return None
        start = ID_BYTES + KEY_BYTES
        sender = stored[ID_BYTES:start]
        try:
            shared = found.private.exchange(X25519PublicKey.from_public_bytes(sender))
            key, nonce = _derived(shared, sender, found.public)
            return key.decrypt(nonce, stored[start:], label.encode())
        except (InvalidTag, ValueError):
            return None


def _derived(shared: bytes, sender: bytes, public: bytes) -> tuple[AESGCM, bytes]:
    info = b"referral-hub own file 1" + sender + public
    made = HKDF(SHA256(), KEY_BYTES + NONCE_BYTES, salt=None, info=info).derive(shared)
    return AESGCM(made[:KEY_BYTES]), made[KEY_BYTES:]


def _public(private: X25519PrivateKey) -> bytes:
    return private.public_key().public_bytes_raw()


def _text(key: bytes) -> str:
    return base64.urlsafe_b64encode(key).decode().rstrip("=")


def _bytes(text: str, prefix: str) -> bytes | None:
    if not text.startswith(prefix):
        return None
    try:
        found = base64.b64decode(text.removeprefix(prefix) + "=", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return found if len(found) == KEY_BYTES else None
