"""Consent at work: who may share with whom, what a refusal stops, what a withdrawal touches. On both databases."""

from typing import Any

import pytest

from referral_hub.app import clock
from referral_hub.fhir.canonical import CANONICAL, code_system
from referral_hub.fhir.elements import code_in
from tests import builders as b
from tests.api.network import Story, story
from tests.world import World, parsed, texts

BUSINESS = code_system("business-status")


def _refused(it: Story, resource: dict[str, Any]) -> list[str]:
    answer = it.s.ask("POST", f"/{resource['resourceType']}", resource)
    assert answer.status_code == 422, answer.get_data(as_text=True)
    return texts(answer)


def _request(it: Story) -> str:
    return f"ServiceRequest/{it.s.create(b.service_request(it.person, it.clinic))['id']}"


# --- moving to requested ---------------------------------------------------------------------------------


def test_without_a_release_nothing_is_stored_and_she_can_see_the_attempt(world: World) -> None:
    it = story(world)
    request = _request(it)
    told = _refused(it, b.task(it.person, request, it.clinic))
    assert "No release" in told[0]
    assert "entry" not in parsed(it.s.get(f"/Task?focus={request}"))
    ledger = parsed(it.s.get(f"/{it.person}/$disclosures"))
    outcomes = [
        {part["name"]: next(v for k, v in part.items() if k.startswith("value")) for part in p["part"]}
        for p in ledger["parameter"]
    ]
    assert any(o["outcome"] == "refused" and o["reason"] == "ConsentMissing" for o in outcomes)


def test_the_reason_tells_none_ended_and_refused_apart_to_the_custodian(world: World) -> None:
    it = story(world)
    request = _request(it)
    it.sign()
    it.revoke()
    assert "has ended" in _refused(it, b.task(it.person, request, it.clinic))[0]
    it.sign()
    it.s.create(b.refusal(it.person, it.shelter, actor={"reference": f"Organization/{it.clinic}"}))
    assert "She refused" in _refused(it, b.task(it.person, request, it.clinic))[0]


@pytest.mark.attack("S-37")
def test_another_writer_gets_201_and_awaiting_consent_whatever_the_cause(world: World) -> None:
    it = story(world)
    third = world.add_organization("third", "legal-aid")
    it.sign()
    it.refer()
    it.move("accepted")
    request = it.c.create(b.service_request(it.person, third, category="legal-needs"))
    answers = []
    for _ in range(2):
        made = it.c.create(b.task(it.person, f"ServiceRequest/{request['id']}", third))
        answers.append(code_in(made["businessStatus"], BUSINESS))
        assert world.caller(third).get(f"/Task/{made['id']}").status_code == 404
        it.s.create(b.refusal(it.person, it.shelter, actor={"reference": f"Organization/{third}"}))
    assert answers == ["awaiting-consent"] * 2


def test_a_release_lets_a_waiting_referral_leave(world: World) -> None:
    it = story(world)
    third = world.add_organization("third", "legal-aid")
    it.sign()
    it.refer()
    it.move("accepted")
    request = it.c.create(b.service_request(it.person, third, category="legal-needs"))
    waiting = it.c.create(b.task(it.person, f"ServiceRequest/{request['id']}", third))
    lawyer = world.caller(third, purpose="legal-representation")
    assert lawyer.get(f"/Task/{waiting['id']}").status_code == 404
    it.s.create(
        b.release(
            it.person,
            it.shelter,
            b.permit(third, purpose="legal-representation", categories=("identity", "legal-needs")),
        )
    )
    shown = lawyer.read(f"Task/{waiting['id']}")
    assert code_in(shown["businessStatus"], BUSINESS) == "sent"


def test_a_task_leaves_draft_with_an_owner_only(world: World) -> None:
    it = story(world)
    it.sign()
    request = _request(it)
    task = b.task(it.person, request, it.clinic)
    del task["owner"]
    assert any("owner" in text for text in _refused(it, task))
    made = it.s.create({**task, "status": "draft"})
    answer = it.s.update({**made, "status": "requested"})
    assert answer.status_code == 422


