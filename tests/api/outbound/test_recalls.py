"""Asking back: whom, for what, until when, and what her people and she see of it. On both databases."""

import json
from typing import Any

import pytest

from referral_hub.fhir.canonical import code_system
from referral_hub.fhir.elements import code_in, coded_value
from referral_hub.store import schema
from tests import builders as b
from tests.api.outbound.conftest import Place
from tests.api.people import herself, staff
from tests.world import Caller, parsed

INPUT = code_system("task-input-type")


def withdraw(place: Place, **given: Any) -> None:
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {
                "name": name.replace("_", "-"),
                "valueBoolean" if isinstance(value, bool) else "valueString": value,
            }
            for name, value in given.items()
        ],
    }
    answer = place.s.ask("POST", f"/{place.person}/$withdraw", body)
    assert answer.status_code == 200, answer.get_data(as_text=True)


def recalls(place: Place, caller: Caller | None = None) -> list[dict[str, Any]]:
    found = parsed((caller or place.c).get(f"/Task?code={code_system('task-code')}|recall")).get("entry", [])
    return [entry["resource"] for entry in found]


def inputs(recall: dict[str, Any], code: str) -> list[Any]:
    return [
        next(value for key, value in entry.items() if key.startswith("value"))
        for entry in recall["input"]
        if code_in(entry["type"], INPUT) == code
    ]


def told(place: Place, caller: Caller | None = None, name: str = "recall") -> list[dict[str, Any]]:
    found = parsed((caller or place.s).get(f"/{place.person}/$disclosures")).get("parameter", [])
    return [
        {part["name"]: next(v for k, v in part.items() if k.startswith("value")) for part in one["part"]}
        for one in found
        if one["name"] == name
    ]


def desk(place: Place, kind: str, status: str = "ready") -> list[dict[str, Any]]:
    found = parsed(place.s.get(f"/Task?code={code_system('task-code')}|{kind}&status={status}"))
    return [entry["resource"] for entry in found.get("entry", [])]


def decide(caller: Caller, task: dict[str, Any], decision: str, **more: str) -> Any:
    given = {"decision": decision, **more}
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": name.replace("_", "-"), "valueString": value} for name, value in given.items()
        ],
    }
    return caller.ask("POST", f"/Task/{task['id']}/$decide", body)


def accepted(place: Place) -> None:
    place.sign()
    place.refer(restriction=None)
    place.c.changed(place.task, status="accepted")
    assert place.c.get(f"/{place.person}").status_code == 200


def settled(place: Place) -> None:
    """Lets the delivery process look twice at who had received something."""
    for _ in range(3):
        place.later_us += 6_000_000
        place.fire()


@pytest.mark.attack("E-11")
def test_the_act_itself_asks_nobody_and_the_delivery_process_asks_at_once(place: Place):
    accepted(place)
    withdraw(place, how="phone")
    assert recalls(place) == []
    place.fire()
    (recall,) = recalls(place)
    assert inputs(recall, "recall-asks") == ["stop-using", "delete", "pass-on"]
    assert len(inputs(recall, "recalled-referral")) == 1
    assert "for" not in recall
    assert "focus" not in recall
    assert place.person.partition("/")[2] not in json.dumps(recall)
    settled(place)
    assert len(recalls(place)) == 1


class Killed(BaseException):
    """The process was killed at this point."""


@pytest.mark.parametrize("after_commit", [False, True])
def test_a_killed_worker_leaves_all_of_a_withdrawal_or_nothing(
    place: Place, after_commit: bool, monkeypatch: pytest.MonkeyPatch
):
    accepted(place)
    apply = place.world.parts.store.apply

    def killed(change: Any) -> None:
        if after_commit:
            apply(change)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(type(place.world.parts.store), "apply", lambda self, change: killed(change))
        with pytest.raises(Killed):
            withdraw(place, how="phone")
    settled(place)
    assert len(recalls(place)) == int(after_commit)
    assert place.s.read(f"Consent/{place.release['id']}")["status"] == (
        "inactive" if after_commit else "active"
    )
    assert place.c.get(f"/{place.person}").status_code == (404 if after_commit else 200)
    withdraw(place, how="phone")
    settled(place)
    assert len(recalls(place)) == 1


def test_nobody_is_asked_back_what_another_permission_still_covers(place: Place):
    accepted(place)
    place.sign(days=15)
    answer = place.s.ask("POST", f"/Consent/{place.release['id']}/$revoke")
    assert answer.status_code == 200
    settled(place)
    assert recalls(place) == []


