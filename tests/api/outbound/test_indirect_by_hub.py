"""Referrals that the hub's own organisation owns: its worker names the recipient, and another after a no."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from referral_hub.store import schema
from tests import builders as b
from tests.api.outbound.indirect import Indirect, placed, records_system
from tests.api.outbound.partner_server import PartnerServer
from tests.world import Caller, opened_world, parsed


@pytest.fixture
def it(hub_url: str, tmp_path: Path, partner: PartnerServer) -> Iterator[Indirect]:
    with records_system() as ehr, opened_world(hub_url, tmp_path / "data") as world:
        yield placed(world, ehr, partner)


def local(it: Indirect, *, release: bool = True) -> str:
    """A person and a request that live on the hub, for the hub's organisation; gives the person."""
    person = f"Patient/{it.s.create(b.patient())['id']}"
    if release:
        it.s.create(b.release(person, it.source, b.permit(it.network)))
    body = b.service_request(person, it.network)
    it.request = f"ServiceRequest/{it.s.create(body)['id']}"
    it.person = person
    return person


def named(it: Indirect, recipient: str = "", **more: Any) -> dict[str, Any]:
    """The hub's worker names a recipient; gives the new Task as answered."""
    return it.h.create(
        {
            "resourceType": "Task",
            "status": "requested",
            "intent": "order",
            "partOf": [{"reference": it.task}],
            "owner": {"reference": f"Organization/{recipient or it.target}"},
            **more,
        }
    )


def moved(caller: Caller, task: dict[str, Any], status: str, reason: str = "", **more: Any) -> None:
    if reason:
        more["statusReason"] = b.reason(reason)
    caller.changed(f"Task/{task['id']}", status=status, **more)


def test_the_hubs_worker_reads_the_notice_and_names_a_recipient(it: Indirect):
    person = local(it)
    it.refer(it.network)
    assert it.state() == ("requested", "hub-routing", "")
    (notice,) = it.inbox(it.h)
    assert notice["focus"] == {"reference": it.request}
    assert "name" not in it.h.read(person)
    it.s.create(b.release(person, it.source, b.permit(it.target)))
    task = named(it)
    assert task["businessStatus"]["coding"][0]["code"] == "sent"
    assert task["for"] == {"reference": person}
    assert task["focus"]["reference"] != it.request
    assert task["restriction"] == it.s.read(it.task)["restriction"]
    it.deliver()
    assert len(it.partner.tasks) == 1
    moved(it.t, task, "accepted")
    assert it.state() == ("accepted", "", "")
    order = it.t.read(task["focus"]["reference"])
    assert order["intent"] == "filler-order"
    assert order["code"]["text"] == "wound on the left hand"
    # The hub's worker sees no more than its own release names: here identity and health, once somebody accepted.
    assert it.h.read(person)["name"]


def test_without_a_release_for_the_hub_its_custodian_is_told_and_nothing_is_stored(it: Indirect):
    local(it, release=False)
    body = b.task(it.person, it.request, it.network, requester={"reference": f"Organization/{it.source}"})
    answer = it.s.ask("POST", "/Task", body)
    assert answer.status_code == 422
    assert it.inbox(it.h) == []


def test_a_recipient_is_named_and_waits_for_its_own_release(it: Indirect):
    person = local(it)
    it.refer(it.network)
    task = named(it)
    assert task["businessStatus"]["coding"][0]["code"] == "awaiting-consent"
    assert it.inbox(it.t) == []
    assert it.deliver() == 0
    it.s.create(b.release(person, it.source, b.permit(it.target)))
    assert len(it.inbox(it.t)) == 1
    it.deliver()
    assert len(it.partner.tasks) == 1


