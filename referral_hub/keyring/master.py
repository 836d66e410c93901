"""The master key: one small file that opens every other key of the hub.

What lives here: making and reading that file, wrapping a data key under it and unwrapping it. What does
not: other places a master key may lie in (``keyring.sources``), the data keys themselves (``keyring.ring``) and
where their wrapped form is kept (``store.key_rows``).

The file holds one key per line, the one in force first; older lines open what has not been wrapped anew
yet.

Source: ``engine.md`` 4.
"""

import base64
import binascii
import hashlib
import os
import secrets
import stat
import time
from collections.abc import Callable, Collection
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from referral_hub.errors import ConfigurationError, Unavailable

KEY_BYTES = 32
NONCE_BYTES = 12
PAUSE_S = 1.0
"""How often, at most, the source of the master key is read again."""
WRAPPING_S = 300.0
"""After how many seconds a hub that wraps a new key looks whether there is a newer master key."""
_LINE = "referral-hub-master-1:"


class Wrapped(NamedTuple):
    """A data key as it is stored: sealed under the master key of that fingerprint."""

    wrapped: bytes
    master: str


def fingerprint(key: bytes) -> str:
    """Gives the public name of a master key: it tells keys apart and says nothing about them.

    >>> len(fingerprint(bytes(32)))
    16
    """
    return hashlib.sha256(b"referral-hub master key\0" + key).hexdigest()[:16]


class MasterKey:
    """The master key in force, and the earlier ones that still open something. Safe for threads.

    A hub that runs learns a new master key without being started again: where a data key is wrapped under one that
    is not known here, the source is read once more.

    Args:
        keys: 32 bytes each, the one in force first.
        again: reads the keys once more from where they lie; None where they cannot change.
    """

    def __init__(self, keys: tuple[bytes, ...], again: Callable[[], tuple[bytes, ...]] | None = None) -> None:
        self._again = again
        self._asked_at = time.monotonic() - PAUSE_S
        self._lock = Lock()
        self._take(keys)

    def _take(self, keys: tuple[bytes, ...]) -> None:
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise ConfigurationError("The master key file holds no usable key; restore it from your copy.")
        self._ciphers = {fingerprint(key): AESGCM(key) for key in keys}
        self.name = fingerprint(keys[0])

    @property
    def names(self) -> tuple[str, ...]:
        """Gives the fingerprints of all keys that are here, the one in force first."""
        return tuple(self._ciphers)

    def read_again(self, pause_s: float = PAUSE_S) -> None:
        """Reads the keys once more where they lie, unless that was done less than so many seconds ago."""
        with self._lock:
            now = time.monotonic()
            if self._again is None or now - self._asked_at < pause_s:
                return
            self._asked_at = now
            self._take(self._again())

    def wrap(self, name: str, key: bytes) -> Wrapped:
        """Seals a data key for storage, under the key in force; it opens only under the same name.

        The source is looked at again every :data:`WRAPPING_S`, so that a hub that runs wraps nothing under a key that
        was replaced long ago.
        """
        self.read_again(WRAPPING_S)
        nonce = secrets.token_bytes(NONCE_BYTES)
        return Wrapped(nonce + self._ciphers[self.name].encrypt(nonce, key, name.encode()), self.name)

    def unwrap(self, name: str, wrapped: bytes, master: str) -> bytes:
        """Opens a data key that the master key of this fingerprint sealed.

        Raises:
            Unavailable: where no master key here fits, or the stored bytes were changed.
        """
        if master not in self._ciphers:
            self.read_again()
        cipher = self._ciphers.get(master)
        if cipher is None:
            raise Unavailable("A key of this hub cannot be opened: its master key is not in the key file.")
        try:
            return cipher.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], name.encode())
        except (InvalidTag, ValueError) as problem:
            raise Unavailable("A key of this hub cannot be opened; nothing is released with it.") from problem


def read_master_key(path: Path) -> MasterKey:
    """Reads the master key file.

    Raises:
        ConfigurationError: where it is missing, unreadable, or open to other users of the machine.
    """
    return MasterKey(keys_of_file(path), lambda: keys_of_file(path))


def keys_of_file(path: Path) -> tuple[bytes, ...]:
    """Gives the keys of the file, the one in force first.

    Raises:
        ConfigurationError: where it is missing, unreadable, or open to other users of the machine.
    """
    try:
        mode = path.stat().st_mode
        text = path.read_text("ascii")
    except FileNotFoundError:
        raise ConfigurationError("The master key file is not there: run `referral-hub init`.") from None
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError("The master key file cannot be read.") from None
    if stat.S_IMODE(mode) & 0o077:
        raise ConfigurationError("The master key file is open to other users; set its mode to 0600.")
    return keys_of_text(text)


def keys_of_text(text: str) -> tuple[bytes, ...]:
    """Gives the keys of a text with one key per line, the one in force first.

    Raises:
        ConfigurationError: a line is no key.

    >>> keys_of_text("referral-hub-master-1:" + "A" * 43 + "=") == (bytes(32),)
    True
    """
    try:
        keys = tuple(base64.b64decode(line.removeprefix(_LINE), validate=True) for line in text.split())
    except (binascii.Error, ValueError):
        raise ConfigurationError("The master key file is damaged; restore it from your copy.") from None
    if not keys or any(len(key) != KEY_BYTES for key in keys):
        raise ConfigurationError("The master key file holds no usable key; restore it from your copy.")
    return keys


def make_master_key(path: Path) -> MasterKey:
    """Makes the master key file where there is none yet, readable by its owner alone, and reads it.

    Two starts at the same moment end with one and the same key.
    """
    if not path.exists():
        _write_whole(path, [secrets.token_bytes(KEY_BYTES)], replace=False)
    return read_master_key(path)


def renew_master_key(path: Path) -> MasterKey:
    """Puts a fresh key in front of the earlier ones; wrapping everything anew is the caller's next step."""
    _write_whole(path, [secrets.token_bytes(KEY_BYTES), *keys_of_file(path)], replace=True)
    return read_master_key(path)


def retire_master_keys(path: Path, still_needed: Collection[str]) -> int:
    """Takes out of the file the earlier keys under which nothing lies any more; gives how many.

    Args:
        path: the master key file.
        still_needed: fingerprints of keys that still wrap something.
    """
    keys = keys_of_file(path)
    kept = [keys[0], *(key for key in keys[1:] if fingerprint(key) in still_needed)]
    if len(kept) < len(keys):
        _write_whole(path, kept, replace=True)
    return len(keys) - len(kept)


def _write_whole(path: Path, keys: list[bytes], *, replace: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.writelines(f"{_LINE}{base64.b64encode(key).decode()}\n" for key in keys)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            draft.replace(path)
        else:
            _link(draft, path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        draft.unlink(missing_ok=True)


def _link(draft: Path, path: Path) -> None:
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        return  # another start was first: its key counts
