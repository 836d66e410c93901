"""What happens when time passes: late, ending, ended, held; once each, on both databases."""

from typing import Any

import pytest

from referral_hub.exchange.building import Draft
from referral_hub.outbound.timers import TimerWork
from referral_hub.store import schema
from referral_hub.store.timers import Timers
from tests import builders as b
from tests.api.outbound.conftest import Place


def step(place: Place) -> str:
    found = place.hub_task().get("businessStatus")
    return str(found["coding"][0]["code"]) if found else ""


def alerts(place: Place) -> list[str]:
    return [reason for _, _, reason in place.audited("alert")]


def kinds(place: Place) -> list[str]:
    return [row[0] for row in place.rows(schema.due, "kind")]


def test_a_referral_nobody_answered_is_late_and_nothing_else_changes(place: Place):
    place.sign()
    place.refer()
    place.deliver()
    assert place.fire() == 0
    place.wait(4)
    assert place.fire() == 1
    assert step(place) == "overdue"
    assert place.hub_task()["status"] == "requested"
    assert alerts(place) == ["referral-overdue"]
    assert place.fire() == 0
    assert "task-overdue" not in kinds(place)
    moves = [row for row in place.rows(schema.resource, "type", "author", "status") if row[0] == "Provenance"]
    assert place.world.organizations["network"] in {author for _, author, _ in moves}
    place.c.changed(place.task, status="accepted")


@pytest.mark.parametrize("status", ["accepted", "rejected"])
def test_an_answered_referral_is_not_late(place: Place, status: str):
    place.sign()
    place.refer()
    place.c.changed(place.task, status=status, statusReason=b.reason("at-capacity"))
    place.wait(4)
    place.fire()
    assert alerts(place) == []


def test_more_time_given_by_the_sender_moves_the_hour(place: Place):
    place.sign()
    place.refer()
    place.s.changed(place.task, restriction={"period": {"end": b.instant(8)}})
    place.wait(4)
    place.fire()
    assert step(place) == "sent"
    place.wait(5)
    place.fire()
    assert step(place) == "overdue"


def test_the_clock_stands_still_while_the_owner_waits_for_an_answer(place: Place):
    place.sign()
    place.refer()
    asked = b.coded("https://referral-hub.example/fhir/CodeSystem/business-status", "awaiting-information")
    place.c.changed(place.task, businessStatus=asked)
    place.wait(4)
    place.fire()
    assert step(place) == "awaiting-information"
    answered = b.coded("https://referral-hub.example/fhir/CodeSystem/business-status", "acknowledged")
    place.s.changed(place.task, businessStatus=answered)
    place.wait(2)
    place.fire()
    assert step(place) == "overdue"


def test_the_caseworker_is_told_before_and_on_the_day_and_nobody_else(place: Place):
    place.sign(days=20)
    place.refer(restriction=None)
    place.deliver()
    told = []
    for days in (7, 7, 5, 2):
        place.wait(days)
        place.fire()
        told.append(alerts(place)[:])
    assert told == [
        ["sharing-ending"],
        ["sharing-ending"] * 2,
        ["sharing-ending"] * 3,
        [*["sharing-ending"] * 3, "sharing-ended"],
    ]
    assert place.deliver() == 0
    assert len(place.partner.requests) == 1


@pytest.mark.attack("S-38")
def test_when_sharing_ends_the_referral_stays_and_its_owner_reads_the_empty_card(place: Place):
    place.sign(days=2.5)
    place.refer(restriction=None)
    place.deliver()
    place.c.changed(place.task, status="accepted")
    place.wait(4)
    place.fire()
    assert step(place) == "sharing-ended"
    assert place.hub_task()["status"] == "accepted"
    assert [row for row in place.rows(schema.resource, "kind") if row[0] == "recall"] == []


def test_a_newer_release_keeps_sharing_going(place: Place):
    place.sign(days=3)
    place.refer(restriction=None)
    place.sign(days=15)
    place.wait(4)
    place.fire()
    assert step(place) == "sent"
    assert "sharing-ended" not in alerts(place)


def test_a_new_release_lets_the_same_referral_go_on(place: Place):
    place.sign(days=2.5)
    place.refer(restriction=None)
    place.wait(4)
    place.fire()
    place.later_us = 0
    assert step(place) == "sharing-ended"
    place.sign(days=20)
    assert step(place) == "sent"


@pytest.mark.attack("S-38")
def test_a_withdrawn_release_is_not_one_that_ran_out(place: Place):
    place.sign(days=3)
    place.refer(restriction=None)
    place.revoke()
    place.wait(5)
    place.fire()
    assert step(place) == "sent"
    assert alerts(place) == []


def held(place: Place) -> None:
    place.sign()
    place.refer(restriction=None)
    place.deliver()
    place.revoke(hold_recall={"valueBoolean": True})


def recalls(place: Place) -> int:
    return [row[0] for row in place.rows(schema.resource, "kind")].count("recall")


def test_a_held_recall_goes_out_after_thirty_days(place: Place):
    held(place)
    assert recalls(place) == 0
    place.wait(29)
    place.fire()
    assert recalls(place) == 0
    place.wait(2)
    place.fire()
    assert recalls(place) == 1
    assert place.deliver() == 1
    assert place.fire() == 0
    assert recalls(place) == 1


def test_a_held_recall_is_dropped_where_she_shares_with_them_again(place: Place):
    held(place)
    place.sign(days=60)
    place.wait(31)
    place.fire()
    assert recalls(place) == 0


class Killed(BaseException):
    """The process was killed at this point."""


@pytest.mark.parametrize("after_work", [False, True])
def test_a_killed_process_leaves_a_timer_that_fires_once(
    place: Place, after_work: bool, monkeypatch: pytest.MonkeyPatch
):
    place.sign()
    place.refer()
    place.wait(4)
    apply = place.world.parts.store.apply

    def killed(change: Any) -> None:
        if after_work:
            apply(change)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(type(place.world.parts.store), "apply", lambda self, change: killed(change))
        with pytest.raises(Killed):
            place.timers.fire_one(place.hub.clock())
    assert place.fire() == 0
    place.later_us += 61_000_000
    assert place.fire() == (0 if after_work else 1)
    assert alerts(place) == ["referral-overdue"]


def test_a_timer_whose_work_fails_comes_again_and_stops_no_other(place: Place):
    place.sign()
    place.refer()
    place.wait(4)
    failures = [1, 1]

    def failing(draft: Draft, resource: int, judge: Any) -> bool:
        if failures:
            failures.pop()
            raise RuntimeError("a fault")
        return True

    parts = place.world.parts
    work = TimerWork(
        place.hub, Timers(parts.database, parts.writer, parts.bodies), more={"task-overdue": failing}
    )
    assert work.fire_one(place.hub.clock())
    assert not work.fire_one(place.hub.clock())
    for _ in range(3):
        place.later_us += 10_000_000
        work.fire_one(place.hub.clock())
    assert work.tally.read() == {"task-overdue": 1, "timer-put-off": 2}


def test_a_timer_of_an_unknown_kind_is_kept(place: Place):
    place.sign()
    place.refer()
    parts = place.world.parts
    timers = Timers(parts.database, parts.writer, parts.bodies)
    place.wait(4)
    work = TimerWork(place.hub, timers)
    work._work = {}
    assert work.fire_one(place.hub.clock())
    assert "task-overdue" in kinds(place)
