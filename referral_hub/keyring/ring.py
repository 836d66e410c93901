"""The ring of data keys: one per person, one of the hub, one for search digests, and families that are renewed.

A family is a key and those before it: the newest signs or seals, all of them check or open. Two families are here:
the one that signs checkpoints, and the one that seals the links of pages.

What lives here: making, opening and remembering data keys. What does not: the master key
(``keyring.master``), the rows that hold the wrapped keys (``store.key_rows``), sealing (``store.bodies``).

A person's key is made in the Change that makes her record, and is remembered only once that Change was
applied. Destroying the wrapped key makes every copy of what it sealed unreadable, backups of the database
included.

Source: ``engine.md`` 4.
"""

import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from threading import Lock
from typing import Generic, Protocol, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from referral_hub.errors import ConfigurationError, Unavailable
from referral_hub.keyring.digests import IndexDigests
from referral_hub.keyring.master import KEY_BYTES, MasterKey, Wrapped
from referral_hub.keyring.own_file import OwnFileKeys, OwnFileRows

HUB, INDEX, CHECKPOINT, LINKS = "hub", "index", "checkpoint", "links"
FAMILIES = (CHECKPOINT, LINKS)
"""What is renewed by making a further key of the same family (``referral-hub keys rotate``)."""
FAMILY_PAUSE_S = 1.0
"""How often, at most, a process looks for newer keys of a family."""
REMEMBERED_PERSONS = 10_000


Key = TypeVar("Key")


class KeyRows(OwnFileRows, Protocol):
    """Where wrapped keys are kept, and public ones of organisations (``store.key_rows``)."""

    def find(self, names: Sequence[str]) -> Mapping[str, tuple[bytes, str] | None]:
        """Gives (wrapped key, fingerprint of its master) by name.

        None where a key was destroyed; a name without a row is absent.
        """

    def generations(self, family: str) -> Sequence[tuple[str, bytes, str, int]]:
        """Gives the keys of a family, newest first: name, wrapped key, its master's fingerprint, when made (us)."""

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
        self.own_files = OwnFileKeys(rows)
        self._signers = Family(self._secrets_of(CHECKPOINT), Ed25519PrivateKey.from_private_bytes)
        self._links = Family(self._secrets_of(LINKS), AESGCM)

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
        """Gives the hub's Ed25519 signature of a checkpoint, by the newest key there is."""
        return self._signers.current(again=True)[0].sign(message)

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Tells whether this hub signed the message, with its newest key or one before it."""
        return any(_signed(key, message, signature) for key in self._signers.current()) or any(
            _signed(key, message, signature) for key in self._signers.current(again=True)
        )

    def link_keys(self, *, again: bool = False) -> tuple[AESGCM, ...]:
        """Gives the keys that seal page links, newest first; the key of the hub is the last.

        Args:
            again: look for newer ones, where that was not done a moment ago.
        """
        return (*self._links.current(again=again), self.hub)

    def _secrets_of(self, family: str) -> Callable[[], list[bytes]]:
        def secrets_now() -> list[bytes]:
            rows = self._rows.generations(family)
            return [self._master.unwrap(name, wrapped, master) for name, wrapped, master, _ in rows]

        return secrets_now

    def _open(self, name: str, wrapped: tuple[bytes, str] | None) -> bytes:
        if wrapped is None:
            raise Unavailable(
                "The key of this record was destroyed; what it sealed cannot be opened any more."
            )
        return self._master.unwrap(name, *wrapped)


class Family(Generic[Key]):
    """The keys of one family, read when they are first needed. Safe for threads.

    Args:
        secrets_now: reads the secrets, newest first.
        made: makes a key of a secret.
    """

    def __init__(self, secrets_now: Callable[[], list[bytes]], made: Callable[[bytes], Key]) -> None:
        self._secrets_now = secrets_now
        self._made = made
        self._keys: tuple[Key, ...] | None = None
        self._read_at = 0.0
        self._lock = Lock()

    def current(self, *, again: bool = False) -> tuple[Key, ...]:
        """Gives the keys, newest first.

        Args:
            again: read them anew, where that was not done less than :data:`FAMILY_PAUSE_S` ago.
        """
        found = self._keys
        if found is not None and not (again and time.monotonic() - self._read_at >= FAMILY_PAUSE_S):
            return found
        with self._lock:
            self._read_at = time.monotonic()
            self._keys = tuple(self._made(secret) for secret in self._secrets_now())
            return self._keys


def _signed(key: Ed25519PrivateKey, message: bytes, signature: bytes) -> bool:
    try:
        key.public_key().verify(signature, message)
    except InvalidSignature:
        return False
    return True


def renew(master: MasterKey, rows: KeyRows, family: str, at_us: int) -> str:
    """Makes a further key of a family and gives its name; the ones before stay, to check and to open.

    Processes that run find it by themselves.

    Args:
        master: the master key.
        rows: where wrapped keys are kept.
        family: one of :data:`FAMILIES`.
        at_us: now, microseconds UTC.
    """
    name = f"{family}:{at_us:020d}"
    made = master.wrap(name, secrets.token_bytes(KEY_BYTES))
    rows.add(name, made.wrapped, made.master, at_us)
    return name


def establish(master: MasterKey, rows: KeyRows, at_us: int) -> None:
    """Makes the keys of a new hub; keys that are there stay.

    Args:
        master: the master key.
        rows: where wrapped keys are kept.
        at_us: now, microseconds UTC.
    """
    there = rows.find([HUB, INDEX, CHECKPOINT, LINKS])
    for name in (HUB, INDEX, CHECKPOINT, LINKS):
        if name not in there:
            made = master.wrap(name, secrets.token_bytes(KEY_BYTES))
            rows.add(name, made.wrapped, made.master, at_us)


def rewrap(master: MasterKey, name: str, stored: tuple[bytes, str]) -> Wrapped:
    """Gives a stored key wrapped under the master key in force."""
    return master.wrap(name, master.unwrap(name, *stored))
