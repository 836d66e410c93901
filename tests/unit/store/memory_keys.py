"""A keyring in memory, for tests of sealing."""

import secrets
from collections.abc import Iterable

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from referral_hub.store.bodies import Cipher


class MemoryKeys:
    """Keys of persons who were added, and the hub's."""

    def __init__(self) -> None:
        self.hub: Cipher = AESGCM(secrets.token_bytes(32))
        self._persons: dict[int, Cipher] = {}

    def add(self, person: int) -> None:
        self._persons[person] = AESGCM(secrets.token_bytes(32))

    def person(self, person: int) -> Cipher | None:
        return self._persons.get(person)

    def warm(self, persons: Iterable[int]) -> None:
        del persons

    def new_person(self, person: int) -> tuple[Cipher, str, tuple[bytes, str]]:
        key = secrets.token_bytes(32)
        return AESGCM(key), f"person:{person}", (key, "in the clear")

    def remember(self, person: int, key: Cipher) -> None:
        self._persons[person] = key
