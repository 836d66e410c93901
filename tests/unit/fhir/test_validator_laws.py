"""Laws: whatever comes in, the validator answers, and it never repeats what a person wrote."""

import copy
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from referral_hub.fhir.validator import judge, validate

DIV = '<div xmlns="http://www.w3.org/1999/xhtml"><p>An invented example.</p></div>'
ORDER: dict[str, Any] = {
    "resourceType": "ServiceRequest",
    "id": "order",
    "meta": {"profile": ["https://hub.example/p"], "tag": [{"system": "https://hub.example/t", "code": "t"}]},
    "text": {"status": "generated", "div": DIV},
    "contained": [{"resourceType": "Organization", "id": "o", "name": "Shelter"}],
    "extension": [
        {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}
    ],
    "identifier": [{"system": "urn:ietf:rfc:3986", "value": "urn:oid:1.2.3"}],
    "status": "active",
    "intent": "order",
    "code": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"}]},
    "subject": {"reference": "Patient/p", "display": "the person"},
    "quantityQuantity": {
        "value": Decimal("1.50"),
        "unit": "d",
        "system": "http://unitsofmeasure.org",
        "code": "d",
    },
    "occurrencePeriod": {"start": "2026-11-24", "end": "2026-11-25"},
    "requester": {"reference": "#o"},
    "patientInstruction": "come at noon",
    "_patientInstruction": {"extension": [{"url": "https://hub.example/x", "valueBoolean": True}]},
}
BUNDLE: dict[str, Any] = {
    "resourceType": "Bundle",
    "type": "searchset",
    "link": [{"relation": "self", "url": "https://hub.example/fhir/ServiceRequest"}],
    "entry": [
        {
            "fullUrl": "https://hub.example/fhir/ServiceRequest/order",
            "resource": ORDER,
            "search": {"mode": "match"},
        }
    ],
}
SYSTEM: dict[str, Any] = {
    "resourceType": "CodeSystem",
    "url": "https://hub.example/cs",
    "name": "Kinds",
    "status": "draft",
    "content": "complete",
    "property": [{"code": "old", "type": "boolean"}],
    "concept": [
        {"code": "a", "property": [{"code": "old", "valueBoolean": True}], "concept": [{"code": "b"}]}
    ],
}
OWN = "https://referral-hub.example/fhir"
TASK: dict[str, Any] = {
    "resourceType": "Task",
    "meta": {"profile": [f"{OWN}/StructureDefinition/referral-task"]},
    "identifier": [{"system": f"{OWN}/placer", "value": "1"}],
    "status": "requested",
    "intent": "order",
    "code": {"coding": [{"system": "http://hl7.org/fhir/CodeSystem/task-code", "code": "fulfill"}]},
    "focus": {"reference": "ServiceRequest/1"},
    "for": {"reference": "Patient/1"},
    "authoredOn": "2026-11-24T10:00:00Z",
    "requester": {"reference": "Organization/1"},
    "owner": {"reference": "Organization/2"},
    "input": [
        {
            "type": {"coding": [{"system": f"{OWN}/CodeSystem/task-input-type", "code": "handoff"}]},
            "valueBoolean": True,
        }
    ],
}
ANSWERS: dict[str, Any] = {
    "resourceType": "QuestionnaireResponse",
    "status": "completed",
    "questionnaire": "#q",
    "contained": [
        {
            "resourceType": "Questionnaire",
            "id": "q",
            "status": "draft",
            "item": [
                {"linkId": "1", "type": "boolean", "text": "a"},
                {
                    "linkId": "2",
                    "type": "choice",
                    "text": "b",
                    "answerValueSet": "http://hl7.org/fhir/ValueSet/link-type",
                    "enableWhen": [{"question": "1", "operator": "=", "answerBoolean": True}],
                },
            ],
        }
    ],
    "item": [
        {"linkId": "1", "answer": [{"valueBoolean": True}]},
        {
            "linkId": "2",
            "answer": [{"valueCoding": {"system": "http://hl7.org/fhir/link-type", "code": "refer"}}],
        },
    ],
}
PROFILE: dict[str, Any] = {
    "resourceType": "StructureDefinition",
    "url": "https://hub.example/p",
    "name": "P",
    "status": "draft",
    "kind": "resource",
    "abstract": False,
    "type": "Patient",
    "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
    "derivation": "constraint",
    "differential": {
        "element": [
            {"id": "Patient", "path": "Patient"},
            {"id": "Patient.gender", "path": "Patient.gender", "min": 1, "max": "1", "fixedCode": "female"},
        ]
    },
}
MAP: dict[str, Any] = {
    "resourceType": "ConceptMap",
    "status": "draft",
    "group": [
        {
            "source": "http://hl7.org/fhir/link-type",
            "target": "http://hl7.org/fhir/link-type",
            "element": [{"code": "refer", "target": [{"code": "seealso", "equivalence": "wider"}]}],
        }
    ],
}
SETS: dict[str, Any] = {
    "resourceType": "ValueSet",
    "status": "draft",
    "compose": {"include": [{"system": "http://hl7.org/fhir/link-type", "concept": [{"code": "refer"}]}]},
}
PARAMETER: dict[str, Any] = {
    "resourceType": "SearchParameter",
    "url": "https://hub.example/s",
    "name": "S",
    "status": "draft",
    "description": "d",
    "code": "s",
    "base": ["Patient"],
    "type": "token",
    "expression": "Patient.gender",
}
VALID = [ORDER, BUNDLE, SYSTEM, TASK, ANSWERS, PROFILE, MAP, SETS, PARAMETER]

