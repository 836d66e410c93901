"""What the hub's own validator says of a body.

What lives here: one question. What does not: the validator (``referral_hub.fhir.validator``), HL7's
(``conformance.judge``).
"""

from referral_hub.errors import MalformedContent
from referral_hub.fhir import json_codec
from referral_hub.fhir.validator import validate


def hub_says(body: bytes) -> tuple[str, ...]:
    """Gives what the hub's validator finds wrong with a body, each as ``code: text``; empty for nothing.

    >>> hub_says(b'{"resourceType":"Patient","gender":"female"}')
    ()
    >>> hub_says(b"{")[0].partition(":")[0]
    'structure'
    """
    try:
        resource = json_codec.decode_object(body)
    except MalformedContent as refused:
        return (f"{refused.issue_code}: {refused.text}",)
    return tuple(f"{issue.code}: {issue.text}" for issue in validate(resource) if issue.is_error)
