"""Writing back a copy: what may be written is, what is hidden stays, the rest is refused by name."""

import copy
from decimal import Decimal
from typing import Any

import pytest

from referral_hub.access.redaction import render
from referral_hub.access.views import View
from referral_hub.access.writeback import (
    TASK_AUTHOR_WRITABLE,
    TASK_OWNER_WRITABLE,
    author_issues,
    merge_update,
    narrowed,
    same,
)
from referral_hub.errors import InvalidResource
from referral_hub.fhir.canonical import code_system
from tests.unit.access.redaction_cases import (
    CLINIC,
    SHELTER,
    TASK,
    concept,
    entry,
    fresh,
    identifier,
    reference,
)

OWN = frozenset({"output"})
HEALTH = frozenset({"health"})


def owner_view(kind: str = "N", **more: Any) -> View:
    return View(kind, CLINIC, **{"category": "health", "own": OWN, **more})  # type: ignore[arg-type]


def written(stored: dict[str, Any], view: View, **changes: Any) -> dict[str, Any]:
    """What is stored after the owner sends back its view with these elements changed; None drops one."""
    shown = render(stored, view)
    return merge_update(stored, shown, fresh(shown, **changes), TASK_OWNER_WRITABLE, writer=CLINIC)


def refused(stored: dict[str, Any], view: View, **changes: Any) -> list[str]:
    with pytest.raises(InvalidResource) as caught:
        written(stored, view, **changes)
    for issue in caught.value.issues:
        assert issue.is_error
        assert issue.text.endswith(".")
        assert "secret" not in issue.text
    return [issue.expression for issue in caught.value.issues]


@pytest.mark.parametrize("kind", ["N", "K", "F", "H"])
def test_a_copy_sent_back_as_it_came_changes_nothing(kind: str) -> None:
    stored = fresh(TASK)
    assert written(stored, owner_view(kind, categories=HEALTH)) == stored


def test_the_owner_moves_the_task_and_the_hidden_content_stays() -> None:
    stored = fresh(TASK)
    before = copy.deepcopy(stored)
    after = written(
        stored, owner_view(), status="accepted", businessStatus=None, executionPeriod={"start": "2026-11-24"}
    )
    assert stored == before
    assert after["status"] == "accepted"
    assert "businessStatus" not in after
    assert after["executionPeriod"] == {"start": "2026-11-24"}
    theirs = {"status", "businessStatus", "executionPeriod"}
    assert {k: v for k, v in after.items() if k not in theirs} == {
        k: v for k, v in before.items() if k not in theirs
    }


def test_meta_of_the_copy_is_the_servers() -> None:
    stored = fresh(TASK)
    assert written(stored, owner_view(), meta={"versionId": "other", "profile": ["urn:x"]}) == stored
    assert written(stored, owner_view(), meta=None) == stored


CHANGES: dict[str, Any] = {
    "description": "a new text",
    "focus": {"reference": "ServiceRequest/s2"},
    "for": {"reference": "Patient/p2"},
    "requester": {"reference": "Organization/clinic-1"},
    "owner": {"reference": "Organization/other-9"},
    "intent": "plan",
    "priority": "routine",
    "code": concept("other"),
    "restriction": {"period": {"end": "2027-01-01T00:00:00Z"}},
    "input": [],
    "basedOn": [reference("CarePlan/mine")],
    "partOf": [reference("Task/mine")],
    "groupIdentifier": {"value": "1"},
    "location": reference("Location/mine"),
    "reasonCode": concept("x"),
    "authoredOn": "2026-11-24T08:30:00Z",
    "text": {"status": "generated", "div": "<div>x</div>"},
    "contained": [{"resourceType": "Basic"}],
    "extension": [{"url": "urn:x", "valueString": "a message around the rules"}],
    "modifierExtension": [{"url": "urn:x"}],
    "language": "en",
    "implicitRules": "urn:x",
    "_status": {"extension": [{"url": "urn:x", "valueString": "a message around the rules"}]},
    "id": "t2",
    "resourceType": "Basic",
}


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_anything_else_is_refused_by_name(name: str) -> None:
    stored = fresh(TASK)
    assert refused(stored, owner_view(), **{name: CHANGES[name]}) == [f"Task.{name}"]


