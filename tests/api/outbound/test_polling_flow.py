"""What a partner's people do on their own server enters the hub as the owner's move, on both databases."""

from dataclasses import replace
from typing import Any

import pytest

from referral_hub.exchange.change import Change
from referral_hub.fhir.canonical import V2_0203, code_system
from referral_hub.store import schema
from referral_hub.store.organizations import organization_rows
from tests import builders as b
from tests.api.outbound.conftest import Place
from tests.api.outbound.partner_server import failing, standing_still

FILL = {"type": b.coded(V2_0203, "FILL"), "system": "urn:example:ehr", "value": "77"}


@pytest.fixture
def told(place: Place) -> Place:
    """The partner's server has the notice."""
    place.sign()
    place.refer()
    place.deliver()
    return place


def partner_moves(place: Place, status: str, **elements: Any) -> None:
    place.partner.move(place.partner.only(), status=status, **elements)


def alerts(place: Place) -> list[str]:
    return [reason for recipient, outcome, reason in place.audited("alert")]


def history(place: Place) -> list[str]:
    """Gives the statuses the Task went through, oldest first."""
    found = place.rows(schema.resource_version, "number", "id", "status")
    return [row[2] for row in found if row[1] == place.task.removeprefix("Task/")]


def test_an_acceptance_at_the_partner_is_the_owners_move(told: Place):
    partner_moves(told, "accepted", identifier=[*told.partner.tasks[told.partner.only()]["identifier"], FILL])
    assert told.poll() == 1
    task = told.hub_task()
    assert task["status"] == "accepted"
    assert told.c.read(told.task)["identifier"][-1]["value"] == "77"
    assert told.c.read(told.person)["name"]
    (written_by,) = {
        row[1] for row in told.rows(schema.resource_version, "number", "written_by", "status") if row[2] == "accepted"
    }  # fmt: skip
    assert written_by == told.clinic
    moved = [
        row for row in told.rows(schema.audit, "id", "oauth_client", "interaction") if row[1] == "polling"
    ]
    assert [row[2] for row in moved] == ["update"]


def test_what_did_not_change_is_asked_for_and_nothing_is_written(told: Place):
    told.poll()
    before = told.rows(schema.resource_version, "number")
    told.poll()
    told.poll()
    assert [request.headers.get("if-none-match") for request in told.partner.told("GET")] == [
        None,
        'W/"1"',
        'W/"1"',
    ]
    assert told.rows(schema.resource_version, "number") == before


def test_a_partner_that_jumped_over_states_is_followed_state_by_state(told: Place):
    partner_moves(told, "completed", output=[b.output("attendance", valueCode="came")])
    told.poll()
    assert history(told) == ["requested", "accepted", "completed"]
    assert told.rows(schema.partner_copy, "url") == []
    assert told.poll() == 0


def test_a_no_at_the_partner_reaches_the_sender_with_its_code(told: Place):
    partner_moves(told, "rejected", statusReason={"text": "Full tonight"})
    told.poll()
    task = told.hub_task()
    assert task["status"] == "rejected"
    assert task["statusReason"]["coding"][0]["code"] == "cannot-take"
    assert "text" not in task["statusReason"]


@pytest.mark.parametrize(
    ("status", "elements", "reason"),
    [
        ("ready", {}, "partner-status-not-possible"),
        ("entered-in-error", {}, "partner-status-not-possible"),
        ("waiting for her", {}, "partner-status-unknown"),
        ("completed", {}, "partner-output-missing"),
        ("failed", {"statusReason": {"text": "She did not come"}}, "partner-reason-missing"),
        ("accepted", {"executionPeriod": {"start": "soon"}}, "partner-content-refused"),
    ],
)
def test_what_cannot_be_followed_changes_nothing_and_alerts_once(
    told: Place, status: str, elements: dict[str, Any], reason: str
):
    partner_moves(told, status, **elements)
    for _ in range(3):
        told.poll()
    assert told.hub_task()["status"] == "requested"
    assert alerts(told) == [reason]
    partner_moves(told, status, note=[{"text": "again"}], **elements)
    told.poll()
    assert alerts(told) == [reason, reason]
    partner_moves(told, "accepted", executionPeriod=None)
    told.poll()
    assert told.hub_task()["status"] == "accepted"


def test_what_could_not_be_followed_is_tried_again_once_the_hubs_task_moved(told: Place):
    condition = {
        "type": b.coded(code_system("task-input-type"), "handling-condition"),
        "valueCode": "no-letters",
    }
    task = told.refer(input=[condition])
    told.deliver()
    (copy,) = [i for i, t in told.partner.tasks.items() if "input" in t]
    told.partner.move(copy, status="in-progress")
    told.poll()
    assert alerts(told) == ["partner-condition-not-confirmed"]
    told.c.changed(task, status="accepted", output=[b.output("handling-confirmed", valueCode="no-letters")])
    told.poll()
    assert told.s.read(task)["status"] == "in-progress"
    assert alerts(told) == ["partner-condition-not-confirmed"]


def test_conditions_confirmed_at_the_partner_let_it_accept(told: Place):
    condition = {
        "type": b.coded(code_system("task-input-type"), "handling-condition"),
        "valueCode": "no-letters",
    }
    task = told.refer(input=[condition])
    told.deliver()
    (copy,) = [i for i, t in told.partner.tasks.items() if "input" in t]
    confirmed = b.output("handling-confirmed", valueCode="no-letters")
    told.partner.move(copy, status="in-progress", output=[confirmed])
    told.poll()
    assert told.s.read(task)["status"] == "in-progress"
    assert told.c.read(task)["output"] == [confirmed]


