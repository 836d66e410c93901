"""What a supervisor's desk shows of a Task, and which decisions are offered to whom."""

from typing import Any

import pytest

from referral_hub.casework.desk_lists import on_desk
from referral_hub.exchange.deciding import DECISIONS
from referral_hub.exchange.desks import DESK_PART
from referral_hub.resources.task import TASK_CODES


def task(kind: str, status: str = "ready", **parts: str) -> dict[str, Any]:
    entries = [
        {"type": {"coding": [{"system": DESK_PART, "code": code.replace("_", "-")}]}, "valueString": text}
        for code, text in parts.items()
    ]
    code = {"coding": [{"system": TASK_CODES, "code": kind}]}
    return {"resourceType": "Task", "id": "t1", "status": status, "code": code, "input": entries}


@pytest.mark.parametrize(
    ("kind", "offered"),
    [
        ("compelled-disclosure", ("refuse",)),
        ("external-request", ("refuse",)),
        ("emergency-opening", ()),
        ("held-recall", ("drop", "release")),
    ],
)
def test_who_began_something_is_not_its_second_person(kind: str, offered: tuple[str, ...]) -> None:
    found = on_desk(task(kind, recorded_by="a-1"))
    assert found is not None
    assert found.waits_for("a-1") == offered
    assert found.waits_for("a-2") == tuple(sorted(DECISIONS[kind]))


def test_what_was_decided_offers_nothing() -> None:
    found = on_desk(task("external-request", "completed"))
    assert found is not None
    assert found.waits_for("a-2") == ()


def test_accounts_are_not_shown_and_unknown_parts_have_one_heading() -> None:
    found = on_desk(task("external-request", recorded_by="a-1", asked_by="A court", quite_new="words"))
    assert found is not None
    assert found.parts == (("asked-by", "A court"), ("other", "words"))


def test_a_referral_is_not_of_the_desk() -> None:
    assert on_desk(task("fulfill")) is None
