"""Resources to redact: with a marker in every place, and as they come in life; everybody is invented."""

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from referral_hub.fhir import code_tables as code_systems
from referral_hub.fhir.canonical import CANONICAL, PLACER, V2_0203, code_system
from referral_hub.fhir.element_tables import is_primitive, properties

CLINIC, SHELTER, NETWORK, OTHER = "clinic-1", "shelter-1", "network", "other-9"
MARKER = re.compile(r"zq\d+")
_DEPTH = 9


@dataclass
class Planted:
    """A resource in which every text and number is a marker of its own, and where each stands."""

    resource: dict[str, Any] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    types: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def marker(self, path: str, types: tuple[str, ...]) -> str:
        name = f"zq{len(self.places) + 1:06d}"
        self.places[name] = path
        self.types.setdefault(path, types)
        return name

    def survivors(self, shown: Any) -> set[str]:
        """The places whose marker is in what is shown."""
        return {self.places[found] for text in texts(shown) for found in MARKER.findall(text)}


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)
    elif isinstance(value, str):
        yield value
    elif isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        yield f"zq{int(value):06d}"


def plant(type_name: str, *, without: frozenset[str] = frozenset()) -> Planted:
    """A resource of the type with everything R4 allows in it, all choices at once, extensions everywhere."""
    planted = Planted()
    made = _object(planted, type_name, type_name, (type_name,), without)
    planted.resource = {"resourceType": type_name, **made}
    return planted


def _object(
    planted: Planted, type_name: str, path: str, types: tuple[str, ...], without: frozenset[str]
) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, found in properties(type_name).items():
        place = f"{path}.{name}"
        if name in ("modifierExtension", "implicitRules") or place in without:
            continue
        kind = found.type_name
        if kind in types[1:] or len(types) > _DEPTH or (kind == "Extension" and "Extension" in types):
            continue
        value = _value(planted, kind, place, (*types, kind), without)
        if value is None:
            continue
        many = found.row.max != 1
        made[name] = [value] if many else value
        if is_primitive(kind) and kind != "xhtml":
            beside = {"id": planted.marker(f"{path}._{name}.id", (*types, "Element"))}
            made[f"_{name}"] = [beside] if many else beside
    return made


def _value(planted: Planted, kind: str, place: str, types: tuple[str, ...], without: frozenset[str]) -> Any:
    if kind == "boolean":
        return True
    if kind in ("integer", "positiveInt", "unsignedInt"):
        return int(planted.marker(place, types)[2:])
    if kind == "decimal":
        return Decimal(planted.marker(place, types)[2:])
    if is_primitive(kind):
        marker = planted.marker(place, types)
        return f"Patient/{marker}" if place.endswith(".reference") and types[-2] == "Reference" else marker
    if kind == "Resource":
        return {"resourceType": "Basic", "id": planted.marker(place, types)}
    if kind == "Extension":
        return {"url": planted.marker(place, types), "valueString": planted.marker(place, types)}
    return _object(planted, kind, place, types, without) or None


def codes(*paths: str) -> set[str]:
    """The places of codes in CodeableConcepts."""
    return {f"{path}.coding.{name}" for path in paths for name in ("system", "version", "code")}


def of(path: str, *names: str) -> set[str]:
    return {f"{path}.{name}" for name in names}


def concept(code: str, system: str = "http://snomed.info/sct", text: str = "") -> dict[str, Any]:
    own = code_systems.code_system(system) if system.startswith(CANONICAL) else None
    display = own.displays.get(code, ("",))[0] if own is not None else f"shown as {code}"
    named = {"display": display} if display else {}
    made: dict[str, Any] = {"coding": [{"system": system, "code": code, **named}]}
    return {**made, "text": text} if text else made


def identifier(kind: str, value: str, **more: Any) -> dict[str, Any]:
    return {
        "type": {"coding": [{"system": V2_0203, "code": kind, "display": kind}], "text": kind},
        "system": PLACER if kind == "PLAC" else "urn:oid:2.999.1",
        "value": value,
        **more,
    }


def reference(text: str) -> dict[str, Any]:
    return {"reference": text, "display": f"name of {text}"}


HEAD = {"meta": {"versionId": "v1", "lastUpdated": "2026-11-24T09:00:00Z"}}
CATEGORY = concept("health", "https://referral-hub.example/fhir/CodeSystem/information-category")
NOTE = {"authorString": "secret writer", "time": "2026-11-20T10:00:00Z", "text": "secret note"}
PERSON = reference("Patient/p1")


