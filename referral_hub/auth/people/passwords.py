"""Passwords: which are taken, how they are kept, and a check that costs the same for nobody's.

What lives here: length and normalisation, hashing, rehashing. What does not: who may try how often
(``auth.people.throttle``), the first words one would guess (``auth.people.commonplace``).

Source: NIST SP 800-63B-4, 3.1.1 (12 characters here, beside a second factor; no composition rules, no expiry; NFKC);
RFC 9106, 4 (parameters); ADR 0030.
"""

import secrets
import threading
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from referral_hub.auth.people.commonplace import is_commonplace
from referral_hub.auth.people.refusals import Refused

if TYPE_CHECKING:
    from argon2 import PasswordHasher

LEAST_STAFF = 12
"""Characters of a password of staff, at least."""
LEAST_PERSON = 8
"""Characters of the secret a person chooses, at least: it is used beside a random code only."""
MOST = 256
AT_ONCE = 2
"""Hashes that one worker computes at the same time: each needs 64 MiB."""
WAITING = {True: 4, False: 3}
"""Attempts that one worker has in hand at the same time: of known browsers, and of all others. Beyond it they are told
to come again, so that a flood of sign-ins does not hold up everything else."""
BUSY_S = 2
MEMORY_KIB, PASSES, LANES = 64 * 1024, 3, 4


def normalised(password: str) -> str:
    """Gives a password in the form that is hashed, so that two keyboards type the same one.

    >>> normalised("ﬁsh") == "fish"
    True
    """
    return unicodedata.normalize("NFKC", password)


def refuse_weak(password: str, least: int, expected: Iterable[str] = ()) -> None:
    """Refuses a new password that is too short, too long, or among the first that would be tried.

    Args:
        password: as it was typed.
        least: characters it has at least.
        expected: what is known of its owner: the login, the organisation's name.

    Raises:
        Refused: with which of the three.
    """
    text = normalised(password)
    if len(text) < least:
        raise Refused("password.short")
    if len(text) > MOST:
        raise Refused("password.long")
    if is_commonplace(text, expected):
        raise Refused("password.commonplace")


class Passwords:
    """Hashes passwords and checks them. Safe for threads.

    Args:
        memory_kib: memory of one hash, in KiB.
        passes: passes over it.
        lanes: how many lanes it has.
    """

    def __init__(self, memory_kib: int = MEMORY_KIB, passes: int = PASSES, lanes: int = LANES) -> None:
        self._parameters = (memory_kib, passes, lanes)
        self._at_once = threading.BoundedSemaphore(AT_ONCE)
        self._places = {known: threading.BoundedSemaphore(most) for known, most in WAITING.items()}

    @contextmanager
    def turn(self, *, known: bool) -> Iterator[None]:
        """Holds a place for one attempt; attempts of strangers never take those of known browsers.

        Args:
            known: the attempt comes from a browser the account is known in.

        Raises:
            Refused: too many are in hand; nothing was counted.
        """
        place = self._places[known]
        if not place.acquire(blocking=False):
            raise Refused("sign-in.wait", BUSY_S)
        try:
            yield
        finally:
            place.release()

    @cached_property
    def _hasher(self) -> "PasswordHasher":
        from argon2 import PasswordHasher  # a worker that signs nobody in never loads it

        memory_kib, passes, lanes = self._parameters
        return PasswordHasher(
            time_cost=passes, memory_cost=memory_kib, parallelism=lanes, hash_len=32, salt_len=16
        )

    @cached_property
    def _nobodys(self) -> str:
        return self.hashed(secrets.token_urlsafe(32))

    def hashed(self, password: str) -> str:
        """Gives the hash to keep of a password."""
        with self._at_once:
            return self._hasher.hash(normalised(password)[:MOST])

    def fits(self, kept: str, password: str) -> bool:
        """Tells whether a password is the one kept; with the same work where none is kept.

        Args:
            kept: the hash, or an empty text where there is no account or it has no password.
            password: as it was typed.
        """
        from argon2.exceptions import Argon2Error, InvalidHashError

        against = kept or self._nobodys
        with self._at_once:
            try:
                self._hasher.verify(against, normalised(password)[:MOST])
            except (Argon2Error, InvalidHashError):
                return False
        return bool(kept)

    def is_outdated(self, kept: str) -> bool:
        """Tells whether a hash was made with other parameters than today's, and is to be made anew."""
        return self._hasher.check_needs_rehash(kept)
