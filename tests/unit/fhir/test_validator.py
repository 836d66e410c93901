"""The validator: one fault per row, and what must pass beside it."""

from decimal import Decimal
from typing import Any

import pytest

from referral_hub.fhir.validator import validate

PATIENT = {"resourceType": "Patient"}
TASK = {"resourceType": "Task", "status": "requested", "intent": "order"}
ORDER = {
    "resourceType": "ServiceRequest",
    "status": "active",
    "intent": "order",
    "subject": {"reference": "Patient/invented"},
}
OBSERVATION = {"resourceType": "Observation", "status": "final", "code": {"text": "nights indoors"}}
EXTENSION = {"url": "https://hub.example/x", "valueString": "y"}
CORE = "http://hl7.org/fhir/StructureDefinition/"


def places(resource: Any, **options: Any) -> list[tuple[str, str]]:
    return [(issue.expression, issue.code) for issue in validate(resource, **options)]


GOOD = {
    "an empty patient": PATIENT,
    "a partial date": PATIENT | {"birthDate": "1990-06"},
    "a value and its extension": PATIENT | {"birthDate": "1990", "_birthDate": {"extension": [EXTENSION]}},
    "an extension instead of a value": PATIENT | {"_birthDate": {"extension": [EXTENSION]}},
    "an id beside a value": PATIENT | {"birthDate": "1990", "_birthDate": {"id": "b"}},
    "null where an extension stands in": PATIENT
    | {"name": [{"given": ["Alex", None], "_given": [None, {"extension": [EXTENSION]}]}]},
    "extensions only in a list": PATIENT | {"name": [{"_given": [{"extension": [EXTENSION]}]}]},
    "an extension of extensions": PATIENT
    | {"extension": [{"url": "https://hub.example/x", "extension": [{"url": "y", "valueBoolean": True}]}]},
    "a whole number as decimal": OBSERVATION | {"valueQuantity": {"value": 12}},
    "a decimal of any length": OBSERVATION | {"valueQuantity": {"value": Decimal("100.000000000000000001")}},
    "a logical reference": TASK | {"owner": {"identifier": {"system": "urn:x", "value": "7"}}},
    "a reference by display": TASK | {"owner": {"display": "the clinic"}},
    "an absolute reference": TASK | {"owner": {"reference": "https://ehr.example/fhir/Organization/7"}},
    "a reference to a version": TASK | {"owner": {"reference": "Organization/7/_history/2"}},
    "an address that is no FHIR server": TASK | {"focus": {"reference": "https://files.example/letter.pdf"}},
    "any target where any is allowed": TASK | {"focus": {"reference": "Appointment/1"}},
    "a stated type that agrees": TASK | {"owner": {"reference": "Organization/7", "type": "Organization"}},
    "a contained resource that names its container": ORDER
    | {
        "contained": [
            {
                "resourceType": "Provenance",
                "id": "p",
                "target": [{"reference": "#"}],
                "recorded": "2026-11-24T10:00:00Z",
                "agent": [{"who": {"display": "the author"}}],
            }
        ]
    },
    "a language with a second coding": PATIENT
    | {
        "communication": [
            {
                "language": {
                    "coding": [
                        {"system": "urn:ietf:bcp:47", "code": "de"},
                        {"system": "urn:x:y", "code": "1"},
                    ]
                }
            }
        ]
    },
    "a language in words": PATIENT | {"communication": [{"language": {"text": "a dialect"}}]},
    "periods in one moment": ORDER | {"occurrencePeriod": {"start": "2026-11-24", "end": "2026-11-24"}},
    "periods in two zones": ORDER
    | {"occurrencePeriod": {"start": "2026-11-24T10:00:00+02:00", "end": "2026-11-24T09:00:00+01:00"}},
    "a leap second": ORDER | {"authoredOn": "2016-12-31T23:59:60Z"},
    "nine digits of a second": ORDER | {"authoredOn": "2016-12-31T23:59:59.123456789Z"},
    "a code of an unknown system": OBSERVATION
    | {"code": {"coding": [{"system": "https://codes.example", "code": "any"}]}},
    "a code of another version of a known system": PATIENT
    | {
        "maritalStatus": {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus",
                    "version": "2030",
                    "code": "new",
                }
            ]
        }
    },
    "an extension of R4 where it belongs": PATIENT
    | {"extension": [{"url": f"{CORE}patient-interpreterRequired", "valueBoolean": True}]},
    "an extension for any element": OBSERVATION
    | {"extension": [{"url": f"{CORE}data-absent-reason", "valueCode": "unknown"}]},
    "a code that a later version has": {
        "resourceType": "Appointment",
        "_status": {
            "extension": [
                {"url": "http://hl7.org/fhir/5.0/StructureDefinition/extension-Appointment.status"}
                | {"valueCode": "later"}
            ]
        },
        "start": "2026-11-24T10:00:00Z",
        "end": "2026-11-24T11:00:00Z",
        "participant": [{"status": "accepted", "actor": {"display": "Alex"}}],
    },
}

