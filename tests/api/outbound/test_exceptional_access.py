"""Beside her permission: an emergency she allowed for, an order, a question from outside. On both databases."""

import json
from typing import Any

import pytest

from referral_hub.fhir.canonical import code_system
from referral_hub.store import schema
from tests import builders as b
from tests.api.outbound.conftest import Place
from tests.api.outbound.test_recalls import counts, decide, desk, told
from tests.api.people import herself, staff
from tests.world import Caller, parsed

REASON = "unconscious, we need her medicines"


def sent(**given: Any) -> dict[str, Any]:
    """Gives Parameters; a list is a parameter that is said several times."""
    pairs = [
        (name.replace("_", "-"), one)
        for name, value in given.items()
        for one in (value if isinstance(value, list) else [value])
    ]
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": name, "valueString": value} for name, value in pairs],
    }


# --- emergency -------------------------------------------------------------------------------------------


def allow(place: Place, receiver: str = "", **how: Any) -> dict[str, Any]:
    """Signs the permission for an emergency."""
    permit = b.permit(receiver or place.clinic, **{"purpose": "BTG", "categories": ("health",), **how})
    return place.s.create(b.release(place.person, place.shelter, permit))


def on_call(place: Place, organization: str = "", **how: Any) -> Caller:
    """Gives a clinician on call with a token for emergencies."""
    return staff(place.world, organization or place.clinic, "clinician", **{"purpose": "BTG", **how})


def ask(caller: Caller, person: str, reason: str = REASON) -> Any:
    return caller.ask("POST", f"/{person}/$emergency", sent(reason=reason))


def findings(answer: Any) -> set[str]:
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return {
        f"{one['resource']['resourceType']}/{one['resource']['id']}"
        for one in parsed(answer).get("entry", ())
    }


@pytest.mark.attack("T-24")
def test_what_she_allowed_is_opened_once_with_alarm_review_and_ledger(place: Place):
    cut = place.s.create(b.condition(place.person))
    legal = place.s.create(b.condition(place.person, "legal-needs"))
    paper = place.s.create(
        b.about_person("DocumentReference", place.person, category="health", request="-", document="-")
    )
    allow(place)
    doctor = on_call(place)
    answer = ask(doctor, place.person)
    assert findings(answer) == {f"Condition/{cut['id']}"}
    text = answer.get_data(as_text=True)
    for hidden in (legal["id"], paper["id"], "Hidden Lane", "555 0100", "Lark"):
        assert hidden not in text
    for path in (f"/Condition/{cut['id']}", f"/{place.person}", f"/Condition/{cut['id']}/_history"):
        assert doctor.get(path).status_code == 404, path
    assert "entry" not in parsed(doctor.get(f"/Condition?subject={place.person}"))
    (task,) = desk(place, "emergency-opening")
    assert REASON in json.dumps(task)
    assert ("emergency-opening",) in {row[2:] for row in place.audited("alert")}
    for caller in (place.s, herself(place.world, place.shelter, place.person)):
        (line,) = told(place, caller, name="emergency-opening")
        assert line["reason"] == REASON
        assert line["recipient"]["reference"] == f"Organization/{place.clinic}"
        lines = told(place, caller, name="disclosure")
        assert [(one["what"], one["outcome"]) for one in lines if one["what"] == "emergency-opening"] == [
            ("emergency-opening", "disclosed")
        ]
    boss = staff(place.world, place.shelter, "supervisor")
    assert decide(staff(place.world, place.shelter), task, "justified", reason="x").status_code in (403, 404)
    assert decide(boss, task, "justified").status_code == 422
    assert decide(boss, task, "justified", reason="confirmed by telephone").status_code == 200


@pytest.mark.attack("S-24", "T-25")
def test_without_her_permission_it_looks_as_if_she_were_not_there(place: Place):
    place.s.create(b.condition(place.person))
    doctor = on_call(place)
    hers, none = ask(doctor, place.person), ask(doctor, "Patient/00000000-0000-4000-8000-000000000000")
    assert (hers.status_code, hers.get_data()) == (none.status_code, none.get_data())
    assert hers.status_code == 404
    assert desk(place, "emergency-opening") == []
    attempts = [line for line in told(place, name="disclosure") if line["what"] == "emergency-opening"]
    assert [line["outcome"] for line in attempts] == ["refused"]
    assert "BTG" not in hers.get_data(as_text=True)


