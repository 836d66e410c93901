"""What a FHIR id may look like.

What lives here: the syntax check. What does not: making ids, which takes randomness and so is handed in from
outside (``exchange.ports.Ids``); references made of ids (:mod:`referral_hub.fhir.references`).

Source: FHIR R4 ``datatypes.html#id``.
"""

import re

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}", re.ASCII)


def is_id(text: str) -> bool:
    """Says whether a text can be the id of a resource: 1 to 64 letters, digits, hyphens and dots.

    >>> is_id("7f0c2c3a-4b1e-4a55-9d5e-0d8f2b1c6e11"), is_id("a_b"), is_id("")
    (True, False, False)
    """
    return _ID.fullmatch(text) is not None