@pytest.mark.parametrize("name", ["focus", "for", "intent", "owner", "restriction", "input", "code", "id"])
def test_dropping_an_element_is_a_change_too(name: str) -> None:
    assert refused(fresh(TASK), owner_view(), **{name: None}) == [f"Task.{name}"]


def test_every_problem_is_told_at_once() -> None:
    found = refused(fresh(TASK), owner_view(), description="x", priority=None, status="accepted")
    assert sorted(found) == ["Task.description", "Task.priority"]


def test_the_hidden_focus_of_a_card_may_not_be_sent() -> None:
    stored = fresh(TASK)
    card = owner_view("K")
    assert refused(stored, card, focus=stored["focus"]) == ["Task.focus"]
    assert written(stored, card, status="on-hold")["focus"] == stored["focus"]


def test_guessing_a_hidden_value_right_is_refused_like_guessing_it_wrong() -> None:
    stored = fresh(TASK)
    right = refused(stored, owner_view(), description=stored["description"])
    assert right == refused(stored, owner_view(), description="wrong") == ["Task.description"]


def test_a_part_of_a_resource_is_refused() -> None:
    tag = {
        "tag": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}]
    }
    assert refused(fresh(TASK), owner_view(), meta=tag) == ["Task.meta.tag"]


HELD = fresh(TASK, status="on-hold", statusReason=concept("waitlisted", text="until May"))


def test_the_owner_may_word_its_own_reason_anew() -> None:
    mine = owner_view(own=frozenset({"statusReason", "status", "output"}))
    reason = concept("awaiting-client", text="until she calls")
    assert written(HELD, mine, statusReason=reason)["statusReason"] == reason


@pytest.mark.parametrize("kind", ["N", "K", "F", "H"])
@pytest.mark.parametrize("reason", [None, concept("by-target", text="x")])
def test_a_reason_others_gave_changes_with_the_status_only(kind: str, reason: Any) -> None:
    theirs = owner_view(kind, categories=HEALTH, own=frozenset())
    assert refused(HELD, theirs, statusReason=reason) == ["Task.statusReason"]
    plain = fresh(HELD, statusReason=concept("waitlisted"))
    assert refused(plain, theirs, statusReason=reason) == ["Task.statusReason"]
    assert written(HELD, theirs, statusReason=reason, status="cancelled").get("statusReason") == reason


def test_the_true_cause_of_a_cancellation_is_not_overwritten_by_the_recipient() -> None:
    closed = fresh(TASK, status="cancelled", statusReason=concept("client-declined", text="secret cause"))
    assert written(closed, owner_view("H"), output=[])["statusReason"] == closed["statusReason"]
    assert refused(closed, owner_view("H"), statusReason=concept("x")) == ["Task.statusReason"]


def test_the_author_does_not_reword_the_recipients_reason() -> None:
    for reason in (None, concept("by-source", text="x")):
        with pytest.raises(InvalidResource) as caught:
            by_author(ANSWERED, author_view(), statusReason=reason)
        assert [issue.expression for issue in caught.value.issues] == ["Task.statusReason"]


# Lists that both sides write


def values(identifiers: list[dict[str, Any]]) -> list[str]:
    return [item["value"] for item in identifiers]