# --- what a release is -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        ("two recipients", "one receiving unit"),
        ("two purposes", "purpose"),
        ("no end", "end"),
        ("no purpose", "purpose"),
        ("no actor", "one unit"),
        ("too long", "at most"),
        ("unsigned", "signed"),
        ("no custodian", "keeps"),
        ("root permit", "deny"),
    ],
)
def test_a_release_the_hub_cannot_hold_is_refused(world: World, fault: str, word: str) -> None:
    it = story(world)
    other = world.add_organization("other", "clinic")
    permits = [b.permit(it.clinic)]
    more: dict[str, Any] = {}
    if fault == "two recipients":
        permits.append(b.permit(other))
    elif fault == "two purposes":
        permits.append(b.permit(it.clinic, purpose="legal-representation"))
    elif fault == "no end":
        permits[0]["period"].pop("end")
    elif fault == "no purpose":
        permits[0].pop("purpose")
    elif fault == "no actor":
        permits[0].pop("actor")
    elif fault == "too long":
        permits = [b.permit(it.clinic, days=120)]
    consent = b.release(it.person, it.shelter, *permits, **more)
    if fault == "unsigned":
        del consent["sourceAttachment"]
    elif fault == "no custodian":
        del consent["organization"]
    elif fault == "root permit":
        consent["provision"]["type"] = "permit"
    told = " ".join(_refused(it, consent))
    assert word in told, told


def test_what_was_signed_cannot_be_widened(world: World) -> None:
    it = story(world)
    made = it.sign()
    made["provision"]["provision"][0]["class"].append(
        {"system": code_system("information-category"), "code": "mental-health"}
    )
    answer = it.s.update(made)
    assert answer.status_code == 422
    assert "signed" in texts(answer)[0]


