"""Sealing for one Change: bodies under the right keys, and new keys made in the Change that needs them.

What lives here: ``Sealing``. What does not: opening (``store.bodies``), keys (``keyring``).

Source: ``engine.md`` 4.
"""

from collections.abc import Iterable

from referral_hub.store.bodies import PLAIN, SEALED, Cipher, Keys, seal_under
from referral_hub.store.plan import Rule, Step


def person_key_name(person: int) -> str:
    """Gives the name under which a person's key is kept.

    >>> person_key_name(7)
    'person:7'
    """
    return f"person:{person}"


class Sealing:
    """Seals what one Change holds; a person without a key gets one in the same Change.

    Two Changes that both make the first key of a person collide on its row: the second is decided again and
    finds the key.

    Args:
        keys: the keyring.
        new_persons: row ids this Change itself creates: nobody looks for a key of theirs.
    """

    def __init__(self, keys: Keys, new_persons: Iterable[int] = ()) -> None:
        self._keys = keys
        self._new_persons = frozenset(new_persons)
        self.made: dict[int, Cipher] = {}
        self._rows: list[tuple[int, str, bytes, str]] = []

    def seal(self, body: bytes, person: int | None, label: str) -> tuple[int, bytes]:
        """Gives (body_format, bytes as they are stored); nothing stays nothing.

        Raises:
            Unavailable: where the person's key was destroyed.
        """
        if not body:
            return PLAIN, b""
        return SEALED, seal_under(self._key(person), body, label)

    def _key(self, person: int | None) -> Cipher:
        if person is None:
            return self._keys.hub
        key = self.made.get(person)
        if key is None and person not in self._new_persons:
            key = self._keys.person(person)
        if key is None:
            key, name, (wrapped, master) = self._keys.new_person(person)
            self.made[person] = key
            self._rows.append((person, name, wrapped, master))
        return key

    def steps(self, at_us: int) -> list[Step]:
        """Gives the steps that store the keys made here."""
        steps: list[Step] = []
        for person, name, wrapped, master in self._rows:
            steps.append(
                (
                    "wrapped_key_insert",
                    Rule.ANY,
                    {
                        "name": name,
                        "wrapped": wrapped,
                        "master": master,
                        "created_us": at_us,
                        "destroyed_us": None,
                    },
                )
            )
            steps.append(("person_insert", Rule.ANY, {"row_id": person, "epoch": 0, "key": name}))
        return steps
