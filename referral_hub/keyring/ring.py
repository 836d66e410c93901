"""The ring of data keys: one per person, one of the hub, one for search digests, one that signs checkpoints.

What lives here: making, opening and remembering data keys. What does not: the master key
(``keyring.master``), the rows that hold the wrapped keys (``store.key_rows``), sealing (``store.bodies``).

A person's key is made in the Change that makes her record, and is remembered only once that Change was
applied. Destroying the wrapped key makes every copy of what it sealed unreadable, backups of the database
included.

Source: ``engine.md`` 4.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from threading import Lock
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from referral_hub.errors import ConfigurationError, Unavailable
from referral_hub.keyring.digests import IndexDigests
from referral_hub.keyring.master import KEY_BYTES, MasterKey, Wrapped

HUB, INDEX, CHECKPOINT = "hub", "index", "checkpoint"
REMEMBERED_PERSONS = 10_000


class KeyRows(Protocol):
    """Where wrapped keys are kept (``store.key_rows``)."""

    def find(self, names: Sequence[str]) -> Mapping[str, tuple[bytes, str] | None]:
        """Gives (wrapped key, fingerprint of its master) by name.

        None where a key was destroyed; a name without a row is absent.
        """

    def add(self, name: str, wrapped: bytes, master: str, at_us: int) -> None:
        """Keeps a wrapped key unless there is one of this name already."""


class OpenKey(Protocol):
    """One data key in the clear, as it seals and opens."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """Seals."""

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """Opens, or raises ``InvalidTag``."""


def person_key_name(person: int) -> str:
    """Gives the name under which a person's key is kept.

    >>> person_key_name(7)
    'person:7'
    """
    return f"person:{person}"


class Keyring:
    """The data keys of a hub. Safe to use from many threads.

    Args:
        master: the master key.
        rows: where the wrapped keys are kept.
        remembered: how many persons' keys stay open in memory.
    """

    def __init__(self, master: MasterKey, rows: KeyRows, *, remembered: int = REMEMBERED_PERSONS) -> None:
        self._master = master
        self._rows = rows
        self._remembered = remembered
        self._persons: dict[int, OpenKey] = {}
        self._lock = Lock()
        found = rows.find([HUB, INDEX, CHECKPOINT])
        if len(found) != len((HUB, INDEX, CHECKPOINT)):
            raise ConfigurationError("The keys of this hub are not there yet: run `referral-hub init`.")
        opened = {name: self._open(name, wrapped) for name, wrapped in found.items()}
        self.hub = AESGCM(opened[HUB])
        self.digests = IndexDigests(opened[INDEX])
        self._signer = Ed25519PrivateKey.from_private_bytes(opened[CHECKPOINT])

    def person(self, person: int) -> OpenKey | None:
        """Gives a person's key, or None where there is none yet.

        Raises:
            Unavailable: where it was destroyed or cannot be opened.
        """
        key = self._persons.get(person)
        if key is not None:
            return key
        name = person_key_name(person)
        found = self._rows.find([name])
        if name not in found:
            return None
        key = AESGCM(self._open(name, found[name]))
        self.remember(person, key)
        return key

    def warm(self, persons: Iterable[int]) -> None:
        """Opens the keys of many persons with one look, for a page of their rows.

        A key that was destroyed is skipped; opening that person's rows will say so.
        """
        missing = {person_key_name(person): person for person in persons if person not in self._persons}
        if len(missing) < 2:
            return
        for name, wrapped in self._rows.find(list(missing)).items():
            if wrapped is not None:
                self.remember(missing[name], AESGCM(self._open(name, wrapped)))

    def new_person(self, person: int) -> tuple[OpenKey, str, Wrapped]:
        """Makes a key for a person who has none: the key, its name, and what is to be stored.

        It is not remembered: call ``remember`` once the Change that stores it was applied.
        """
        key = secrets.token_bytes(KEY_BYTES)
        name = person_key_name(person)
        return AESGCM(key), name, self._master.wrap(name, key)

    def remember(self, person: int, key: OpenKey) -> None:
        """Keeps an open key in memory; the ones opened longest ago make room."""
        with self._lock:
            while len(self._persons) >= self._remembered:
                del self._persons[next(iter(self._persons))]
            self._persons[person] = key

    def forget(self, person: int) -> None:
        """Drops a person's open key from memory, after it was destroyed."""
        with self._lock:
            self._persons.pop(person, None)

    def sign(self, message: bytes) -> bytes:
        """Gives the hub's Ed25519 signature of a checkpoint."""
        return self._signer.sign(message)

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Tells whether this hub signed the message."""
        try:
            self._signer.public_key().verify(signature, message)
        except InvalidSignature:
            return False
        return True

    def _open(self, name: str, wrapped: tuple[bytes, str] | None) -> bytes:
        if wrapped is None:
            raise Unavailable(
                "The key of this record was destroyed; what it sealed cannot be opened any more."
            )
        return self._master.unwrap(name, *wrapped)


def establish(master: MasterKey, rows: KeyRows, at_us: int) -> None:
    """Makes the keys of a new hub; keys that are there stay.

    Args:
        master: the master key.
        rows: where wrapped keys are kept.
        at_us: now, microseconds UTC.
    """
    there = rows.find([HUB, INDEX, CHECKPOINT])
    for name in (HUB, INDEX, CHECKPOINT):
        if name not in there:
            made = master.wrap(name, secrets.token_bytes(KEY_BYTES))
            rows.add(name, made.wrapped, made.master, at_us)


def rewrap(master: MasterKey, name: str, stored: tuple[bytes, str]) -> Wrapped:
    """Gives a stored key wrapped under the master key in force."""
    return master.wrap(name, master.unwrap(name, *stored))
