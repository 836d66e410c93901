"""Criteria of conditional interactions: one identifier, nothing else.

Source: ``views.md`` 5 (only ``identifier=system|value``, else 412 with code not-supported); FHIR R4 http.html#ccreate.
"""

from urllib.parse import parse_qsl

from referral_hub.errors import ConditionalNotSupported

_TEXT = "A conditional write matches your own resources by one identifier only: identifier=system|value."


def identifier_of(criteria: str) -> str:
    """Gives ``system|value`` of the criteria of a conditional interaction.

    Raises:
        ConditionalNotSupported: any other criteria: 412 on the wire.

    >>> identifier_of("identifier=urn:x|7")
    'urn:x|7'
    """
    _, mark, query = criteria.rpartition("?")
    pairs = parse_qsl(query if mark else criteria, keep_blank_values=True)
    if len(pairs) != 1 or pairs[0][0] != "identifier":
        raise ConditionalNotSupported(_TEXT)
    system, bar, value = pairs[0][1].partition("|")
    if not bar or not system or not value or "," in value:
        raise ConditionalNotSupported(_TEXT)
    return f"{system}|{value}"
