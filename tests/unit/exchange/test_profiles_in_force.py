"""Profiles that hold without being claimed: for whom, and what they do not demand."""

from typing import Any

import pytest

from referral_hub.errors import InvalidResource
from referral_hub.exchange.profiles_in_force import (
    check_in_force,
    completed,
    issues_in_force,
    profiles_in_force,
)
from referral_hub.fhir.canonical import ACT_CODE, TASK_CODE, code_system, structure

FULFILL = {"coding": [{"system": TASK_CODE, "code": "fulfill"}]}
TASK: dict[str, Any] = {
    "resourceType": "Task",
    "status": "requested",
    "intent": "order",
    "code": FULFILL,
    "focus": {"reference": "ServiceRequest/1"},
    "for": {"reference": "Patient/1"},
    "authoredOn": "2026-11-24T10:00:00Z",
    "owner": {"reference": "Organization/2"},
}


def consent(kind: str) -> dict[str, Any]:
    return {
        "resourceType": "Consent",
        "category": [{"coding": [{"system": code_system("consent-kind"), "code": kind}]}],
    }


@pytest.mark.parametrize(
    ("body", "names"),
    [
        (consent("release"), ["consent-release"]),
        (consent("refusal"), ["consent-refusal"]),
        (consent("another"), []),
        (TASK, ["referral-task"]),
        (TASK | {"status": "draft"}, []),
        (
            TASK | {"code": {"coding": [{"system": code_system("task-code"), "code": "recall"}]}},
            ["recall-task"],
        ),
        (TASK | {"code": {"text": "fulfill"}}, []),
        ({"resourceType": "Patient"}, []),
        (
            {
                "resourceType": "Patient",
                "extension": [{"url": structure("no-name-referral"), "valueBoolean": True}],
            },
            ["no-name-person"],
        ),
        ({"resourceType": ["Task"], "code": FULFILL}, []),
        ({"resourceType": "Task", "code": [FULFILL, None]}, ["referral-task"]),
        ({}, []),
    ],
)
def test_who_is_judged_by_what(body: dict[str, Any], names: list[str]):
    assert list(profiles_in_force(body)) == [structure(name) for name in names]


def test_what_the_hub_knows_is_not_demanded():
    assert issues_in_force(TASK) == []
    added = {"coding": [{"system": ACT_CODE, "code": "IDSCL"}]}
    assert completed(consent("release"))["category"][-1] == added
    assert "requester" not in TASK


def test_what_it_does_not_know_is():
    broken = {name: value for name, value in TASK.items() if name != "focus"}
    with pytest.raises(InvalidResource) as refusal:
        check_in_force(broken, None)
    assert [issue.expression for issue in refusal.value.issues] == ["Task.focus"]


def test_what_was_stored_broken_can_be_moved_on():
    broken = {name: value for name, value in TASK.items() if name != "focus"}
    check_in_force(broken | {"status": "accepted"}, broken)
    with pytest.raises(InvalidResource):
        check_in_force({**broken, "intent": "plan"}, broken)


def test_a_draft_is_judged_when_it_is_sent():
    draft = {name: value for name, value in TASK.items() if name != "focus"} | {"status": "draft"}
    check_in_force(draft, None)
    with pytest.raises(InvalidResource):
        check_in_force(draft | {"status": "requested"}, draft)


def test_a_profile_that_is_claimed_is_left_to_the_validator():
    claimed = {name: value for name, value in TASK.items() if name != "focus"}
    claimed["meta"] = {"profile": [structure("referral-task")]}
    assert issues_in_force(claimed) == []
