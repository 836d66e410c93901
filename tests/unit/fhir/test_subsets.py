"""Parts of resources: what stays, and that they say so."""

from typing import Any

import pytest

from referral_hub.fhir.subsets import Part, is_subsetted, shortened
from referral_hub.fhir.validator import validate

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p",
    "meta": {"versionId": "v", "tag": [{"system": "urn:x", "code": "kept"}]},
    "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'},
    "contained": [{"resourceType": "Organization", "id": "o", "name": "Inside"}],
    "active": True,
    "_active": {"extension": [{"url": "urn:x", "valueString": "y"}]},
    "name": [{"text": "Lark"}],
    "birthDate": "1994",
    "contact": [{"name": {"text": "Wren"}}],
    "managingOrganization": {"reference": "#o"},
    "link": [{"other": {"reference": "Patient/2"}, "type": "seealso"}],
}


@pytest.mark.parametrize(
    ("part", "kept"),
    [
        (
            Part("true"),
            {"active", "_active", "name", "birthDate", "managingOrganization", "contained", "link"},
        ),
        (Part("text"), {"text", "active", "_active", "link"}),
        (
            Part("data"),
            {
                "active",
                "_active",
                "name",
                "birthDate",
                "managingOrganization",
                "contained",
                "link",
                "contact",
            },
        ),
        (Part(elements=("birthDate", "contact")), {"active", "_active", "birthDate", "contact", "link"}),
        (
            Part(elements=("managingOrganization",)),
            {"active", "_active", "managingOrganization", "contained", "link"},
        ),
        (Part(elements=("nothing",)), {"active", "_active", "link"}),
    ],
)
def test_a_part_has_what_was_asked_for_and_what_changes_its_meaning(part: Part, kept: set[str]) -> None:
    found = shortened(PATIENT, part)
    assert found.keys() - {"resourceType", "id", "meta"} == kept
    assert is_subsetted(found)
    assert not is_subsetted(PATIENT)
    assert {"system": "urn:x", "code": "kept"} in found["meta"]["tag"]
    assert found["meta"]["versionId"] == "v"


def test_a_part_of_a_part_is_tagged_once() -> None:
    once = shortened(PATIENT, Part("data"))
    assert [tag["code"] for tag in shortened(once, Part("true"))["meta"]["tag"]] == ["kept", "SUBSETTED"]


def test_nested_parts_lose_what_is_no_summary() -> None:
    plan = {
        "resourceType": "Goal",
        "lifecycleStatus": "active",
        "description": {"text": "x"},
        "subject": {"reference": "Patient/1"},
        "target": [{"dueDate": "2026", "measure": {"text": "steps"}, "detailString": "many"}],
    }
    found = shortened(plan, Part("true"))
    assert "target" not in found or found["target"][0].keys() <= {"id", "measure", "detailString", "dueDate"}


@pytest.mark.parametrize("summary", ["true", "data", "text"])
def test_what_must_be_there_is_there(summary: Any) -> None:
    task = {
        "resourceType": "Task",
        "id": "t",
        "status": "draft",
        "intent": "order",
        "note": [{"text": "x"}],
        "restriction": {"period": {"end": "2026"}},
        "input": [{"type": {"text": "t"}, "valueString": "v"}],
    }
    found = shortened(task, Part(summary))
    assert not [issue for issue in validate(found) if issue.is_error]


def test_whole_is_whole() -> None:
    assert Part().is_whole
    assert Part("false").is_whole
    assert not Part("true").is_whole
    assert not Part(elements=("x",)).is_whole
