"""The master key: one small file that opens every other key of the hub.

What lives here: making and reading that file, wrapping a data key under it and unwrapping it. What does
not: the data keys themselves (``keyring.ring``) and where their wrapped form is kept (``store.key_rows``).

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
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from referral_hub.errors import ConfigurationError, Unavailable

KEY_BYTES = 32
NONCE_BYTES = 12
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
    """The master key in force, and the earlier ones that still open something.

    Args:
        keys: 32 bytes each, the one in force first.
    """

    def __init__(self, keys: tuple[bytes, ...]) -> None:
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise ConfigurationError("The master key file holds no usable key; restore it from your copy.")
        self.name = fingerprint(keys[0])
        self._ciphers = {fingerprint(key): AESGCM(key) for key in keys}

    def wrap(self, name: str, key: bytes) -> Wrapped:
        """Seals a data key for storage; it opens only under the same name."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return Wrapped(nonce + self._ciphers[self.name].encrypt(nonce, key, name.encode()), self.name)

    def unwrap(self, name: str, wrapped: bytes, master: str) -> bytes:
        """Opens a data key that the master key of this fingerprint sealed.

        Raises:
            Unavailable: where no master key here fits, or the stored bytes were changed.
        """
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
    try:
        mode = path.stat().st_mode
        lines = path.read_text("ascii").split()
    except FileNotFoundError:
        raise ConfigurationError("The master key file is not there: run `referral-hub init`.") from None
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError("The master key file cannot be read.") from None
    if stat.S_IMODE(mode) & 0o077:
        raise ConfigurationError("The master key file is open to other users; set its mode to 0600.")
    try:
        keys = tuple(base64.b64decode(line.removeprefix(_LINE), validate=True) for line in lines)
    except binascii.Error:
        raise ConfigurationError("The master key file is damaged; restore it from your copy.") from None
    return MasterKey(keys)


def make_master_key(path: Path) -> MasterKey:
    """Makes the master key file where there is none yet, readable by its owner alone, and reads it.

    Two starts at the same moment end with one and the same key.
    """
    if not path.exists():
        _write_whole(path, [secrets.token_bytes(KEY_BYTES)], replace=False)
    return read_master_key(path)


def renew_master_key(path: Path) -> MasterKey:
    """Puts a fresh key in front of the earlier ones; wrapping everything anew is the caller's next step."""
    kept = [base64.b64decode(line.removeprefix(_LINE)) for line in path.read_text("ascii").split()]
    _write_whole(path, [secrets.token_bytes(KEY_BYTES), *kept], replace=True)
    return read_master_key(path)


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
