"""A keyring in memory, for tests of sealing."""

import secrets
from collections.abc import Iterable, Sequence

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from referral_hub.keyring.own_file import OwnFileKeys, OwnFileRows
from referral_hub.store.bodies import Cipher


class NobodyHolds:
    """The own file's keys of a hub where no organisation holds one, or the public keys it is given."""

    def own_keys(self) -> Sequence[tuple[str, bytes]]:
        return ()

    def own_locked(
        self, person: int, categories: Sequence[str], names: Sequence[str], at_us: int
    ) -> Sequence[tuple[int, str, str, bytes]]:
        del person, categories, names, at_us
        return ()

    def own_earlier(
        self, person: int, organization: str, key: bytes
    ) -> Sequence[tuple[int, str, str, bytes, bool]]:
        del person, organization, key
        return ()


class MemoryKeys:
    """Keys of persons who were added, and the hub's."""

    def __init__(self, own: OwnFileRows | None = None) -> None:
        self.own_files = OwnFileKeys(own or NobodyHolds())
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
