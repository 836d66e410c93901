"""Invented people, organisations and papers for tests: small builders of valid FHIR R4 resources.

What lives here: data. What does not: the hub that takes them (``tests.world``). Every name is invented.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from referral_hub.fhir.canonical import (
    ACT_REASON,
    CONSENT_SCOPE,
    INTERPRETER_REQUIRED,
    code_system,
    structure,
)

Resource = dict[str, Any]
LOINC = "http://loinc.org"
IRCP = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP"}]}


def coded(system: str, code: str) -> dict[str, Any]:
    """Gives a CodeableConcept."""
    return {"coding": [{"system": system, "code": code}]}


def instant(days: float = 0) -> str:
    """Gives a moment some days from now."""
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def patient(name: str = "Lark", **more: Any) -> Resource:
    """Gives a person under an invented name, adult, with a phone and an address."""
    return {
        "resourceType": "Patient",
        "extension": [
            {"url": structure("age-group"), "valueCode": "adult"},
            {"url": INTERPRETER_REQUIRED, "valueBoolean": True},
        ],
        "identifier": [{"system": "urn:example:shelter-file", "value": f"file-{name.lower()}"}],
        "name": [{"use": "usual", "text": name, "family": f"{name}son", "given": [name]}],
        "gender": "female",
        "birthDate": "1994-03-02",
        "telecom": [{"system": "phone", "value": "+00 555 0100"}],
        "address": [{"line": ["7 Hidden Lane"], "city": "Nowhere", "state": "North", "country": "XX"}],
        "communication": [{"language": coded("urn:ietf:bcp:47", "vi")}],
        **more,
    }


def no_name_patient() -> Resource:
    """Gives the Patient of a no-name referral."""
    return {
        "resourceType": "Patient",
        "extension": [
            {"url": structure("no-name-referral"), "valueBoolean": True},
            {"url": structure("age-group"), "valueCode": "adult"},
            {"url": INTERPRETER_REQUIRED, "valueBoolean": True},
        ],
    }


def service_request(person: str, performer: str, *, category: str = "health", **more: Any) -> Resource:
    """Gives an active request for a service of one category."""
    return {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "category": [coded(code_system("information-category"), category)],
        "priority": "urgent",
        "code": {**coded("http://snomed.info/sct", "125643001"), "text": "wound on the left hand"},
        "subject": {"reference": person},
        "performer": [{"reference": f"Organization/{performer}"}],
        "note": [{"text": "She sleeps badly."}],
        **more,
    }


def task(person: str, request: str, owner: str, *, status: str = "requested", **more: Any) -> Resource:
    """Gives a referral Task."""
    return {
        "resourceType": "Task",
        "status": status,
        "intent": "order",
        "priority": "urgent",
        "code": coded("http://hl7.org/fhir/CodeSystem/task-code", "fulfill"),
        "focus": {"reference": request},
        "for": {"reference": person},
        "authoredOn": instant(),
        "owner": {"reference": f"Organization/{owner}"},
        "restriction": {"period": {"end": instant(3)}},
        **more,
    }


def permit(
    receiver: str,
    *,
    purpose: str = "TREAT",
    categories: tuple[str, ...] = ("identity", "health"),
    instances: tuple[str, ...] = (),
    very_restricted: bool = False,
    days: float = 20,
) -> dict[str, Any]:
    """Gives one nested permit of a release."""
    found: dict[str, Any] = {
        "type": "permit",
        "period": {"start": instant(-1), "end": instant(days)},
        "actor": [{"role": IRCP, "reference": {"reference": f"Organization/{receiver}"}}],
        "purpose": [{"system": ACT_REASON if purpose.isupper() else code_system("purpose"), "code": purpose}],
    }
    if categories:
        found["class"] = [
            {"system": code_system("information-category"), "code": category} for category in categories
        ]
    if instances:
        found["data"] = [{"meaning": "instance", "reference": {"reference": one}} for one in instances]
    if very_restricted:
        found["securityLabel"] = [
            {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "V"}
        ]
    return found


def release(
    person: str, custodian: str, *permits: dict[str, Any], status: str = "active", **more: Any
) -> Resource:
    """Gives a signed release."""
    return _consent("release", person, custodian, status, {"type": "deny", "provision": list(permits)}, more)


def refusal(person: str, custodian: str, *, actor: dict[str, Any] | None, **more: Any) -> Resource:
    """Gives a refusal of one actor (None: of everybody)."""
    root: dict[str, Any] = {"type": "deny"}
    if actor is not None:
        root["actor"] = [{"role": IRCP, "reference": actor}]
    return _consent("refusal", person, custodian, "active", root, more)


def _consent(
    kind: str, person: str, custodian: str, status: str, provision: dict[str, Any], more: dict[str, Any]
) -> Resource:
    return {
        "resourceType": "Consent",
        "status": status,
        "scope": coded(CONSENT_SCOPE, "patient-privacy"),
        "category": [coded(LOINC, "59284-0"), coded(code_system("consent-kind"), kind)],
        "patient": {"reference": person},
        "dateTime": instant(),
        "performer": [{"reference": person}],
        "organization": [{"reference": f"Organization/{custodian}"}],
        "sourceAttachment": {"contentType": "text/plain", "data": "c2lnbmVkIHdpdGggYSBtYXJr"},
        "policy": [{"uri": "https://network.example/policy/release/v1"}],
        "provision": provision,
        **more,
    }


def condition(person: str, category: str = "health", text: str = "cut on the hand") -> Resource:
    """Gives a need or health problem of one category."""
    return {
        "resourceType": "Condition",
        "clinicalStatus": coded("http://terminology.hl7.org/CodeSystem/condition-clinical", "active"),
        "category": [coded(code_system("information-category"), category)],
        "code": {**coded("http://snomed.info/sct", "283371005"), "text": text},
        "subject": {"reference": person},
        "recordedDate": "2026-11-20",
    }


def observation(person: str, category: str = "health", **more: Any) -> Resource:
    """Gives an observation of one category."""
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [coded(code_system("information-category"), category)],
        "code": coded(LOINC, "8310-5"),
        "subject": {"reference": person},
        "effectiveDateTime": "2026-11-20",
        "valueQuantity": {"value": 37, "unit": "Cel", "system": "http://unitsofmeasure.org", "code": "Cel"},
        **more,
    }


def output(kind: str, **value: Any) -> dict[str, Any]:
    """Gives one Task.output of a hub type."""
    return {"type": coded(code_system("task-output-type"), kind), **value}


def reason(code: str, text: str = "in short words") -> dict[str, Any]:
    """Gives a status reason with its code and words."""
    return {**coded(code_system("status-reason"), code), "text": text}
