"""A request of the person to correct her record: the one thing her own token writes.

What lives here: what such a Communication must say. What does not: who answers it and how (``casework``), her other
acts (``exchange.operations``).

Source: ``views.md`` 9 (Her own acts); ``consent.md`` F-26 (she can correct).
"""

from typing import Any

from referral_hub.access.principal import Principal
from referral_hub.fhir.canonical import code_system
from referral_hub.fhir.elements import code_in, reference_text

CATEGORY = "correction-request"
_ELEMENTS = frozenset(
    {
        "resourceType",
        "meta",
        "language",
        "status",
        "category",
        "subject",
        "sender",
        "recipient",
        "sent",
        "payload",
    }
    | {"about", "reasonCode"}
)


def is_correction(body: dict[str, Any], caller: Principal) -> bool:
    """Tells whether a body is a request by this person, about her record, to the organisation that keeps it."""
    her = f"Patient/{caller.patient}"
    recipients = [reference_text(one) for one in body.get("recipient") or () if isinstance(one, dict)]
    return (
        body.get("resourceType") == "Communication"
        and body.keys() <= _ELEMENTS
        and code_in(body.get("category"), code_system("communication-category")) == CATEGORY
        and reference_text(body.get("subject")) == her
        and reference_text(body.get("sender")) == her
        and recipients == [f"Organization/{caller.organization_id}"]
    )
