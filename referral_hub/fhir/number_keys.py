"""Numbers as texts that sort as the numbers do, so that a text column finds them exactly.

What lives here: the spelling. What does not: what a search asks of a number (:mod:`.search_terms`).

A float would round a partner's ``0.1000000000000000055``, and no column type of both databases holds every
FHIR decimal. The text has the sign, then the place of the first digit, then the digits; for numbers below zero
all of it is turned round.

Source: FHIR R4 ``search.html#number``; ``datatypes.html#decimal``.
"""

from decimal import Decimal

LOWEST = ""
"""Sorts before every number: the open end of a range."""
HIGHEST = "~"
"""Sorts after every number."""

_ZERO = "1"
_BIAS = 50_000
_TURNED = str.maketrans("0123456789", "9876543210")


def number_key(number: Decimal) -> str:
    """Gives the text of a number; equal numbers give equal texts, whatever their zeros.

    >>> keys = [number_key(Decimal(n)) for n in ("-12", "-1.5", "0", "0.05", "0.5", "5", "50.1", "5e3")]
    >>> keys == sorted(keys), number_key(Decimal("1.50")) == number_key(Decimal("1.5"))
    (True, True)
    """
    sign, digits, _ = number.as_tuple()
    written = "".join(map(str, digits)).strip("0")
    if not written:
        return _ZERO
    text = f"{min(max(number.adjusted() + _BIAS, 0), 99_999):05d}{written}"
    # Below zero the last sign is behind every digit: -1.5 is before -1, as 1.5 is behind 1.
    return f"0{text.translate(_TURNED)}~" if sign else f"2{text}"