def test_the_owner_writes_its_own_identifier_and_no_other() -> None:
    stored = fresh(TASK)
    shown = render(stored, owner_view())["identifier"]
    changed = [shown[0], identifier("FILL", "F-2"), identifier("FILL", "F-3")]
    assert values(written(stored, owner_view(), identifier=changed)["identifier"]) == [
        "P-1", "F-2", "secret-number", "F-3",
    ]  # fmt: skip
    assert values(written(stored, owner_view(), identifier=[shown[0]])["identifier"]) == [
        "P-1", "secret-number",
    ]  # fmt: skip
    for wrong in (
        [identifier("PLAC", "P-9"), shown[1]],
        [shown[1]],
        None,
        [*shown, identifier("MR", "secret-number")],
        [*shown, identifier("FILL", "F-9", assigner={"reference": "Organization/other-9"})],
    ):
        assert refused(stored, owner_view(), identifier=wrong) == ["Task.identifier"]


def test_a_first_identifier_goes_behind_the_hidden_ones() -> None:
    stored = fresh(TASK, identifier=[identifier("MR", "secret-number")])
    after = written(stored, owner_view(), identifier=[identifier("FILL", "F-1")])
    assert values(after["identifier"]) == ["secret-number", "F-1"]


def test_outputs_are_the_owners_to_add_change_and_remove() -> None:
    stored = fresh(TASK)
    first, second = stored["output"]
    new = entry("needs-more", "task-output-type", valueBoolean=True)
    assert written(stored, owner_view(), output=[first, second, new])["output"] == [first, second, new]
    assert written(stored, owner_view(), output=[second])["output"] == [second]
    assert written(stored, owner_view(), output=[new, second])["output"] == [new, second]
    assert "output" not in written(stored, owner_view(), output=None)


def test_outputs_that_are_hidden_stay_when_others_are_added() -> None:
    stored = fresh(TASK)
    new = entry("needs-more", "task-output-type", valueBoolean=True)
    after = written(stored, owner_view(own=frozenset()), output=[new])
    assert after["output"] == [*stored["output"], new]


def test_a_note_is_added_at_the_end_and_signed() -> None:
    stored = fresh(TASK)
    shown = render(stored, owner_view())["note"]
    after = written(stored, owner_view(), note=[*shown, {"text": "We called back."}])
    assert after["note"][:2] == stored["note"]
    assert after["note"][2] == {
        "authorReference": {"reference": "Organization/clinic-1"},
        "text": "We called back.",
    }
    signed = {"authorReference": {"reference": "Organization/clinic-1"}, "text": "Signed."}
    assert written(stored, owner_view(), note=[*shown, signed])["note"][-1] == signed


@pytest.mark.parametrize(
    "change",
    [
        lambda shown: None,
        lambda shown: [],
        lambda shown: [{**shown[0], "text": "rewritten"}],
        lambda shown: [{"text": "first"}, *shown],
        lambda shown: [*shown, {"text": "x", "authorString": "somebody"}],
        lambda shown: [*shown, {"text": "x", "authorReference": {"reference": "Organization/shelter-1"}}],
        lambda shown: [*shown, {"text": "x", "authorReference": {"reference": "Practitioner/x"}}],
        lambda shown: "text",
    ],
)
def test_earlier_notes_stay_and_new_ones_are_the_organisations(change: Any) -> None:
    stored = fresh(TASK)
    shown = render(stored, owner_view())["note"]
    assert refused(stored, owner_view(), note=change(shown)) == ["Task.note"]


def test_notes_of_the_author_shown_in_full_are_not_rewritten_either() -> None:
    stored = fresh(TASK)
    full = owner_view("F", categories=HEALTH, from_shelter=False)
    shown = render(stored, full)["note"]
    assert [note["text"] for note in shown] == ["secret author note", "owner note"]
    assert written(stored, full, note=[*shown, {"text": "new"}])["note"][:2] == stored["note"]
    assert refused(stored, full, note=[shown[1]]) == ["Task.note"]


def test_a_transition_may_allow_less() -> None:
    stored = fresh(TASK)
    shown = render(stored, owner_view())
    less = narrowed(TASK_OWNER_WRITABLE, ["status", "businessStatus"])
    sent = fresh(shown, status="accepted", output=[])
    with pytest.raises(InvalidResource) as caught:
        merge_update(stored, shown, sent, less, writer=CLINIC)
    assert [issue.expression for issue in caught.value.issues] == ["Task.output"]
    assert "status, businessStatus" in caught.value.issues[0].text


