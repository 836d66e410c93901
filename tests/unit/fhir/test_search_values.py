"""Index values: what each element gives to a search, by hand-made expectations."""

from decimal import Decimal
from typing import Any

import pytest

from referral_hub.errors import InvalidResource
from referral_hub.fhir.dates import EARLIEST_US, LATEST_US, span
from referral_hub.fhir.index_values import (
    DateValue,
    IndexValue,
    NumberValue,
    QuantityValue,
    ReferenceValue,
    StringValue,
    TokenValue,
    UriValue,
)
from referral_hub.fhir.json_codec import decode_object
from referral_hub.fhir.search_parameters import ParameterType, SearchParameter, official
from referral_hub.fhir.search_paths import NotUnderstood, places
from referral_hub.fhir.search_values import compile_extractor

LOINC = "http://loinc.org"


def values(type_name: str, code: str, resource: dict[str, Any]) -> list[IndexValue]:
    return compile_extractor(official(type_name)[code])({"resourceType": type_name, **resource})


def custom(kind: ParameterType, expression: str, resource: dict[str, Any]) -> list[IndexValue]:
    return compile_extractor(SearchParameter("x", kind, expression))(resource)


def day(low: str, high: str = "") -> DateValue:
    return DateValue(span(low)[0], span(high or low)[1])


def text(written: str, folded: str = "") -> StringValue:
    return StringValue(folded or written.lower(), written)


