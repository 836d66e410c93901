"""Which moves of the owner a partner's own Task means; unknown and impossible statuses move nothing."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_hub.fhir.canonical import code_system
from referral_hub.outbound.partner_parts import Taken
from referral_hub.outbound.partner_status import (
    FHIR_STATUSES,
    NO_REASON,
    Moves,
    NoMove,
    moves_of,
    route,
)
from referral_hub.resources.task import LIFECYCLE

OUTPUT = code_system("task-output-type")
REASON = code_system("status-reason")
STEP = code_system("business-status")
CAME = {"type": {"coding": [{"system": OUTPUT, "code": "attendance"}]}, "valueCode": "came"}
NO_LETTERS = {
    "type": {"coding": [{"system": OUTPUT, "code": "handling-confirmed"}]},
    "valueCode": "no-letters",
}


def shown(status: str, step: str = "", **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"resourceType": "Task", "id": "t", "status": status, "intent": "order", **more}
    if step:
        found["businessStatus"] = {"coding": [{"system": STEP, "code": step}]}
    return found


def statuses_of(found: Moves | NoMove) -> list[str] | str:
    return found.reason if isinstance(found, NoMove) else [str(body["status"]) for body in found.bodies]


def said(status: str, **parts: Any) -> Taken:
    return Taken(status, **parts)


@pytest.mark.parametrize(
    ("before", "told", "expected"),
    [
        ("requested", said("requested"), []),
        ("requested", said("accepted"), ["accepted"]),
        ("requested", said("rejected", reason_code="at-capacity"), ["rejected"]),
        ("requested", said("rejected"), ["rejected"]),
        ("requested", said("cancelled"), ["cancelled"]),
        ("requested", said("in-progress"), ["accepted", "in-progress"]),
        ("requested", said("on-hold", reason_code="waitlisted"), ["accepted", "on-hold"]),
        ("requested", said("on-hold"), "partner-reason-missing"),
        ("requested", said("completed", outputs=(CAME,)), ["accepted", "completed"]),
        ("requested", said("completed"), "partner-output-missing"),
        ("requested", said("completed", outputs=(NO_LETTERS,)), "partner-output-missing"),
        ("requested", said("completed", reason_code="no-service-needed"), ["accepted", "completed"]),
        ("requested", said("failed", reason_code="client-unreachable"), ["accepted", "failed"]),
        ("requested", said("failed"), "partner-reason-missing"),
        ("accepted", said("requested"), []),
        ("in-progress", said("accepted"), []),
        ("accepted", said("rejected"), ["cancelled"]),
        ("in-progress", said("rejected", reason_code="at-capacity"), ["cancelled"]),
        ("on-hold", said("accepted"), "partner-status-not-possible"),
        ("on-hold", said("in-progress"), ["in-progress"]),
        ("accepted", said("entered-in-error"), "partner-status-not-possible"),
        ("accepted", said("draft"), "partner-status-not-possible"),
        ("requested", said("ready"), "partner-status-not-possible"),
        ("requested", said("she came"), "partner-status-unknown"),
        ("requested", said(""), "partner-status-unknown"),
    ],
)
def test_the_moves_a_partners_status_means(before: str, told: Taken, expected: list[str] | str):
    assert statuses_of(moves_of(shown(before), told, owner="clinic")) == expected


@pytest.mark.parametrize(
    ("before", "told", "code", "text"),
    [
        ("requested", said("rejected", reason_code="redirect", reason_text="Full."), "redirect", "Full."),
        ("requested", said("rejected", reason_text="Full."), "cannot-take", "Full."),
        ("requested", said("rejected", reason_code="waitlisted"), "cannot-take", NO_REASON),
        ("requested", said("cancelled"), "by-target", NO_REASON),
        ("accepted", said("rejected"), "recipient-withdrew", NO_REASON),
        ("accepted", said("cancelled", reason_code="recipient-withdrew"), "recipient-withdrew", NO_REASON),
    ],
)
def test_a_no_without_the_hubs_reason_gets_a_neutral_one(before: str, told: Taken, code: str, text: str):
    found = moves_of(shown(before), told, owner="clinic")
    assert isinstance(found, Moves)
    assert found.bodies[-1]["statusReason"] == {"coding": [{"system": REASON, "code": code}], "text": text}


@pytest.mark.parametrize("echo", ["", "sent", "overdue"])
def test_a_received_notice_is_acknowledged_and_stays_requested(echo: str):
    found = moves_of(shown("requested", "sent"), said("received", step=echo), owner="clinic")
    assert isinstance(found, Moves)
    (body,) = found.bodies
    assert (body["status"], body["businessStatus"]["coding"][0]["code"]) == ("requested", "acknowledged")


@pytest.mark.parametrize(
    ("before", "told", "step"),
    [
        (shown("in-progress"), said("in-progress", step="contact-made"), "contact-made"),
        (shown("accepted"), said("in-progress", step="appointment-scheduled"), "appointment-scheduled"),
        (shown("requested", "sent"), said("accepted", step="sent"), ""),
        (shown("accepted", "sharing-ended"), said("in-progress"), ""),
    ],
)
def test_a_finer_step_is_carried_where_the_table_lets_the_owner_set_it(
    before: dict[str, Any], told: Taken, step: str
):
    found = moves_of(before, told, owner="clinic")
    assert isinstance(found, Moves)
    coding = found.bodies[-1].get("businessStatus", {"coding": [{"code": ""}]})["coding"]
    assert coding[0]["code"] == step


def test_a_partner_that_waits_for_an_answer_goes_on_waiting():
    before = shown("requested", "awaiting-information")
    assert moves_of(before, said("received", step="awaiting-information"), owner="clinic") == Moves()


@pytest.mark.parametrize("step", ["sent", "overdue", "sharing-ended", "cancellation-requested", "unheard-of"])
def test_a_step_that_is_not_the_owners_is_left_alone(step: str):
    before = shown("requested", "acknowledged")
    assert moves_of(before, said("requested", step=step), owner="clinic") == Moves()


def test_conditions_must_be_confirmed_before_accepting():
    condition = {
        "type": {"coding": [{"system": code_system("task-input-type"), "code": "handling-condition"}]},
        "valueCode": "no-letters",
    }
    before = shown("requested", input=[condition])
    assert (
        statuses_of(moves_of(before, said("accepted"), owner="clinic")) == "partner-condition-not-confirmed"
    )
    assert (
        statuses_of(moves_of(before, said("in-progress"), owner="clinic"))
        == "partner-condition-not-confirmed"
    )
    confirmed = said("in-progress", outputs=(NO_LETTERS,))
    assert statuses_of(moves_of(before, confirmed, owner="clinic")) == ["accepted", "in-progress"]


def test_a_partner_may_have_a_map_of_its_own():
    found = moves_of(shown("requested"), said("ready"), owner="clinic", statuses={"ready": ("accepted", "")})
    assert statuses_of(found) == ["accepted"]


ANSWER = {"type": {"coding": [{"system": OUTPUT, "code": "recall-answer"}]}, "valueCode": "deleted"}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (said("requested"), []),
        (said("accepted"), ["accepted"]),
        (said("completed", outputs=(ANSWER,)), ["completed"]),
        (said("completed"), "partner-output-missing"),
        (said("completed", outputs=({**ANSWER, "valueCode": "maybe"},)), "partner-output-missing"),
        (said("rejected"), "partner-status-not-possible"),
    ],
)
def test_a_recall_is_answered(told: Taken, expected: list[str] | str):
    assert statuses_of(moves_of(shown("requested"), told, owner="clinic", recall=True)) == expected


@given(
    st.sampled_from(sorted(LIFECYCLE.live)),
    st.sampled_from([*sorted(FHIR_STATUSES), "else"]),
    st.sampled_from(["", "at-capacity", "waitlisted", "by-target", "client-unreachable", "sent-in-error"]),
    st.sampled_from(["", "sent", "contact-made", "waitlisted", "sharing-ended"]),
    st.booleans(),
)
def test_every_way_taken_is_made_of_the_owners_own_moves(
    before: str, status: str, reason: str, step: str, came: bool
):
    told = Taken(status, reason_code=reason, step=step, outputs=(CAME,) if came else ())
    found = moves_of(shown(before), told, owner="clinic")
    if isinstance(found, NoMove):
        assert found.status in FHIR_STATUSES | {"other"}
        return
    for body in found.bodies:
        now = str(body["status"])
        assert now == before or LIFECYCLE.move(before, now, {"owner"}) is not None
        before = now


def test_no_way_leads_back_or_out_of_an_end():
    for source in LIFECYCLE.terminal:
        assert {route(source, target) for target in LIFECYCLE.live} == {None}