def test_the_hub_does_not_say_yes_for_an_agency(it: Indirect):
    local(it)
    it.refer(it.network)
    (card,) = it.inbox(it.h)
    answer = it.h.update({**card, "status": "accepted"})
    assert answer.status_code == 422
    assert "does not answer" in answer.get_data(as_text=True)
    offered = parsed(it.h.get(f"/Task/{card['id']}/$available-actions"))["parameter"]
    statuses = {part["valueCode"] for one in offered for part in one["part"] if part["name"] == "status"}
    assert statuses == {"rejected", "cancelled"}
    moved(it.h, card, "rejected", "cannot-take")
    assert it.state() == ("rejected", "", "cannot-take")


@pytest.mark.attack("S-28")
def test_after_a_no_the_hub_names_another_and_neither_learns_of_the_other(it: Indirect):
    person = local(it)
    other = it.world.add_organization("other", "clinic")
    o = it.world.caller(other)
    it.refer(it.network)
    for receiver in (it.target, other):
        it.s.create(b.release(person, it.source, b.permit(receiver)))
    first = named(it)
    moved(it.t, first, "rejected", "at-capacity")
    assert it.state() == ("requested", "hub-routing", "")
    reasons = [row[1] for row in it.rows(schema.audit, "id", "reason")]
    assert "recipient-needed" in reasons
    second = named(it, other)
    moved(o, second, "accepted")
    assert it.state() == ("accepted", "", "")
    assert it.t.get(f"/Task/{second['id']}").status_code == 404
    assert o.get(f"/Task/{first['id']}").status_code == 404
    assert o.get(f"/{first['focus']['reference']}").status_code == 404
    moved(o, second, "completed", output=[b.output("attendance", valueCode="came")])
    assert it.state() == ("completed", "partial", "")


def test_of_two_that_are_asked_the_first_yes_counts_and_the_end_of_one_ends_nothing(it: Indirect):
    person = local(it)
    other = it.world.add_organization("other", "clinic")
    o = it.world.caller(other)
    it.refer(it.network)
    for receiver in (it.target, other):
        it.s.create(b.release(person, it.source, b.permit(receiver)))
    first, second = named(it), named(it, other)
    moved(it.t, first, "accepted")
    moved(o, second, "accepted")
    moved(it.t, first, "failed", "client-unreachable")
    assert it.state() == ("accepted", "", "")
    moved(o, second, "in-progress")
    assert it.state() == ("in-progress", "", "")
    it.s.changed(it.task, status="cancelled", statusReason=b.reason("client-declined"))
    assert o.read(f"Task/{second['id']}")["status"] == "cancelled"
    assert it.t.read(f"Task/{first['id']}")["status"] == "failed"


def test_answers_that_pass_through_the_hub_are_not_read_by_its_people(it: Indirect):
    person = local(it)
    it.refer(it.network)
    it.s.create(b.release(person, it.source, b.permit(it.target)))
    task = named(it)
    moved(it.t, task, "accepted")
    moved(it.t, task, "completed", output=[b.output("attendance", valueCode="came")])
    for seen in it.inbox(it.h):
        assert "output" not in seen
    it.s.create(b.release(person, it.source, b.permit(it.source, categories=("outcome",))))
    assert it.s.read(it.task)["output"] == [b.output("attendance", valueCode="came")]
    for seen in it.inbox(it.h):
        assert "output" not in seen


def test_conditions_are_kept_also_where_the_hub_brings_its_own_order(it: Indirect):
    person = local(it)
    condition = {
        "type": b.coded("https://referral-hub.example/fhir/CodeSystem/task-input-type", "handling-condition"),
        "valueCode": "no-portal",
    }
    it.refer(it.network, input=[condition])
    it.s.create(b.release(person, it.source, b.permit(it.target)))
    own = it.h.create(
        b.service_request(
            person,
            it.target,
            intent="filler-order",
            basedOn=[{"reference": it.request}],
            requester={"reference": f"Organization/{it.network}"},
        )
    )
    task = named(
        it,
        focus={"reference": f"ServiceRequest/{own['id']}"},
        **{"for": {"reference": person}},
        code=b.coded("http://hl7.org/fhir/CodeSystem/task-code", "fulfill"),
        authoredOn=b.instant(),
        requester={"reference": f"Organization/{it.network}"},
    )
    assert task["focus"] == {"reference": f"ServiceRequest/{own['id']}"}
    assert task["input"] == [condition]
    moved(it.t, task, "accepted", output=[b.output("handling-confirmed", valueCode="no-portal")])
    assert it.state()[0] == "accepted"


