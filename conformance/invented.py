"""Invented people and papers that a check creates: plain FHIR R4, no extension of anybody.

What lives here: valid small resources, as data. What does not: the referral hub's own papers
(``conformance.invented_referral``). Every name is invented.
"""

from typing import Any

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
FILE_SYSTEM = "urn:example:conformance"

Resource = dict[str, Any]


def coded(system: str, code: str, text: str = "") -> dict[str, Any]:
    """Gives a CodeableConcept."""
    return {"coding": [{"system": system, "code": code}], **({"text": text} if text else {})}


def patient(family: str = "Plover", **more: Any) -> Resource:
    """Gives an invented person."""
    return {
        "resourceType": "Patient",
        "name": [{"use": "usual", "family": family, "given": ["Robin"]}],
        "gender": "female",
        "birthDate": "1990-06-15",
        **more,
    }


def observation(person: str, **more: Any) -> Resource:
    """Gives a body temperature of a person."""
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [coded("http://terminology.hl7.org/CodeSystem/observation-category", "vital-signs")],
        "code": coded(LOINC, "8310-5"),
        "subject": {"reference": person},
        "effectiveDateTime": "2024-01-15",
        "valueQuantity": {"value": 37, "unit": "Cel", "system": UCUM, "code": "Cel"},
        **more,
    }


def condition(person: str, **more: Any) -> Resource:
    """Gives a health concern of a person."""
    return {
        "resourceType": "Condition",
        "clinicalStatus": coded("http://terminology.hl7.org/CodeSystem/condition-clinical", "active"),
        "verificationStatus": coded(
            "http://terminology.hl7.org/CodeSystem/condition-ver-status", "confirmed"
        ),
        "category": [coded("http://terminology.hl7.org/CodeSystem/condition-category", "problem-list-item")],
        "code": coded("http://snomed.info/sct", "283371005"),
        "subject": {"reference": person},
        **more,
    }


def care_plan(person: str, **more: Any) -> Resource:
    """Gives a draft plan for a person."""
    return {
        "resourceType": "CarePlan",
        "status": "draft",
        "intent": "plan",
        "subject": {"reference": person},
        **more,
    }


def service_request(person: str, **more: Any) -> Resource:
    """Gives a draft request for a service."""
    return {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "order",
        "code": coded("http://snomed.info/sct", "125643001"),
        "subject": {"reference": person},
        **more,
    }


def task(person: str, **more: Any) -> Resource:
    """Gives a draft Task about a person."""
    return {
        "resourceType": "Task",
        "status": "draft",
        "intent": "order",
        "code": coded("http://hl7.org/fhir/CodeSystem/task-code", "fulfill"),
        "for": {"reference": person},
        "authoredOn": "2024-01-15T08:00:00Z",
        **more,
    }


ABOUT_A_PERSON = {
    "Observation": observation,
    "Condition": condition,
    "CarePlan": care_plan,
    "ServiceRequest": service_request,
    "Task": task,
}
"""How one resource of a type is made, given the reference of a person."""