@pytest.mark.parametrize(
    "refusal",
    [
        {},
        {"purpose": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "TREAT"}]},
        {"class": [{"system": code_system("information-category"), "code": "health"}]},
    ],
)
def test_it_never_goes_over_a_refusal(place: Place, refusal: dict[str, Any]):
    place.s.create(b.condition(place.person))
    allow(place)
    body = b.refusal(place.person, place.shelter, actor={"reference": f"Organization/{place.clinic}"})
    body["provision"].update(refusal)
    place.s.create(body)
    assert ask(on_call(place), place.person).status_code == 404


@pytest.mark.parametrize("ordinary", [True, False])
@pytest.mark.attack("T-21")
def test_the_permission_opens_nothing_in_any_other_way(place: Place, ordinary: bool):
    """Not even where an accepted referral lies open: only the operation with its reason asks by it."""
    cut = place.s.create(b.condition(place.person))
    allow(place)
    request = place.s.create(b.service_request(place.person, place.clinic))
    answer = place.s.ask(
        "POST", "/Task", b.task(place.person, f"ServiceRequest/{request['id']}", place.clinic)
    )
    assert answer.status_code == 422  # it is no permission to tell the clinic anything
    if ordinary:
        release = place.sign()
        place.refer(restriction=None)
        place.c.changed(place.task, status="accepted")
        assert place.c.get(f"/Condition/{cut['id']}").status_code == 200
        place.s.ask("POST", f"/Consent/{release['id']}/$revoke")
    for caller in (on_call(place), place.world.caller(place.clinic, purpose="BTG")):
        assert caller.get(f"/Condition/{cut['id']}").status_code == 404
        assert "entry" not in parsed(caller.get(f"/Condition?subject={place.person}"))
        assert caller.get(f"/{place.person}/$everything").status_code == 404
    assert ask(place.c, place.person).status_code == 403


def test_who_may_ask(place: Place):
    place.s.create(b.condition(place.person))
    lawyers = place.world.add_organization("lawyers", "legal-aid")
    allow(place)
    allow(place, lawyers)
    assert ask(on_call(place, lawyers), place.person).status_code == 403
    software = place.world.caller(place.clinic, purpose="BTG")
    assert ask(software, place.person).status_code == 403  # nobody answers for it
    assert ask(on_call(place, purpose="TREAT"), place.person).status_code == 403
    other = place.world.add_organization("other", "clinic")
    assert ask(on_call(place, other), place.person).status_code == 404
    nothing = on_call(place).ask("POST", f"/{place.person}/$emergency", sent())
    assert nothing.status_code == 422


@pytest.mark.parametrize(
    ("how", "word"),
    [
        ({"categories": ("health", "contact")}, "For emergencies"),
        ({"categories": ("safety",)}, "For emergencies"),
        ({"categories": ("health",), "very_restricted": True}, "very restricted"),
    ],
)
@pytest.mark.attack("T-24")
def test_what_she_may_allow_for_an_emergency_is_small(place: Place, how: dict[str, Any], word: str):
    permit = b.permit(place.clinic, purpose="BTG", **how)
    answer = place.s.ask("POST", "/Consent", b.release(place.person, place.shelter, permit))
    assert answer.status_code == 422
    assert word in answer.get_data(as_text=True)


def test_it_ends_with_the_permission_and_what_was_opened_is_asked_back(place: Place):
    place.s.create(b.condition(place.person))
    release = allow(place)
    assert findings(ask(on_call(place), place.person))
    place.s.ask("POST", f"/Consent/{release['id']}/$revoke")
    assert ask(on_call(place), place.person).status_code == 404
    place.fire()
    assert "recall" in [row[0] for row in place.rows(schema.resource, "kind")]


def test_a_review_that_nobody_makes_is_raised_after_a_day(place: Place):
    place.s.create(b.condition(place.person))
    allow(place)
    findings(ask(on_call(place), place.person))
    place.wait(0.9)
    place.fire()
    late = ("emergency-review-overdue",)
    assert late not in {row[2:] for row in place.audited("alert")}
    place.wait(0.2)
    place.fire()
    assert [row[2:] for row in place.audited("alert")].count(late) == 2


# --- orders ----------------------------------------------------------------------------------------------


def order(**changes: Any) -> dict[str, Any]:
    return {
        "order_kind": "court-order",
        "legal_basis": "Code of procedure, section 1",
        "asked_by": "District court, file 7",
        "notice": "told",
        "notice_note": "by her caseworker, yesterday",
        **changes,
    }


def supervisors(place: Place) -> tuple[Caller, Caller]:
    return staff(place.world, place.shelter, "supervisor"), staff(place.world, place.shelter, "supervisor")


def begin(caller: Caller, person: str, **given: Any) -> Any:
    return caller.ask("POST", f"/{person}/$compelled-disclosure", sent(**order(**given)))


