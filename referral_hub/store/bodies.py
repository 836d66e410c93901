"""Sealing and opening: nothing about a person lies readable in the database, its history, outbox or audit.

What lives here: ``seal`` and ``open``, and what the store needs of a keyring. What does not: keys
(``keyring``).

A sealed body is 12 random bytes, then AES-256-GCM, with the row's own name as associated data: a body moved
to another row does not open. Rows about a person use her key, all others the key of the hub.

The own file of an organisation that holds its key is sealed twice: under the person's key, and that to the
organisation's public key (``OWN``). While a release covers it, the outer seal is off (``SHARED``): then it is what any
body is, and marked, so that no process keeps it opened.

Source: ``engine.md`` 4.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from cryptography.exceptions import InvalidTag

from referral_hub.errors import Unavailable

PLAIN, SEALED, OWN, SHARED = 0, 1, 2, 3
_NONCE_BYTES = 12


class Cipher(Protocol):
    """One open key."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """Seals."""

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """Opens, or raises ``InvalidTag``."""


class OwnFiles(Protocol):
    """What the store needs of keys that organisations hold (``keyring.own_file``)."""

    def holders(self) -> Mapping[str, bytes]:
        """Gives the public keys by organisation."""

    def seal(self, public: bytes, body: bytes, label: str) -> bytes:
        """Seals bytes to a public key."""

    def is_given(self) -> bool:
        """Tells whether a key came with the request at hand."""

    def open(self, stored: bytes, label: str) -> bytes | None:
        """Opens; None where no key that fits came with the request at hand."""

    def locked(
        self, person: int, categories: Sequence[str], names: Sequence[str], at_us: int
    ) -> Sequence[tuple[int, str, str, bytes]]:
        """Gives (row id, public id, version, body) of a person's rows that lie sealed and a release may cover."""

    def earlier(
        self, person: int, organization: str, public: bytes
    ) -> Sequence[tuple[int, str, str, bytes, bool]]:
        """Gives (row id, public id, version, body, in place) of what lies under another key of an organisation."""


class Keys(Protocol):
    """What the store needs of the keyring."""

    @property
    def own_files(self) -> OwnFiles:
        """The keys that organisations hold."""

    @property
    def hub(self) -> Cipher:
        """The key of rows about nobody."""

    def person(self, person: int) -> Cipher | None:
        """Gives a person's key, None where there is none; raises Unavailable where it was destroyed."""

    def warm(self, persons: Iterable[int]) -> None:
        """Opens many persons' keys with one look."""

    def new_person(self, person: int) -> tuple[Cipher, str, tuple[bytes, str]]:
        """Makes a key: open, its name, and (wrapped, master fingerprint) to be stored."""

    def remember(self, person: int, key: Cipher) -> None:
        """Keeps an open key in memory once its Change was applied."""


def body_label(public_id: str, version: str) -> str:
    """Gives the associated data of a resource's body.

    >>> body_label("a1", "v1")
    'a1/v1'
    """
    return f"{public_id}/{version}"


def seal_under(key: Cipher, body: bytes, label: str) -> bytes:
    """Seals bytes under an open key."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + key.encrypt(nonce, body, label.encode())


class Bodies:
    """Seals and opens what rows hold.

    Args:
        keys: the keyring.
    """

    def __init__(self, keys: Keys) -> None:
        self.keys = keys
        self.own_files = keys.own_files

    def open_own(self, stored: bytes, person: int | None, label: str) -> bytes | None:
        """Opens what is sealed to an organisation; None where its key did not come with the request at hand.

        Raises:
            Unavailable: where the person's key is gone.
        """
        inner = self.own_files.open(stored, label)
        return None if inner is None else self.open(inner, SEALED, person, label)

    def open(self, stored: bytes, body_format: int, person: int | None, label: str) -> bytes:
        """Opens the bytes of a row.

        Args:
            stored: as the row holds them.
            body_format: 0 plain, 1 sealed, 3 sealed likewise; 2 only by :meth:`open_own`.
            person: the row id of the Patient it is about, or None.
            label: the row's own name (``body_label`` for resources).

        Raises:
            Unavailable: where the key is gone or does not fit; nothing is released then (503 on the wire).
        """
        if body_format == PLAIN:
            return stored
        key = self.keys.hub if person is None else self.keys.person(person)
        if body_format not in (SEALED, SHARED) or key is None:
            raise Unavailable("A stored record cannot be opened; nothing of it is released.")
        try:
            return key.decrypt(stored[:_NONCE_BYTES], stored[_NONCE_BYTES:], label.encode())
        except (InvalidTag, ValueError) as problem:
            raise Unavailable("A stored record cannot be opened; nothing of it is released.") from problem

    def warm(self, persons: Iterable[int]) -> None:
        """Opens the keys of the persons of a page with one look."""
        self.keys.warm(persons)
