"""FHIRPath Patch: every operation on single elements, lists, choices and primitives, and what is refused."""

from contextlib import suppress
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_hub.errors import InvalidResource, PatchFailed
from referral_hub.fhir import json_codec, xml_codec
from referral_hub.fhir.path_patch import apply, read
from referral_hub.fhir.paths import DEEPEST, LONGEST, where
from referral_hub.fhir.places import MOST_STEPS, NotAPath

Json = dict[str, Any]


def operation(kind: str, path: str, **parts: Any) -> Json:
    told = [{"name": "type", "valueCode": kind}, {"name": "path", "valueString": path}]
    return {"name": "operation", "part": [*told, *({"name": name, **part} for name, part in parts.items())]}


def patched(resource: Json, *operations: Json) -> Json:
    return apply(resource, read({"resourceType": "Parameters", "parameter": list(operations)}))


def person(**elements: Any) -> Json:
    return {"resourceType": "Patient", **elements}


def whole(number: int) -> Json:
    return {"valueInteger": number}


NAMED = {"valueString": "name"}
EXTENSION = {"url": "urn:x", "valueString": "a"}
# Parameters of R4 have no valueExtension: an extension is told in parts.
TOLD = {"part": [{"name": "url", "valueUri": "urn:x"}, {"name": "value", "valueString": "a"}]}
CASES: dict[str, tuple[Json, list[Json], Json]] = {
    "nothing": (person(gender="male"), [], person(gender="male")),
    "replace a primitive": (
        person(birthDate="1920-01-01"),
        [operation("replace", "Patient.birthDate", value={"valueDate": "1930-01-01"})],
        person(birthDate="1930-01-01"),
    ),
    "replace drops what stood beside it": (
        person(birthDate="1920", _birthDate={"extension": [EXTENSION]}),
        [operation("replace", "Patient.birthDate", value={"valueDate": "1930"})],
        person(birthDate="1930"),
    ),
    "replace brings what stands beside it": (
        person(birthDate="1920"),
        [operation("replace", "birthDate", value={"valueDate": "1930", "_valueDate": {"id": "b"}})],
        person(birthDate="1930", _birthDate={"id": "b"}),
    ),
    "delete a primitive": (
        person(birthDate="1920", gender="male"),
        [operation("delete", "Patient.birthDate")],
        person(gender="male"),
    ),
    "delete what is not there": (
        person(gender="male"),
        [operation("delete", "Patient.photo[3]")],
        person(gender="male"),
    ),
    "add a primitive": (
        person(),
        [operation("add", "Patient", name={"valueString": "birthDate"}, value={"valueDate": "1930"})],
        person(birthDate="1930"),
    ),
    "replace inside": (
        person(contact=[{"name": {"text": "a"}, "gender": "male"}]),
        [operation("replace", "Patient.contact[0].name.text", value={"valueString": "b"})],
        person(contact=[{"name": {"text": "b"}, "gender": "male"}]),
    ),
    "delete inside takes what is left empty along": (
        person(contact=[{"name": {"text": "a"}, "gender": "male"}]),
        [operation("delete", "Patient.contact[0].name.text")],
        person(contact=[{"gender": "male"}]),
    ),
    "delete the last of all": (
        person(contact=[{"name": {"text": "a"}}]),
        [operation("delete", "Patient.contact.name.text")],
        person(),
    ),
    "add inside": (
        person(contact=[{"name": {"text": "a"}}]),
        [operation("add", "Patient.contact[0]", name={"valueString": "gender"}, value={"valueCode": "male"})],
        person(contact=[{"name": {"text": "a"}, "gender": "male"}]),
    ),
    "add an object": (
        person(),
        [
            operation(
                "add",
                "Patient",
                name={"valueString": "maritalStatus"},
                value={"valueCodeableConcept": {"text": "m"}},
            )
        ],
        person(maritalStatus={"text": "m"}),
    ),
    "add to a list": (
        person(name=[{"text": "a"}]),
        [operation("add", "Patient", name=NAMED, value={"valueHumanName": {"text": "b"}})],
        person(name=[{"text": "a"}, {"text": "b"}]),
    ),
    "add a part": (
        person(),
        [
            operation(
                "add",
                "Patient",
                name={"valueString": "contact"},
                value={
                    "part": [
                        {"name": "name", "valueHumanName": {"text": "a"}},
                        {"name": "relationship", "valueCodeableConcept": {"text": "1"}},
                        {"name": "relationship", "valueCodeableConcept": {"text": "2"}},
                        {"name": "extension", **TOLD},
                    ]
                },
            )
        ],
        person(
            contact=[
                {
                    "name": {"text": "a"},
                    "relationship": [{"text": "1"}, {"text": "2"}],
                    "extension": [EXTENSION],
                }
            ]
        ),
    ),
    "add a part in a part": (
        {"resourceType": "CarePlan"},
        [
            operation(
                "add",
                "CarePlan",
                name={"valueString": "activity"},
                value={"part": [{"name": "detail", "part": [{"name": "status", "valueCode": "scheduled"}]}]},
            )
        ],
        {"resourceType": "CarePlan", "activity": [{"detail": {"status": "scheduled"}}]},
    ),
    "insert": (
        person(name=[{"text": "a"}, {"text": "c"}]),
        [operation("insert", "Patient.name", index=whole(1), value={"valueHumanName": {"text": "b"}})],
        person(name=[{"text": "a"}, {"text": "b"}, {"text": "c"}]),
    ),
    "insert at the end": (
        person(name=[{"text": "a"}]),
        [operation("insert", "Patient.name", index=whole(1), value={"valueHumanName": {"text": "b"}})],
        person(name=[{"text": "a"}, {"text": "b"}]),
    ),
    "insert into an empty list": (
        person(),
        [operation("insert", "Patient.name", index=whole(0), value={"valueHumanName": {"text": "a"}})],
        person(name=[{"text": "a"}]),
    ),
    "insert between words with notes": (
        person(name=[{"given": ["A", "B"], "_given": [None, {"id": "b"}]}]),
        [operation("insert", "Patient.name[0].given", index=whole(1), value={"valueString": "M"})],
        person(name=[{"given": ["A", "M", "B"], "_given": [None, None, {"id": "b"}]}]),
    ),
    "delete from a list": (
        person(name=[{"text": "a"}, {"text": "b"}, {"text": "c"}]),
        [operation("delete", "Patient.name[1]")],
        person(name=[{"text": "a"}, {"text": "c"}]),
    ),
    "move": (
        person(name=[{"text": "a"}, {"text": "b"}, {"text": "c"}, {"text": "d"}]),
        [operation("move", "Patient.name", source=whole(3), destination=whole(1))],
        person(name=[{"text": "a"}, {"text": "d"}, {"text": "b"}, {"text": "c"}]),
    ),
    "one after the other": (
        person(name=[{"text": "a"}, {"text": "b"}]),
        [
            operation("delete", "Patient.name[0]"),
            operation("replace", "Patient.name[0].text", value={"valueString": "c"}),
            operation("add", "Patient", name=NAMED, value={"valueHumanName": {"text": "d"}}),
            operation("move", "Patient.name", source=whole(1), destination=whole(0)),
        ],
        person(name=[{"text": "d"}, {"text": "c"}]),
    ),
    "a choice by its name": (
        person(),
        [operation("add", "Patient", name={"valueString": "deceased"}, value={"valueBoolean": True})],
        person(deceasedBoolean=True),
    ),
    "a choice with its x": (
        person(),
        [operation("add", "Patient", name={"valueString": "deceased[x]"}, value={"valueDateTime": "2020"})],
        person(deceasedDateTime="2020"),
    ),
    "a choice as JSON spells it": (
        person(),
        [operation("add", "Patient", name={"valueString": "deceasedBoolean"}, value={"valueBoolean": False})],
        person(deceasedBoolean=False),
    ),
    "a choice of another type": (
        person(deceasedBoolean=True),
        [operation("replace", "Patient.deceased", value={"valueDateTime": "2020"})],
        person(deceasedDateTime="2020"),
    ),
    "a choice narrowed by type": (
        person(deceasedBoolean=True),
        [operation("delete", "Patient.deceased.ofType(boolean)")],
        person(),
    ),
    "found by what it says": (
        person(identifier=[{"system": "a", "value": "1"}, {"system": "b", "value": "2"}]),
        [operation("replace", "Patient.identifier.where(system = 'b').value", value={"valueString": "3"})],
        person(identifier=[{"system": "a", "value": "1"}, {"system": "b", "value": "3"}]),
    ),
    "found by its extension": (
        person(extension=[{"url": "urn:y", "valueCode": "b"}, EXTENSION]),
        [operation("replace", "Patient.extension('urn:x').value", value={"valueString": "c"})],
        person(extension=[{"url": "urn:y", "valueCode": "b"}, {"url": "urn:x", "valueString": "c"}]),
    ),
    "an extension of a primitive": (
        person(birthDate="1990"),
        [operation("add", "Patient.birthDate", name={"valueString": "extension"}, value=TOLD)],
        person(birthDate="1990", _birthDate={"extension": [EXTENSION]}),
    ),
    "the last extension of a primitive": (
        person(birthDate="1990", _birthDate={"extension": [EXTENSION]}),
        [operation("delete", "Patient.birthDate.extension[0]")],
        person(birthDate="1990"),
    ),
    "first, last, skip": (
        person(name=[{"text": "a"}, {"text": "b"}, {"text": "c"}]),
        [
            operation("delete", "Patient.name.first()"),
            operation("delete", "Patient.name.last()"),
            operation("replace", "Patient.name.skip(0).take(1).text", value={"valueString": "x"}),
        ],
        person(name=[{"text": "x"}]),
    ),
    "a contained resource": (
        {"resourceType": "Task"},
        [
            operation(
                "add",
                "Task",
                name={"valueString": "contained"},
                value={"resource": {"resourceType": "Basic", "id": "c"}},
            )
        ],
        {"resourceType": "Task", "contained": [{"resourceType": "Basic", "id": "c"}]},
    ),
    "inside a contained resource": (
        {"resourceType": "Task", "contained": [person(id="c", gender="male")]},
        [operation("replace", "Task.contained[0].gender", value={"valueCode": "other"})],
        {"resourceType": "Task", "contained": [person(id="c", gender="other")]},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_patch_does_what_it_says_and_alters_nothing_given(case: str) -> None:
    before, operations, after = CASES[case]
    kept = json_codec.encode(before)
    assert patched(before, *operations) == after
    assert json_codec.encode(before) == kept


@pytest.mark.parametrize("case", CASES)
def test_a_patch_says_the_same_in_xml(case: str) -> None:
    before, operations, after = CASES[case]
    parameters: Json = {"resourceType": "Parameters"}
    if operations:
        parameters["parameter"] = operations
    assert apply(before, read(xml_codec.decode(xml_codec.encode(parameters)))) == after


TWO = person(name=[{"text": "a"}, {"text": "b"}], gender="male")
REFUSED: dict[str, tuple[Json, str]] = {
    "replace nothing": (
        operation("replace", "Patient.photo", value={"valueString": "x"}),
        "leads to nothing",
    ),
    "replace several": (operation("replace", "Patient.name", value={"valueHumanName": {}}), "several"),
    "replace the resource": (operation("replace", "Patient", value={"resource": person()}), "by an update"),
    "replace another type": (operation("replace", "Task", value={"resource": person()}), "leads to nothing"),
    "delete several": (operation("delete", "Patient.name"), "one at a time"),
    "delete the resource": (operation("delete", "Patient"), "not deleted"),
    "add again": (
        operation("add", "Patient", name={"valueString": "gender"}, value={"valueCode": "other"}),
        "already",
    ),
    "add no element": (
        operation("add", "Patient", name={"valueString": "shoeSize"}, value={"valueCode": "x"}),
        "no element",
    ),
    "add to nothing": (
        operation("add", "Patient.photo", name={"valueString": "title"}, value={"valueString": "x"}),
        "leads to nothing",
    ),
    "add a wrong choice": (
        operation("add", "Patient", name={"valueString": "deceased"}, value={"valueQuantity": {}}),
        "no element",
    ),
    "add a wrong part": (
        operation(
            "add",
            "Patient",
            name={"valueString": "contact"},
            value={"part": [{"name": "x", "valueCode": "y"}]},
        ),
        "no element for",
    ),
    "insert beyond": (
        operation("insert", "Patient.name", index=whole(3), value={"valueHumanName": {"text": "c"}}),
        "beyond",
    ),
    "insert into no list": (
        operation("insert", "Patient.gender", index=whole(0), value={"valueCode": "x"}),
        "no list",
    ),
    "insert by an index": (
        operation("insert", "Patient.name[0]", index=whole(0), value={"valueString": "x"}),
        "name of a list",
    ),
    "move beyond": (
        operation("move", "Patient.name", source=whole(0), destination=whole(2)),
        "counted from 0",
    ),
    "an empty value": (operation("replace", "Patient.gender", value={"valueCode": None}), "empty"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_done_is_said(case: str) -> None:
    told, text = REFUSED[case]
    with pytest.raises(PatchFailed, match=text) as refused:
        patched(TWO, told)
    assert refused.value.text.startswith("Operation 1 (")


UNREADABLE: dict[str, Any] = {
    "no Parameters": {"resourceType": "Patient"},
    "no list": {"resourceType": "Parameters", "parameter": {}},
    "another name": {"resourceType": "Parameters", "parameter": [{"name": "change"}]},
    "no type": {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": []}]},
    "an unknown type": {"resourceType": "Parameters", "parameter": [operation("copy", "Patient")]},
    "no path": {
        "resourceType": "Parameters",
        "parameter": [{"name": "operation", "part": [{"name": "type", "valueCode": "delete"}]}],
    },
    "no value": {"resourceType": "Parameters", "parameter": [operation("replace", "Patient.gender")]},
    "two values": {
        "resourceType": "Parameters",
        "parameter": [operation("replace", "Patient.gender", value={"valueCode": "a", "valueString": "b"})],
    },
    "a part twice": {
        "resourceType": "Parameters",
        "parameter": [
            {
                "name": "operation",
                "part": [{"name": "type", "valueCode": "delete"}, {"name": "type", "valueCode": "add"}],
            }
        ],
    },
    "an index that is none": {
        "resourceType": "Parameters",
        "parameter": [
            operation("insert", "Patient.name", index={"valueInteger": -1}, value={"valueString": "x"})
        ],
    },
    "too many": {"resourceType": "Parameters", "parameter": [operation("delete", "Patient.photo")] * 501},
    "parts that are no list": {
        "resourceType": "Parameters",
        "parameter": [{"name": "operation", "part": True}],
    },
    "texts": {"resourceType": "Parameters", "parameter": ["x", 1, None]},
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_what_is_no_patch_is_refused_before_anything_is_done(case: str) -> None:
    with pytest.raises(InvalidResource):
        read(UNREADABLE[case])


@pytest.mark.parametrize(
    "path",
    [
        "",
        "Patient..name",
        "Patient.name[",
        "Patient.name[x]",
        "Patient.name[-1]",
        "1 + 1",
        "'text'",
        "%resource.name",
        "Patient.name | Patient.photo",
        "Patient.name.text.lower()",
        "Patient.repeat(contact)",
        "Patient.descendants()",
        "Patient.children()",
        "Patient.managingOrganization.resolve()",
        "Patient.name.where(text.matches('(a+)+$'))",
        "Patient.name.where(text.replaceMatches('(a+)+$', '') = '')",
        "Patient.name.where(%context.name.exists())",
        "Patient.name.where(repeat(extension).exists())",
        "Patient.name.where()",
        "Patient.name.where(text = 'a', text = 'b')",
        "Patient.name.first(3)x",
        "(" * (DEEPEST + 1) + "Patient" + ")" * (DEEPEST + 1),
        "Patient." + "a" * LONGEST,
    ],
)
def test_paths_that_compute_or_wander_are_refused(path: str) -> None:
    with pytest.raises(NotAPath):
        where(path)


def test_a_patch_cannot_be_made_to_run_for_ever() -> None:
    crowd = person(identifier=[{"system": f"s{number}"} for number in range(10_000)])
    many = [operation("delete", f"Patient.identifier.where(system = 'x{number}')") for number in range(500)]
    with pytest.raises(PatchFailed, match=str(MOST_STEPS)):
        patched(crowd, *many)


def test_a_long_list_is_patched_by_index_without_being_walked() -> None:
    crowd = person(identifier=[{"system": f"s{number}"} for number in range(20_000)])
    value = {"valueIdentifier": {"system": "x"}}
    many = [
        operation("insert", "Patient.identifier", index=whole(0), value=value),
        operation("replace", "Patient.identifier[3].system", value={"valueUri": "y"}),
        operation("move", "Patient.identifier", source=whole(0), destination=whole(9)),
        operation("delete", "Patient.identifier[99999999999999999999999]"),
    ]
    result = patched(crowd, *many * 2)
    assert len(result["identifier"]) == 20_002


def test_digits_are_kept() -> None:
    exact = json_codec.decode(b'{"resourceType":"Observation","valueQuantity":{"value":1.50,"unit":"kg"}}')
    value = {"valueDecimal": json_codec.decode(b"1E2")}
    result = patched(exact, operation("replace", "Observation.value.unit", value={"valueString": "g"}))
    assert (
        json_codec.encode(result)
        == b'{"resourceType":"Observation","valueQuantity":{"value":1.50,"unit":"g"}}'
    )
    result = patched(exact, operation("replace", "Observation.value.value", value=value))
    assert b'"value":1E2' in json_codec.encode(result)
    assert isinstance(result["valueQuantity"]["value"], Decimal)


@given(st.text(max_size=60))
def test_any_text_as_a_path_is_read_or_refused(text: str) -> None:
    before = deepcopy(TWO)
    with suppress(NotAPath):
        where(text).places(TWO)
    assert before == TWO


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["name", "part", "type", "path", "valueCode", "valueString", "resource", "parameter"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=20,
    )
)
def test_any_json_as_a_patch_is_read_or_refused(told: Any) -> None:
    before = deepcopy(TWO)
    with suppress(InvalidResource, PatchFailed):
        assert apply(TWO, read({"resourceType": "Parameters", "parameter": told}))["resourceType"]
    assert before == TWO
