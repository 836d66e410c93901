"""Handles of grants: the opaque name by which a client asks again for a token bound to the same referral.

What lives here: making a handle and knowing one again. What does not: whether anything stands behind it
(``exchange.bound_grants``).

A handle is the referral's id under a key of the hub, together with the client's name: each client has another one
for the same referral, so no two can find out that they hold the same; and nothing is kept for it.

Source: ``consent.md`` D-04 and D-06; RFC 9396 2 (identifier); RFC 5297 (the synthetic IV is the keyed digest).
"""

import base64
import binascii
import hashlib

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

_PREFIX = "grant:"
_LONGEST = 256


class GrantHandles:
    """Makes and opens handles; every process of a hub with the same key knows those of the others.

    Args:
        key: a secret of this hub.
    """

    def __init__(self, key: bytes) -> None:
        self._key = AESSIV(hashlib.sha512(b"grant-handle\0" + key).digest())

    def made(self, client_id: str, task: str) -> str:
        """Gives the handle of a referral for one client: always the same one.

        >>> handles = GrantHandles(b"an invented key")
        >>> handles.opened("c-1", handles.made("c-1", "t-7"))
        't-7'
        >>> handles.opened("c-2", handles.made("c-1", "t-7"))
        ''
        """
        sealed = self._key.encrypt(task.encode("ascii"), [client_id.encode("utf-8")])
        return _PREFIX + base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def opened(self, client_id: str, handle: str) -> str:
        """Gives the id of the referral behind a handle of this client; empty for any other text."""
        text = handle.removeprefix(_PREFIX)
        if not handle.startswith(_PREFIX) or len(handle) > _LONGEST or not handle.isascii():
            return ""
        try:
            sealed = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
            return self._key.decrypt(sealed, [client_id.encode("utf-8")]).decode("ascii")
        except (binascii.Error, ValueError, InvalidTag):
            return ""
