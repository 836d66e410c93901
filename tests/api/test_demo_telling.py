"""How the demo tells and proves: a look that is wrong ends it, lines fold under themselves, tables line up."""

import io

import pytest

from referral_hub.demo.smart_partner import Answer, PartnerFault, SmartPartner, make_key
from referral_hub.demo.stage import Evidence, Stage, Unexpected, wait_for
from referral_hub.demo.tracker import ball_of, is_handoff
from referral_hub.fhir.canonical import code_system

NOTHING = b'{"resourceType":"OperationOutcome"}'
ABSENT = Answer(404, {}, NOTHING)


def evidence() -> Evidence:
    return Evidence(NOTHING)


def test_each_look_counts() -> None:
    prove = evidence()
    prove.same("a", 1, 1)
    prove.true("b", held=True)
    prove.absent("c", [ABSENT, ABSENT])
    prove.nothing_but("d", {"resourceType": "Patient", "id": "1", "meta": {}, "name": []}, ("name",))
    assert prove.count == 5


@pytest.mark.parametrize(
    "look",
    [
        lambda prove: prove.same("x", 1, 2),
        lambda prove: prove.true("x", held=False),
        lambda prove: prove.absent("x", [ABSENT, Answer(200, {}, NOTHING)]),
        lambda prove: prove.absent("x", [Answer(404, {}, NOTHING + b" ")]),
        lambda prove: prove.answered("x", Answer(201, {}, NOTHING), 422),
        lambda prove: prove.answered("x", Answer(422, {}, NOTHING), 422, "She refused"),
        lambda prove: prove.nothing_but("x", {"resourceType": "Patient", "name": []}, ("extension",)),
    ],
)
def test_a_look_that_is_wrong_ends_the_story(look: object) -> None:
    with pytest.raises(Unexpected):
        look(evidence())  # type: ignore[operator]


def test_waiting_ends_with_what_was_seen_last() -> None:
    seen = iter(range(100))
    assert wait_for("three", lambda: next(seen), lambda found: found == 3) == 3
    with pytest.raises(Unexpected) as failed:
        wait_for("never", lambda: "still nothing", lambda _: False, patience_s=0.1)
    assert failed.value.seen == "still nothing"


def test_lines_fold_under_themselves_and_tables_line_up() -> None:
    stage = Stage(out=io.StringIO(), width=60)
    stage.step(3, "night 1", "one two three four five six seven eight nine ten eleven", when_width=8)
    stage.table("Title", ("a", "long head"), [("first cell", "x"), ("y", "")])
    assert stage.out.getvalue().splitlines() == [
        " 3  night 1   one two three four five six seven eight nine",
        "              ten eleven",
        "Title",
        "a           long head",
        "----------  ---------",
        "first cell  x",
        "y",
    ]


def business(code: str) -> dict[str, object]:
    return {"businessStatus": {"coding": [{"system": code_system("business-status"), "code": code}]}}


HANDOFF = {"input": [{"type": {"coding": [{"system": code_system("task-input-type"), "code": "handoff"}]}}]}


@pytest.mark.parametrize(
    ("status", "more", "ball"),
    [
        ("draft", {}, "me"),
        ("requested", {}, "owner"),
        ("requested", business("overdue"), "owner"),
        ("requested", business("awaiting-information"), "me"),
        ("requested", business("awaiting-consent"), "me"),
        ("accepted", {}, "owner"),
        ("accepted", HANDOFF, "me"),
        ("in-progress", HANDOFF, "owner"),
        ("in-progress", business("sharing-ended"), "me"),
        ("on-hold", {}, "owner"),
        ("rejected", {}, "me"),
        ("failed", {}, "me"),
        ("completed", {}, ""),
        ("cancelled", {}, ""),
    ],
)
def test_who_has_the_ball_is_read_from_the_referral(status: str, more: dict[str, object], ball: str) -> None:
    task = {"status": status, "owner": {"reference": "Organization/owner"}, **more}
    assert ball_of(task, mine="me") == ball
    assert is_handoff(task) is (more is HANDOFF)


def test_a_partner_sends_its_token_to_the_hub_only() -> None:
    partner = SmartPartner("https://hub.example/fhir", "c-1", make_key("ES384", "k"), "system/Task.rs")
    for elsewhere in (
        "https://other.example/fhir/Task",
        "https://hub.example.evil/fhir/Task",
        "http://hub.example/fhir/Task",
    ):
        with pytest.raises(PartnerFault, match="not the hub's"):
            partner.address_of(elsewhere)
    assert (
        partner.address_of("Task?category=https://x|y")
        == "https://hub.example/fhir/Task?category=https://x|y"
    )
    partner.close()