def test_only_what_no_other_permission_covers_is_asked_back(place: Place):
    accepted(place)
    health = place.s.create(b.condition(place.person))
    assert place.c.get(f"/Condition/{health['id']}").status_code == 200
    first = place.release
    place.sign(categories=("identity",), days=15)
    answer = place.s.ask("POST", f"/Consent/{first['id']}/$revoke")
    assert answer.status_code == 200
    settled(place)
    (recall,) = recalls(place)
    assert inputs(recall, "recalled-category") == ["health"]
    (record,) = inputs(recall, "recalled-record")
    assert record["value"].endswith(f"/Condition/{health['id']}")


def test_one_kind_of_information_is_asked_back_where_it_was_received(place: Place):
    place.sign(categories=("identity", "health", "plan"))
    place.refer(restriction=None)
    place.c.changed(place.task, status="accepted")
    health, plan = (place.s.create(b.condition(place.person, category)) for category in ("health", "plan"))
    for one in (health, plan):
        assert place.c.get(f"/Condition/{one['id']}").status_code == 200
    withdraw(place, category="plan")
    settled(place)
    (recall,) = recalls(place)
    assert inputs(recall, "recalled-category") == ["plan"]
    assert [one["value"].rpartition("/")[2] for one in inputs(recall, "recalled-record")] == [plan["id"]]
    assert inputs(recall, "recalled-referral") == []
    assert place.c.get(f"/Condition/{health['id']}").status_code == 200


def test_one_kind_that_was_never_received_is_asked_back_from_nobody(place: Place):
    place.sign(categories=("identity", "health", "plan"))
    place.refer(restriction=None)
    place.c.changed(place.task, status="accepted")
    withdraw(place, category="plan")
    settled(place)
    assert recalls(place) == []


@pytest.mark.attack("E-11")
def test_recipients_never_contacted_hear_nothing(place: Place):
    never = place.world.add_organization("never", "clinic")
    place.s.create(b.release(place.person, place.shelter, b.permit(never)))
    accepted(place)
    withdraw(place)
    settled(place)
    assert recalls(place, place.world.caller(never)) == []
    assert len(recalls(place)) == 1


# --- answers, deadlines ----------------------------------------------------------------------------------


def asked(place: Place) -> dict[str, Any]:
    accepted(place)
    withdraw(place)
    settled(place)
    (recall,) = recalls(place)
    return recall


def test_what_is_kept_by_law_names_the_law(place: Place):
    recall = asked(place)
    bare = {**recall, "status": "completed", "output": [b.output("recall-answer", valueCode="kept-by-law")]}
    answer = place.c.update(bare)
    assert answer.status_code == 422
    assert "law" in answer.get_data(as_text=True)
    place.c.changed(
        f"Task/{recall['id']}",
        status="completed",
        output=[b.output("recall-answer", valueCodeableConcept=b.kept_by_law("Act 7, section 3"))],
    )
    (line,) = told(place)
    assert (line["answer"], line["law"], line["late"]) == ("kept-by-law", "Act 7, section 3", False)
    assert line["answered"] < line["due"]
    assert line["asked"] < line["due"]
    her = herself(place.world, place.shelter, place.person)
    assert told(place, her) == [line]


@pytest.mark.parametrize("answer", ["deleted", "never-opened"])
def test_an_answer_ends_the_reminders(place: Place, answer: str):
    recall = asked(place)
    place.c.changed(
        f"Task/{recall['id']}", status="completed", output=[b.output("recall-answer", valueCode=answer)]
    )
    place.wait(8)
    place.fire()
    assert [reason for _, _, reason in place.audited("alert")] == ["recall-sent"]
    assert desk(place, "recall-unanswered") == []
    again = place.c.read(f"Task/{recall['id']}")
    assert place.c.update({**again, "status": "requested"}).status_code == 422


def test_without_an_answer_it_is_asked_again_and_then_laid_before_people(place: Place):
    recall = asked(place)
    place.wait(3.1)
    place.fire()
    assert len(inputs(place.c.read(f"Task/{recall['id']}"), "reminded")) == 1
    assert desk(place, "recall-unanswered") == []
    place.wait(4)
    place.fire()
    late = place.c.read(f"Task/{recall['id']}")
    assert len(inputs(late, "reminded")) == 2
    assert code_in(late["businessStatus"], code_system("business-status")) == "overdue"
    rows = place.rows(schema.audit, "id", "interaction", "organization", "reason")
    alerts = [
        (organization, reason) for _, interaction, organization, reason in rows if interaction == "alert"
    ]
    assert (place.shelter, "recall-reminded") in alerts
    assert {(place.shelter, "recall-unanswered"), (place.clinic, "recall-unanswered")} <= set(alerts)
    (task,) = desk(place, "recall-unanswered")
    worker, boss = staff(place.world, place.shelter), staff(place.world, place.shelter, "supervisor")
    assert decide(worker, task, "settled", reason="by telephone").status_code in (403, 404)
    assert decide(boss, task, "settled").status_code == 422
    assert decide(boss, task, "settled", reason="by telephone").status_code == 200
    assert decide(boss, task, "settled", reason="again").status_code == 409


