"""Invented papers of the kinds that SDOHCC's Coordination Platform keeps, and what finds each of them.

What lives here: one resource per type, with search values that find it and values that do not. What does not:
what must hold (``conformance.checks.sdohcc``).

Source: SDOHCC, CapabilityStatement SDOHCC-CoordinationPlatform and the profiles it names.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from conformance.doors import Resource
from conformance.invented import LOINC, coded, condition, observation, patient, service_request, task
from conformance.lab import Lab
from conformance.samples import person_reference

SDOH = "http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes"
HOUSING = coded(SDOH, "housing-instability")
SURVEY = "http://terminology.hl7.org/CodeSystem/observation-category"
QUESTIONS = "https://conformance.example/Questionnaire/needs"


@dataclass(frozen=True, slots=True)
class Sample:
    """One resource to be created, and by parameter what finds it and what must not."""

    make: Callable[[Lab], Resource]
    found_by: dict[str, tuple[str, str]] = field(default_factory=dict)


def organization_reference(lab: Lab) -> str:
    """Gives our own Organization: the one configured, else one created for this run."""
    configured = lab.target.clients.get("author")
    if configured and configured.organization:
        return f"Organization/{configured.organization}"
    return f"Organization/{sample(lab, 'Organization')['id']}"


def _organization(lab: Lab) -> Resource:
    return {"resourceType": "Organization", "active": True, "name": f"Zq{lab.run} office"}


def _practitioner(lab: Lab) -> Resource:
    return {"resourceType": "Practitioner", "name": [{"family": f"Zq{lab.run}Whimbrel"}]}


def _role(lab: Lab) -> Resource:
    return {
        "resourceType": "PractitionerRole",
        "practitioner": {"reference": f"Practitioner/{sample(lab, 'Practitioner')['id']}"},
        "organization": {"reference": organization_reference(lab)},
        "telecom": [{"system": "phone", "value": "+00 555 0102"}],
    }


def _request(lab: Lab) -> Resource:
    return {**service_request(person_reference(lab)), "category": [HOUSING]}


def _task(lab: Lab) -> Resource:
    return {
        **task(person_reference(lab)),
        "focus": {"reference": f"ServiceRequest/{sample(lab, 'ServiceRequest')['id']}"},
        "requester": {"reference": organization_reference(lab)},
    }


def _procedure(lab: Lab) -> Resource:
    return {
        "resourceType": "Procedure",
        "status": "completed",
        "category": HOUSING,
        "code": coded("http://snomed.info/sct", "410606002"),
        "subject": {"reference": person_reference(lab)},
        "basedOn": [{"reference": f"ServiceRequest/{sample(lab, 'ServiceRequest')['id']}"}],
        "performedDateTime": "2024-01-15",
        "performer": [{"actor": {"reference": organization_reference(lab)}}],
    }


def _document(lab: Lab) -> Resource:
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "type": coded(LOINC, "34133-9"),
        "subject": {"reference": person_reference(lab)},
        "content": [{"attachment": {"contentType": "text/plain", "data": "aW52ZW50ZWQ="}}],
    }


def _consent(lab: Lab) -> Resource:
    return {
        "resourceType": "Consent",
        "status": "active",
        "scope": coded("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy"),
        "category": [coded("http://terminology.hl7.org/CodeSystem/v3-ActCode", "IDSCL")],
        "patient": {"reference": person_reference(lab)},
        "dateTime": "2024-01-15T08:00:00Z",
        "organization": [{"reference": organization_reference(lab)}],
        "sourceReference": {"reference": f"DocumentReference/{sample(lab, 'DocumentReference')['id']}"},
        "policy": [{"uri": "https://conformance.example/policy"}],
    }


def _condition(lab: Lab) -> Resource:
    found = condition(person_reference(lab))
    found["category"] = [
        coded("http://terminology.hl7.org/CodeSystem/condition-category", "problem-list-item"),
        HOUSING,
    ]
    return found


def _goal(lab: Lab) -> Resource:
    return {
        "resourceType": "Goal",
        "lifecycleStatus": "active",
        "category": [HOUSING],
        "description": {"text": "a room of her own"},
        "subject": {"reference": person_reference(lab)},
        "target": [{"measure": {"text": "lives there"}, "dueDate": "2030-01-15"}],
    }


def _observation(lab: Lab) -> Resource:
    found = observation(person_reference(lab), category=[coded(SURVEY, "survey"), HOUSING])
    return {**found, "performer": [{"reference": organization_reference(lab)}]}


def _answers(lab: Lab) -> Resource:
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": QUESTIONS,
        "status": "completed",
        "subject": {"reference": person_reference(lab)},
        "authored": "2024-01-15T08:00:00Z",
        "author": {"reference": organization_reference(lab)},
        "item": [{"linkId": "1", "answer": [{"valueBoolean": True}]}],
    }


def _questions(lab: Lab) -> Resource:
    return {
        "resourceType": "Questionnaire",
        "url": f"{QUESTIONS}-{lab.run}",
        "version": "1.0",
        "status": "draft",
        "item": [{"linkId": "1", "text": "Is there a safe place tonight?", "type": "boolean"}],
    }


def _group(lab: Lab) -> Resource:
    return {
        "resourceType": "Group",
        "type": "person",
        "actual": True,
        "member": [{"entity": {"reference": person_reference(lab)}}],
    }


def _device(lab: Lab) -> Resource:
    return {
        "resourceType": "Device",
        "deviceName": [{"name": f"Zq{lab.run} form", "type": "user-friendly-name"}],
    }


def _kept_by(lab: Lab) -> Resource:
    return {"managingOrganization": {"reference": organization_reference(lab)}}


def _location(lab: Lab) -> Resource:
    return {"resourceType": "Location", "status": "active", "name": f"Zq{lab.run} desk", **_kept_by(lab)}


def _offer(lab: Lab) -> Resource:
    return {
        "resourceType": "HealthcareService",
        "active": True,
        "providedBy": {"reference": organization_reference(lab)},
        "category": [HOUSING],
        "name": f"Zq{lab.run} rooms",
        "location": [{"reference": f"Location/{sample(lab, 'Location')['id']}"}],
    }


def _team(lab: Lab) -> Resource:
    return {"resourceType": "CareTeam", "status": "active", "subject": {"reference": person_reference(lab)}}


def _relative(lab: Lab) -> Resource:
    return {"resourceType": "RelatedPerson", "patient": {"reference": person_reference(lab)}, "active": True}


_PATIENT = {"patient": ("{person}", "Patient/zq-nobody")}
_CATEGORY = {"category": (f"{SDOH}|housing-instability", f"{SDOH}|food-insecurity")}

SAMPLES: dict[str, Sample] = {
    "CareTeam": Sample(_team),
    "Condition": Sample(_condition, {**_PATIENT, **_CATEGORY, "clinical-status": ("active", "resolved"),
                                     "verification-status": ("confirmed", "refuted"), "code": ("283371005", "1")}),
    "Consent": Sample(_consent, {"source-reference": ("DocumentReference/{DocumentReference}",
                                                      "DocumentReference/none")}),
    "Device": Sample(_device),
    "DocumentReference": Sample(_document),
    "Goal": Sample(_goal, {**_PATIENT, **_CATEGORY, "lifecycle-status": ("active", "completed"),
                           "target-date": ("2030-01-15", "2031")}),
    "Group": Sample(_group, {"member": ("{person}", "Patient/zq-nobody")}),
    "HealthcareService": Sample(_offer, {"location": ("Location/{Location}", "Location/zq-none")}),
    "Location": Sample(_location),
    "Observation": Sample(_observation, {**_PATIENT, **_CATEGORY, "status": ("final", "cancelled"),
                                         "code": ("8310-5", "1"), "date": ("2024-01-15", "2023")}),
    "Organization": Sample(_organization),
    "Patient": Sample(lambda lab: patient(f"Zq{lab.run}Grebe")),
    "Practitioner": Sample(_practitioner),
    "PractitionerRole": Sample(_role, {"practitioner": ("Practitioner/{Practitioner}", "Practitioner/zq-none"),
                                       "organization": ("{organization}", "Organization/zq-none")}),
    "Procedure": Sample(_procedure, {**_PATIENT, **_CATEGORY, "status": ("completed", "stopped"),
                                     "based-on": ("ServiceRequest/{ServiceRequest}", "ServiceRequest/zq-none"),
                                     "performer": ("{organization}", "Organization/zq-none"),
                                     "code": ("410606002", "1"), "date": ("2024-01-15", "2023")}),
    "Questionnaire": Sample(_questions, {"url": ("{questions}", "urn:zq:none"), "version": ("1.0", "9.9"),
                                         "status": ("draft", "retired")}),
    "QuestionnaireResponse": Sample(_answers, {**_PATIENT, "status": ("completed", "stopped"),
                                               "questionnaire": (QUESTIONS, "urn:zq:none"),
                                               "author": ("{organization}", "Organization/zq-none"),
                                               "authored": ("2024-01-15", "2023")}),
    "RelatedPerson": Sample(_relative),
    "ServiceRequest": Sample(_request, {**_PATIENT, **_CATEGORY, "status": ("draft", "completed"),
                                        "intent": ("order", "plan"), "code": ("125643001", "1")}),
    "Task": Sample(_task, {**_PATIENT, "code": ("fulfill", "abort"), "status": ("draft", "completed"),
                           "focus": ("ServiceRequest/{ServiceRequest}", "ServiceRequest/zq-none"),
                           "requester": ("{organization}", "Organization/zq-none")}),
}  # fmt: skip


def sample(lab: Lab, type_name: str) -> Resource:
    """Gives the resource of a type, made once; the check is omitted where the server lets nobody create it."""
    configured = lab.target.clients.get("author")
    if type_name == "Organization" and configured and configured.organization:
        return lab.author.get(f"/Organization/{configured.organization}").must_be(200).resource
    lab.claims.need(type_name, "create")
    return lab.once(f"sample-{type_name}", lambda: lab.kept(SAMPLES[type_name].make(lab)))


def value(lab: Lab, template: str) -> str:
    """Gives a search value with the ids of this run in it."""
    if "{" not in template:
        return template
    name = template[template.index("{") + 1 : template.index("}")]
    known = {
        "person": lambda: person_reference(lab),
        "organization": lambda: organization_reference(lab),
        "questions": lambda: f"{QUESTIONS}-{lab.run}",
    }
    make = known.get(name, lambda: str(sample(lab, name)["id"]))
    return template.replace("{" + name + "}", make())