def test_only_the_custodian_of_the_file_writes_consents(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer()
    it.move("accepted")
    answer = it.c.ask("POST", "/Consent", b.release(it.person, it.clinic, b.permit(it.clinic)))
    assert answer.status_code == 422


def test_signing_is_off_while_she_cannot_sign_but_a_refusal_goes_through(world: World) -> None:
    it = story(world)
    cannot = b.observation(it.person, "safety", code=b.coded(code_system("observation"), "cannot-sign-now"))
    del cannot["valueQuantity"]
    cannot["valueBoolean"] = True
    it.s.create(cannot)
    told = _refused(it, b.release(it.person, it.shelter, b.permit(it.clinic)))
    assert "Signing is off" in told[0]
    it.s.create(b.refusal(it.person, it.shelter, actor=None))
    it.s.create({**cannot, "valueBoolean": False})
    it.sign()


# --- refusals --------------------------------------------------------------------------------------------


@pytest.mark.attack("T-23")
@pytest.mark.parametrize("by", ["organization", "parent", "kind", "government"])
def test_a_refusal_stops_at_every_exit(world: World, by: str) -> None:
    it = story(world)
    ministry = world.add_organization("ministry", "immigration", governmental=True, country="XX")
    office = world.add_organization(
        "office", "immigration", part_of=ministry, governmental=True, country="XX"
    )
    clerk = world.caller(office)
    it.s.create(b.release(it.person, it.shelter, b.permit(office)))
    request = it.s.create(b.service_request(it.person, office))
    task = it.s.create(b.task(it.person, f"ServiceRequest/{request['id']}", office))
    assert clerk.get(f"/{it.person}").status_code == 200
    actor: dict[str, Any] = {
        "organization": {"reference": f"Organization/{office}"},
        "parent": {"reference": f"Organization/{ministry}"},
        "kind": {
            "type": "Organization",
            "identifier": {"system": f"{CANONICAL}/organization-kind", "value": "governmental"},
        },
        "government": {
            "type": "Organization",
            "identifier": {"system": f"{CANONICAL}/government-of", "value": "XX"},
        },
    }[by]
    it.s.create(b.refusal(it.person, it.shelter, actor=actor))
    assert clerk.get(f"/{it.person}").status_code == 404
    assert clerk.get(f"/ServiceRequest/{request['id']}").status_code == 404
    assert "for" not in clerk.read(f"Task/{task['id']}")
    assert "entry" not in parsed(clerk.get("/Patient"))
    assert "entry" not in parsed(clerk.get(f"/ServiceRequest?subject={it.person}"))


def test_an_exception_opens_one_letter_and_the_bare_notice_only(world: World) -> None:
    it = story(world)
    office = world.add_organization("office", "immigration", governmental=True, country="XX")
    clerk = world.caller(office, purpose="immigration-representation")
    letter = it.s.create(
        {
            "resourceType": "DocumentReference",
            "status": "current",
            "category": [b.coded(code_system("information-category"), "immigration")],
            "subject": {"reference": it.person},
            "content": [{"attachment": {"contentType": "text/plain", "data": "bGV0dGVy"}}],
        }
    )
    other = it.s.create(b.condition(it.person, "immigration"))
    reference = f"DocumentReference/{letter['id']}"
    kind = {
        "type": "Organization",
        "identifier": {"system": f"{CANONICAL}/organization-kind", "value": "governmental"},
    }
    refusal = it.s.create(b.refusal(it.person, it.shelter, actor=kind))
    permit = b.permit(office, purpose="immigration-representation", categories=(), instances=(reference,))
    it.s.create(b.release(it.person, it.shelter, permit))
    request = it.s.create(b.service_request(it.person, office, category="immigration"))
    addressed = b.task(it.person, f"ServiceRequest/{request['id']}", office)
    assert "She refused" in _refused(it, addressed)[0]
    exception = {
        "type": "permit",
        "actor": [{"role": b.IRCP, "reference": {"reference": f"Organization/{office}"}}],
        "purpose": permit["purpose"],
        "data": permit["data"],
    }
    refusal["provision"]["provision"] = [exception]
    answer = it.s.update(refusal)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    task = it.s.create(addressed)
    clerk.changed(f"Task/{task['id']}", status="accepted")
    assert clerk.read(reference)["id"] == letter["id"]
    assert "name" not in clerk.read(it.person)
    assert clerk.get(f"/Condition/{other['id']}").status_code == 404


# --- withdrawal ------------------------------------------------------------------------------------------


def test_a_withdrawal_closes_the_data_and_cancels_nothing(world: World) -> None:
    it = story(world)
    condition = it.s.create(b.condition(it.person))
    it.sign()
    it.refer()
    it.move("accepted")
    appointment = it.c.create(
        {
            "resourceType": "Appointment",
            "status": "booked",
            "basedOn": [{"reference": it.request}],
            "start": "2026-12-01T09:00:00Z",
            "end": "2026-12-01T09:30:00Z",
            "participant": [{"actor": {"reference": it.person}, "status": "accepted"}],
        }
    )
    it.revoke()
    for reference in (it.person, it.request, f"Condition/{condition['id']}", f"Consent/{it.release['id']}"):
        assert it.c.get(f"/{reference}").status_code == 404, reference
    card = it.c.read(it.task)
    assert card["status"] == "accepted"
    assert "for" not in card
    assert "focus" not in card
    assert it.c.read(f"Appointment/{appointment['id']}")["status"] == "booked"
    history = parsed(it.s.get(f"/Consent/{it.release['id']}/_history"))
    assert [entry["resource"]["status"] for entry in history["entry"]] == ["inactive", "active"]


def test_the_card_can_still_be_moved(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer()
    it.move("accepted")
    it.revoke()
    assert it.move("in-progress")["status"] == "in-progress"
    assert it.s.read(it.task)["focus"]["reference"] == it.request


def test_those_who_had_data_get_a_recall_and_answer_it(world: World) -> None:
    it = story(world)
    never = world.add_organization("never", "clinic")
    it.sign()
    it.s.create(b.release(it.person, it.shelter, b.permit(never)))
    it.refer()
    it.c.read(it.person)
    world.parts.store.settle(clock())  # the delivery process brings in the lines of reads each second
    it.revoke()
    found = parsed(it.c.get("/Task?status=requested"))["entry"]
    recalls = [
        entry["resource"]
        for entry in found
        if code_in(entry["resource"]["code"], code_system("task-code")) == "recall"
    ]
    assert len(recalls) == 1
    assert "for" not in recalls[0]
    assert "focus" not in recalls[0]
    answer = [b.output("recall-answer", valueCodeableConcept=b.kept_by_law())]
    it.c.changed(f"Task/{recalls[0]['id']}", status="completed", output=answer)
    told = parsed(it.s.get(f"/{it.person}/$disclosures"))["parameter"]
    answers = [
        part["valueCode"]
        for parameter in told
        if parameter["name"] == "recall"
        for part in parameter["part"]
        if part["name"] == "answer"
    ]
    assert answers == ["kept-by-law"]
    assert "entry" not in parsed(world.caller(never).get("/Task"))


@pytest.mark.attack("E-11")
def test_a_recipient_that_received_nothing_hears_nothing(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer()
    it.revoke()
    found = parsed(it.c.get("/Task")).get("entry", [])
    assert [entry["resource"]["id"] for entry in found] == [it.task.partition("/")[2]]


def test_withdrawing_always_goes_through(world: World) -> None:
    it = story(world)
    it.sign()
    cannot = b.observation(it.person, "safety", code=b.coded(code_system("observation"), "cannot-sign-now"))
    del cannot["valueQuantity"]
    it.s.create({**cannot, "valueBoolean": True})
    it.revoke()
    again = it.s.ask("POST", f"/Consent/{it.release['id']}/$revoke")
    assert again.status_code == 409


def test_ending_one_of_two_releases_leaves_the_other(world: World) -> None:
    it = story(world)
    legal = world.add_organization("legal", "legal-aid")
    lawyer = world.caller(legal, purpose="legal-representation")
    it.sign()
    it.refer()
    it.s.create(
        b.release(
            it.person, it.shelter, b.permit(legal, purpose="legal-representation", categories=("identity",))
        )
    )
    request = it.s.create(b.service_request(it.person, legal, category="legal-needs"))
    task = it.s.create(b.task(it.person, f"ServiceRequest/{request['id']}", legal))
    it.revoke()
    assert lawyer.read(f"Task/{task['id']}")["for"]["reference"] == it.person


# --- the return release ----------------------------------------------------------------------------------


def test_the_sender_reads_the_result_only_under_a_return_release(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer()
    it.move("accepted")
    note = [{"text": "She was afraid."}]
    outputs = [b.output("attendance", valueCode="came"), b.output("next-date", valueDate="2026-12-08")]
    it.move("completed", output=outputs, note=note)
    told = it.s.read(it.task)
    assert told["status"] == "completed"
    assert "output" not in told
    assert "note" not in told
    back = b.release(it.person, it.clinic, b.permit(it.shelter, categories=("outcome",)))
    it.s.create(back)
    told = it.s.read(it.task)
    assert [entry["type"]["coding"][0]["code"] for entry in told["output"]] == ["attendance", "next-date"]
    assert "note" not in told


def test_the_custodian_of_a_return_release_reads_it_from_acceptance_on(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer()
    back = it.s.create(b.release(it.person, it.clinic, b.permit(it.shelter, categories=("outcome",))))
    assert it.c.get(f"/Consent/{back['id']}").status_code == 404
    it.move("accepted")
    assert it.c.get(f"/Consent/{back['id']}").status_code == 200


# --- the no-name referral --------------------------------------------------------------------------------


def test_a_no_name_referral_needs_no_release_and_carries_nothing_personal(world: World) -> None:
    it = story(world, person=b.no_name_patient())
    request = b.service_request(it.person, it.clinic)
    assert any("no free text" in text for text in _refused(it, request))
    del request["note"]
    del request["code"]["text"]
    made = it.s.create(request)
    reference = f"ServiceRequest/{made['id']}"
    task = it.s.create(b.task(it.person, reference, it.clinic))
    assert it.c.read(reference)["code"]["coding"][0]["code"] == "125643001"
    it.c.changed(f"Task/{task['id']}", status="accepted", output=[b.output("attendance", valueCode="came")])
    assert it.s.read(f"Task/{task['id']}")["output"]
    it.c.changed(f"Task/{task['id']}", status="completed")
    assert "for" not in it.c.read(f"Task/{task['id']}")


def test_a_no_name_patient_can_never_be_widened(world: World) -> None:
    it = story(world, person=b.no_name_patient())
    person = it.s.read(it.person)
    answer = it.s.update({**person, "name": [{"text": "Somebody"}]})
    assert answer.status_code == 422
    assert "no-name" in texts(answer)[0]


# --- conditions to confirm -------------------------------------------------------------------------------


def test_accepting_needs_every_handling_condition_confirmed(world: World) -> None:
    it = story(world)
    it.sign()
    conditions = [
        {"type": b.coded(code_system("task-input-type"), "handling-condition"), "valueCode": code}
        for code in ("no-reminders", "no-letters")
    ]
    it.refer(input=conditions)
    shown = it.c.read(it.task)
    assert len(shown["input"]) == 2
    answer = it.c.update({**shown, "status": "accepted"})
    assert answer.status_code == 422
    assert "no-reminders" in texts(answer)[0]
    confirmed = [b.output("handling-confirmed", valueCode=code) for code in ("no-reminders", "no-letters")]
    assert it.move("accepted", output=confirmed)["status"] == "accepted"
    refused = it.c.update({**it.c.read(it.task), "status": "completed"})
    assert refused.status_code == 422


# --- preview ---------------------------------------------------------------------------------------------


@pytest.mark.attack("E-09")
def test_the_preview_is_what_the_recipient_then_reads_byte_for_byte(world: World) -> None:
    it = story(world)
    condition = it.s.create(b.condition(it.person))
    draft = it.s.create(b.release(it.person, it.shelter, b.permit(it.clinic), status="draft"))
    request = _request(it)
    asked = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "service-request", "valueReference": {"reference": request}},
            {"name": "recipient", "valueReference": {"reference": f"Organization/{it.clinic}"}},
            {"name": "state", "valueCode": "accepted"},
            {"name": "consent", "valueReference": {"reference": f"Consent/{draft['id']}"}},
        ],
    }
    answer = it.s.ask("POST", "/ServiceRequest/$preview", asked)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    shown = answer.get_data()
    assert it.c.get(f"/{it.person}").status_code == 404
    it.s.changed(f"Consent/{draft['id']}", status="active")
    task = it.s.create(b.task(it.person, request, it.clinic))
    it.c.changed(f"Task/{task['id']}", status="accepted")
    for reference in (request, it.person, f"Condition/{condition['id']}"):
        assert it.c.get(f"/{reference}").get_data() in shown, reference


# --- the audit -------------------------------------------------------------------------------------------


@pytest.mark.attack("S-27", "E-08")
def test_the_custodian_reads_who_looked_and_nobody_else_does(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer()
    it.c.read(it.person)
    found = parsed(it.s.get(f"/AuditEvent?patient={it.person}"))["entry"]
    looked = [
        entry["resource"]
        for entry in found
        if entry["resource"]["agent"][0]["who"]["reference"] == f"Organization/{it.clinic}"
    ]
    assert [event["subtype"][0]["code"] for event in looked] == ["read"]
    assert it.s.read(f"AuditEvent/{looked[0]['id']}") == looked[0]
    assert it.c.get(f"/AuditEvent/{looked[0]['id']}").status_code == 404
    assert "entry" not in parsed(it.c.get(f"/AuditEvent?patient={it.person}"))
    assert it.s.get("/AuditEvent").status_code == 400


@pytest.mark.parametrize("element", ["owner", "for", "focus"])
def test_after_draft_a_referral_keeps_owner_person_and_request(world: World, element: str) -> None:
    it = story(world)
    it.sign()
    it.refer()
    other = it.s.create(b.patient("Other"))
    request = it.s.create(b.service_request(f"Patient/{other['id']}", it.clinic))
    value = {
        "owner": f"Organization/{it.shelter}",
        "for": f"Patient/{other['id']}",
        "focus": f"ServiceRequest/{request['id']}",
    }[element]
    answer = it.s.update({**it.s.read(it.task), element: {"reference": value}})
    assert answer.status_code == 422


def test_whom_a_record_is_about_never_changes(world: World) -> None:
    it = story(world)
    other = it.s.create(b.patient("Other"))
    condition = it.s.create(b.condition(it.person))
    answer = it.s.update({**condition, "subject": {"reference": f"Patient/{other['id']}"}})
    assert answer.status_code == 422
    assert "never changes" in texts(answer)[0]


def test_the_requester_is_the_one_who_writes(world: World) -> None:
    it = story(world)
    it.sign()
    request = _request(it)
    foreign = b.task(it.person, request, it.clinic, requester={"reference": f"Organization/{it.clinic}"})
    assert "requester" in _refused(it, foreign)[0]
    own = b.task(it.person, request, it.clinic, requester={"reference": f"Organization/{it.shelter}"})
    assert it.s.create(own)["requester"]["reference"] == f"Organization/{it.shelter}"


def test_a_refusal_of_very_restricted_things_alone_takes_only_those(world: World) -> None:
    it = story(world)
    it.s.create(
        b.release(
            it.person,
            it.shelter,
            b.permit(it.clinic, categories=("identity", "contact", "health"), very_restricted=True),
        )
    )
    it.refer()
    it.move("accepted")
    assert "telecom" in it.c.read(it.person)
    refusal = b.refusal(it.person, it.shelter, actor={"reference": f"Organization/{it.clinic}"})
    refusal["provision"]["securityLabel"] = [
        {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "V"}
    ]
    it.s.create(refusal)
    shown = it.c.read(it.person)
    assert "name" in shown
    assert "telecom" not in shown


def test_an_instance_named_for_another_purpose_opens_nothing_more(world: World) -> None:
    it = story(world)
    condition = it.s.create({**b.condition(it.person), "note": [{"text": "in her words"}]})
    reference = f"Condition/{condition['id']}"
    it.s.create(
        b.release(
            it.person,
            it.shelter,
            b.permit(it.clinic, purpose="legal-representation", categories=(), instances=(reference,)),
        )
    )
    it.sign()
    it.refer()
    it.move("accepted")
    assert "note" not in it.c.read(reference)
    lawyer = it.world.caller(it.clinic, purpose="legal-representation")
    assert lawyer.read(reference)["note"][0]["text"] == "in her words"


def test_an_empty_card_is_no_disclosure_and_leads_to_no_recall(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer()
    it.revoke()
    assert "for" not in it.c.read(it.task)
    assert parsed(it.c.get("/Task"))["entry"]
    it.sign()
    it.revoke()
    tasks = [entry["resource"]["id"] for entry in parsed(it.c.get("/Task"))["entry"]]
    assert tasks == [it.task.partition("/")[2]]
