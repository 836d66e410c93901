"""What each side can do with a referral: offered as far as the lifecycle goes, and written as the gate takes it."""

import pytest

from referral_hub.casework.moves import (
    CANNOT_TAKE,
    RECIPIENT_ACTS,
    SENDER_ACTS,
    Act,
    Possible,
    Said,
    act_named,
    answers,
    appointment,
    moved,
    offered,
    recall_answered,
    unconfirmed,
)
from referral_hub.resources.lifecycle import Actor
from referral_hub.resources.task import (
    BUSINESS_STATUS,
    HANDLING_CONDITION,
    INPUT_TYPE,
    LIFECYCLE,
    STATUS_REASON,
)
from referral_hub.texts.catalogs import catalog


def possible(status: str, step: str, actor: Actor) -> tuple[Possible, ...]:
    """What ``$available-actions`` says."""
    edges = [
        Possible(edge.target, edge.business, edge.reasons)
        for edge in LIFECYCLE.table
        if edge.source == status and actor in edge.actors
    ]
    steps = [
        Possible(status, frozenset({one}), frozenset()) for one in LIFECYCLE.steps_for(status, step, {actor})
    ]
    return (*edges, *steps)


@pytest.mark.parametrize(
    ("status", "step", "names"),
    [
        ("requested", "sent", "accept seen ask cannot other"),
        ("requested", "acknowledged", "accept seen ask cannot other"),
        ("requested", "awaiting-information", "accept seen cannot other"),
        ("accepted", "", "start appointment met missed pause done failed back"),
        ("in-progress", "", "appointment met missed pause done failed back"),
        ("on-hold", "waitlisted", "start appointment met missed done failed back"),
        ("completed", "", ""),
        ("rejected", "", ""),
        ("draft", "", ""),
    ],
)
def test_what_a_recipient_is_offered(status: str, step: str, names: str) -> None:
    acts = offered(RECIPIENT_ACTS, possible(status, step, "owner"), status)
    assert [act.name for act in acts] == names.split()


@pytest.mark.parametrize(
    ("status", "step", "names"),
    [
        ("requested", "sent", "withdraw"),
        ("requested", "awaiting-information", "answered withdraw"),
        ("accepted", "", "withdraw"),
        ("in-progress", "", "stop withdraw"),
        ("on-hold", "", "withdraw"),
        ("completed", "", ""),
        ("cancelled", "", ""),
    ],
)
def test_what_a_sender_is_offered(status: str, step: str, names: str) -> None:
    acts = offered(SENDER_ACTS, possible(status, step, "requester"), status)
    assert [act.name for act in acts] == names.split()


@pytest.mark.parametrize("kind", ["legal-aid", "immigration"])
def test_lawyers_say_no_without_a_reason(kind: str) -> None:
    acts = offered(RECIPIENT_ACTS, possible("requested", "sent", "owner"), "requested", kind=kind)
    cannot = act_named(acts, "cannot")
    assert cannot is not None
    assert cannot.reasons == (CANNOT_TAKE,)
    clinic = act_named(offered(RECIPIENT_ACTS, possible("requested", "sent", "owner"), "requested"), "cannot")
    assert clinic is not None
    assert "at-capacity" in clinic.reasons


@pytest.mark.parametrize("act", [*RECIPIENT_ACTS, *SENDER_ACTS], ids=lambda act: act.name)
def test_every_act_has_words_and_makes_a_move_of_the_lifecycle(act: Act) -> None:
    room = "inbox" if act in RECIPIENT_ACTS else "tracker"
    for language in ("en", "pl"):
        for key in ("act", "act-hint", "do"):
            assert catalog(language).sentences[f"{room}.{key}.{act.name}"]
    actor: Actor = "owner" if act in RECIPIENT_ACTS else "requester"
    sources = [
        edge.source for edge in LIFECYCLE.table if edge.target == act.status and actor in edge.actors
    ] or [one.status for one in LIFECYCLE.steps if one.business_status == act.step and actor in one.actors]
    assert sources
    if act.fixed:
        assert any(act.fixed in edge.reasons for edge in LIFECYCLE.table if edge.target == act.status)


def test_a_no_carries_its_reason_and_drops_the_step_before() -> None:
    task = {
        "resourceType": "Task",
        "status": "requested",
        "businessStatus": {"coding": [{"system": BUSINESS_STATUS, "code": "sent"}]},
    }
    act = act_named(RECIPIENT_ACTS, "cannot")
    assert act is not None
    changed = moved(task, act, Said(reason="at-capacity", words="  full "))
    assert changed["status"] == "rejected"
    assert "businessStatus" not in changed
    assert changed["statusReason"]["coding"] == [{"system": STATUS_REASON, "code": "at-capacity"}]
    assert changed["statusReason"]["text"] == "full"
    assert task["status"] == "requested", "what was given is as it was"
    assert "statusReason" not in moved(task, act, Said(reason="made-up", words="x"))


def test_the_answer_comes_as_outputs_beside_those_before() -> None:
    confirmed = {"type": {"coding": [{"system": "x", "code": "y"}]}}
    task = {"resourceType": "Task", "status": "in-progress", "output": [confirmed]}
    act = act_named(RECIPIENT_ACTS, "done")
    assert act is not None
    said = Said(attendance="came", next_date="2027-01-02", needs_more=False)
    kinds = [kind for kind, _ in answers(moved(task, act, said))]
    assert kinds == ["", "attendance", "next-date", "needs-more"]


def test_conditions_are_asked_until_they_are_confirmed() -> None:
    condition = {
        "type": {"coding": [{"system": INPUT_TYPE, "code": "handling-condition"}]},
        "valueCodeableConcept": {"coding": [{"system": HANDLING_CONDITION, "code": "no-letters"}]},
    }
    task = {"resourceType": "Task", "status": "requested", "input": [condition, condition]}
    assert unconfirmed(task) == ("no-letters",)
    act = act_named(RECIPIENT_ACTS, "accept")
    assert act is not None
    assert unconfirmed(moved(task, act, Said(confirmed=("no-letters",)))) == ()


def test_an_appointment_names_no_place() -> None:
    task = {"focus": {"reference": "ServiceRequest/s"}, "for": {"reference": "Patient/p"}}
    made = appointment(task, "2027-03-04T10:30:00+01:00", "2027-03-04T11:00:00+01:00")
    assert made["basedOn"] == [{"reference": "ServiceRequest/s"}]
    assert made["participant"] == [{"actor": {"reference": "Patient/p"}, "status": "accepted"}]
    assert not {"description", "comment", "patientInstruction"} & made.keys()


def test_a_recall_is_answered_once_with_its_law() -> None:
    changed = recall_answered({"resourceType": "Task", "status": "requested"}, "kept-by-law", " Act 1 ")
    assert changed["status"] == "completed"
    ((kind, output),) = answers(changed)
    assert kind == "recall-answer"
    assert output["valueCodeableConcept"]["text"] == "Act 1"