BAD: dict[str, tuple[Any, list[tuple[str, str]]]] = {
    # structure
    "no resource": ([], [("Resource", "structure")]),
    "an empty object": ({}, [("Resource", "structure")]),
    "no type": ({"id": "1"}, [("Resource.resourceType", "required")]),
    "an unknown type": ({"resourceType": "Persona"}, [("Resource.resourceType", "not-supported")]),
    "a type of another kind": ({"resourceType": 1}, [("Resource.resourceType", "structure")]),
    "an abstract type": (
        {"resourceType": "DomainResource"},
        [("Resource.resourceType", "not-supported")],
    ),
    "a sibling of an object": (PATIENT | {"_name": [{"id": "x"}]}, [("Patient._name", "structure")]),
    "a strange property": (PATIENT | {"a b": 1}, [("Patient", "structure")]),
    "text for a list": (PATIENT | {"name": "Alex"}, [("Patient.name", "structure")]),
    "text for an object": (PATIENT | {"name": ["Alex"]}, [("Patient.name[0]", "structure")]),
    "null for an object": (PATIENT | {"name": [None]}, [("Patient.name[0]", "structure")]),
    "null for a value": (PATIENT | {"gender": None}, [("Patient.gender", "structure")]),
    "an object for a value": (PATIENT | {"birthDate": {"a": 1}}, [("Patient.birthDate", "structure")]),
    "a number for a text": (PATIENT | {"birthDate": 1990}, [("Patient.birthDate", "structure")]),
    "a fraction for a whole number": (
        PATIENT | {"multipleBirthInteger": Decimal("1.0")},
        [("Patient.multipleBirth", "value")],
    ),
    "true for a number": (PATIENT | {"multipleBirthInteger": True}, [("Patient.multipleBirth", "structure")]),
    "a list of extensions for one value": (
        PATIENT | {"birthDate": "1990", "_birthDate": [{"id": "x"}]},
        [("Patient.birthDate", "structure")],
    ),
    "only an id": (PATIENT | {"name": [{"id": "x"}]}, [("Patient.name[0]", "invariant")]),
    "only an id beside nothing": (
        PATIENT | {"_birthDate": {"id": "x"}},
        [("Patient.birthDate", "invariant")],
    ),
    "an id with a blank": (
        PATIENT | {"name": [{"id": "a b", "text": "x"}]},
        [("Patient.name[0].id", "value")],
    ),
    "two nulls": (
        PATIENT | {"name": [{"given": ["A", None], "_given": [None, None]}]},
        [("Patient.name[0].given[1]", "structure")],
    ),
    "nulls in a sibling only": (
        PATIENT | {"name": [{"_given": [None, {"extension": [EXTENSION]}]}]},
        [("Patient.name[0].given[0]", "structure")],
    ),
    "an empty sibling list": (
        PATIENT | {"name": [{"given": ["A"], "_given": []}]},
        [("Patient.name[0].given", "structure")],
    ),
    "a required part": (
        {"resourceType": "Provenance", "target": [{"display": "x"}], "recorded": "2026-11-24T10:00:00Z"},
        [("Provenance.agent", "required")],
    ),
    "no choice made": (
        TASK | {"input": [{"type": {"text": "x"}}]},
        [("Task.input[0].value", "required")],
    ),
    "an unknown choice": (
        OBSERVATION | {"valueMoney": {"value": 1}},
        [("Observation.valueMoney", "structure")],
    ),
    "two choices by extension": (
        OBSERVATION | {"valueString": "x", "_valueBoolean": {"extension": [EXTENSION]}},
        [("Observation.value", "structure")],
    ),
    # codes
    "a code with an extension only": (
        {"resourceType": "Task", "intent": "order", "_status": {"extension": [EXTENSION]}},
        [("Task.status", "code-invalid")],
    ),
    "a number as a code": (TASK | {"priority": 1}, [("Task.priority", "structure")]),
    "a system that is a value set": (
        OBSERVATION | {"category": [{"coding": [{"system": "http://hl7.org/fhir/ValueSet/x", "code": "y"}]}]},
        [("Observation.category[0].coding[0].system", "code-invalid")],
    ),
    "a relative system": (
        OBSERVATION | {"category": [{"coding": [{"system": "local", "code": "y"}]}]},
        [("Observation.category[0].coding[0].system", "code-invalid")],
    ),
    "a language that is none": (PATIENT | {"language": "en_US"}, [("Patient.language", "value")]),
    "a currency that is none": (
        {"resourceType": "Invoice", "status": "draft", "totalNet": {"value": 1, "currency": "euro"}},
        [("Invoice.totalNet.currency", "value")],
    ),
    "a media type that is none": (
        {"resourceType": "Binary", "contentType": "text"},
        [("Binary.contentType", "value")],
    ),
    "a language of another system": (
        PATIENT
        | {"communication": [{"language": {"coding": [{"system": "http://loinc.org", "code": "de"}]}}]},
        [("Patient.communication[0].language", "code-invalid")],
    ),
    "a unit of a relative system": (
        OBSERVATION | {"valueQuantity": {"value": 1, "system": "ucum", "code": "d"}},
        [("Observation.value.system", "code-invalid")],
    ),
    "an extension beside an id": (
        PATIENT | {"id": "a", "_id": {"extension": [EXTENSION]}},
        [("Patient._id", "structure")],
    ),
    "an extension whose url is an extension": (
        PATIENT | {"extension": [{"_url": {"extension": [EXTENSION]}, "valueBoolean": True}]},
        [("Patient.extension[0]._url", "structure")],
    ),
    "a label that is there twice": (
        PATIENT | {"meta": {"security": [{"system": "urn:x:y", "code": c} for c in "RVR"]}},
        [("Patient.meta.security[2]", "duplicate")],
    ),
    # references
    "a reference of no form": (
        TASK | {"owner": {"reference": "the clinic"}},
        [("Task.owner.reference", "value")],
    ),
    "a reference to an unknown type": (
        TASK | {"focus": {"reference": "Referral/1"}},
        [("Task.focus.reference", "value")],
    ),
    "a search outside a transaction": (
        TASK | {"owner": {"reference": "Organization?identifier=x"}},
        [("Task.owner.reference", "value")],
    ),
    "a reference that says nothing": (
        TASK | {"owner": {"type": "Organization"}},
        [("Task.owner", "required")],
    ),
    "a stated type that differs": (
        TASK | {"focus": {"reference": "Task/1", "type": "Patient"}},
        [("Task.focus.type", "value")],
    ),
    "a stated type that is none": (
        TASK | {"focus": {"display": "x", "type": f"{CORE}Patient"}},
        [("Task.focus.type", "value")],
    ),
    "a canonical that leads to nothing here": (
        ORDER | {"instantiatesCanonical": ["#plan"]},
        [("ServiceRequest.instantiatesCanonical[0]", "value")],
    ),
    "a stated type that is not possible": (
        TASK | {"owner": {"display": "x", "type": "Location"}},
        [("Task.owner.type", "value")],
    ),
    "a reference to itself": (
        ORDER | {"basedOn": [{"reference": "#"}]},
        [("ServiceRequest.basedOn[0].reference", "value")],
    ),
    "a contained resource around which the wrong type is": (
        ORDER
        | {
            "requester": {"reference": "#l"},
            "contained": [
                {
                    "resourceType": "PractitionerRole",
                    "id": "l",
                    "organization": {"reference": "#"},
                }
            ],
        },
        [("ServiceRequest.contained[0].organization.reference", "value")],
    ),
    "a contained target of a wrong type": (
        ORDER | {"contained": [{"resourceType": "Location", "id": "l"}], "requester": {"reference": "#l"}},
        [("ServiceRequest.requester.reference", "value")],
    ),
    "an absolute reference of a wrong type": (
        ORDER | {"subject": {"reference": "https://ehr.example/fhir/Organization/1"}},
        [("ServiceRequest.subject.reference", "value")],
    ),
    # contained resources
    "a contained resource without id": (
        ORDER | {"contained": [{"resourceType": "Location", "name": "x"}]},
        [("ServiceRequest.contained[0].id", "required")],
    ),
    "a contained resource with labels and versions": (
        ORDER
        | {
            "requester": {"reference": "#o"},
            "contained": [
                {
                    "resourceType": "Organization",
                    "id": "o",
                    "name": "x",
                    "meta": {
                        "versionId": "1",
                        "lastUpdated": "2026-11-24T10:00:00Z",
                        "security": [{"system": "urn:x:y", "code": "R"}],
                    },
                }
            ],
        },
        [
            ("ServiceRequest.contained[0].meta.versionId", "invariant"),
            ("ServiceRequest.contained[0].meta.lastUpdated", "invariant"),
            ("ServiceRequest.contained[0].meta.security", "invariant"),
        ],
    ),
    "the same contained id twice": (
        ORDER
        | {
            "requester": {"reference": "#o"},
            "contained": [{"resourceType": "Organization", "id": "o", "name": n} for n in "ab"],
        },
        [("ServiceRequest.contained[1].id", "structure")],
    ),
    # extensions
    "an extension with neither": (
        PATIENT | {"extension": [{"url": "https://x.example"}]},
        [("Patient.extension[0]", "invariant")],
    ),
    "a relative extension url": (
        PATIENT | {"extension": [{"url": "x", "valueCode": "y"}]},
        [("Patient.extension[0]", "value")],
    ),
    "an R4 extension with another value": (
        PATIENT | {"extension": [{"url": f"{CORE}patient-interpreterRequired", "valueString": "yes"}]},
        [("Patient.extension[0]", "structure")],
    ),
    "an R4 extension that leads to a wrong type": (
        OBSERVATION
        | {
            "extension": [
                {"url": f"{CORE}observation-sequelTo", "valueReference": {"reference": "Patient/1"}}
            ]
        },
        [("Observation.extension[0].value", "value")],
    ),
    "an R4 extension with a wrong code": (
        PATIENT | {"extension": [{"url": f"{CORE}data-absent-reason", "valueCode": "lost"}]},
        [("Patient.extension[0].value", "code-invalid")],
    ),
    "an R4 extension as modifier": (
        PATIENT
        | {"modifierExtension": [{"url": f"{CORE}patient-interpreterRequired", "valueBoolean": True}]},
        [("Patient.modifierExtension[0]", "structure")],
    ),
    "an R4 extension with an unknown part": (
        PATIENT
        | {
            "extension": [
                {"url": f"{CORE}patient-nationality", "extension": [{"url": "x", "valueCode": "y"}]}
            ]
        },
        [("Patient.extension[0].extension[0]", "structure")],
    ),
    # rules
    "a quantity code without system": (
        OBSERVATION | {"valueQuantity": {"value": 1, "code": "d"}},
        [("Observation.value", "invariant")],
    ),
    "times of unequal precision": (
        ORDER | {"occurrencePeriod": {"start": "2026-11-24T10:00:00Z", "end": "2026-11-24"}},
        [("ServiceRequest.occurrence", "invariant")],
    ),
    "a home address of an organization": (
        {"resourceType": "Organization", "name": "x", "address": [{"use": "home", "text": "y"}]},
        [("Organization.address[0]", "invariant")],
    ),
    "a range upside down": (
        OBSERVATION | {"valueRange": {"low": {"value": 2, "unit": "d"}, "high": {"value": 1, "unit": "d"}}},
        [("Observation.value", "invariant")],
    ),
    "a comparator in a simple quantity": (
        OBSERVATION | {"valueRange": {"low": {"value": 2, "comparator": "<"}}},
        [("Observation.value.low.comparator", "structure")],
    ),
    "a duration without unit": (
        ORDER | {"occurrenceTiming": {"repeat": {"duration": 2}}},
        [("ServiceRequest.occurrence.repeat", "invariant")],
    ),
    "a definition without absolute url": (
        {"resourceType": "CodeSystem", "url": "needs", "status": "draft", "content": "complete"},
        [("CodeSystem.url", "value")],
    ),
    "a property that is not declared": (
        {
            "resourceType": "CodeSystem",
            "status": "draft",
            "content": "complete",
            "concept": [{"code": "a", "property": [{"code": "old", "valueBoolean": True}]}],
        },
        [("CodeSystem.concept[0].property[0].code", "invalid")],
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_this_is_valid(name: str):
    assert validate(GOOD[name]) == []


@pytest.mark.parametrize("name", BAD)
def test_this_is_found(name: str):
    resource, expected = BAD[name]
    assert places(resource) == expected


def test_every_problem_is_told_at_once():
    resource = PATIENT | {"gender": "x", "name": [{"family": ""}], "contact": [{}], "unknown": 1}
    assert places(resource) == [
        ("Patient.gender", "code-invalid"),
        ("Patient.name[0].family", "value"),
        ("Patient.contact[0]", "structure"),
        ("Patient.unknown", "structure"),
    ]


def test_a_flood_of_problems_is_cut_off():
    found = validate(PATIENT | {f"x{number}": 1 for number in range(2_000)})
    assert (len(found), found[-1].severity) == (1_001, "information")


def test_the_type_of_the_address_counts():
    assert places(PATIENT, type_name="Patient") == []
    assert places(PATIENT, type_name="Task") == [("Patient", "structure")]


def test_best_practice_is_told_only_when_asked_for():
    assert validate(PATIENT) == []
    (told,) = validate(PATIENT, warnings=True)
    assert (told.severity, told.text.partition(":")[0], told.expression) == ("warning", "dom-6", "Patient")


@pytest.mark.parametrize(
    ("resource", "words"),
    [
        (PATIENT | {"gener": "other"}, "did you mean gender"),
        (PATIENT | {"gender": "F"}, "female, male, other, unknown"),
        (PATIENT | {"birthDate": "June"}, "YYYY-MM-DD"),
        (TASK | {"owner": {"reference": "Patients/1"}}, "no resource of the type"),
        (ORDER | {"subject": {"reference": "Task/1"}}, "Patient, Group, Location or Device"),
        ({"resourceType": "Task", "status": "draft"}, "needs intent"),
    ],
)
def test_the_text_says_what_is_possible(resource: dict[str, Any], words: str):
    (told,) = validate(resource)
    assert words in told.text