def test_a_late_answer_is_told_as_late_and_clears_the_desk(place: Place):
    recall = asked(place)
    place.wait(7.1)
    place.fire()
    assert len(desk(place, "recall-unanswered")) == 1
    place.c.changed(
        f"Task/{recall['id']}", status="completed", output=[b.output("recall-answer", valueCode="deleted")]
    )
    assert desk(place, "recall-unanswered") == []
    assert place.fire() == 0


def test_coordinators_count_and_see_nobody(place: Place):
    asked(place)
    place.wait(7.1)
    place.fire()
    for organization, expected in (
        (place.shelter, ("recall-unanswered", "ready", 1)),
        (place.clinic, ("recall", "overdue", 1)),
    ):
        coordinator = staff(place.world, organization, "coordinator")
        answer = coordinator.get("/$desk-counts")
        assert answer.status_code == 200, answer.get_data(as_text=True)
        found = counts(answer)
        assert {organization for organization, *_ in found} == {organization}
        assert expected in {tuple(rest) for _, *rest in found}
        assert place.person.partition("/")[2] not in answer.get_data(as_text=True)
    network = staff(place.world, "network", "coordinator")
    assert {one for one, *_ in counts(network.get("/$desk-counts"))} == {place.shelter, place.clinic}
    for refused in (
        staff(place.world, place.shelter),
        place.s,
        herself(place.world, place.shelter, place.person),
    ):
        assert refused.get("/$desk-counts").status_code == 403


def counts(answer: Any) -> list[tuple[str, str, str, int]]:
    found = []
    for one in parsed(answer).get("parameter", ()):
        values = [next(v for k, v in part.items() if k.startswith("value")) for part in one["part"]]
        found.append((values[0]["reference"].partition("/")[2], *values[1:]))
    return found


# --- held ------------------------------------------------------------------------------------------------


def held(place: Place) -> dict[str, Any]:
    accepted(place)
    withdraw(place, hold_recall=True, hold_reason="he works there")
    settled(place)
    assert recalls(place) == []
    (task,) = desk(place, "held-recall")
    assert place.c.get(f"/Task/{task['id']}").status_code == 404
    assert place.c.get(f"/{place.person}").status_code == 404
    return task


def test_a_supervisor_lets_a_held_recall_go(place: Place):
    task = held(place)
    worker, boss = staff(place.world, place.shelter), staff(place.world, place.shelter, "supervisor")
    assert decide(worker, task, "release").status_code in (403, 404)
    assert decide(place.s, task, "release").status_code == 403
    assert decide(staff(place.world, place.clinic, "supervisor"), task, "release").status_code == 404
    assert decide(boss, task, "release").status_code == 200
    settled(place)
    assert len(recalls(place)) == 1
    place.wait(31)
    place.fire()
    assert len(recalls(place)) == 1
    (line,) = told(place, name="held-recall")
    assert line["decision"] == "release"


def test_a_supervisor_drops_a_held_recall_with_a_reason_and_it_stays_dropped(place: Place):
    task = held(place)
    boss = staff(place.world, place.shelter, "supervisor")
    assert decide(boss, task, "drop").status_code == 422
    assert decide(boss, task, "drop", reason="he would hear of it").status_code == 200
    place.wait(31)
    place.fire()
    settled(place)
    assert recalls(place) == []
    assert [line["decision"] for line in told(place, name="held-recall")] == ["drop"]


def test_after_thirty_days_a_held_recall_goes_out_by_itself(place: Place):
    held(place)
    place.wait(30.1)
    place.fire()
    assert len(recalls(place)) == 1
    assert desk(place, "held-recall") == []


# --- a partner's own server ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("output", "status"),
    [
        ({"valueCode": "deleted"}, "completed"),
        ({"valueCode": "kept-by-law"}, "requested"),
        ({"valueCodeableConcept": b.kept_by_law("Act 7, section 3")}, "completed"),
    ],
)
def test_a_partner_answers_in_its_own_task(place: Place, output: dict[str, Any], status: str):
    place.sign()
    place.refer(restriction=None)
    place.deliver()
    place.revoke()
    place.fire()
    place.deliver()
    (copy,) = [i for i, t in place.partner.tasks.items() if t["code"]["coding"][0]["code"] == "recall"]
    place.partner.move(copy, status="completed", output=[b.output("recall-answer", **output)])
    place.poll()
    (recall,) = recalls(place)
    assert recall["status"] == status
    if status == "completed":
        assert coded_value(recall["output"][0]) == coded_value(output)
    if "valueCodeableConcept" in output:
        assert recall["output"][0]["valueCodeableConcept"]["text"] == "Act 7, section 3"
