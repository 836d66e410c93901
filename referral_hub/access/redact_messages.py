"""What stays of what was written: Communication, DocumentReference, Binary.

What lives here: their allow-lists. What does not: how to read them, and who gets them
(``access.redact_granted``).

Source: ``views.md`` 4 and 9; ``consent.md`` S-22; FHIR R4 of each type.
"""

from typing import Any

from referral_hub.access.redact_rules import (
    absent,
    absent_primitive,
    attachment,
    choice,
    coding,
    concept,
    concepts,
    group,
    groups,
    keep,
    notes,
    plain,
    reference,
    references,
    text,
    unknown,
    very,
)
from referral_hub.access.redact_table import Reading, Table

# Communication

_PAYLOAD = Table(
    choice("content", String=text, Attachment=very(attachment), Reference=reference),
    one_of=(frozenset({"contentString", "contentAttachment", "contentReference"}),),
)

COMMUNICATION = Table(
    {
        "basedOn": references,
        "partOf": references,
        "inResponseTo": references,
        "status": keep,
        "statusReason": concept,
        "category": concepts,
        "priority": keep,
        "medium": very(concepts),
        "subject": reference,
        "topic": concept,
        "about": references,
        "encounter": reference,
        "sent": keep,
        "received": keep,
        "recipient": references,
        "sender": reference,
        "reasonCode": concepts,
        "reasonReference": references,
        "payload": groups(_PAYLOAD),
        "note": notes,
    },
    required={"status": absent_primitive},
)

# DocumentReference and Binary

_CONTENT = Table({"attachment": attachment, "format": coding}, required={"attachment": absent})


def _no_content(place: tuple[str, Any], reading: Reading) -> dict[str, Any]:
    return {"content": [{"attachment": unknown()}]}


_RELATED_DOCUMENT = Table({"code": keep, "target": reference}, required={"code": None, "target": None})
_CONTEXT = Table(
    {
        "encounter": references,
        "event": concepts,
        "period": plain,
        "facilityType": very(concept),
        "practiceSetting": very(concept),
        "related": references,
    }
)

DOCUMENT_REFERENCE = Table(
    {
        "status": keep,
        "docStatus": keep,
        "type": concept,
        "category": concepts,
        "subject": reference,
        "date": keep,
        "author": references,
        "authenticator": reference,
        "custodian": reference,
        "relatesTo": groups(_RELATED_DOCUMENT),
        "description": text,
        "content": groups(_CONTENT),
        "context": group(_CONTEXT),
    },
    required={"status": absent_primitive, "content": _no_content},
)

BINARY = Table(
    {"contentType": keep, "securityContext": reference, "data": text},
    required={"contentType": absent_primitive},
)
