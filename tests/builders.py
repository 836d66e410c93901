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


def kept_by_law(law: str = "Act on patient records, section 29") -> dict[str, Any]:
    """Gives the answer to a recall that a law stands against."""
    return {**coded(code_system("recall-answer"), "kept-by-law"), "text": law}


def reason(code: str, text: str = "in short words") -> dict[str, Any]:
    """Gives a status reason with its code and words."""
    return {**coded(code_system("status-reason"), code), "text": text}


# One valid resource of every type the hub stores, for tests that go through the declarations.


def tagged(category: str) -> dict[str, Any]:
    """Gives a meta that states the information category, for types that have no element for it."""
    return {"tag": [{"system": code_system("information-category"), "code": category}]}


def of_category(category: str) -> list[dict[str, Any]]:
    """Gives a category element that states the information category."""
    return [coded(code_system("information-category"), category)]


def about_person(type_name: str, person: str, *, category: str, request: str, document: str) -> Resource:
    """Gives a valid record of a person, of a type that a release opens.

    Args:
        type_name: such as ``Goal``.
        person: ``Patient/id``.
        category: the information category it states, where its type lets it.
        request: ``ServiceRequest/id`` of the same category, for types that have the category of that.
        document: ``DocumentReference/id`` of the same category, for a Binary.
    """
    who = {"reference": person}
    asked = [{"reference": request}]
    made: dict[str, Resource] = {
        "Appointment": {
            "status": "proposed",
            "basedOn": asked,
            "participant": [{"actor": who, "status": "needs-action"}],
        },
        "Basic": {
            "code": {"text": "diary"},
            "subject": who,
            "meta": tagged(category),
            "created": "2026-11-20",
        },
        "Binary": {
            "contentType": "text/plain",
            "securityContext": {"reference": document},
            "data": "aGVsbG8=",
        },
        "CarePlan": {"status": "active", "intent": "plan", "subject": who},
        "CareTeam": {"status": "active", "subject": who},
        "Communication": {"status": "completed", "subject": who, "basedOn": asked},
        "Composition": {
            "status": "final",
            "type": coded(LOINC, "57133-1"),
            "category": of_category(category),
            "subject": who,
            "date": "2026-11-20T10:00:00Z",
            "author": [who],
            "title": "Letter",
            "section": [{"title": "Request", "entry": asked}],
        },
        "Condition": condition(person, category),
        "Device": {"status": "active", "patient": who, "meta": tagged(category)},
        "DocumentReference": {
            "status": "current",
            "category": of_category(category),
            "subject": who,
            "content": [{"attachment": {"contentType": "text/plain", "data": "aGVsbG8="}}],
        },
        "Encounter": {
            "status": "finished",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
            "type": of_category(category),
            "subject": who,
            "period": {"start": "2026-11-20T10:00:00Z", "end": "2026-11-20T10:20:00Z"},
        },
        "EpisodeOfCare": {"status": "active", "patient": who},
        "Flag": {
            "status": "active",
            "category": of_category(category),
            "code": {"text": "Do not phone."},
            "subject": who,
        },
        "Goal": {
            "lifecycleStatus": "active",
            "category": of_category(category),
            "description": {"text": "use the hand again"},
            "subject": who,
            "target": [{"measure": coded(LOINC, "83174-3"), "dueDate": "2027-02-01"}],
        },
        "MeasureReport": {
            "status": "complete",
            "type": "individual",
            "measure": "https://network.example/Measure/wellbeing",
            "subject": who,
            "period": {"start": "2026-11-01", "end": "2026-11-20"},
            "group": [{"measureScore": {"value": 3}}],
            "meta": tagged(category),
        },
        "Observation": observation(person, category),
        "Procedure": {"status": "completed", "subject": who, "basedOn": asked},
        "QuestionnaireResponse": {
            "status": "completed",
            "questionnaire": "https://network.example/Questionnaire/wellbeing",
            "subject": who,
            "authored": "2026-11-20T10:00:00Z",
            "item": [{"linkId": "1", "answer": [{"valueString": "not well"}]}],
            "meta": tagged(category),
        },
        "RelatedPerson": {"patient": who},
        "RiskAssessment": {"status": "final", "subject": who},
    }
    return {"resourceType": type_name, **made[type_name]}


def of_author(type_name: str, person: str) -> Resource:
    """Gives a valid resource of a type that never leaves its author."""
    made: dict[str, Resource] = {
        "Group": {"type": "person", "actual": True, "member": [{"entity": {"reference": person}}]},
        "Provenance": {
            "target": [{"reference": person}],
            "recorded": "2026-11-20T10:00:00Z",
            "agent": [{"who": {"display": "a worker"}}],
        },
    }
    return {"resourceType": type_name, **made[type_name]}


def in_directory(type_name: str, organization: str, *, service: str = "", schedule: str = "") -> Resource:
    """Gives a valid directory entry of an organisation.

    Args:
        type_name: such as ``Slot``.
        organization: its id.
        service: ``HealthcareService/id`` of its own, for a Schedule.
        schedule: ``Schedule/id`` of its own, for a Slot.
    """
    own = {"reference": f"Organization/{organization}"}
    listed = [{"url": structure("directory-listed"), "valueBoolean": True}]
    made: dict[str, Resource] = {
        "Organization": {"active": True, "name": "Another"},
        "HealthcareService": {
            "providedBy": own,
            "type": [coded(code_system("service-domain"), "medical-care")],
        },
        "Location": {"status": "active", "name": "Front desk", "managingOrganization": own},
        "Endpoint": {
            "status": "active",
            "connectionType": {
                "system": "http://terminology.hl7.org/CodeSystem/endpoint-connection-type",
                "code": "hl7-fhir-rest",
            },
            "payloadType": [{"text": "any"}],
            "address": "https://ehr.example/fhir",
            "managingOrganization": own,
        },
        "Practitioner": {"extension": listed, "name": [{"text": "A. Lawyer"}]},
        "PractitionerRole": {"extension": listed, "organization": own},
        "Device": {"status": "active", "owner": own, "type": {"text": "ultrasound"}},
        "Schedule": {"active": True, "actor": [{"reference": service}]},
        "Slot": {
            "schedule": {"reference": schedule},
            "status": "free",
            "start": "2026-12-01T09:00:00Z",
            "end": "2026-12-01T09:20:00Z",
        },
        "OrganizationAffiliation": {"active": True, "organization": own},
        "Measure": {"status": "active", "url": "https://network.example/Measure/waiting", "title": "Waiting"},
        "Questionnaire": {
            "status": "active",
            "url": "https://network.example/Questionnaire/wellbeing",
            "title": "How are you?",
            "item": [{"linkId": "1", "text": "How did you sleep?", "type": "string"}],
        },
    }
    return {"resourceType": type_name, **made[type_name]}