@pytest.mark.parametrize(
    ("place", "resource", "expected"),
    [
        # tokens
        ("Task._id", {"id": "7"}, [TokenValue("", "7")]),
        (
            "Task.status",
            {"status": "requested"},
            [TokenValue("http://hl7.org/fhir/task-status", "requested")],
        ),
        ("Task.intent", {"intent": "order"}, [TokenValue("http://hl7.org/fhir/request-intent", "order")]),
        ("Task.intent", {"intent": "unknown"}, [TokenValue("http://hl7.org/fhir/task-intent", "unknown")]),
        ("Task.status", {"_status": {"id": "a"}}, []),
        (
            "Task.code",
            {
                "code": {
                    "coding": [{"system": "urn:x", "code": "a"}, {"code": "b"}, {"display": "c"}],
                    "text": "d",
                }
            },
            [TokenValue("urn:x", "a"), TokenValue("", "b")],
        ),
        ("Task.code", {"code": {"text": "d"}}, []),
        (
            "Task.identifier",
            {"identifier": [{"system": "urn:x", "value": "7"}, {"value": "8"}, {"system": "urn:x"}]},
            [TokenValue("urn:x", "7"), TokenValue("", "8")],
        ),
        (
            "Task.identifier",
            {
                "identifier": [
                    {"system": "urn:x", "value": "7"},
                    {"system": "urn:x", "value": "7", "use": "old"},
                ]
            },
            [TokenValue("urn:x", "7")],
        ),
        ("Patient.active", {"active": False}, [TokenValue("", "false")]),
        ("Patient.deceased", {}, [TokenValue("", "false")]),
        ("Patient.deceased", {"deceasedBoolean": False}, [TokenValue("", "false")]),
        ("Patient.deceased", {"deceasedBoolean": True}, [TokenValue("", "true")]),
        ("Patient.deceased", {"deceasedDateTime": "2020"}, [TokenValue("", "true")]),
        (
            "Patient.phone",
            {
                "telecom": [
                    {"system": "phone", "value": "1"},
                    {"system": "email", "value": "2"},
                    {"value": "3"},
                ]
            },
            [TokenValue("", "1")],
        ),
        (
            "Patient.telecom",
            {"telecom": [{"system": "phone", "value": "1"}, {"value": "3"}]},
            [TokenValue("", "1"), TokenValue("", "3")],
        ),
        (
            "Group.value",
            {
                "characteristic": [
                    {"valueCodeableConcept": {"coding": [{"code": "a"}]}},
                    {"valueBoolean": True},
                ]
            },
            [TokenValue("", "a"), TokenValue("", "true")],
        ),
        # strings
        (
            "Patient.name",
            {
                "name": [
                    {
                        "family": "Müller",
                        "given": ["Ada", None, "B."],
                        "prefix": ["Dr."],
                        "text": "Ada Müller",
                    }
                ]
            },
            [
                text("Müller", "muller"),
                text("Ada"),
                text("B."),
                text("Dr."),
                text("Ada Müller", "ada muller"),
            ],
        ),
        ("Patient.given", {"name": [{"given": [None, "Ada"]}, {"given": ["Bo"]}]}, [text("Ada"), text("Bo")]),
        (
            "Patient.address",
            {"address": [{"line": ["1 Road"], "city": "Graz", "postalCode": "8010", "country": "AT"}]},
            [text("1 Road"), text("Graz"), text("8010"), text("AT")],
        ),
        ("Patient.family", {"name": [{"family": " \u0301"}]}, []),
        # references
        ("Task.focus", {"focus": {"reference": "ServiceRequest/7"}}, [ReferenceValue("ServiceRequest", "7")]),
        (
            "Task.focus",
            {"focus": {"reference": "ServiceRequest/7/_history/3"}},
            [ReferenceValue("ServiceRequest", "7")],
        ),
        (
            "Task.focus",
            {"focus": {"reference": "https://e.example/fhir/ServiceRequest/7"}},
            [ReferenceValue("ServiceRequest", url="https://e.example/fhir/ServiceRequest/7")],
        ),
        (
            "Task.owner",
            {"owner": {"reference": "Organization/7", "identifier": {"system": "urn:x", "value": "8"}}},
            [ReferenceValue("Organization", "7"), ReferenceValue("Organization", identifier=("urn:x", "8"))],
        ),
        ("Task.owner", {"owner": {"reference": "#inside"}}, []),
        ("Task.owner", {"owner": {"display": "somebody"}}, []),
        ("Task.patient", {"for": {"reference": "Patient/7"}}, [ReferenceValue("Patient", "7")]),
        ("Task.patient", {"for": {"reference": "Group/7"}}, []),
        ("Task.subject", {"for": {"reference": "Group/7"}}, [ReferenceValue("Group", "7")]),
        (
            "Task.patient",
            {"for": {"identifier": {"value": "7"}, "type": "Patient"}},
            [ReferenceValue("Patient", identifier=("", "7"))],
        ),
        ("Task.patient", {"for": {"identifier": {"value": "7"}}}, []),
        (
            "Appointment.practitioner",
            {"participant": [{"actor": {"reference": f"{kind}/1"}} for kind in ("Patient", "Practitioner")]},
            [ReferenceValue("Practitioner", "1")],
        ),
        (
            "QuestionnaireResponse.questionnaire",
            {"questionnaire": "https://q.example/a|2"},
            [ReferenceValue(url="https://q.example/a|2"), ReferenceValue(url="https://q.example/a")],
        ),
        (
            "Consent.source-reference",
            {"sourceReference": {"reference": "DocumentReference/1"}},
            [ReferenceValue("DocumentReference", "1")],
        ),
        ("Consent.source-reference", {"sourceAttachment": {"title": "scan"}}, []),
        # dates
        (
            "Task._lastUpdated",
            {"meta": {"lastUpdated": "2026-11-24T10:00:00Z"}},
            [day("2026-11-24T10:00:00Z")],
        ),
        ("Patient.birthdate", {"birthDate": "1990-02"}, [day("1990-02")]),
        ("ServiceRequest.occurrence", {"occurrenceDateTime": "2026"}, [day("2026")]),
        (
            "ServiceRequest.occurrence",
            {"occurrencePeriod": {"start": "2026-11-24", "end": "2026-12"}},
            [day("2026-11-24", "2026-12")],
        ),
        (
            "ServiceRequest.occurrence",
            {"occurrencePeriod": {"start": "2026-11-24"}},
            [DateValue(span("2026-11-24")[0], LATEST_US)],
        ),
        (
            "ServiceRequest.occurrence",
            {"occurrencePeriod": {"end": "2026-11-24"}},
            [DateValue(EARLIEST_US, span("2026-11-24")[1])],
        ),
        ("ServiceRequest.occurrence", {"occurrencePeriod": {"extension": []}}, []),
        (
            "ServiceRequest.occurrence",
            {"occurrenceTiming": {"event": ["2026-11-26", "2026-11-24", None]}},
            [day("2026-11-24", "2026-11-26")],
        ),
        (
            "ServiceRequest.occurrence",
            {"occurrenceTiming": {"event": ["2027"], "repeat": {"boundsPeriod": {"start": "2026-11-24"}}}},
            [DateValue(span("2026-11-24")[0], LATEST_US)],
        ),
        ("ServiceRequest.occurrence", {"occurrenceTiming": {"repeat": {"boundsDuration": {"value": 3}}}}, []),
        ("Procedure.date", {"performedString": "last spring"}, []),
        ("RiskAssessment.date", {"occurrencePeriod": {"start": "2026"}}, []),
        # numbers and amounts
        (
            "RiskAssessment.probability",
            {
                "prediction": [
                    {"probabilityDecimal": Decimal("0.80")},
                    {"probabilityRange": {"high": {"value": 1}}},
                ]
            },
            [NumberValue(Decimal("0.8"), Decimal("0.8")), NumberValue(None, Decimal(1))],
        ),
        (
            "Observation.value-quantity",
            {"valueQuantity": {"value": Decimal("5.4"), "unit": "mg", "system": "urn:u", "code": "mg"}},
            [QuantityValue(Decimal("5.4"), Decimal("5.4"), "urn:u", "mg", "mg")],
        ),
        (
            "Observation.value-quantity",
            {"valueQuantity": {"value": 5, "comparator": "<="}},
            [QuantityValue(None, Decimal(5))],
        ),
        (
            "Observation.value-quantity",
            {"valueQuantity": {"value": 5, "comparator": ">"}},
            [QuantityValue(Decimal(5), None)],
        ),
        ("Observation.value-quantity", {"valueQuantity": {"unit": "mg"}}, []),
        (
            "Condition.onset-age",
            {"onsetRange": {"low": {"value": 3, "unit": "a"}, "high": {"value": 4, "unit": "a"}}},
            [QuantityValue(Decimal(3), Decimal(4), unit="a")],
        ),
        (
            "ChargeItem.price-override",
            {"priceOverride": {"value": 7, "currency": "EUR"}},
            [QuantityValue(Decimal(7), Decimal(7), "urn:iso:std:iso:4217", "EUR", "EUR")],
        ),
        # addresses
        (
            "AuditEvent.policy",
            {"agent": [{"policy": ["urn:a", "urn:b"]}]},
            [UriValue("urn:a"), UriValue("urn:b")],
        ),
    ],
)
def test_what_an_element_gives(place: str, resource: dict[str, Any], expected: list[IndexValue]) -> None:
    type_name, _, code = place.partition(".")
    assert values(type_name, code, resource) == expected
    assert values(type_name, code, {}) in ([], [TokenValue("", "false")])


