"""Definitions: what passes; what does not stands in tests/data/invalid, one fault a file."""

from typing import Any

import pytest

from referral_hub.fhir.artifacts import artifact_files
from referral_hub.fhir.json_codec import decode
from referral_hub.fhir.validator import judge, validate

CORE = "http://hl7.org/fhir/StructureDefinition/"
VALUE_SET: dict[str, Any] = {"resourceType": "ValueSet", "status": "draft", "url": "https://hub.example/vs"}
SYSTEM: dict[str, Any] = {
    "resourceType": "CodeSystem",
    "status": "draft",
    "content": "complete",
    "url": "https://hub.example/cs",
}
PARAMETER: dict[str, Any] = {
    "resourceType": "SearchParameter",
    "url": "https://hub.example/sp",
    "name": "X",
    "status": "draft",
    "description": "d",
    "code": "x",
    "base": ["Patient"],
    "type": "token",
}


def expressing(text: str, **more: Any) -> dict[str, Any]:
    extension = {
        "url": f"{CORE}cqf-expression",
        "valueExpression": {"language": "text/fhirpath", "expression": text},
    }
    held = {"property": "inactive", "op": "=", "_value": {"extension": [extension]}}
    return (
        VALUE_SET | more | {"compose": {"include": [{"system": "http://snomed.info/sct", "filter": [held]}]}}
    )


def profile(*elements: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "StructureDefinition",
        "url": "https://hub.example/StructureDefinition/x",
        "name": "X",
        "status": "draft",
        "kind": "resource",
        "abstract": False,
        "type": "Patient",
        "baseDefinition": f"{CORE}Patient",
        "derivation": "constraint",
        "differential": {"element": [{"id": "Patient", "path": "Patient"}, *elements]},
        **more,
    }


def element(path: str, **more: Any) -> dict[str, Any]:
    return {"id": path, "path": path, **more}


GOOD = {
    "a value set of a system": VALUE_SET | {"compose": {"include": [{"system": "http://loinc.org"}]}},
    "a variable of FHIRPath": expressing("%resource.version"),
    "a parameter that is declared": expressing(
        "%p-inactive",
        extension=[
            {
                "url": "http://hl7.org/fhir/tools/StructureDefinition/valueset-parameter",
                "extension": [{"url": "name", "valueCode": "p-inactive"}],
            }
        ],
    ),
    "a count that is the count": SYSTEM
    | {"count": 2, "concept": [{"code": "a", "concept": [{"code": "b"}]}]},
    "a property every system has": SYSTEM
    | {"concept": [{"code": "a", "property": [{"code": "status", "valueCode": "active"}]}]},
    "a supplement": SYSTEM
    | {"content": "supplement", "supplements": "http://loinc.org", "concept": [{"code": "a"}]},
    "a parameter without expression": PARAMETER,
    "an expression": PARAMETER | {"expression": "Patient.name.where(use = 'official').given"},
    "a map of systems nobody has": {
        "resourceType": "ConceptMap",
        "status": "draft",
        "group": [
            {
                "source": "https://hub.example/a",
                "target": "https://hub.example/b",
                "element": [{"code": "x", "target": [{"code": "y", "equivalence": "equal"}]}],
            }
        ],
    },
    "a profile": profile(element("Patient.name", min=1)),
    "a deep path": profile(element("Patient.contact.name.family", min=1)),
    "one type of a choice": profile(element("Patient.deceased[x]", type=[{"code": "boolean"}])),
    "a choice by its type": profile(element("Patient.deceasedBoolean", fixedBoolean=True)),
    "a pattern": profile(element("Patient.maritalStatus", patternCodeableConcept={"text": "x"})),
    "a slice of extensions": profile(
        {
            "id": "Patient.extension:x",
            "path": "Patient.extension",
            "sliceName": "x",
            "type": [{"code": "Extension", "profile": [f"{CORE}patient-birthPlace"]}],
        }
    ),
    "a slice of what is sliced": profile(
        element(
            "Patient.name", slicing={"discriminator": [{"type": "value", "path": "use"}], "rules": "open"}
        ),
        {"id": "Patient.name:x", "path": "Patient.name", "sliceName": "x"},
    ),
    "a slice nobody needs": profile(
        element(
            "Patient.link", slicing={"discriminator": [{"type": "value", "path": "type"}], "rules": "open"}
        ),
        {"id": "Patient.link:x", "path": "Patient.link", "sliceName": "x", "min": 0, "max": "1"},
    ),
    "a base nobody has": profile(element("Patient.shoe"), baseDefinition="https://elsewhere.test/base"),
}