def test_an_order_takes_two_people_and_gives_a_copy_for_a_hand(place: Place):
    cut = place.s.create(b.condition(place.person, text="cut on the hand"))
    other = place.s.create(b.condition(place.person, "legal-needs", text="wages"))
    first, second = supervisors(place)
    answer = begin(first, place.person, record=[f"Condition/{cut['id']} code"])
    assert answer.status_code == 200, answer.get_data(as_text=True)
    task = parsed(answer)
    again = decide(first, task, "confirm")
    assert again.status_code == 403
    done = decide(second, task, "confirm")
    assert done.status_code == 200, done.get_data(as_text=True)
    (copy,) = [one["resource"] for one in parsed(done)["parameter"] if one["name"] == "copy"]
    (entry,) = copy["entry"]
    assert "code" in entry["resource"]
    assert "recordedDate" not in entry["resource"]
    assert other["id"] not in json.dumps(copy)
    assert place.deliver() == 0
    assert place.partner.requests == []
    for caller in (place.s, herself(place.world, place.shelter, place.person)):
        (line,) = told(place, caller, name="compelled-disclosure")
        assert (line["order-kind"], line["notice"], line["decision"]) == ("court-order", "told", "confirm")
        assert cut["id"] in line["handed-over"]["reference"]
        lines = [
            one for one in told(place, caller, name="disclosure") if one["what"] == "compelled-disclosure"
        ]
        assert len(lines) == 1
    assert decide(second, task, "confirm").status_code == 409


def test_a_subpoena_is_not_the_order_of_a_court(place: Place):
    cut = place.s.create(b.condition(place.person))
    first, second = supervisors(place)
    task = parsed(begin(first, place.person, order_kind="subpoena", record=[f"Condition/{cut['id']}"]))
    refused = decide(second, task, "confirm")
    assert refused.status_code == 422
    assert "not the order of a court" in refused.get_data(as_text=True)
    assert decide(second, task, "confirm", counsel="must be obeyed, says counsel").status_code == 200


def test_it_says_whether_she_was_told(place: Place):
    cut = place.s.create(b.condition(place.person))
    first, second = supervisors(place)
    without = sent(**{k: v for k, v in order(record=[f"Condition/{cut['id']}"]).items() if "notice" not in k})
    task = parsed(first.ask("POST", f"/{place.person}/$compelled-disclosure", without))
    assert decide(second, task, "confirm").status_code == 422
    assert decide(second, task, "confirm", notice="not-safe").status_code == 422
    assert (
        decide(second, task, "confirm", notice="not-safe", notice_note="he reads her post").status_code == 200
    )


def test_anybody_of_them_may_stop_it_and_nothing_is_copied(place: Place):
    cut = place.s.create(b.condition(place.person))
    first, _ = supervisors(place)
    task = parsed(begin(first, place.person, record=[f"Condition/{cut['id']}"]))
    done = decide(first, task, "refuse", reason="the paper is for somebody else")
    assert done.status_code == 200
    assert [one["name"] for one in parsed(done)["parameter"]] == ["task"]
    assert [one for one in told(place, name="disclosure") if one["what"] == "compelled-disclosure"] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"record": []},
        {"record": ["Condition/00000000-0000-4000-8000-000000000000"]},
        {"record": ["{other}"]},
        {"record": ["{consent}"]},
        {"legal_basis": []},
        {"order_kind": "please"},
    ],
)
def test_everything_is_named_and_nothing_of_others(place: Place, changes: dict[str, Any]):
    consent = place.sign()
    somebody = place.s.create(b.patient("Wren"))
    hers = place.s.create(b.condition(f"Patient/{somebody['id']}"))
    names = {"{other}": f"Condition/{hers['id']}", "{consent}": f"Consent/{consent['id']}"}
    cut = place.s.create(b.condition(place.person))
    given = {"record": [f"Condition/{cut['id']}"], **changes}
    given["record"] = [names.get(one, one) for one in given["record"]]
    first, _ = supervisors(place)
    assert begin(first, place.person, **given).status_code == 422


def test_software_alone_and_other_organisations_begin_nothing(place: Place):
    cut = place.s.create(b.condition(place.person))
    records = [f"Condition/{cut['id']}"]
    assert begin(place.s, place.person, record=records).status_code == 403
    elsewhere = staff(place.world, place.clinic, "supervisor")
    assert begin(elsewhere, place.person, record=records).status_code == 404
    her = herself(place.world, place.shelter, place.person)
    assert begin(her, place.person, record=records).status_code == 403


# --- from outside ----------------------------------------------------------------------------------------


