"""Safe contact: by which channels, at which hours she may be reached; absent means not at all.

Source: ``views.md`` 9 (Safe contact), ``consent.md`` F-16.
"""

from typing import Any

from referral_hub.fhir.canonical import structure
from referral_hub.fhir.elements import codings, extension, extensions, reference_text
from referral_hub.fhir.outcome import Issue

SAFE_CONTACT = structure("safe-contact")
IN_PERSON = frozenset({"FACE", "in-person"})
"""Media that use no device of hers: v3-ParticipationMode (its VERBAL would count a phone in), or the hub's own."""


def allowed_channels(patient: dict[str, Any]) -> frozenset[str]:
    """Gives the channels her safe-contact extension allows; none without it.

    >>> allowed_channels({"extension": [{"url": SAFE_CONTACT, "extension": [
    ...     {"url": "channel", "valueCode": "in-person"}]}]})
    frozenset({'in-person'})
    """
    found = extension(patient, SAFE_CONTACT)
    return frozenset(
        channel["valueCode"]
        for channel in extensions(found, "channel")
        if isinstance(channel.get("valueCode"), str)
    )


def contact_issues(communication: dict[str, Any], patient: dict[str, Any]) -> list[Issue]:
    """Gives one issue where a message to her would use a channel she did not allow."""
    to_her = any(
        reference_text(recipient).startswith("Patient/") for recipient in communication.get("recipient") or ()
    )
    if not to_her:
        return []
    media = {code for _, code in codings(communication.get("medium"))}
    if media and media <= allowed_channels(patient) | IN_PERSON:
        return []
    return [
        Issue(
            "error",
            "business-rule",
            "She did not allow a message by this channel. Nothing was stored or queued; speak with her in person.",
            "Communication.medium",
        )
    ]