@pytest.mark.parametrize("name", [name for name in GOOD if name != "a base nobody has"])
def test_this_is_valid(name: str):
    assert validate(GOOD[name]) == []


@pytest.mark.parametrize("expression", ["Patient.name(", "'", "a b", "(" * 2000, "Patient..name"])
def test_this_is_no_expression(expression: str):
    found = validate(PARAMETER | {"expression": expression})
    assert [(issue.expression, issue.code) for issue in found] == [("SearchParameter.expression", "value")]


@pytest.mark.parametrize("file", artifact_files(), ids=lambda file: file.stem)
def test_the_hubs_own_definitions_are_valid(file: Any):
    assert [issue for issue in judge(decode(file.read_bytes())) if issue.is_error] == []


# --- codes of the hub's own ------------------------------------------------------------------------------

DOMAIN = {"system": "https://referral-hub.example/fhir/CodeSystem/service-domain", "code": "medical-care"}


def service(**more: Any) -> dict[str, Any]:
    coding = DOMAIN | {key: value for key, value in more.items() if key != "language"}
    body: dict[str, Any] = {"resourceType": "HealthcareService", "type": [{"coding": [coding]}]}
    return body | ({"language": more["language"]} if "language" in more else {})


@pytest.mark.parametrize(
    "body",
    [
        service(),
        service(display="Medical care"),
        service(display="medical  CARE"),
        service(display="Atención médica", language="es"),
        service(version="another", code="of another version"),
    ],
)
def test_what_may_stand_beside_a_code_of_the_hub(body: dict[str, Any]):
    assert validate(body) == []


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (service(code="none"), "HealthcareService.type[0].coding[0].code"),
        (service(display="Dental care"), "HealthcareService.type[0].coding[0].display"),
        (service(display="Dental care", language="en-GB"), "HealthcareService.type[0].coding[0].display"),
    ],
)
def test_what_may_not(body: dict[str, Any], place: str):
    assert [(i.expression, i.code) for i in validate(body)] == [(place, "code-invalid")]


# --- extensions nobody defines ---------------------------------------------------------------------------


def extended(url: str) -> dict[str, Any]:
    return {"resourceType": "Patient", "extension": [{"url": url, "valueCode": "x"}]}


@pytest.mark.parametrize(
    "url",
    [
        "http://vendor.org/extension",
        "http://hl7.org/fhir/us/core/StructureDefinition/us-core-sex",
        "https://referral-hub.example/fhir/StructureDefinition/no-such-extension",
        "http://not-example.org.vendor.com/x",
    ],
)
def test_an_extension_nobody_defines_is_an_error_in_general_only(url: str):
    assert validate(extended(url)) == []
    assert [(i.expression, i.code) for i in judge(extended(url)) if i.is_error] == [
        ("Patient.extension[0]", "extension")
    ]


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/x",
        "http://www.acme.com/x",
        "https://clinic.example/x",
        "http://hl7.org/fhir/tools/StructureDefinition/x",
        f"{CORE}published-after-r4",
        "http://hl7.org/fhir/5.0/StructureDefinition/extension-Patient.x",
    ],
)
def test_an_address_of_documentation_and_tools_is_not(url: str):
    assert [i for i in judge(extended(url)) if i.is_error] == []


# --- ids -------------------------------------------------------------------------------------------------


def test_an_id_is_there_once_in_its_resource():
    body = {
        "resourceType": "Patient",
        "name": [{"id": "a", "text": "x"}],
        "_birthDate": {"id": "a"},
        "birthDate": "1990",
    }
    assert [(i.expression, i.code) for i in validate(body)] == [("Patient.birthDate.id", "duplicate")]
    inner = {
        "resourceType": "Organization",
        "id": "o",
        "name": "x",
        "identifier": [{"id": "a", "value": "1"}],
    }
    body = {
        "resourceType": "Patient",
        "contained": [inner],
        "managingOrganization": {"reference": "#o"},
        "name": [{"id": "a", "text": "x"}],
    }
    assert validate(body) == []
