"""The "wrong person" button: doors close at once, both sides hear of it, nobody else is touched. On both databases."""

import json
from hashlib import sha256
from typing import Any

import pytest

from referral_hub.errors import Forbidden, HubError, NotFound
from referral_hub.exchange.wrong_person import Reported, report_wrong_person
from referral_hub.fhir.canonical import code_system
from tests import builders as b
from tests.api.callers import assigned
from tests.api.network import Story, story
from tests.api.people import herself, staff
from tests.world import Caller, World, parsed


def say(world: World, caller: Caller, reference: str) -> Reported:
    type_name, _, public_id = reference.partition("/")
    return report_wrong_person(world.parts.hub, sha256(caller.token.encode()).digest(), type_name, public_id)


def tasks(caller: Caller, kind: str, more: str = "") -> list[dict[str, Any]]:
    found = parsed(caller.get(f"/Task?code={code_system('task-code')}|{kind}{more}"))
    return [entry["resource"] for entry in found.get("entry", [])]


def taken(world: World, status: str = "accepted") -> Story:
    it = story(world)
    it.sign()
    it.refer()
    if status != "requested":
        it.move("accepted")
    if status == "in-progress":
        it.move("in-progress")
    return it


@pytest.mark.parametrize(
    ("status", "after", "reason"),
    [
        ("requested", "rejected", "data-issue"),
        ("accepted", "cancelled", "by-target"),
        ("in-progress", "cancelled", "by-target"),
    ],
)
def test_the_recipient_reads_nothing_more_and_the_sender_hears_of_it(
    world: World, status: str, after: str, reason: str
) -> None:
    it = taken(world, status)
    nurse = staff(world, it.clinic, "clinician", account="nurse")
    assigned(world, "nurse", it.person, organization=it.clinic)
    assert nurse.get(f"/{it.person}").status_code == 200
    told = say(world, nurse, it.task)
    assert told.closed == (it.task.partition("/")[2],)
    assert told.unassigned
    assert told.told_sender
    for caller in (nurse, it.c):
        assert caller.get(f"/{it.person}").status_code == 404
    assert it.c.get(f"/{it.request}").status_code == 404
    card = it.c.read(it.task)
    assert (card["status"], "for" in card, "focus" in card) == (after, False, False)
    assert it.s.read(it.task)["statusReason"]["coding"][0]["code"] == reason
    (waiting,) = tasks(it.s, "wrong-person", "&status=ready")
    assert waiting["for"] == {"reference": it.person}
    assert it.task.partition("/")[2] in json.dumps(waiting["input"])
    assert "nurse" not in json.dumps(waiting), "who said it is told to her own organisation only"
    (own,) = tasks(it.c, "wrong-person", "&status=ready")
    assert "for" not in own
    assert it.person.partition("/")[2] not in json.dumps(own)


def test_what_was_received_is_asked_back_and_only_this_referral(world: World) -> None:
    it = taken(world)
    first = it.task
    number = next(one["value"] for one in it.c.read(first)["identifier"] if one["system"].endswith("/placer"))
    it.refer()
    assert say(world, staff(world, it.clinic, "supervisor"), first).asked_back
    (recall,) = tasks(it.c, "recall")
    numbers = [one["valueIdentifier"]["value"] for one in recall["input"] if "valueIdentifier" in one]
    assert numbers == [number]
    assert it.c.read(it.task)["status"] == "requested"


def test_who_never_read_anything_is_not_asked(world: World) -> None:
    it = taken(world, "requested")
    sender = staff(world, it.shelter, "supervisor")
    assert not say(world, sender, it.task).asked_back
    assert tasks(it.c, "recall") == []


def test_the_sender_takes_a_referral_back_from_the_wrong_recipient(world: World) -> None:
    it = taken(world)
    worker = staff(world, it.shelter, account="worker")
    assigned(world, "worker", it.person, organization=it.shelter)
    told = say(world, worker, it.task)
    assert (told.asked_back, told.unassigned) == (True, False)
    assert it.c.get(f"/{it.person}").status_code == 404
    assert it.s.read(it.task)["status"] == "entered-in-error"
    assert it.s.read(f"Consent/{it.release['id']}")["status"] == "active", "her permission is hers"
    assert worker.get(f"/{it.person}").status_code == 200, "she goes on working with her"
    (recall,) = tasks(it.c, "recall")
    assert recall["status"] == "requested"
    (waiting,) = tasks(it.s, "wrong-person")
    assert "worker" in json.dumps(waiting)


