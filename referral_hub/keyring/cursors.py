"""Seals page links, so that nobody reads or makes one.

What lives here: the sealing. What does not: what a link holds (``exchange.cursors``).

Source: ``consent.md`` S-08.
"""

import base64
import binascii
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_LABEL = b"cursor"
_NONCE_BYTES = 12


class CursorKey:
    """Seals and opens texts of page links with the key of the hub.

    Args:
        key: the hub's own data key.
    """

    def __init__(self, key: AESGCM) -> None:
        self._key = key

    def seal(self, plain: bytes) -> str:
        """Gives a text fit for a URL."""
        nonce = os.urandom(_NONCE_BYTES)
        return base64.urlsafe_b64encode(nonce + self._key.encrypt(nonce, plain, _LABEL)).decode().rstrip("=")

    def open(self, sealed: str) -> bytes | None:
        """Gives what was sealed, or None for anything this hub did not make."""
        try:
            raw = base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
            return self._key.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _LABEL)
        except (binascii.Error, ValueError, InvalidTag):
            return None