def test_parameters_of_implementation_guides_are_compiled_too() -> None:
    task = {
        "output": [
            {"type": {"text": "a"}, "valueReference": {"reference": "Procedure/1"}},
            {"type": {"text": "b"}, "valueCodeableConcept": {"coding": [{"code": "c"}]}},
        ],
        "extension": [{"url": "urn:kept", "valueCode": "adult"}, {"url": "urn:other", "valueCode": "no"}],
    }
    assert custom("reference", "Task.output.value.ofType(Reference)", task) == [
        ReferenceValue("Procedure", "1")
    ]
    assert custom("reference", "(Task.output.value as Reference)", task) == [ReferenceValue("Procedure", "1")]
    assert custom("token", "Task.output.value", task) == [TokenValue("", "c")]
    assert custom("token", "Task.extension('urn:kept').value.ofType(code)", task) == [TokenValue("", "adult")]
    assert custom("token", "Task.code | Task.output.value.as(CodeableConcept)", task) == [TokenValue("", "c")]
    assert custom("token", "Task.extension.where(url='urn:other').value.as(code)", task) == [
        TokenValue("", "no")
    ]


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "Task",
        "Nothing.status",
        "Task.nothing",
        "Task.status.length()",
        "Task.status.value",
        "Task.status and true",
        "Task.input[0].type",
        "Task.where(status='x')",
        "Task.output.value.as(Nothing)",
        "Task.status = 'x'",
    ],
)
def test_other_expressions_are_refused_at_the_start(expression: str) -> None:
    with pytest.raises(NotUnderstood):
        places(expression)


@pytest.mark.parametrize(("kind", "expression"), [("date", "Task.status"), ("reference", "Task.code")])
def test_a_type_that_does_not_fit_is_refused_at_the_start(kind: ParameterType, expression: str) -> None:
    with pytest.raises(NotUnderstood):
        compile_extractor(SearchParameter("x", kind, expression))


@pytest.mark.parametrize(
    ("place", "resource", "expression"),
    [
        ("Patient.birthdate", {"birthDate": "2026-02-30"}, "birthDate"),
        ("CarePlan.date", {"period": {"start": "soon"}}, "period"),
        ("Task.owner", {"owner": {"reference": "nowhere"}}, "owner"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(
    place: str, resource: dict[str, Any], expression: str
) -> None:
    type_name, _, code = place.partition(".")
    with pytest.raises(InvalidResource) as refusal:
        values(type_name, code, resource)
    [issue] = refusal.value.issues
    assert (issue.severity, issue.code, issue.expression) == ("error", "value", expression)
    assert "nowhere" not in issue.text


def test_exact_decimals_are_indexed_by_value() -> None:
    observation = decode_object(b'{"resourceType":"Observation","valueQuantity":{"value":1E2}}')
    [value] = values("Observation", "value-quantity", observation)
    assert value == QuantityValue(Decimal(100), Decimal(100))
    assert type(value.low) is Decimal  # type: ignore[union-attr]


def test_official_parameters_are_those_of_the_type() -> None:
    task = official("Task")
    assert task["patient"] == SearchParameter(
        "patient",
        "reference",
        "Task.for.where(resolve() is Patient)",
        ("Patient",),
        "http://hl7.org/fhir/SearchParameter/Task-patient",
    )
    assert task["_id"].url == "http://hl7.org/fhir/SearchParameter/Resource-id"
    assert task["focus"].targets == ()
    assert official("CarePlan")["patient"].targets == ("Patient",)
    assert official("Patient")["identifier"].expression == "Patient.identifier"
    assert official("Condition")["subject"].url == "http://hl7.org/fhir/SearchParameter/Condition-subject"
    assert not {"_text", "_tag", "_security"} & set(task)
    assert set(official("Nothing")) == {"_id", "_lastUpdated"}
