"""Indirect referrals: a source's Task points at its own server; the hub copies, asks in its own name, reports back."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from referral_hub.exchange.building import body_of
from referral_hub.exchange.change import Change
from referral_hub.exchange.profiles_in_force import judged_for_storing
from referral_hub.store import schema
from referral_hub.store.organizations import organization_rows
from tests import builders as b
from tests.api.outbound.indirect import URI, Indirect, placed, records_system
from tests.api.outbound.partner_server import PartnerServer
from tests.world import opened_world, parsed, texts


@pytest.fixture
def it(hub_url: str, tmp_path: Path, partner: PartnerServer) -> Iterator[Indirect]:
    with records_system() as ehr, opened_world(hub_url, tmp_path / "data") as world:
        yield placed(world, ehr, partner)


@pytest.fixture
def asked(it: Indirect) -> Indirect:
    """A referral that was copied, covered by a release and passed on."""
    it.fill(b.condition(""))
    it.refer()
    it.deliver()
    it.sign()
    it.deliver()
    return it


# --- intake and copy -----------------------------------------------------------------------------------------


def test_a_task_with_addresses_on_its_own_base_waits_and_is_copied(it: Indirect):
    it.fill(b.condition(""), {"resourceType": "Consent", **_foreign_consent()})
    made = it.refer()
    assert made["focus"] == {"reference": it.request}
    assert it.state() == ("requested", "awaiting-consent", "")
    assert it.deliver() == 1
    person, request = it.copy(it.person), it.copy(it.request)
    assert person["meta"]["source"] == it.person
    assert person["name"] == b.patient()["name"]
    assert request["subject"] == {"reference": f"Patient/{person['id']}"}
    assert request["requester"] == {"identifier": {"system": URI, "value": f"{it.base}/Practitioner/7"}}
    kinds = [one["reference"].partition("/")[0] for one in request["supportingInfo"]]
    assert kinds == ["Condition", "Consent"]
    assert it.s.read(request["supportingInfo"][0]["reference"])["subject"] == request["subject"]
    # What the source wrote stays as it was written, and nothing has left.
    assert it.s.read(it.task)["focus"] == {"reference": it.request}
    assert it.state() == ("requested", "awaiting-consent", "")
    assert it.partner.requests == []
    assert it.inbox(it.t) == []
    for search in (f"focus={it.request}", f"patient={it.person}", f"owner=Organization/{it.target}"):
        found = parsed(it.s.get(f"/Task?{search}"))["entry"]
        assert [entry["resource"]["id"] for entry in found] == [made["id"]]


def _foreign_consent() -> dict[str, object]:
    """Gives a Consent as SDOHCC has it: no provision, so nothing that could be computed."""
    return {
        "status": "active",
        "scope": b.coded("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy"),
        "category": [b.coded("http://terminology.hl7.org/CodeSystem/v3-ActCode", "IDSCL")],
        "dateTime": b.instant(),
        "organization": [{"reference": "Organization/1"}],
        "sourceAttachment": {"contentType": "text/plain", "data": "c2lnbmVk"},
        "policy": [{"uri": "https://elsewhere.example/policy"}],
    }


@pytest.mark.attack("T-30")
@pytest.mark.parametrize("element", ["focus", "for"])
def test_an_address_on_no_registered_base_is_refused(it: Indirect, element: str):
    it.fill()
    body = b.task(it.person, it.request, it.target, requester={"reference": f"Organization/{it.source}"})
    path = body[element]["reference"].removeprefix(it.base)
    for base in (
        "https://elsewhere.example/fhir",
        f"{it.base}.evil.example",
        it.base.replace("/fhir", "/other"),
    ):
        answer = it.s.ask("POST", "/Task", {**body, element: {"reference": f"{base}{path}"}})
        assert answer.status_code == 422
        assert any("registered" in text for text in texts(answer))
    # And another organisation cannot use this source's base.
    answer = it.t.ask("POST", "/Task", {**body, "owner": {"reference": f"Organization/{it.source}"}})
    assert answer.status_code == 422
    assert it.rows(schema.outbox, "kind") == []


@pytest.mark.parametrize(("element", "type_name"), [("focus", "Observation"), ("for", "Group")])
def test_an_address_of_another_type_is_refused(it: Indirect, element: str, type_name: str):
    it.fill()
    body = b.task(it.person, it.request, it.target, requester={"reference": f"Organization/{it.source}"})
    answer = it.s.ask("POST", "/Task", {**body, element: {"reference": f"{it.base}/{type_name}/1"}})
    assert answer.status_code == 422


@pytest.mark.attack("T-30")
def test_nothing_outside_the_registered_base_is_called(it: Indirect):
    it.fill(b.condition(""))
    body = it.ehr.records.read(it.request.removeprefix(f"{it.base}/")).body
    body["supportingInfo"] += [
        {"reference": f"{it.partner.base}/Condition/1"},
        {"reference": "http://169.254.169.254/latest/Condition/1"},
    ]
    it.file(body)
    it.refer()
    it.deliver()
    assert it.partner.requests == []
    kept = it.copy(it.request)["supportingInfo"]
    assert [one.keys() for one in kept] == [{"reference"}, {"identifier"}, {"identifier"}]


def test_a_second_fetch_makes_no_second_copy(it: Indirect):
    it.fill(b.condition(""))
    it.refer()
    claimed = it.outbox.claim(it.hub.clock(), 1)
    assert claimed is not None
    # The copies are written, and the process is gone before the Task is joined to them: its lease had ended.
    it.wait(1)
    again = it.outbox.claim(it.hub.clock(), 1)
    assert again is not None
    it.delivery.deliver(claimed)
    assert len(it.copies(it.person)) == 1
    it.wait(1)
    it.deliver()
    assert len(it.copies(it.person)) == len(it.copies(it.request)) == 1
    assert {state for (state,) in it.rows(schema.outbox, "state")} == {schema.OUTBOX_DONE}
    it.sign()
    it.deliver()
    assert len(it.partner.tasks) == 1


def test_two_referrals_of_one_person_share_her_copy(it: Indirect):
    it.fill()
    it.refer()
    it.refer()
    it.deliver()
    assert len(it.copies(it.person)) == 1
    it.sign()
    assert len(it.inbox(it.t)) == 2


def test_a_source_that_is_down_is_asked_again(it: Indirect):
    it.fill()
    it.ehr.desk.in_maintenance = True
    it.refer()
    assert it.deliver() == 1
    assert it.copies(it.person) == []
    it.ehr.desk.in_maintenance = False
    it.wait(60)
    it.deliver()
    assert len(it.copies(it.person)) == 1


def test_a_source_that_stays_down_ends_the_referral_and_a_person_sees_it(it: Indirect):
    it.fill()
    it.ehr.desk.in_maintenance = True
    it.refer()
    for _ in range(4):
        it.deliver()
        it.wait(60)
    assert it.state() == ("rejected", "", "data-issue")
    (dead,) = it.outbox.list_dead()
    assert dead.kind == "task-copy"
    reasons = [row[1] for row in it.rows(schema.audit, "id", "reason") if row[1]]
    assert "source-not-copied" in reasons
    it.ehr.desk.in_maintenance = False
    assert it.outbox.requeue(dead.sequence, it.hub.clock())
    it.deliver()
    assert it.copies(it.person) == []


@pytest.mark.parametrize("fault", ["gone", "revoked", "another person", "modifier"])
def test_a_request_that_cannot_be_used_is_given_back_at_once(it: Indirect, fault: str):
    it.fill()
    body = it.ehr.records.read(it.request.removeprefix(f"{it.base}/")).body
    if fault == "gone":
        it.request = f"{it.base}/ServiceRequest/none"
    elif fault == "revoked":
        it.file({**body, "status": "revoked"})
    elif fault == "another person":
        it.file({**body, "subject": {"reference": it.ehr.records.file(b.patient("Wren"))}})
    else:
        it.file(
            {**body, "modifierExtension": [{"url": "https://elsewhere.example/not", "valueBoolean": True}]}
        )
    it.refer()
    it.deliver()
    assert it.state() == ("rejected", "", "data-issue")
    assert len(it.outbox.list_dead()) == 1
    assert it.partner.requests == []


def test_a_computable_release_that_comes_along_opens_what_it_names(it: Indirect):
    release = b.release("", it.source, b.permit(it.target))
    release["organization"] = [{"reference": f"{it.hub.base}/Organization/{it.source}"}]
    actor = release["provision"]["provision"][0]["actor"][0]
    actor["reference"] = {"reference": f"{it.hub.base}/Organization/{it.target}"}
    it.fill(release)
    it.refer()
    it.deliver()
    assert it.state() == ("requested", "hub-routing", "")
    assert len(it.partner.tasks) == 1


def test_a_refusal_that_cannot_be_taken_stops_everything(it: Indirect):
    refusal = b.refusal("", it.source, actor=None)
    refusal["status"] = "active"
    refusal["provision"]["period"] = {"start": "not a date"}
    it.fill(refusal)
    it.refer()
    it.deliver()
    assert it.state() == ("rejected", "", "data-issue")


# --- re-issue ------------------------------------------------------------------------------------------------


def test_a_release_lets_the_hub_ask_in_its_own_name(asked: Indirect):
    it = asked
    assert it.state() == ("requested", "hub-routing", "")
    task = it.passed_on()
    assert task["requester"] == {"reference": f"Organization/{it.network}"}
    assert not task.keys() & {"partOf", "basedOn"}
    sent = it.partner.tasks[it.partner.only()]
    assert sent["requester"] == {"reference": f"{it.hub.base}/Organization/{it.network}"}
    assert it.source not in repr(sent)
    assert it.base not in repr(sent)
    assert it.partner.faults == []
    it.answer("accepted")
    task = it.passed_on()
    order = it.t.read(task["focus"]["reference"])
    assert order["intent"] == "filler-order"
    assert order["code"]["text"] == "wound on the left hand"
    assert not order.keys() & {"basedOn", "requisition"}
    assert len(order["identifier"]) == 1
    assert it.t.read(order["supportingInfo"][0]["reference"])["code"]["text"] == "cut on the hand"
    person = it.t.read(task["for"]["reference"])
    assert person["name"][0]["family"] == "Larkson"
    for seen in (task, order, person):
        assert it.base not in repr(seen)
        assert it.source not in repr(seen)


def test_what_the_hub_stores_is_a_filler_order_and_a_part_of_the_sources_task(asked: Indirect):
    it = asked
    it.sign(it.network, categories=("identity", "health"))
    task = next(one for one in it.inbox(it.h) if one["owner"]["reference"].endswith(it.target))
    assert task["partOf"] == [{"reference": it.task}]
    order = it.h.read(task["focus"]["reference"])
    original = it.copy(it.request)
    assert order["basedOn"] == [{"reference": f"ServiceRequest/{original['id']}"}]
    assert order["performer"] == [{"reference": f"Organization/{it.target}"}]
    kinds = [one["type"]["coding"][0]["code"] for one in order["identifier"]]
    assert sorted(kinds) == ["FILL", "PLAC"]
    assert order["requisition"]["value"]


@pytest.mark.attack("S-28")
def test_neither_side_sees_the_others_task(asked: Indirect):
    it = asked
    assert it.t.get(f"/{it.task}").status_code == 404
    assert it.t.get(f"/ServiceRequest/{it.copy(it.request)['id']}").status_code == 404
    task = it.passed_on()
    assert it.s.get(f"/Task/{task['id']}").status_code == 404
    assert it.s.get(f"/{task['focus']['reference']}").status_code == 404
    assert len(it.inbox(it.s)) == 1
    refused = it.t.update({**it.s.read(it.task), "status": "accepted"})
    assert refused.status_code == 405


def test_the_hubs_people_read_nothing_without_a_release_of_their_own(asked: Indirect):
    it = asked
    assert it.inbox(it.h) == []
    task = it.passed_on()
    for reference in (f"Task/{task['id']}", task["focus"]["reference"], task["for"]["reference"], it.task):
        assert it.h.get(f"/{reference}").status_code == 404
        assert it.h.get(f"/{reference}/_history").status_code == 404


def test_no_words_of_a_shelter_go_into_the_hubs_order(hub_url: str, tmp_path: Path, partner: PartnerServer):
    with records_system() as ehr, opened_world(hub_url, tmp_path / "data") as world:
        it = placed(world, ehr, partner, kind="shelter")
        it.fill()
        it.refer()
        it.deliver()
        it.sign(very_restricted=True)
        it.deliver()
        it.answer("accepted")
        order = it.t.read(it.passed_on()["focus"]["reference"])
    assert "note" not in order
    assert "wound" not in repr(order)
    assert order["code"]["coding"][0]["code"] == "125643001"


def test_conditions_of_the_source_reach_the_recipient(it: Indirect):
    it.fill()
    condition = {
        "type": b.coded("https://referral-hub.example/fhir/CodeSystem/task-input-type", "handling-condition"),
        "valueCode": "no-letters",
    }
    it.refer(input=[condition])
    it.deliver()
    it.sign()
    it.deliver()
    assert it.passed_on()["input"] == [condition]
    refused = it.t.update({**it.passed_on(), "status": "accepted"})
    assert refused.status_code == 422
    it.answer("accepted", output=[b.output("handling-confirmed", valueCode="no-letters")])
    assert it.state()[0] == "accepted"


def test_consent_is_asked_again_when_the_hubs_task_leaves(it: Indirect):
    it.fill()
    it.refer()
    it.deliver()
    release = it.sign()
    it.end(release)
    it.deliver()
    assert it.partner.requests == []
    assert it.state() == ("requested", "hub-routing", "")
    assert all(not one.keys() & {"for", "focus"} for one in it.inbox(it.t))


def test_a_release_that_ended_before_the_copy_opens_nothing(it: Indirect):
    it.fill()
    it.refer()
    it.deliver()
    first = it.sign()
    it.end(first)
    it.refer()
    it.deliver()
    assert it.state() == ("requested", "awaiting-consent", "")
    assert it.partner.requests == []


def test_a_withdrawal_closes_what_was_passed_on_and_moves_nothing(asked: Indirect):
    it = asked
    person = it.passed_on()["for"]["reference"]
    release = next(
        entry["resource"]
        for entry in parsed(it.s.get(f"/Consent?patient={person}"))["entry"]
        if entry["resource"]["status"] == "active"
    )
    it.answer("accepted")
    number = it.passed_on()["identifier"][0]["value"]
    it.end(release)
    cards = it.inbox(it.t)
    assert all(not one.keys() & {"for", "focus"} for one in cards)
    recall = next(one for one in cards if one["code"]["coding"][0]["code"] == "recall")
    named = [one["valueIdentifier"]["value"] for one in recall["input"] if "valueIdentifier" in one]
    assert named == [number]
    assert it.t.get(f"/{person}").status_code == 404
    assert it.state()[0] == "accepted"


# --- roll-up -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        ((("accepted", ""),), ("accepted", "", "")),
        ((("accepted", ""), ("in-progress", "")), ("in-progress", "", "")),
        ((("accepted", ""), ("on-hold", "waitlisted")), ("on-hold", "", "waitlisted")),
        ((("accepted", ""), ("completed", "")), ("completed", "", "")),
        ((("accepted", ""), ("failed", "client-unreachable")), ("failed", "", "client-unreachable")),
        ((("accepted", ""), ("cancelled", "recipient-withdrew")), ("cancelled", "", "recipient-withdrew")),
        ((("rejected", "at-capacity"),), ("rejected", "", "at-capacity")),
        ((("cancelled", "by-target"),), ("cancelled", "", "by-target")),
    ],
)
def test_what_the_recipient_does_is_told_on_the_sources_task(
    asked: Indirect, moves: tuple[tuple[str, str], ...], expected: tuple[str, str, str]
):
    it = asked
    for status, reason in moves:
        more = {"output": [b.output("attendance", valueCode="came")]} if status == "completed" else {}
        it.answer(status, reason, **more)
    assert it.state() == expected
    seen = it.s.read(it.task)
    assert "words" not in repr(seen)
    assert "output" not in seen


def test_a_return_release_opens_the_answer_to_the_source(asked: Indirect):
    it = asked
    it.answer("accepted")
    outputs = [b.output("attendance", valueCode="came"), b.output("next-date", valueDate="2026-12-08")]
    report = {"type": {"text": "report"}, "valueString": "what the clinic found"}
    it.answer("completed", output=[*outputs, report])
    assert "output" not in it.s.read(it.task)
    it.sign(it.source, categories=("outcome",))
    seen = it.s.read(it.task)
    assert seen["output"] == outputs
    assert seen["status"] == "completed"


def test_a_step_inside_the_work_is_told_too(asked: Indirect):
    it = asked
    it.answer("accepted")
    it.answer("in-progress", businessStatus=b.coded(_STEP, "appointment-scheduled"))
    assert it.state() == ("in-progress", "appointment-scheduled", "")
    it.answer("in-progress", businessStatus=b.coded(_STEP, "no-show"))
    assert it.state() == ("in-progress", "no-show", "")


_STEP = "https://referral-hub.example/fhir/CodeSystem/business-status"


def test_a_question_reaches_the_source_and_its_answer_the_recipient(asked: Indirect):
    it = asked
    it.answer("requested", businessStatus=b.coded(_STEP, "awaiting-information"))
    assert it.state() == ("requested", "awaiting-information", "")
    it.s.changed(it.task, businessStatus=b.coded(_STEP, "acknowledged"))
    assert it.passed_on()["businessStatus"]["coding"][0]["code"] == "acknowledged"


@pytest.mark.parametrize(
    ("status", "reason"), [("cancelled", "client-declined"), ("entered-in-error", "wrong-recipient")]
)
def test_an_end_set_by_the_source_ends_the_hubs_task_and_order(asked: Indirect, status: str, reason: str):
    it = asked
    it.answer("accepted")
    order = it.passed_on()["focus"]["reference"]
    it.s.changed(it.task, status=status, statusReason=b.reason(reason, "because she said so"))
    card = it.passed_on()
    assert card["status"] == status
    assert card["statusReason"]["coding"][0]["code"] == "closed-by-sender"
    assert it.t.get(f"/{order}").status_code == 404
    it.sign(it.network)
    assert it.h.read(order)["status"] == {"cancelled": "revoked"}.get(status, status)
    it.deliver()
    assert it.partner.tasks[it.partner.only()]["status"] == status
    assert "because" not in repr(it.partner.tasks)
    assert it.state()[0] == status


def test_an_end_before_the_copy_needs_no_copy(it: Indirect):
    it.fill()
    it.refer()
    it.s.changed(it.task, status="cancelled", statusReason=b.reason("by-source"))
    it.deliver()
    assert it.copies(it.person) == []


def test_the_partners_own_task_moves_the_sources_task(asked: Indirect):
    it = asked
    it.partner.move(it.partner.only(), status="accepted")
    it.wait(901)
    it.poller.poll_due(it.hub.clock())
    assert it.state() == ("accepted", "", "")


def test_the_sources_own_task_is_moved_where_it_names_one(it: Indirect):
    it.fill()
    own = it.ehr.tasks.create({"resourceType": "Task", "status": "requested", "intent": "order"})
    it.refer(partOf=[{"reference": f"{it.base}/Task/{own.body['id']}"}])
    it.deliver()
    it.sign()
    it.deliver()
    it.answer("accepted")
    it.deliver()
    assert it.ehr.tasks.read(own.body["id"]).body["status"] == "accepted"
    it.answer("failed", "client-unreachable")
    it.deliver()
    kept = it.ehr.tasks.read(own.body["id"]).body
    assert kept["status"] == "failed"
    assert kept["statusReason"]["coding"][0]["code"] == "client-unreachable"
    assert "words" not in repr(kept)
    assert it.target not in repr(kept)


# --- what the source changes later ---------------------------------------------------------------------------


def test_a_request_that_its_source_revokes_ends_the_referral(asked: Indirect):
    it = asked
    body = it.ehr.records.read(it.request.removeprefix(f"{it.base}/")).body
    it.file({**body, "status": "revoked"})
    it.wait(901)
    assert it.fire() >= 1
    it.deliver()
    assert it.state() == ("cancelled", "", "by-source")
    assert it.passed_on()["status"] == "cancelled"
    assert it.copy(it.request)["status"] == "revoked"


def test_a_change_at_the_source_is_written_as_its_own_update(asked: Indirect):
    it = asked
    body = it.ehr.records.read(it.person.removeprefix(f"{it.base}/")).body
    it.file({**body, "gender": "other"})
    before = it.copy(it.request)["meta"]["versionId"]
    it.wait(901)
    it.fire()
    it.deliver()
    assert it.copy(it.person)["gender"] == "other"
    assert it.copy(it.request)["meta"]["versionId"] == before


def test_everything_the_hub_writes_would_be_taken_from_a_partner(asked: Indirect):
    it = asked
    it.answer("accepted")
    it.answer("on-hold", "waitlisted", businessStatus=b.coded(_STEP, "waitlisted"))
    it.answer("in-progress", businessStatus=b.coded(_STEP, "contact-made"))
    it.answer("completed", output=[b.output("attendance", valueCode="came")])
    with it.world.parts.store.snapshot() as snapshot:
        ids = it.rows(schema.resource, "row_id", "type")
        rows = snapshot.rows([row_id for row_id, name in ids if name in ("Task", "ServiceRequest")])
        versions = [one for row in rows.values() for one in snapshot.versions(row.row_id)]
    assert len(versions) > 12
    for row in versions:
        problems = [issue for issue in judged_for_storing(body_of(row)) if issue.is_error]
        assert problems == [], (row.type, row.number)


def test_a_consent_that_ends_at_its_source_ends_here(it: Indirect):
    release = b.release("", it.source, b.permit(it.target))
    actor = release["provision"]["provision"][0]["actor"][0]
    actor["reference"] = {"reference": f"{it.hub.base}/Organization/{it.target}"}
    it.fill(release)
    it.refer()
    it.deliver()
    it.answer("accepted")
    reference = next(
        one["reference"]
        for one in it.ehr.records.read(it.request.removeprefix(f"{it.base}/")).body["supportingInfo"]
    )
    it.file({**it.ehr.records.read(reference).body, "status": "inactive"})
    it.wait(901)
    it.fire()
    it.deliver()
    cards = it.inbox(it.t)
    assert all(not one.keys() & {"for", "focus"} for one in cards)
    assert "recall" in [one["code"]["coding"][0]["code"] for one in cards]
    assert it.state()[0] == "accepted"


def test_a_request_elsewhere_for_a_person_of_the_hub(it: Indirect):
    it.fill()
    person = f"Patient/{it.s.create(b.patient('Wren'))['id']}"
    it.s.create(b.release(person, it.source, b.permit(it.target)))
    it.s.create(b.task(person, it.request, it.target))
    it.deliver()
    assert it.copies(it.person) == []
    assert it.copy(it.request)["subject"] == {"reference": person}
    it.answer("accepted")
    assert it.t.read(person)["name"][0]["family"] == "Wrenson"


def test_what_the_task_itself_brings_along_goes_along(it: Indirect):
    it.fill()
    here = {"reference": it.person.removeprefix(f"{it.base}/")}
    condition = it.file({**b.condition(""), "subject": here})
    other = it.file({**b.condition("", text="of somebody else"), "subject": {"reference": "Patient/other"}})
    brought = [
        {"type": {"text": "letter"}, "valueReference": {"reference": url}} for url in (condition, other)
    ]
    it.refer(input=brought)
    it.deliver()
    assert it.copies(other) == []
    it.sign()
    it.answer("accepted")
    order = it.t.read(it.passed_on()["focus"]["reference"])
    (kept,) = order["supportingInfo"]
    assert it.t.read(kept["reference"])["code"]["text"] == "cut on the hand"


def test_the_next_recipient_after_a_no_is_asked_by_a_new_task(asked: Indirect):
    it = asked
    it.answer("rejected", "at-capacity")
    assert it.state() == ("rejected", "", "at-capacity")
    other = it.world.add_organization("other", "clinic")
    o = it.world.caller(other)
    it.sign(other)
    it.refer(other)
    it.deliver()
    (task,) = it.inbox(o)
    o.changed(f"Task/{task['id']}", status="accepted")
    assert it.state() == ("accepted", "", "")
    assert len(it.copies(it.person)) == 1
    assert len(it.inbox(it.t)) == 1


def test_a_notice_says_adult_or_child_also_of_a_person_from_elsewhere(it: Indirect):
    it.fill()
    body = it.ehr.records.read(it.person.removeprefix(f"{it.base}/")).body
    del body["extension"]
    it.file(body)
    it.refer()
    it.deliver()
    it.sign()
    seen = it.t.read(it.passed_on()["for"]["reference"])
    assert [one["valueCode"] for one in seen["extension"]] == ["adult"]
    assert "birthDate" not in seen


def test_a_referral_that_nobody_answers_in_time_is_late_on_both_sides(asked: Indirect):
    it = asked
    it.wait(4 * 86_400)
    it.fire()
    assert it.state() == ("requested", "overdue", "")
    assert it.passed_on()["businessStatus"]["coding"][0]["code"] == "overdue"
    it.later_us = 0
    it.answer("accepted")
    assert it.state() == ("accepted", "", "")


def test_a_source_that_is_suspended_is_not_visited_until_it_is_back(it: Indirect):
    it.fill()
    it.refer()
    _set_active(it, it.source, active=False)
    it.deliver()
    with it.world.parts.store.snapshot() as snapshot:
        assert snapshot.identified(it.source, "Patient", f"{URI}|{it.person}") == []
    _set_active(it, it.source, active=True)
    it.wait(901)
    it.fire()
    it.deliver()
    assert len(it.copies(it.person)) == 1


def _set_active(it: Indirect, organization: str, *, active: bool) -> None:
    parts = it.world.parts
    with parts.store.snapshot() as snapshot:
        row = snapshot.organization(organization)
    assert row is not None
    changed = replace(row, facts=replace(row.facts, active=active))
    rows = organization_rows(parts.database, changed, None)
    parts.store.apply(parts.gate.admit_token(Change(f"active-{active}", rows=rows)))


def test_a_consent_that_she_ended_here_does_not_begin_again_at_a_visit(it: Indirect):
    release = b.release("", it.source, b.permit(it.target))
    actor = release["provision"]["provision"][0]["actor"][0]
    actor["reference"] = {"reference": f"{it.hub.base}/Organization/{it.target}"}
    it.fill(release)
    it.refer()
    it.deliver()
    it.answer("accepted")
    kept = it.copy(it.request)["supportingInfo"][0]["reference"]
    it.end(it.s.read(kept))
    body = it.ehr.records.read(it.person.removeprefix(f"{it.base}/")).body
    it.file({**body, "gender": "other"})
    it.wait(901)
    it.fire()
    it.deliver()
    assert it.copy(it.person)["gender"] == "other"
    assert it.s.read(kept)["status"] == "inactive"
    assert all(not one.keys() & {"for", "focus"} for one in it.inbox(it.t))


def test_a_later_visit_that_fails_ends_nothing_and_is_made_again(asked: Indirect):
    it = asked
    it.answer("accepted")
    kept = dict(it.ehr.records._kept)
    it.ehr.records._kept.clear()
    it.wait(901)
    it.fire()
    it.deliver()
    assert len(it.outbox.list_dead()) == 1
    assert it.state() == ("accepted", "", "")
    it.ehr.records._kept.update(kept)
    body = it.ehr.records.read(it.person.removeprefix(f"{it.base}/")).body
    it.file({**body, "gender": "other"})
    it.wait(86_401)
    it.fire()
    it.deliver()
    assert it.copy(it.person)["gender"] == "other"


def test_a_refusal_is_written_before_a_release_that_came_with_it(it: Indirect):
    release = b.release("", it.source, b.permit(it.target))
    actor = release["provision"]["provision"][0]["actor"][0]
    actor["reference"] = {"reference": f"{it.hub.base}/Organization/{it.target}"}
    refused = {"reference": f"{it.hub.base}/Organization/{it.target}"}
    it.fill(release, b.refusal("", it.source, actor=refused))
    it.refer()
    it.deliver()
    assert it.state() == ("requested", "awaiting-consent", "")
    kept = parsed(it.s.get(f"/Consent?patient=Patient/{it.copy(it.person)['id']}&_sort=_lastUpdated"))
    kinds = [entry["resource"]["category"][1]["coding"][0]["code"] for entry in kept["entry"]]
    assert kinds == ["refusal", "release"]
    assert it.partner.requests == []


def test_what_the_source_changes_in_its_request_is_said_anew_to_the_recipient(asked: Indirect):
    it = asked
    it.answer("accepted")
    before = it.t.read(it.passed_on()["focus"]["reference"])
    body = it.ehr.records.read(it.request.removeprefix(f"{it.base}/")).body
    it.file({**body, "note": [{"text": "Any day but Friday."}]})
    it.wait(901)
    it.fire()
    it.deliver()
    after = it.t.read(it.passed_on()["focus"]["reference"])
    assert after["note"] == [{"text": "Any day but Friday."}]
    assert after["identifier"] == before["identifier"]
    assert after["authoredOn"] == before["authoredOn"]


def test_another_kind_of_help_is_not_slipped_under_a_recipient(asked: Indirect):
    it = asked
    it.answer("accepted")
    before = it.t.read(it.passed_on()["focus"]["reference"])
    body = it.ehr.records.read(it.request.removeprefix(f"{it.base}/")).body
    it.file({**body, "category": b.service_request("", "", category="proceedings")["category"]})
    for _ in range(2):
        it.wait(901)
        it.fire()
        it.deliver()
    assert it.t.read(it.passed_on()["focus"]["reference"]) == before
    reasons = [row[1] for row in it.rows(schema.audit, "id", "reason")]
    assert reasons.count("source-request-changed") == 1


def test_a_visit_that_finds_nothing_new_writes_nothing(asked: Indirect):
    it = asked
    count = len(it.rows(schema.resource_version, "row_id"))
    for _ in range(2):
        it.wait(901)
        assert it.fire() >= 1
        assert it.deliver() == 1
    assert len(it.rows(schema.resource_version, "row_id")) == count