def test_saying_it_twice_is_saying_it_once(world: World) -> None:
    it = taken(world)
    who = staff(world, it.clinic, "supervisor")
    first = say(world, who, it.task)
    again = say(world, who, it.task)
    assert again.closed == first.closed
    assert len(tasks(it.c, "recall")) == 1
    assert len(tasks(it.s, "wrong-person")) == 1
    assert len(tasks(it.c, "wrong-person")) == 1


def test_a_referral_that_is_over_closes_too(world: World) -> None:
    it = taken(world, "in-progress")
    it.c.changed(
        it.task,
        status="failed",
        statusReason=b.reason("client-unreachable"),
    )
    assert it.c.get(f"/{it.person}").status_code == 200
    say(world, staff(world, it.clinic, "supervisor"), it.task)
    assert it.c.get(f"/{it.person}").status_code == 404
    assert it.s.read(it.task)["status"] == "failed", "what happened stays written"


def test_a_person_of_others_closes_with_every_referral_about_her(world: World) -> None:
    it = taken(world)
    first = it.task
    it.refer()
    it.move("accepted")
    told = say(world, staff(world, it.clinic, "supervisor"), it.person)
    assert set(told.closed) == {one.partition("/")[2] for one in (first, it.task)}
    assert it.c.get(f"/{it.person}").status_code == 404


def test_in_her_own_house_the_worker_leaves_and_the_supervisor_is_told(world: World) -> None:
    it = taken(world)
    worker = staff(world, it.shelter, account="worker")
    assigned(world, "worker", it.person, organization=it.shelter)
    told = say(world, worker, it.person)
    assert (told.unassigned, told.closed, told.told_sender) == (True, (), False)
    assert worker.get(f"/{it.person}").status_code == 404
    assert it.c.get(f"/{it.person}").status_code == 200, "others are not touched"
    assert len(tasks(it.s, "wrong-person")) == 1


@pytest.mark.parametrize("what", ["task", "person", "release"])
def test_strangers_close_nothing_and_learn_nothing(world: World, what: str) -> None:
    it = taken(world)
    other = world.add_organization("other", "clinic")
    stranger = staff(world, other, "supervisor")
    named = {"task": it.task, "person": it.person, "release": f"Consent/{it.release['id']}"}[what]
    never = f"{named.partition('/')[0]}/00000000-0000-4000-8000-000000000000"
    answers = []
    for reference in (named, never):
        with pytest.raises(NotFound) as caught:
            say(world, stranger, reference)
        answers.append((type(caught.value), str(caught.value)))
    assert answers[0] == answers[1]
    assert it.s.read(it.task)["status"] == "accepted"


@pytest.mark.parametrize("role", ["coordinator", "evaluator", ""])
def test_roles_that_see_nobody_press_nothing(world: World, role: str) -> None:
    it = taken(world)
    with pytest.raises(HubError):
        say(world, staff(world, it.clinic, role), it.task)
    assert it.s.read(it.task)["status"] == "accepted"


def test_neither_software_nor_the_person_herself_presses_it(world: World) -> None:
    it = taken(world)
    for caller in (it.c, herself(world, it.shelter, it.person)):
        with pytest.raises(Forbidden):
            say(world, caller, it.task)


def test_an_unassigned_nurse_presses_nothing(world: World) -> None:
    it = taken(world)
    with pytest.raises(NotFound):
        say(world, staff(world, it.clinic, "clinician"), it.task)


def test_a_supervisor_settles_it(world: World) -> None:
    it = taken(world)
    say(world, staff(world, it.clinic, "supervisor"), it.task)
    (waiting,) = tasks(it.s, "wrong-person")
    said = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "decision", "valueCode": "settled"},
            {"name": "reason", "valueString": "told her, looked for the right file"},
        ],
    }
    worker = staff(world, it.shelter, account="settler")
    assigned(world, "settler", it.person, organization=it.shelter)
    assert worker.ask("POST", f"/Task/{waiting['id']}/$decide", said).status_code == 403
    supervisor = staff(world, it.shelter, "supervisor")
    assert supervisor.ask("POST", f"/Task/{waiting['id']}/$decide", said).status_code == 200