def test_the_first_valid_move_wins(told: Place):
    told.c.changed(told.task, status="rejected", statusReason=b.reason("at-capacity"))
    partner_moves(told, "accepted")
    told.poll()
    assert told.hub_task()["status"] == "rejected"
    assert alerts(told) == []


def test_a_partners_task_that_lags_behind_moves_nothing_back(told: Place):
    told.c.changed(told.task, status="accepted")
    told.c.changed(told.task, status="in-progress")
    partner_moves(told, "accepted")
    told.poll()
    assert told.hub_task()["status"] == "in-progress"
    assert alerts(told) == []


def test_her_words_and_whom_it_is_about_cannot_be_changed_from_outside(told: Place):
    before = told.hub_task()
    partner_moves(
        told,
        "accepted",
        **{"for": {"reference": "Patient/somebody-else"}},
        focus={"reference": "http://127.0.0.1/x"},
        owner={"reference": "Organization/other"},
        description="rewritten",
        intent="plan",
    )
    told.poll()
    after = told.hub_task()
    for element in ("for", "focus", "owner", "intent", "identifier", "authoredOn"):
        assert after[element] == before[element]
    assert "description" not in after


def test_results_are_linked_to_the_partners_own_server(told: Place):
    letter = {
        "type": b.coded("http://loinc.org", "34133-9"),
        "valueReference": {"reference": "DocumentReference/9"},
    }
    away = {**letter, "valueReference": {"reference": "https://elsewhere.example/fhir/DocumentReference/9"}}
    partner_moves(told, "completed", output=[letter, away])
    told.poll()
    stored = told.rows(schema.resource, "type", "status")
    assert ("Task", "completed") in stored
    outputs = told.c.read(told.task)["output"]
    assert [entry["valueReference"]["reference"] for entry in outputs] == [
        f"{told.partner.base}/DocumentReference/9"
    ]


def test_a_withdrawn_release_does_not_keep_the_owner_from_moving(told: Place):
    told.revoke()
    partner_moves(told, "accepted")
    told.poll()
    assert told.hub_task()["status"] == "accepted"
    assert told.c.get(f"/{told.person}").status_code == 404


def test_a_recall_is_answered_on_the_partners_server(told: Place):
    told.revoke()
    told.deliver()
    (copy,) = [i for i, t in told.partner.tasks.items() if t["code"]["coding"][0]["code"] == "recall"]
    told.partner.move(copy, status="completed", output=[b.output("recall-answer", valueCode="deleted")])
    told.poll()
    answer = told.s.get(f"/{told.person}/$disclosures")
    assert b"deleted" in answer.get_data()


def test_a_copy_that_is_gone_is_told_once_and_looked_for_again(told: Place):
    copy = told.partner.only()
    kept = told.partner.tasks.pop(copy)
    told.poll()
    told.poll()
    assert alerts(told) == ["partner-copy-gone"]
    told.partner.tasks[copy] = kept
    partner_moves(told, "accepted")
    told.poll()
    assert told.hub_task()["status"] == "accepted"


@pytest.mark.parametrize(
    "trouble",
    [failing(500), failing(401), failing(403), failing(302), standing_still(3)],
    ids=["500", "401", "403", "302", "standing-still"],
)
def test_a_partner_in_trouble_stops_nobody_and_is_asked_again(told: Place, trouble: Any):
    partner_moves(told, "accepted")
    told.partner.script = [trouble]
    assert told.poll() == 1
    assert told.hub_task()["status"] == "requested"
    assert alerts(told) == []
    told.poll()
    assert told.hub_task()["status"] == "accepted"


def test_a_server_without_versions_is_followed_too(told: Place):
    told.partner.sends_etag = False
    partner_moves(told, "nonsense")
    for _ in range(3):
        told.poll()
    assert alerts(told) == ["partner-status-unknown"]
    partner_moves(told, "accepted")
    told.poll()
    assert told.hub_task()["status"] == "accepted"


def test_only_one_process_looks_at_a_copy_at_a_time(told: Place):
    told.wait(1)
    (copy,) = told.copies.due(told.hub.clock(), 10)
    assert told.poller.poll_one(copy)
    asked = len(told.partner.told("GET"))
    assert told.poller.poll_one(copy)
    assert len(told.partner.told("GET")) == asked


def test_a_suspended_partner_is_not_asked_and_is_asked_again_when_it_comes_back(told: Place):
    parts = told.world.parts
    with parts.store.snapshot() as snapshot:
        row = snapshot.organization(told.clinic)
    assert row is not None
    partner_moves(told, "accepted")
    for active, status in ((False, "requested"), (True, "accepted")):
        changed = replace(row, facts=replace(row.facts, active=active))
        rows = organization_rows(parts.database, changed, None)
        parts.store.apply(parts.gate.admit_token(Change(f"active-{active}", rows=rows)))
        told.poll()
        assert told.hub_task()["status"] == status
    assert len(told.partner.told("GET")) == 1


def test_a_look_that_breaks_stands_in_nobodys_way(told: Place, monkeypatch: pytest.MonkeyPatch):
    told.refer()
    told.deliver()
    for task in list(told.partner.tasks):
        told.partner.move(task, status="accepted")
    shown, broken = type(told.hub.gate).shown, []

    def breaking(self: Any, caller: Any, row: Any, working: Any, at_us: int) -> Any:
        if not broken:
            broken.append(row.row_id)
        if row.row_id == broken[0]:
            raise RuntimeError("a fault")
        return shown(self, caller, row, working, at_us)

    with monkeypatch.context() as patched:
        patched.setattr(type(told.hub.gate), "shown", breaking)
        assert told.poll() == 1
        assert told.poller.poll_due(told.hub.clock()) == 0
    told.poll()
    assert {status for kind, status in told.rows(schema.resource, "type", "status") if kind == "Task"} == {
        "accepted"
    }