def entry(kind: str, list_name: str = "task-input-type", **value: Any) -> dict[str, Any]:
    return {"type": concept(kind, code_system(list_name)), **value}


def handling(code: str) -> dict[str, Any]:
    return entry("handling-condition", valueCodeableConcept=concept(code, code_system("handling-condition")))


TASK: Mapping[str, Any] = {
    "resourceType": "Task",
    "id": "t1",
    "meta": {
        "versionId": "v1",
        "lastUpdated": "2026-11-24T09:00:00Z",
        "profile": ["http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/X"],
        "tag": [{"system": "urn:x", "code": "secret-tag"}],
        "source": "urn:x:secret-source",
    },
    "text": {
        "status": "generated",
        "div": '<div xmlns="http://www.w3.org/1999/xhtml">secret narrative</div>',
    },
    "extension": [{"url": "http://example.org/secret", "valueString": "secret extension"}],
    "identifier": [
        identifier("PLAC", "P-1", assigner=reference("Organization/shelter-1")),
        identifier("FILL", "F-1"),
        identifier("MR", "secret-number"),
    ],
    "basedOn": [reference("CarePlan/secret-plan")],
    "groupIdentifier": {"system": "urn:x", "value": "secret-group"},
    "partOf": [reference("Task/secret-parent")],
    "status": "requested",
    "businessStatus": concept("sent", code_system("business-status"), "secret business text"),
    "intent": "order",
    "priority": "urgent",
    "code": {
        "coding": [
            {"system": "http://hl7.org/fhir/CodeSystem/task-code", "code": "fulfill", "display": "Fulfil"},
            {"system": "http://snomed.info/sct", "code": "secret-need"},
        ],
        "text": "secret code text",
    },
    "description": "secret description",
    "focus": reference("ServiceRequest/s1"),
    "for": reference("Patient/p1"),
    "encounter": reference("Encounter/secret-encounter"),
    "authoredOn": "2026-11-24T08:00:00Z",
    "lastModified": "2026-11-24T09:00:00Z",
    "requester": reference("Organization/shelter-1"),
    "performerType": [concept("secret-performer")],
    "owner": reference("Organization/clinic-1"),
    "location": reference("Location/secret-place"),
    "reasonCode": concept("reason-1", text="secret reason text"),
    "reasonReference": reference("Condition/c1"),
    "insurance": [reference("Coverage/secret-coverage")],
    "note": [
        {"authorReference": reference("Organization/shelter-1"), "text": "secret author note"},
        {"authorReference": {"reference": "Organization/clinic-1"}, "text": "owner note"},
    ],
    "relevantHistory": [reference("Provenance/secret-history")],
    "restriction": {
        "repetitions": 3,
        "period": {"end": "2026-12-01T00:00:00Z"},
        "recipient": [reference("Organization/secret-recipient")],
    },
    "input": [
        handling("no-reminders"),
        entry("identity-release", valueCode="immediate"),
        entry("handoff", valueString="secret handoff"),
        {
            "type": {"text": "secret input type"},
            "valueReference": reference("DocumentReference/secret-letter"),
        },
    ],
    "output": [
        entry("attendance", "task-output-type", valueCode="came"),
        {"type": concept("result"), "valueReference": reference("DocumentReference/d9")},
    ],
}

SERVICE_REQUEST: Mapping[str, Any] = {
    "resourceType": "ServiceRequest",
    "id": "s1",
    "meta": {"versionId": "v1", "lastUpdated": "2026-11-24T09:00:00Z"},
    "identifier": [identifier("PLAC", "P-2"), identifier("MR", "secret-number")],
    "basedOn": [reference("CarePlan/secret-plan")],
    "replaces": [reference("ServiceRequest/secret-earlier")],
    "requisition": {"system": "urn:x", "value": "secret-requisition"},
    "status": "active",
    "intent": "order",
    "category": [concept("health", code_system("information-category"))],
    "priority": "urgent",
    "code": concept("need-1", text="secret need in words"),
    "orderDetail": [
        concept(
            "contacting-subject-prohibited",
            "http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes",
        ),
        concept("detail-1", text="secret detail"),
    ],
    "subject": reference("Patient/p1"),
    "encounter": reference("Encounter/secret-encounter"),
    "occurrenceDateTime": "2026-11-30",
    "authoredOn": "2026-11-24",
    "requester": reference("Organization/shelter-1"),
    "performer": [reference("Organization/other-9"), reference("Organization/clinic-1")],
    "locationCode": [concept("place-1")],
    "locationReference": [reference("Location/secret-place")],
    "reasonCode": [concept("reason-1", text="secret reason")],
    "reasonReference": [reference("Condition/c1"), reference("Condition/secret-condition")],
    "supportingInfo": [reference("DocumentReference/d1")],
    "bodySite": [concept("hand-1")],
    "note": [{"authorString": "secret writer", "text": "secret note"}],
    "patientInstruction": "secret instruction",
    "relevantHistory": [reference("Provenance/secret-history")],
}