@pytest.mark.parametrize("who", ["source", "target"])
def test_nobody_else_can_hang_a_task_on_the_sources(it: Indirect, who: str):
    person = local(it)
    it.refer(it.network)
    it.s.create(b.release(person, it.source, b.permit(it.target)))
    task = named(it)
    moved(it.t, task, "accepted")
    caller = it.s if who == "source" else it.t
    body = b.task(
        person,
        it.request,
        it.network,
        partOf=[{"reference": it.task}],
        requester={"reference": f"Organization/{caller.organization}"},
    )
    answer = caller.ask("POST", "/Task", body)
    if who == "target":
        assert answer.status_code == 422
    before = it.state()
    if answer.status_code == 201:
        made = parsed(answer)
        moved(it.s, made, "cancelled", "by-source")
    assert it.state() == before


def test_a_request_elsewhere_for_the_hub_is_copied_first_and_shown_as_the_copy(it: Indirect):
    it.fill()
    it.refer(it.network)
    assert it.inbox(it.h) == []
    it.deliver()
    assert it.state() == ("requested", "awaiting-consent", "")
    it.sign(it.network)
    assert it.state() == ("requested", "hub-routing", "")
    (notice,) = it.inbox(it.h)
    assert notice["focus"] == {"reference": f"ServiceRequest/{it.copy(it.request)['id']}"}
    assert notice["for"] == {"reference": f"Patient/{it.copy(it.person)['id']}"}
    assert it.base not in repr(notice)
    it.sign()
    task = named(it)
    it.deliver()
    moved(it.t, task, "accepted")
    assert it.state() == ("accepted", "", "")
    (card,) = [one for one in it.inbox(it.h) if one["owner"]["reference"].endswith(it.network)]
    assert card["status"] == "accepted"


def test_what_is_not_copied_yet_cannot_be_passed_on(it: Indirect):
    it.fill()
    it.refer(it.network)
    answer = it.h.ask(
        "POST",
        "/Task",
        {
            "resourceType": "Task",
            "status": "requested",
            "intent": "order",
            "partOf": [{"reference": it.task}],
            "owner": {"reference": f"Organization/{it.target}"},
        },
    )
    assert answer.status_code == 422
    assert it.inbox(it.t) == []


def test_a_no_name_referral_through_the_hub_needs_no_release(it: Indirect):
    it.person = f"Patient/{it.s.create(b.no_name_patient())['id']}"
    body = b.service_request(it.person, it.network)
    del body["note"], body["code"]["text"]
    it.request = f"ServiceRequest/{it.s.create(body)['id']}"
    it.refer(it.network)
    assert it.state() == ("requested", "hub-routing", "")
    task = named(it)
    it.deliver()
    assert len(it.partner.tasks) == 1
    moved(it.t, task, "accepted")
    assert it.state()[0] == "accepted"
    assert it.t.read(task["focus"]["reference"])["code"]["coding"][0]["code"] == "125643001"


def test_sharing_that_ran_out_ends_no_referral_and_a_new_release_resumes_both(it: Indirect):
    it.fill()
    it.refer()
    it.deliver()
    it.sign(days=1)
    it.deliver()
    it.answer("accepted")
    it.wait(3 * 86_400)
    it.fire()
    assert it.state() == ("accepted", "sharing-ended", "")
    it.later_us = 0
    it.sign(days=20)
    assert it.state() == ("accepted", "", "")
    it.answer("in-progress")
    assert it.state() == ("in-progress", "", "")
