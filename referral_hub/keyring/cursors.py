"""Seals page links, so that nobody reads or makes one.

What lives here: the sealing. What does not: what a link holds (``exchange.cursors``).

Source: ``consent.md`` S-08.
"""

import base64
import binascii
import os
from collections.abc import Sequence
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_LABEL = b"cursor"
_NONCE_BYTES = 12


class LinkKeys(Protocol):
    """What sealing links needs of a keyring."""

    def link_keys(self, *, again: bool = False) -> Sequence[AESGCM]:
        """Gives the keys, newest first; ``again`` looks for newer ones."""


class CursorKey:
    """Seals and opens texts of page links. A link lives on where the key is renewed meanwhile.

    Args:
        ring: the keyring.
    """

    def __init__(self, ring: LinkKeys) -> None:
        self._ring = ring

    def seal(self, plain: bytes) -> str:
        """Gives a text fit for a URL."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ring.link_keys()[0].encrypt(nonce, plain, _LABEL)
        return base64.urlsafe_b64encode(nonce + sealed).decode().rstrip("=")

    def open(self, sealed: str) -> bytes | None:
        """Gives what was sealed, or None for anything this hub did not make."""
        try:
            raw = base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
        except (binascii.Error, ValueError):
            return None
        found = _opened(raw, self._ring.link_keys())
        return _opened(raw, self._ring.link_keys(again=True)) if found is None else found


def _opened(raw: bytes, keys: Sequence[AESGCM]) -> bytes | None:
    for key in keys:
        try:
            return key.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _LABEL)
        except (ValueError, InvalidTag):
            continue
    return None
