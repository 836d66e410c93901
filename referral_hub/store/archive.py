"""The file of a backup: sealed frames, one after the other, which say themselves when something is missing.

What lives here: writing and reading such a file. What does not: what is in it (``store.copying``), where its key comes
from (``referral_hub.preserving``).

The first line says what it is; a header in the clear says of which hub, of what time and of which schema. Each frame is
a length and an AES-256-GCM sealed MessagePack value. Its nonce is its number, and its associated data the digest of
the header and whether it is the last: a frame that was changed, moved or taken out does not open, and a file without
its last frame is not whole.

Source: Rogaway and others, online authenticated encryption (the STREAM construction); NIST SP 800-38D; MessagePack.
"""

import hashlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from referral_hub.errors import ConfigurationError

MAGIC = b"referral-hub-backup-1\n"
LARGEST_FRAME = 256 * 1024 * 1024
_LENGTH = 4
_LARGEST_HEADER = 64 * 1024


class Header(msgspec.Struct, frozen=True):
    """What a backup says of itself in the clear.

    Args:
        kind: ``records`` or ``keys``.
        hub: id of the network's own organisation.
        backup: the id that both files of one backup share.
        made_us: when it was begun, microseconds UTC.
        schema: the version of the schema.
        wrapped: the key of the frames, sealed by the master key.
        master: the fingerprint of that master key.
    """

    kind: str
    hub: str
    backup: str
    made_us: int
    schema: str
    wrapped: bytes
    master: str


class ArchiveWriter:
    """Writes frames into a file; ``finish`` makes it whole.

    Args:
        file: an empty file, opened for writing.
        header: what it says of itself.
        key: 32 bytes.
    """

    def __init__(self, file: BinaryIO, header: Header, key: bytes) -> None:
        self._file = file
        self._cipher = AESGCM(key)
        encoded = msgspec.msgpack.encode(header)
        self._about = hashlib.sha256(MAGIC + encoded).digest()
        self._number = 0
        file.write(MAGIC + len(encoded).to_bytes(_LENGTH, "big") + encoded)

    def add(self, value: Any) -> None:
        """Adds one value."""
        self._frame(msgspec.msgpack.encode(value), last=False)

    def finish(self, value: Any) -> None:
        """Adds the last value; nothing comes after it."""
        self._frame(msgspec.msgpack.encode(value), last=True)

    def _frame(self, data: bytes, *, last: bool) -> None:
        nonce = self._number.to_bytes(12, "big")
        sealed = self._cipher.encrypt(nonce, data, self._about + (b"\x01" if last else b"\x00"))
        self._file.write(len(sealed).to_bytes(_LENGTH, "big") + sealed)
        self._number += 1


def read_header(file: BinaryIO) -> tuple[Header, bytes]:
    """Gives what a file says of itself, and the digest its frames are bound to.

    Raises:
        ConfigurationError: it is no backup of this program.
    """
    if file.read(len(MAGIC)) != MAGIC:
        raise ConfigurationError("This file is no backup of a hub.")
    length = int.from_bytes(file.read(_LENGTH), "big")
    encoded = file.read(length) if length <= _LARGEST_HEADER else b""
    try:
        header = msgspec.msgpack.decode(encoded, type=Header)
    except msgspec.DecodeError:
        raise ConfigurationError("The beginning of this backup is damaged.") from None
    return header, hashlib.sha256(MAGIC + encoded).digest()


def frames(file: BinaryIO, about: bytes, key: bytes) -> Iterator[tuple[Any, bool]]:
    """Gives each value and whether it is the last.

    Args:
        file: stands behind the header.
        about: the digest of the header.
        key: 32 bytes.

    Raises:
        ConfigurationError: a frame was changed, or the file ends before its last frame.
    """
    cipher = AESGCM(key)
    number = 0
    while True:
        length = int.from_bytes(file.read(_LENGTH), "big")
        sealed = file.read(length) if 0 < length <= LARGEST_FRAME else b""
        if not sealed or len(sealed) != length:
            raise ConfigurationError("This backup is not whole: it ends too early. Nothing was restored.")
        data, last = _opened(cipher, number.to_bytes(12, "big"), sealed, about)
        yield msgspec.msgpack.decode(data), last
        if last:
            if file.read(1):
                raise ConfigurationError("Something follows the end of this backup. Nothing was restored.")
            return
        number += 1


def _opened(cipher: AESGCM, nonce: bytes, sealed: bytes, about: bytes) -> tuple[bytes, bool]:
    for last in (False, True):
        try:
            return cipher.decrypt(nonce, sealed, about + (b"\x01" if last else b"\x00")), last
        except InvalidTag:
            continue
    raise ConfigurationError("This backup is damaged or was changed. Nothing was restored.")
