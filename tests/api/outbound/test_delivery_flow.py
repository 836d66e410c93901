"""From the shelter's write to the partner's server and the ledger, on both databases and real HTTP."""

from dataclasses import replace
from typing import Any

import pytest

from referral_hub.exchange.change import Change
from referral_hub.store import schema
from referral_hub.store.organizations import organization_rows
from tests import builders as b
from tests.api.outbound.conftest import SECOND_US, Place
from tests.api.outbound.partner_server import failing, hanging_up


@pytest.mark.attack("E-07", "S-41")
def test_a_referral_reaches_the_partners_server_as_a_notice_and_no_more(place: Place):
    place.sign()
    place.refer()
    assert place.deliver() == 1
    (request,) = place.partner.requests
    assert place.partner.faults == []
    base = place.hub.base
    body = request.body or {}
    assert body["for"] == {"reference": f"{base}/{place.person}"}
    assert body["focus"] == {"reference": f"{base}/{place.request}"}
    assert {one["type"]["coding"][0]["code"] for one in body["identifier"]} == {"PLAC"}
    assert not body.keys() & {"description", "note", "reasonCode", "contained", "text", "id"}
    assert b"Lark" not in repr(request.body).encode()
    (line,) = place.audited("task-notice")
    assert line == (place.clinic, 0, "")
    assert place.ledger() == [(place.clinic, 1)]
    assert [row[0] for row in place.rows(schema.partner_copy, "url")] == [
        f"{place.partner.base}/Task/{place.partner.only()}"
    ]
    assert place.deliver() == 0


def test_the_partner_pulls_the_rest_with_the_references_it_was_sent(place: Place):
    place.sign()
    place.refer()
    place.deliver()
    body = place.partner.requests[0].body or {}
    for element in ("for", "focus"):
        reference = body[element]["reference"].removeprefix(f"{place.hub.base}/")
        assert place.c.read(reference)["resourceType"] == reference.partition("/")[0]


def test_a_referral_onward_waits_for_her_release_and_leaves_when_she_signs(place: Place):
    advice = place.world.add_organization(
        "advice", "legal-aid", fhir_endpoint=place.partner.base, bases=(place.partner.base,)
    )
    place.sign()
    place.refer()
    place.deliver()
    place.c.changed(place.task, status="accepted")
    request = place.c.create(b.service_request(place.person, advice))
    made = place.c.create(b.task(place.person, f"ServiceRequest/{request['id']}", advice))
    assert made["businessStatus"]["coding"][0]["code"] == "awaiting-consent"
    assert place.deliver() == 0
    place.sign(advice)
    assert place.deliver() == 1
    assert [line[0] for line in place.audited("task-notice")] == [place.clinic, advice]


@pytest.mark.attack("E-07", "S-43")
def test_nothing_leaves_after_a_withdrawal_and_nobody_is_recalled_who_heard_nothing(place: Place):
    place.sign()
    place.refer()
    place.revoke()
    assert place.deliver() == 0
    assert place.partner.requests == []
    assert place.rows(schema.outbox, "state") == [(schema.OUTBOX_CANCELLED,)]


@pytest.mark.attack("E-07", "E-11", "S-41")
def test_who_had_received_something_gets_a_recall_that_names_nobody(place: Place):
    place.sign()
    place.refer()
    place.deliver()
    number = place.partner.tasks[place.partner.only()]["identifier"][0]["value"]
    place.revoke()
    assert place.deliver() == 1
    body = place.partner.requests[-1].body or {}
    assert body["code"]["coding"][0]["code"] == "recall"
    assert "for" not in body
    assert "focus" not in body
    assert [one["valueIdentifier"]["value"] for one in body["input"] if "valueIdentifier" in one] == [number]
    assert place.partner.faults == []
    assert len(place.partner.tasks) == 2


def test_a_lost_answer_leads_to_a_second_sending_and_to_one_task_and_one_line(place: Place):
    place.partner.script = [hanging_up]
    place.sign()
    place.refer()
    assert place.deliver() == 1
    assert place.ledger() == []
    place.later_us += 10 * SECOND_US
    assert place.deliver() == 1
    assert len(place.partner.tasks) == 1
    assert len({request.headers["idempotency-key"] for request in place.partner.requests}) == 1
    assert place.ledger() == [(place.clinic, 1)]


@pytest.mark.parametrize("withdrawn", [False, True], ids=["kept", "withdrawn"])
def test_what_arrived_is_told_although_its_answer_was_lost_and_the_referral_has_ended_since(
    place: Place, *, withdrawn: bool
):
    place.partner.script = [hanging_up]
    place.sign()
    place.refer()
    place.deliver()
    place.s.changed(
        place.task, status="cancelled", statusReason=b.reason("client-declined", "because she said so")
    )
    place.partner.tasks[place.partner.only()]["status"] = "rejected"  # so nothing of the end is sent there
    if withdrawn:
        place.revoke()
    place.later_us += 10 * SECOND_US
    place.deliver()
    assert len(place.partner.told("POST")) == (2 if withdrawn else 1)  # the notice, and the recall of it
    assert withdrawn or place.ledger()


