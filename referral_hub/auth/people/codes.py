"""Codes that people read aloud, write down and type: handed-over codes, one-time passwords, recovery codes.

What lives here: the alphabet, making and folding of codes. What does not: how they are kept (keyed digests,
``store.accounts``) or used.

The alphabet has no letter that looks or sounds like another one in a bad light, on a bad line or in another script:
no B, I, L, O, S, U, V, Z, no 0, 1, 2, 5.

Source: NIST SP 800-63B-4, 3.1.2 (look-up secrets: 20 bits at least, 64 where attempts were not limited).
"""

import secrets

ALPHABET = "ACDEFGHJKMNPQRTWXY346789"
GROUP = 4
HANDED_GROUPS = 3
"""Groups of a handed-over code: 12 letters, 55 bits."""
RECOVERY_GROUPS = 3
ONE_TIME_GROUPS = 4
RECOVERY_COUNT = 10
_MOST = 64


def new_code(groups: int) -> str:
    """Gives a fresh random code in groups of four.

    >>> code = new_code(3)
    >>> len(code), code[4], folded(code.lower().replace("-", " ")) == folded(code)
    (14, '-', True)
    """
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP)) for _ in range(groups))


def folded(typed: str) -> str:
    """Gives a code as it is compared: capitals, without what people put between the groups.

    >>> folded(" ackp 4 6 7h - y9w3 ")
    'ACKP467HY9W3'
    """
    return "".join(letter for letter in typed[:_MOST].upper() if letter.isalnum())
