"""Nonces of this hub for proofs of possession: signed, good for a few minutes, kept nowhere.

What lives here: making a nonce and knowing one again. What does not: when one is asked for (``auth.dpop``).

Source: RFC 9449 8 and 9 (nonces of the authorization server and of the resource server).
"""

import base64
import hashlib
import hmac

NONCE_LIFE_S = 300
"""Seconds for which a nonce is taken."""

RENEWED_AFTER_S = 120
"""Seconds after which an answer brings the next one."""

_AHEAD_S = 5
"""Seconds by which the clocks of two machines of one hub may differ."""

_MOMENT_BYTES = 6
_MAC_BYTES = 16
_TEXT = 30  # characters of both in base64url


class Nonces:
    """Makes and checks nonces; every process of a hub with the same key knows those of the others.

    Args:
        key: a secret of this hub.
    """

    def __init__(self, key: bytes) -> None:
        self._key = hashlib.sha256(b"dpop-nonce\0" + key).digest()

    def fresh(self, at_us: int) -> str:
        """Gives the nonce of this second.

        >>> nonces = Nonces(b"an invented key")
        >>> nonces.age_s(nonces.fresh(7_000_000), 9_000_000)
        2
        """
        moment = (at_us // 1_000_000).to_bytes(_MOMENT_BYTES, "big")
        return base64.urlsafe_b64encode(moment + self._mac(moment)).decode().rstrip("=")

    def age_s(self, nonce: str, at_us: int) -> int | None:
        """Gives how many seconds old a nonce is; None for one that is not ours or that has ended."""
        if len(nonce) != _TEXT or not nonce.isascii():
            return None
        try:
            raw = base64.urlsafe_b64decode(nonce + "==")
        except ValueError:
            return None
        moment, mac = raw[:_MOMENT_BYTES], raw[_MOMENT_BYTES:]
        if not hmac.compare_digest(mac, self._mac(moment)):
            return None
        age = at_us // 1_000_000 - int.from_bytes(moment, "big")
        return age if -_AHEAD_S <= age <= NONCE_LIFE_S else None

    def _mac(self, moment: bytes) -> bytes:
        return hmac.digest(self._key, moment, "sha256")[:_MAC_BYTES]