# The author of a Task into which the recipient wrote


def author_view(**more: Any) -> View:
    return View("requester", SHELTER, **{"category": "health", **more})


def by_author(stored: dict[str, Any], view: View, **changes: Any) -> dict[str, Any]:
    shown = render(stored, view)
    return merge_update(stored, shown, fresh(shown, **changes), TASK_AUTHOR_WRITABLE, writer=SHELTER)


ANSWERED = fresh(
    TASK,
    status="on-hold",
    statusReason=concept("waitlisted", code_system("status-reason"), "their words"),
    executionPeriod={"start": "2026-11-24"},
)


def test_the_author_writes_everything_and_the_recipients_part_stays() -> None:
    stored = fresh(ANSWERED)
    after = by_author(stored, author_view(), description="new", priority="routine", restriction=None)
    assert after["description"] == "new"
    assert "restriction" not in after
    for name in ("output", "note", "statusReason", "identifier", "executionPeriod"):
        assert after[name] == stored[name], name
    assert by_author(stored, author_view()) == stored


def test_the_author_changes_its_own_notes_and_identifiers() -> None:
    stored = fresh(ANSWERED)
    after = by_author(stored, author_view(), note=[{"text": "mine, rewritten"}], identifier=[])
    assert after["note"] == [{"text": "mine, rewritten"}, stored["note"][1]]
    assert values(after["identifier"]) == ["F-1"]
    moved = by_author(stored, author_view(), status="cancelled", statusReason=concept("by-source"))
    assert moved["statusReason"] == concept("by-source")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("output", [entry("attendance", "task-output-type", valueCode="came")]),
        ("executionPeriod", None),
        ("executionPeriod", {"start": "2026-11-01"}),
        ("identifier", [identifier("FILL", "F-9")]),
        ("note", [{"text": "x", "authorReference": {"reference": "Organization/clinic-1"}}]),
    ],
)
def test_the_author_writes_nothing_in_the_recipients_name(name: str, value: Any) -> None:
    stored = fresh(ANSWERED)
    with pytest.raises(InvalidResource) as caught:
        by_author(stored, author_view(), **{name: value})
    assert [issue.expression for issue in caught.value.issues] == [f"Task.{name}"]
    if value is not None:
        told = author_issues({"resourceType": "Task", name: value}, SHELTER)
        assert [issue.expression for issue in told] == [f"Task.{name}"]


def test_a_new_task_without_the_owners_part_has_no_issue() -> None:
    task = fresh(TASK, output=None, identifier=[identifier("PLAC", "1")], note=[{"text": "mine"}])
    assert author_issues(task, SHELTER) == ()


def test_an_author_with_a_return_release_still_leaves_the_answer_alone() -> None:
    stored = fresh(ANSWERED)
    wide = author_view(categories=frozenset({"outcome", "health"}), from_shelter=False)
    assert by_author(stored, wide) == stored
    assert by_author(stored, wide, description="new")["output"] == stored["output"]
    with pytest.raises(InvalidResource):
        by_author(stored, wide, output=None)
    with pytest.raises(InvalidResource):
        by_author(stored, wide, note=None)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ({"a": 1, "b": [1, "x"]}, {"b": [1, "x"], "a": 1}, True),
        ([1, 2], [2, 1], False),
        (Decimal("1.50"), Decimal("1.5"), False),
        (Decimal("1.50"), Decimal("1.50"), True),
        (1, True, False),
        (1, Decimal(1), False),
        (None, None, True),
        ({}, None, False),
        ([1], [1, 2], False),
        ({"a": None}, {}, False),
    ],
)
def test_same_is_to_the_digit(one: Any, other: Any, equal: bool) -> None:
    assert same(one, other) is equal
    assert same(other, one) is equal
