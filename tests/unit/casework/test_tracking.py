"""Who has the ball, what is late, which words say it: the table is whole, and follows the lifecycle."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from referral_hub.casework.tracking import (
    BALL,
    BALL_BY_STEP,
    STATES,
    ball_of,
    is_elsewhere,
    is_handoff,
    is_referral,
    permits_of,
    promised,
    since,
    standing_of,
    timeline,
)
from referral_hub.resources.lifecycle import Actor
from referral_hub.resources.task import BUSINESS_STATUS, INPUT_TYPE, LIFECYCLE, STATUS_REASON, TASK_CODES
from referral_hub.texts.catalogs import catalog

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
NOW_US = int(NOW.timestamp() * 1_000_000)
STATUSES = sorted({edge.source for edge in LIFECYCLE.table} | {edge.target for edge in LIFECYCLE.table})


def moment(days: float) -> str:
    return (NOW + timedelta(days=days)).isoformat()


def task(status: str = "requested", step: str = "", reason: str = "", **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"resourceType": "Task", "status": status, "intent": "order", **more}
    found.setdefault("owner", {"reference": "Organization/clinic"})
    if step:
        found["businessStatus"] = {"coding": [{"system": BUSINESS_STATUS, "code": step}]}
    if reason:
        found["statusReason"] = {"coding": [{"system": STATUS_REASON, "code": reason}]}
    return found


HANDOFF = {"type": {"coding": [{"system": INPUT_TYPE, "code": "handoff"}]}, "valueBoolean": True}


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_has_its_ball_its_words_and_its_filter(status: str) -> None:
    assert BALL[status] in ("sender", "recipient", "nobody")
    for language in ("en", "pl"):
        said = catalog(language).sentences
        assert said[f"tracker.status.{status}"]
        assert status == "draft" or said[f"inbox.status.{status}"]
    if status != "entered-in-error":
        assert [name for name, found in STATES.items() if status in found] == [
            standing_of(task(status), NOW_US).state
        ]


@pytest.mark.parametrize("step", sorted({one.business_status for one in LIFECYCLE.steps}))
def test_every_finer_step_has_words(step: str) -> None:
    for language in ("en", "pl"):
        assert catalog(language).sentences[f"tracker.step.{step}"]


def test_every_reason_has_words() -> None:
    reasons = {reason for edge in LIFECYCLE.table for reason in edge.reasons} | {"closed-by-sender"}
    for language in ("en", "pl"):
        assert not {one for one in reasons if f"tracker.reason.{one}" not in catalog(language).sentences}


@pytest.mark.parametrize("status", STATUSES)
def test_who_has_the_ball_can_move_it_or_ask_again(status: str) -> None:
    """Where a side has the ball, the lifecycle gives it a move, or the referral ended and a new one is the move."""
    sides: dict[str, Actor] = {"sender": "requester", "recipient": "owner"}
    ball = BALL[status]
    if ball in sides and status not in LIFECYCLE.terminal:
        assert LIFECYCLE.moves(status, {sides[ball]})
    if status in LIFECYCLE.terminal:
        assert ball != "recipient", "nobody waits for a recipient once it is over"


@pytest.mark.parametrize(
    ("status", "step", "handoff", "ball"),
    [
        ("draft", "", False, "sender"),
        ("requested", "sent", False, "recipient"),
        ("requested", "hub-routing", False, "recipient"),
        ("requested", "acknowledged", False, "recipient"),
        ("requested", "awaiting-information", False, "sender"),
        ("requested", "awaiting-consent", False, "sender"),
        ("requested", "overdue", False, "recipient"),
        ("requested", "", True, "recipient"),
        ("accepted", "", False, "recipient"),
        ("accepted", "", True, "sender"),
        ("in-progress", "", True, "recipient"),
        ("in-progress", "cancellation-requested", False, "recipient"),
        ("in-progress", "no-show", False, "recipient"),
        ("on-hold", "waitlisted", False, "recipient"),
        ("on-hold", "awaiting-client", False, "sender"),
        ("on-hold", "safety-hold", False, "recipient"),
        ("rejected", "", False, "sender"),
        ("failed", "", False, "sender"),
        ("completed", "", False, "nobody"),
        ("completed", "partial", False, "nobody"),
        ("cancelled", "", False, "nobody"),
        ("cancelled", "awaiting-client", True, "nobody"),
        ("unheard-of", "", False, "nobody"),
    ]
    + [(status, "sharing-ended", False, "sender") for status in sorted(LIFECYCLE.live)],
)
def test_who_has_the_ball(status: str, step: str, handoff: bool, ball: str) -> None:
    assert ball_of(status, step, handoff=handoff) == ball
    body = task(status, step, input=[HANDOFF] if handoff else [])
    assert is_handoff(body) is handoff
    assert standing_of(body, NOW_US).ball == ball


def test_steps_that_give_the_ball_back_exist() -> None:
    assert set(BALL_BY_STEP) <= {one.business_status for one in LIFECYCLE.steps} | {"awaiting-client"}


@pytest.mark.parametrize(
    ("body", "late"),
    [
        (task(step="sent", restriction={"period": {"end": moment(1)}}), ""),
        (task(step="sent", restriction={"period": {"end": moment(-1)}}), "answer"),
        (task(step="overdue"), "answer"),
        (task(step="awaiting-information", restriction={"period": {"end": moment(-1)}}), ""),
        (task(step="awaiting-consent", restriction={"period": {"end": moment(-1)}}), ""),
        (task("accepted", restriction={"period": {"end": moment(-1)}}), ""),
        (task("accepted", executionPeriod={"end": moment(-1)}), "promise"),
        (task("in-progress", executionPeriod={"end": "2026-11-24"}), ""),
        (task("in-progress", executionPeriod={"end": "2026-11-23"}), "promise"),
        (task("completed", executionPeriod={"end": moment(-9)}), ""),
        (task(restriction={"period": {"end": "someday"}}), ""),
    ],
)
def test_what_is_late(body: dict[str, Any], late: str) -> None:
    assert standing_of(body, NOW_US).late == late


def test_the_day_promised_is_the_answer_first_and_then_the_owners() -> None:
    body = task(restriction={"period": {"end": "2026-12-01"}}, executionPeriod={"end": "2026-12-24"})
    assert promised(body) == "2026-12-01"
    assert promised({**body, "status": "accepted"}) == "2026-12-24"
    assert promised({**body, "status": "completed"}) == ""


def test_a_mark_of_the_hub_passes_the_ball_to_nobody() -> None:
    body = task(step="overdue", authoredOn=moment(-4), meta={"lastUpdated": moment(0)})
    assert since(body) == moment(-4)
    assert since({**body, "businessStatus": {}}) == moment(0)


@pytest.mark.parametrize(
    ("request_", "elsewhere"),
    [
        (None, False),
        ({"status": "active", "performer": [{"reference": "Organization/clinic"}]}, False),
        ({"status": "active"}, False),
        ({"status": "active", "performer": [{"reference": "Organization/other"}]}, True),
        ({"status": "revoked", "performer": [{"reference": "Organization/clinic"}]}, True),
        ({"status": "completed"}, True),
    ],
)
def test_a_no_waits_for_us_until_somebody_else_is_asked(
    request_: dict[str, Any] | None, elsewhere: bool
) -> None:
    body = task("rejected")
    assert is_elsewhere(body, request_) is elsewhere
    assert standing_of(body, NOW_US, elsewhere=elsewhere).ball == ("nobody" if elsewhere else "sender")
    live = standing_of(task(), NOW_US, elsewhere=elsewhere)
    assert live.ball == "recipient", "who is asked still has to answer"


def test_recalls_and_tasks_of_a_desk_are_no_referrals() -> None:
    assert is_referral(task())
    assert not is_referral({**task(), "intent": "plan"})
    assert not is_referral({**task(), "code": {"coding": [{"system": TASK_CODES, "code": "recall"}]}})


def test_a_permit_counts_while_it_runs_and_names_an_organisation() -> None:
    def permit(end: str, reference: str = "Organization/clinic", kind: str = "permit") -> dict[str, Any]:
        actor = {"reference": {"reference": reference}}
        return {"type": kind, "actor": [actor], "period": {"end": end}, "purpose": [{"code": "TREAT"}]}

    def consent(
        name: str, *permits: dict[str, Any], status: str = "active", root: str = "deny"
    ) -> dict[str, Any]:
        provision = {"type": root, "provision": list(permits)}
        return {"id": name, "status": status, "patient": {"reference": "Patient/p"}, "provision": provision}

    found = permits_of(
        [
            consent("later", permit(moment(9))),
            consent("sooner", permit(moment(2)), permit(moment(-1)), permit(moment(3), kind="deny")),
            consent("ended", permit(moment(9)), status="inactive"),
            consent("odd", permit(moment(9)), root="permit"),
            consent("person", permit(moment(9), "Practitioner/x")),
        ],
        NOW_US,
    )
    assert [(one.consent, one.recipient) for one in found] == [("sooner", "clinic"), ("later", "clinic")]


def test_the_timeline_names_who_moved_it() -> None:
    versions = [
        task("draft"),
        task("requested", "sent"),
        task("requested", "sent", note=[{"text": "a remark moves nothing"}]),
        task("requested", "overdue"),
        task("requested", "acknowledged"),
        task("requested", "awaiting-information"),
        task("requested", "acknowledged"),
        task("accepted"),
        task("in-progress", "appointment-scheduled"),
        task("in-progress", "cancellation-requested"),
        task("cancelled", reason="by-target"),
    ]
    for place, version in enumerate(versions):
        version["meta"] = {"lastUpdated": moment(place), "versionId": f"v{place}"}
    moves = timeline(versions)
    assert [(one.status, one.step, one.mover) for one in moves] == [
        ("draft", "", "sender"),
        ("requested", "sent", "sender"),
        ("requested", "overdue", "hub"),
        ("requested", "acknowledged", "recipient"),
        ("requested", "awaiting-information", "recipient"),
        ("requested", "acknowledged", ""),
        ("accepted", "", "recipient"),
        ("in-progress", "appointment-scheduled", "recipient"),
        ("in-progress", "cancellation-requested", "sender"),
        ("cancelled", "", "recipient"),
    ]
    assert (moves[2].at, moves[2].version) == (moment(3), "v3")
    assert timeline([task(), task("cancelled", reason="closed-by-sender")])[-1].mover == "sender"
    assert timeline([]) == ()
