"""The consent binding of a token, as it is kept in the token's row.

What lives here: the text of a :class:`~referral_hub.access.principal.Binding` and back. What does not: who is
given such a token (``auth.rich_requests``), and what it opens (``exchange.gate``).

Source: RFC 9396; ``consent.md`` D-04.
"""

import json

from referral_hub.access.principal import Binding


def binding_text(binding: Binding | None) -> str:
    """Gives the text kept in the token's row; an empty one where the token is not bound.

    >>> binding_text(None)
    ''
    """
    if binding is None:
        return ""
    return json.dumps(
        {
            "handle": binding.handle,
            "referral": binding.referral,
            "consents": [list(consent) for consent in binding.consents],
            "categories": sorted(binding.categories),
            "confidentiality": binding.confidentiality,
            "not_after_us": binding.not_after_us,
        },
        separators=(",", ":"),
    )


def binding_of(text: str) -> Binding | None:
    """Gives the binding that a text stands for, or None for the empty text.

    Raises:
        ValueError, KeyError, TypeError: the text is none that :func:`binding_text` gave; the request fails.

    >>> bound = Binding("h", "t", (("c", "1"),), frozenset({"health"}), "R", 5)
    >>> binding_of(binding_text(bound)) == bound
    True
    """
    if not text:
        return None
    found = json.loads(text)
    return Binding(
        handle=found["handle"],
        referral=found["referral"],
        consents=tuple((name, version) for name, version in found["consents"]),
        categories=frozenset(found["categories"]),
        confidentiality=found["confidentiality"],
        not_after_us=found["not_after_us"],
    )