def tick(*facts: str) -> list[dict[str, Any]]:
    url = f"{CANONICAL}/StructureDefinition/show-in-notice"
    return [{"url": url, "valueCode": fact} for fact in facts]


PATIENT: Mapping[str, Any] = {
    "resourceType": "Patient",
    "id": "p1",
    "meta": {"versionId": "v1", "lastUpdated": "2026-11-24T09:00:00Z"},
    "extension": [
        {"url": f"{CANONICAL}/StructureDefinition/age-group", "valueCode": "adult"},
        {"url": f"{CANONICAL}/StructureDefinition/age-band", "valueCode": "25-34"},
        {
            "url": f"{CANONICAL}/StructureDefinition/safe-contact",
            "extension": [{"url": "safe-word", "valueString": "secret word"}],
        },
        {"url": "http://hl7.org/fhir/StructureDefinition/patient-interpreterRequired", "valueBoolean": True},
    ],
    "identifier": [
        {"system": f"{CANONICAL}/person", "value": "hub-7"},
        {"system": "urn:oid:2.999.2", "value": "secret-passport"},
    ],
    "active": True,
    "name": [{"use": "anonymous", "text": "Lark"}],
    "telecom": [{"system": "phone", "value": "555-0100"}],
    "gender": "female",
    "birthDate": "1998-03-04",
    "address": [{"line": ["1 Elm"], "city": "Rivertown", "state": "North", "country": "XX"}],
    "maritalStatus": concept("M", "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus"),
    "contact": [{"name": {"text": "A. Friend"}, "organization": reference("Organization/secret-org")}],
    "communication": [{"language": concept("tg", "urn:ietf:bcp:47", "secret tongue"), "preferred": True}],
    "generalPractitioner": [reference("Practitioner/secret-doctor")],
    "managingOrganization": reference("Organization/shelter-1"),
    "link": [{"other": reference("Patient/secret-no-name"), "type": "seealso"}],
}


def actor(organization: str) -> dict[str, Any]:
    role = concept("IRCP", "http://terminology.hl7.org/CodeSystem/v3-ParticipationType")
    return {"role": role, "reference": reference(f"Organization/{organization}")}


def permit(organization: str, *categories: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "permit",
        "period": {"start": "2026-11-01T00:00:00Z", "end": "2026-12-01T00:00:00Z"},
        "actor": [actor(organization)],
        "purpose": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "TREAT"}],
        "class": [{"system": code_system("information-category"), "code": code} for code in categories],
        **more,
    }


CONSENT: Mapping[str, Any] = {
    "resourceType": "Consent",
    "id": "n1",
    "meta": {"versionId": "v1", "lastUpdated": "2026-11-24T09:00:00Z"},
    "identifier": [{"system": "urn:x", "value": "secret-number"}],
    "status": "active",
    "scope": concept("patient-privacy", "http://terminology.hl7.org/CodeSystem/consentscope"),
    "category": [concept("release", code_system("consent-kind"))],
    "patient": reference("Patient/p1"),
    "dateTime": "2026-11-01T10:00:00Z",
    "performer": [reference("Patient/p1")],
    "organization": [reference("Organization/shelter-1")],
    "sourceReference": reference("DocumentReference/secret-form"),
    "policy": [{"uri": "https://referral-hub.example/policy/1"}],
    "verification": [{"verified": True, "verifiedWith": reference("Patient/p1")}],
    "provision": {
        "type": "deny",
        "period": {"end": "2026-12-01T00:00:00Z"},
        "provision": [permit(CLINIC, "identity", "health"), permit(OTHER, "immigration")],
    },
}


def fresh(resource: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """A copy of one's own to change; a change to None takes the element out."""
    made = {**copy.deepcopy(dict(resource)), **changes}
    return {name: value for name, value in made.items() if value is not None}