@pytest.mark.attack("E-07", "S-43")
def test_a_withdrawal_after_a_lost_answer_stops_the_second_sending_and_recalls(place: Place):
    place.partner.script = [hanging_up]
    place.sign()
    place.refer()
    place.deliver()
    place.revoke()
    place.later_us += 10 * SECOND_US
    place.deliver()
    codes = [(request.body or {})["code"]["coding"][0]["code"] for request in place.partner.told("POST")]
    assert codes == ["fulfill", "recall"]


def test_a_message_that_cannot_be_taken_is_given_up_and_seen_by_a_person(place: Place):
    place.partner.script = [failing(422)]
    place.sign()
    place.refer()
    place.deliver()
    (dead,) = place.outbox.list_dead()
    assert (dead.destination, dead.kind, dead.reason) == (
        place.clinic,
        "task-notice",
        "The partner answered with status 422.",
    )
    assert place.audited("task-notice") == [(place.clinic, 8, "delivery-failed")]
    assert place.ledger() == []
    assert place.outbox.requeue(dead.sequence, place.hub.clock())
    place.deliver()
    assert len(place.partner.tasks) == 1
    assert place.ledger() == [(place.clinic, 1)]


def test_messages_arrive_in_the_order_they_were_written(place: Place):
    place.sign()
    tasks = [place.refer() for _ in range(4)]
    place.partner.script = [failing(503), hanging_up]
    place.deliver()
    assert place.partner.tasks == {}
    for _ in range(3):
        place.later_us += 60 * SECOND_US
        place.deliver()
    arrived = [
        identifier["value"]
        for task in place.partner.tasks.values()
        for identifier in task["identifier"]
    ]  # fmt: skip
    written = [identifier["value"] for task in tasks for identifier in place.s.read(task)["identifier"]]
    assert arrived == written


@pytest.mark.attack("E-07")
@pytest.mark.parametrize(
    ("status", "reason"), [("cancelled", "client-declined"), ("entered-in-error", "wrong-recipient")]
)
def test_an_end_set_by_the_sender_reaches_the_partners_task_without_its_cause(
    place: Place, status: str, reason: str
):
    place.sign()
    place.refer()
    place.deliver()
    place.s.changed(place.task, status=status, statusReason=b.reason(reason, "because she said so"))
    assert place.deliver() == 1
    task = place.partner.tasks[place.partner.only()]
    assert task["status"] == status
    assert task["statusReason"]["coding"][0]["code"] == "closed-by-sender"
    assert "because" not in repr(task)
    assert place.partner.faults == []
    assert place.rows(schema.partner_copy, "url") == []
    assert len(place.audited("task-update")) == 1


def test_a_partner_that_moved_first_keeps_its_move(place: Place):
    place.sign()
    place.refer()
    place.deliver()
    place.partner.move(place.partner.only(), status="rejected")
    place.s.changed(place.task, status="cancelled", statusReason=b.reason("by-source"))
    place.deliver()
    assert place.partner.told("PUT") == []
    assert place.audited("alert") == [("", 0, "partner-copy-differs")]


def test_the_owners_own_move_is_not_told_to_itself(place: Place):
    place.sign()
    place.refer()
    place.deliver()
    place.c.changed(place.task, status="accepted")
    assert place.deliver() == 0


def test_a_release_that_runs_out_while_the_partner_is_down_holds_the_message_and_a_new_one_tells_it(
    place: Place,
):
    place.partner.script = [failing(503)]
    place.sign(days=1)
    place.refer()
    place.deliver()
    place.wait(3)
    assert place.deliver() == 1
    assert place.partner.tasks == {}
    assert place.audited("task-notice") == [(place.clinic, 4, "no-release")]
    assert place.fire() >= 1
    assert place.hub_task()["businessStatus"]["coding"][0]["code"] == "sharing-ended"
    place.later_us = 0
    place.sign(days=20)
    assert place.deliver() == 1
    assert len(place.partner.tasks) == 1


def test_a_no_name_referral_leaves_without_a_release(place: Place):
    person = f"Patient/{place.s.create(b.no_name_patient())['id']}"
    request: dict[str, Any] = b.service_request(person, place.clinic)
    del request["note"], request["code"]["text"]
    made = place.s.create(request)
    place.s.create(b.task(person, f"ServiceRequest/{made['id']}", place.clinic))
    place.deliver()
    body = place.partner.requests[0].body or {}
    assert body["for"]["reference"].endswith(person)
    assert place.partner.faults == []


def test_a_suspended_partner_gets_nothing(place: Place):
    place.sign()
    place.refer()
    parts = place.world.parts
    with parts.store.snapshot() as snapshot:
        row = snapshot.organization(place.clinic)
    assert row is not None
    paused = replace(row, facts=replace(row.facts, active=False))
    parts.store.apply(
        parts.gate.admit_token(Change("pause", rows=organization_rows(parts.database, paused, None)))
    )
    place.deliver()
    assert place.partner.requests == []
    assert place.audited("task-notice") == [(place.clinic, 4, "recipient-not-active")]
