"""What of a ServiceRequest the recipient of the referral reads: the notice, and what the release adds.

What lives here: the allow-lists N and F of ``views.md`` 1. What does not: which of them applies
(``access.views``).

``basedOn``, ``replaces``, ``requisition`` and ``relevantHistory`` are in no list: they would tell of other
referrals. ``doNotPerform`` is in both, although the design does not name it: a copy without it would ask
for the opposite.

Source: ``views.md`` 1 and 9; FHIR R4 ``servicerequest.html`` (prr-1).
"""

from collections.abc import Mapping
from typing import Any

from referral_hub.access.categories import INFORMATION_CATEGORY, VERY_RESTRICTED
from referral_hub.access.redact_rules import (
    absent_primitive,
    choice,
    concept,
    concepts,
    keep,
    local_reference,
    masked,
    notes,
    plain,
    reference,
    references,
    text,
    unknown,
    very,
)
from referral_hub.access.redact_table import Reading, Table, copied
from referral_hub.access.redact_task import placer_identifier
from referral_hub.fhir.canonical import SDOHCC_ORDER_DETAIL
from referral_hub.fhir.elements import codings

CONTACTING_PROHIBITED = "contacting-subject-prohibited"
_PROHIBITED = [{"coding": [{"system": SDOHCC_ORDER_DETAIL, "code": CONTACTING_PROHIBITED}]}]


def _identifiers(value: Any, reading: Reading) -> list[dict[str, Any]] | None:
    if not isinstance(value, list):
        return None
    return [stays for identifier in value if (stays := placer_identifier(identifier))] or None


def _category(value: Any, reading: Reading) -> list[dict[str, Any]] | None:
    """Lets the kind of help stay, in the hub's own words; a finer one could tell the need before acceptance."""
    known = [
        {"coding": [{"system": system, "code": code}]}
        for system, code in codings(value)
        if system == INFORMATION_CATEGORY
    ]
    return known or None


def _performers(value: Any, reading: Reading) -> list[dict[str, Any]] | None:
    """Lets the reader itself stay, never anybody else who was or is asked."""
    view = reading.view
    shown = []
    for item in value if isinstance(value, list) else ():
        stays = reference(item, reading)
        if stays and (stays["reference"] == reading.myself or stays["reference"] in view.selves):
            shown.append(stays)
    return shown or None


def _contact_rule(value: Any, reading: Reading) -> list[dict[str, Any]] | None:
    """Lets one order stay: do not contact the person."""
    for item in value if isinstance(value, list) else ():
        found = item.get("coding") if isinstance(item, dict) else None
        for coding in found if isinstance(found, list) else ():
            if (
                isinstance(coding, dict)
                and coding.get("code") == CONTACTING_PROHIBITED
                and coding.get("system") == SDOHCC_ORDER_DETAIL
            ):
                return _PROHIBITED
    return None


def category_code(category: str) -> dict[str, Any]:
    """Gives ``code`` at category level: the kind of help in the hub's own words, and no more.

    >>> category_code("health")["coding"][0]["code"]
    'health'
    """
    if not category or category == VERY_RESTRICTED:
        return unknown()
    return {"coding": [{"system": INFORMATION_CATEGORY, "code": category}]}


def _asked_by(shown: dict[str, Any], original: Mapping[str, Any], reading: Reading) -> None:
    if reading.view.requester:
        shown["requester"] = {"reference": reading.view.requester}
    if "code" not in shown:
        shown["code"] = category_code(reading.view.category)


_REQUIRED = {"status": absent_primitive, "intent": absent_primitive, "subject": masked}

_NOTICE_RULES = {
    "identifier": _identifiers,
    "status": keep,
    "intent": keep,
    "category": _category,
    "priority": keep,
    "doNotPerform": keep,
    "orderDetail": _contact_rule,
    "subject": local_reference,
    "performer": _performers,
}
_FULL_RULES = {
    **_NOTICE_RULES,
    "category": concepts,
    "code": concept,
    "orderDetail": concepts,
    **choice("quantity", Quantity=plain, Ratio=plain, Range=plain),
    "encounter": reference,
    **choice("occurrence", DateTime=keep, Period=plain, Timing=plain),
    **choice("asNeeded", Boolean=keep, CodeableConcept=concept),
    "authoredOn": keep,
    "performerType": concept,
    "locationCode": very(concepts),
    "locationReference": very(references),
    "reasonCode": concepts,
    "reasonReference": references,
    "insurance": references,
    "supportingInfo": references,
    "specimen": references,
    "bodySite": concepts,
    "note": notes,
    "patientInstruction": text,
}

NOTICE = Table(_NOTICE_RULES, required=_REQUIRED, finish=_asked_by)
FULL = Table(_FULL_RULES, required=_REQUIRED, finish=_asked_by)


def service_request_notice(request: Mapping[str, Any], reading: Reading) -> dict[str, Any]:
    """Gives N: the kind of help, how urgent, and that nobody may contact her."""
    return copied(request, NOTICE, reading)


def service_request_full(request: Mapping[str, Any], reading: Reading) -> dict[str, Any]:
    """Gives F: the notice, and the detail where the release names the category of the service."""
    return copied(request, FULL if reading.content else NOTICE, reading)