LEAVES = st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False) | st.text(max_size=20)
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    for key in value if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from places(value[key])


def test_the_resources_below_are_valid():
    assert [validate(resource) for resource in VALID] == [[]] * len(VALID)


@settings(max_examples=600, deadline=None)
@given(st.data())
def test_anything_anywhere_gets_an_answer(data: st.DataObject):
    resource = copy.deepcopy(data.draw(st.sampled_from(VALID)))
    where = list(places(resource))
    for _ in range(data.draw(st.integers(1, 3))):
        owner, key = where[data.draw(st.integers(0, len(where) - 1))]
        owner[key] = data.draw(ANYTHING)
    for issue in judge(resource):
        assert issue.text
        assert issue.expression


@settings(max_examples=150, deadline=None)
@given(ANYTHING)
def test_any_json_gets_an_answer(value: Any):
    assert validate(value) != []


SECRET = "Zweifelhafter Name 1987-03-02"


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_what_a_person_wrote_is_not_repeated(data: st.DataObject):
    resource = copy.deepcopy(data.draw(st.sampled_from(VALID)))
    where = [(o, k) for o, k in places(resource) if not isinstance(o[k], dict | list)]
    owner, key = where[data.draw(st.integers(0, len(where) - 1))]
    owner[key] = SECRET
    for issue in validate(resource, warnings=True):
        assert "Zweifelhafter" not in issue.text
        assert "Zweifelhafter" not in issue.expression
        assert "1987" not in issue.text


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_property_under_a_name_that_is_text_is_not_repeated(data: st.DataObject):
    resource = copy.deepcopy(data.draw(st.sampled_from(VALID)))
    owners = [resource, *(o[k] for o, k in places(resource) if isinstance(o[k], dict))]
    owners[data.draw(st.integers(0, len(owners) - 1))][SECRET] = "x"
    found = validate(resource)
    assert found
    assert all("Zweifelhafter" not in issue.text + issue.expression for issue in found)


@given(st.sampled_from(VALID))
def test_validation_changes_nothing(resource: dict[str, Any]):
    before = copy.deepcopy(resource)
    validate(resource, warnings=True)
    assert resource == before
