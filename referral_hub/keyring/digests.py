"""Keyed digests for search: an index row tells nobody what it stands for without the hub's index key.

What lives here: the digests of tokens, parameters and words. What does not: which rows are made
(``store.index_rows``).

Source: ``engine.md`` 4 (index rows of identifying values are HMACs), ``performance.md`` 7 (one hash column).
"""

import hmac
from functools import lru_cache

_REMEMBERED = 32_768


class IndexDigests:
    """Digests under one secret key; equal values give equal digests, and nothing can be read back.

    Args:
        key: 32 random bytes.

    >>> digests = IndexDigests(bytes(32))
    >>> digests.token("Task", "status", "|requested") == digests.token("Task", "status", "|requested")
    True
    >>> digests.token("Task", "status", "|requested") == digests.token("Task", "code", "|requested")
    False
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        # Codes and organisations repeat; a persons's values do not, and fall out again.
        self.token = lru_cache(maxsize=_REMEMBERED)(self._token)
        self.parameter = lru_cache(maxsize=_REMEMBERED)(self._parameter)

    def _number(self, text: str) -> int:
        return int.from_bytes(hmac.digest(self._key, text.encode(), "sha256")[:8], "big", signed=True)

    def _token(self, type_name: str, parameter: str, text: str) -> int:
        """Gives the digest of one token spelling as a signed 64-bit number."""
        return self._number(f"token|{type_name}|{parameter}|{text}")

    def _parameter(self, type_name: str, parameter: str) -> int:
        """Gives the digest that stands for a parameter of a type in date and string rows."""
        return self._number(f"parameter|{type_name}|{parameter}")

    def word(self, type_name: str, parameter: str, folded: str) -> str:
        """Gives the digest of a word or whole text that names a person; it begins with ``#``."""
        text = f"word|{type_name}|{parameter}|{folded}"
        return "#" + hmac.digest(self._key, text.encode(), "sha256")[:16].hex()