def question(caller: Caller, **given: Any) -> Any:
    return caller.ask(
        "POST", "/$external-request", sent(**{"asker_kind": "government", "asked_by": "an office", **given})
    )


def entry(caller: Caller, **given: Any) -> tuple[str, str, dict[str, Any]]:
    """Writes an entry; gives answer, status and the entry."""
    answer = question(caller, **given)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    found = {one["name"]: one for one in parsed(answer)["parameter"]}
    task = {"id": found["entry"]["valueReference"]["reference"].partition("/")[2]}
    return found["answer"]["valueCode"], found["status"]["valueCode"], task


def test_the_answer_is_the_same_whether_she_is_known_or_not(place: Place):
    worker, boss = staff(place.world, place.shelter), supervisors(place)[0]
    known, unknown = entry(boss, patient=place.person), entry(worker)
    assert known[:2] == unknown[:2] == ("neither-confirm-nor-deny", "completed")
    for _, _, task in (known, unknown):
        assert "neither-confirm-nor-deny" in json.dumps(boss.read(f"Task/{task['id']}"))
    her = herself(place.world, place.shelter, place.person)
    assert told(place, her, name="external-request") == []
    assert len(told(place, name="external-request")) == 1


def test_another_answer_takes_two_people(place: Place):
    first, second = supervisors(place)
    answer, status, task = entry(
        first, patient=place.person, other_answer="she is well, as she wished us to say"
    )
    assert (answer, status) == ("neither-confirm-nor-deny", "ready")
    assert decide(first, task, "confirm", reason="x").status_code == 403
    assert decide(second, task, "confirm", reason="it is her written wish").status_code == 200
    _, _, other = entry(first, other_answer="tell them")
    done = decide(first, other, "refuse")
    assert done.status_code == 200
    assert "neither-confirm-nor-deny" in done.get_data(as_text=True)


def test_every_worker_may_write_an_entry_and_coordinators_count_it(place: Place):
    answer = question(staff(place.world, place.shelter), asker_kind="journalist")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    found = counts(staff(place.world, place.shelter, "coordinator").get("/$desk-counts"))
    assert (place.shelter, "external-request", "completed", 1) in found
    assert question(place.s).status_code == 403
    assert question(staff(place.world, place.shelter), asker_kind="friend").status_code == 422


# --- if she dies or disappears ---------------------------------------------------------------------------


def instruct(
    caller: Caller, person: str, asker: str = "family", days: int = 0, tell: str = "She was well."
) -> Any:
    body = sent(asker_kind=asker, tell=tell)
    body["parameter"].append({"name": "after-days", "valueInteger": days})
    return caller.ask("POST", f"/{person}/$instruction", body)


def gone(place: Place, how: str) -> None:
    if how == "lost":
        code = b.coded(code_system("observation"), "contact-lost")
        body = {**b.observation(place.person, code=code), "valueBoolean": True}
        body.pop("valueQuantity")
        place.s.create(body)
    else:
        place.s.changed(place.person, deceasedBoolean=True)


@pytest.mark.parametrize("how", ["lost", "dead"])
def test_nothing_is_told_of_her_who_cannot_be_asked_without_her_word(place: Place, how: str):
    first, second = supervisors(place)
    gone(place, how)
    permit = b.permit(place.clinic)
    assert place.s.ask("POST", "/Consent", b.release(place.person, place.shelter, permit)).status_code == 422

    def asked(kind: str) -> Any:
        _, _, task = entry(first, patient=place.person, asker_kind=kind, other_answer="she is well")
        return decide(second, task, "confirm", reason="they ask every week")

    assert asked("family").status_code == 422
    assert instruct(first, place.person, "journalist").status_code == 200
    assert asked("family").status_code == 422
    assert instruct(first, place.person, "family", days=90).status_code == 200
    assert asked("family").status_code == 422
    task = parsed(instruct(first, place.person, "family"))
    assert (
        len(desk(place, "absence-instruction")) == 2
    )  # the newer word for the family took the place of the older
    assert asked("family").status_code == 200
    assert decide(first, task, "taken-back").status_code == 200
    assert asked("family").status_code == 422


def test_her_word_is_written_down_by_people_who_see_her_record(place: Place):
    boss, _ = supervisors(place)
    assert instruct(place.s, place.person).status_code == 403
    assert instruct(staff(place.world, place.clinic, "supervisor"), place.person).status_code == 404
    assert instruct(boss, place.person, "neighbour").status_code == 422
    assert instruct(boss, place.person, days=-1).status_code == 422
    assert instruct(boss, place.person, tell=" ").status_code == 422
