"""Profiles: the hub's own and R4's, judged by their compiled tables."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from referral_hub.fhir.demand_rules import demand_check
from referral_hub.fhir.fhirpath.compiler import compile_expression
from referral_hub.fhir.invariants import expression_of
from referral_hub.fhir.json_codec import decode
from referral_hub.fhir.profile_rows import UnreadableProfile, profile_table_of
from referral_hub.fhir.profile_tables import Demand, core_profiles, own_profiles, profile
from referral_hub.fhir.validation_run import Run
from referral_hub.fhir.validator import validate

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "profiles" / "examples"
BROKEN: dict[str, str] = json.loads((EXAMPLES / "broken.json").read_text(encoding="utf-8"))
CORE = "http://hl7.org/fhir/StructureDefinition/"
OWN = "https://referral-hub.example/fhir/StructureDefinition/"


def errors(resource: Any, **options: Any) -> list[tuple[str, str]]:
    return [(i.expression, i.code) for i in validate(resource, **options) if i.is_error]


# --- the hub's own ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted((EXAMPLES / "valid").glob("*.json")), ids=lambda path: path.stem)
def test_a_valid_example_is_valid(path: Path):
    assert errors(decode(path.read_bytes())) == []


@pytest.mark.parametrize("stem", sorted(BROKEN))
def test_the_broken_rule_is_found_at_its_place(stem: str):
    place, _, _ = BROKEN[stem].rpartition(": ")
    wanted = re.sub(r"\[x\]|:[^.]+", "", place)
    found = {
        re.sub(r"\[\d+\]", "", path)
        for path, _ in errors(decode((EXAMPLES / "broken" / f"{stem}.json").read_bytes()))
    }
    if wanted.startswith("Extension"):
        # The rule is one of an extension, and stands wherever the extension is.
        assert any(".extension" in path for path in found)
    else:
        assert any(path == wanted or path.startswith(f"{wanted}.") for path in found)


@pytest.mark.parametrize("path", sorted((EXAMPLES / "broken").glob("*.json")), ids=lambda path: path.stem)
def test_what_breaks_a_profile_is_valid_without_the_claim(path: Path):
    resource = decode(path.read_bytes())
    claimed = resource["meta"].pop("profile")
    if not resource["meta"]:
        del resource["meta"]
    of_profile = {place for place, _ in errors(resource, profiles=claimed)}
    without = errors(resource)
    # Extensions and codes of the hub are judged wherever they stand.
    assert all(code in ("structure", "required", "code-invalid", "value") for _, code in without)
    assert of_profile


def test_every_profile_can_be_compiled_with_all_its_rules():
    for url in (*own_profiles(), *core_profiles()):
        table = profile(url)
        assert table is not None
        demand_check(table.demand, "x", (table.type_name,), lambda *_: True)
        for rule in _rules(table.demand):
            compile_expression(expression_of(rule))


def _rules(demand: Demand) -> list[Any]:
    inner = [*demand.children, *(one.demand for one in demand.slices)]
    return [*demand.invariants, *(rule for one in inner for rule in _rules(one))]


def test_the_own_tables_are_what_the_script_makes():
    import runpy

    script = runpy.run_path(str(ROOT / "scripts" / "compile_own_definitions.py"))
    made = script["tables"](json.loads(path.read_bytes()) for path in script["artifact_files"]())
    definitions = ROOT / "referral_hub" / "fhir" / "definitions"
    assert {name for name, content in made.items() if (definitions / name).read_bytes() != content} == set()


# --- claims ----------------------------------------------------------------------------------------------


def patient(*claims: str) -> dict[str, Any]:
    return {"resourceType": "Patient", "meta": {"profile": list(claims)}}


@pytest.mark.parametrize(
    "claim",
    [
        f"{CORE}Patient",
        f"{CORE}Patient|4.0.1",
        f"{CORE}DomainResource",
        "https://elsewhere.test/p",
        f"{OWN}person|99",
    ],
)
def test_a_claim_that_is_no_reason_to_refuse(claim: str):
    assert errors(patient(claim)) == []


@pytest.mark.parametrize("claim", [f"{CORE}Observation", f"{OWN}referral-task"])
def test_a_claim_of_a_profile_of_another_type(claim: str):
    assert [code for _, code in errors(patient(claim))] == ["structure"]


def test_a_claim_nobody_knows_is_told_where_best_practice_is():
    told = [
        i for i in validate(patient("https://elsewhere.test/p"), warnings=True) if i.code == "not-supported"
    ]
    assert [(i.severity, i.expression) for i in told] == [("warning", "Patient.meta.profile[0]")]


def test_claims_inside_other_resources_are_in_force():
    inner = patient(f"{OWN}person")
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": "urn:uuid:b8dd1d29-b6ab-41e9-8f2f-3c970e44bbe1", "resource": inner}],
    }
    assert ("Bundle.entry[0].resource.extension", "required") in errors(bundle)


def test_a_profile_that_is_asked_for_and_claimed_is_judged_once():
    assert errors(patient(f"{OWN}person"), profiles=[f"{OWN}person"]) == errors(patient(f"{OWN}person"))


# --- R4's own --------------------------------------------------------------------------------------------

VITAL: dict[str, Any] = {
    "resourceType": "Observation",
    "meta": {"profile": [f"{CORE}bodyweight"]},
    "status": "final",
    "category": [
        {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                    "code": "vital-signs",
                }
            ]
        }
    ],
    "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
    "subject": {"reference": "Patient/invented"},
    "effectiveDateTime": "2026-11-24",
    "valueQuantity": {"value": 60, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
}


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in VITAL.items() if key != name}


@pytest.mark.parametrize(
    ("resource", "place"),
    [
        (without("category"), "Observation.category"),
        (without("subject"), "Observation.subject"),
        (without("effectiveDateTime"), "Observation.effective"),
        (without("valueQuantity"), "Observation"),
        (
            VITAL | {"code": {"coding": [{"system": "http://loinc.org", "code": "1-8"}]}},
            "Observation.code.coding",
        ),
        (VITAL | {"valueQuantity": VITAL["valueQuantity"] | {"code": "Cel"}}, "Observation.value.code"),
        (VITAL | {"valueQuantity": {"value": 60, "unit": "kg"}}, "Observation.value.system"),
        (VITAL | {"subject": {"reference": "Group/g"}}, "Observation.subject.reference"),
    ],
)
def test_a_vital_sign_that_is_none(resource: dict[str, Any], place: str):
    assert place in {path for path, _ in errors(resource)}


def test_a_vital_sign():
    assert errors(VITAL) == []


# --- what profiles can ask, one by one -------------------------------------------------------------------


def asked(type_name: str, *elements: dict[str, Any]) -> Demand:
    made = [{"id": type_name, "path": type_name, "min": 0, "max": "*"}]
    for element in elements:
        path = re.sub(r":[^.]+", "", element["id"])
        made.append({"path": path, "min": 0, "max": "*", **element})
    structure = {"type": type_name, "snapshot": {"element": made}}
    return profile_table_of(structure, {}).demand


def found(resource: dict[str, Any], *elements: dict[str, Any]) -> list[tuple[str, str, str]]:
    run = Run(resource, resource, with_warnings=True)
    name = resource["resourceType"]
    check = demand_check(
        asked(name, *elements), "it", (name,), lambda url, value, run: value.get("id") == url
    )
    check(resource, None, (None, name, -1), name, run)
    return [(issue.expression, issue.code, issue.severity) for issue in run.issues]


TASK: dict[str, Any] = {
    "resourceType": "Task",
    "input": [
        {"type": {"text": "a"}, "valueString": "x"},
        {"type": {"text": "b"}, "valueBoolean": True},
    ],
}


def sliced(kind: str, path: str = "type", **slicing: Any) -> dict[str, Any]:
    return {"id": "Task.input", "slicing": {"discriminator": [{"type": kind, "path": path}], **slicing}}


def one(name: str, text: str, **more: Any) -> list[dict[str, Any]]:
    return [
        {"id": f"Task.input:{name}", "sliceName": name, **more},
        {"id": f"Task.input:{name}.type", "min": 1, "max": "1", "patternCodeableConcept": {"text": text}},
    ]


def test_groups_by_a_pattern():
    assert found(TASK, sliced("pattern"), *one("a", "a", max="1")) == []
    assert found(TASK, sliced("pattern"), *one("c", "c", min=1)) == [("Task.input", "required", "error")]
    twice = TASK | {"input": [TASK["input"][0]] * 2}
    assert found(twice, sliced("pattern"), *one("a", "a", max="1")) == [("Task.input", "structure", "error")]


def test_closed_groups_take_nobody_else():
    assert found(TASK, sliced("pattern", rules="closed"), *one("a", "a")) == [
        ("Task.input[1]", "structure", "error")
    ]


def test_ordered_groups():
    rules = (sliced("pattern", ordered=True), *one("b", "b"), *one("a", "a"))
    assert found(TASK, *rules) == [("Task.input[1]", "structure", "error")]
    assert found(TASK, sliced("pattern", ordered=True), *one("a", "a"), *one("b", "b")) == []


def test_groups_by_type():
    rules = (
        sliced("type", "value"),
        {"id": "Task.input:text", "sliceName": "text", "max": "0"},
        {"id": "Task.input:text.value", "path": "Task.input.value[x]", "type": [{"code": "string"}]},
    )
    with pytest.raises(UnreadableProfile):
        asked("Task", sliced("type", "banana"), {"id": "Task.input:x", "sliceName": "x"})
    assert asked("Task", *rules).children[0].slices[0].marks[0].demand.types == ("string",)


def test_groups_of_a_choice_by_type():
    observation = {"resourceType": "Observation", "valueString": "x"}
    rules = (
        {
            "id": "Observation.value[x]",
            "max": "1",
            "slicing": {"discriminator": [{"type": "type", "path": "$this"}]},
        },
        {
            "id": "Observation.value[x]:valueString",
            "sliceName": "valueString",
            "max": "1",
            "type": [{"code": "string"}],
            "maxLength": 3,
        },
    )
    assert found(observation, *rules) == []
    assert found(observation | {"valueString": "long"}, *rules) == [
        ("Observation.value", "too-long", "error")
    ]
    assert found({"resourceType": "Observation", "valueBoolean": True}, *rules) == []


def test_groups_by_presence():
    names = {"resourceType": "Patient", "name": [{"text": "a"}, {"text": "b", "use": "usual"}]}
    rules = (
        {"id": "Patient.name", "slicing": {"discriminator": [{"type": "exists", "path": "use"}]}},
        {"id": "Patient.name:used", "sliceName": "used"},
        {"id": "Patient.name:used.use", "min": 1, "max": "1"},
        {"id": "Patient.name:used.family", "min": 1, "max": "1"},
    )
    assert found(names, *rules) == [("Patient.name[1].family", "required", "error")]


def test_groups_by_profile():
    bundle = {
        "resourceType": "Bundle",
        "entry": [{"resource": {"resourceType": "Patient", "id": "https://p.test"}}],
    }
    rules = (
        {"id": "Bundle.entry", "slicing": {"discriminator": [{"type": "profile", "path": "resource"}]}},
        {"id": "Bundle.entry:p", "sliceName": "p", "max": "0"},
        {
            "id": "Bundle.entry:p.resource",
            "type": [{"code": "Patient", "profile": ["https://p.test"]}],
        },
    )
    assert ("Bundle.entry", "structure", "error") in found(bundle, *rules)
    assert (
        found({"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Patient"}}]}, *rules) == []
    )


def test_groups_by_the_type_a_reference_leads_to():
    group = {
        "resourceType": "Group",
        "member": [{"entity": {"reference": "Patient/1"}}, {"entity": {"reference": "Device/1"}}],
    }
    rules = (
        {"id": "Group.member", "slicing": {"discriminator": [{"type": "type", "path": "entity.resolve()"}]}},
        {"id": "Group.member:person", "sliceName": "person", "max": "0"},
    )
    with pytest.raises(UnreadableProfile):
        found(group, *rules)


def test_fixed_values_and_patterns():
    fixed = {"id": "Patient.maritalStatus", "max": "1", "fixedCodeableConcept": {"text": "a"}}
    pattern = {"id": "Patient.maritalStatus", "max": "1", "patternCodeableConcept": {"text": "a"}}
    more = {"resourceType": "Patient", "maritalStatus": {"text": "a", "id": "x"}}
    assert found(more, fixed) == [("Patient.maritalStatus", "value", "error")]
    assert found(more, pattern) == []


def test_a_binding_that_is_extensible_is_a_warning():
    rule = {
        "id": "Patient.maritalStatus",
        "max": "1",
        "binding": {"strength": "extensible", "valueSet": "http://hl7.org/fhir/ValueSet/link-type"},
    }
    body = {"resourceType": "Patient", "maritalStatus": {"text": "a"}}
    assert found(body, rule) == [("Patient.maritalStatus", "code-invalid", "warning")]
    required = rule | {"binding": rule["binding"] | {"strength": "required"}}
    assert found(body, required) == [("Patient.maritalStatus", "code-invalid", "error")]


def test_an_extension_counts_as_the_value_it_stands_for():
    body = {
        "resourceType": "Patient",
        "_birthDate": {"extension": [{"url": "https://x.test", "valueCode": "a"}]},
    }
    assert found(body, {"id": "Patient.birthDate", "min": 1, "max": "1"}) == []
    assert found({"resourceType": "Patient"}, {"id": "Patient.birthDate", "min": 1, "max": "1"}) == [
        ("Patient.birthDate", "required", "error")
    ]


@pytest.mark.parametrize("value", [None, 1, "x", [], {}, [None], [[]], [{"type": 1}], {"type": {}}])
def test_what_is_broken_in_shape_is_passed_over(value: Any):
    for name in ("referral-task", "recall-task"):
        body = {"resourceType": "Task", "meta": {"profile": [OWN + name]}, "input": value, "code": value}
        assert errors(body)
