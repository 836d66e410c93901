"""Stop sharing, in one act: what it closes, what it leaves alone, that it always goes through. On both databases."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from referral_hub.exchange.withdrawing import withdraw_by_code
from referral_hub.fhir.canonical import code_system
from referral_hub.fhir.elements import code_in
from tests import builders as b
from tests.api.network import Story, story
from tests.api.people import bound, herself, staff
from tests.world import Caller, World, parsed, texts


def withdraw(caller: Caller, person: str, **given: Any) -> dict[str, list[Any]]:
    """Withdraws, and gives the answer's values by name."""
    answer = caller.ask("POST", f"/{person}/$withdraw", parameters(**given))
    assert answer.status_code == 200, answer.get_data(as_text=True)
    found: dict[str, list[Any]] = {}
    for one in parsed(answer).get("parameter", ()):
        value = one.get("resource") or next(value for key, value in one.items() if key.startswith("value"))
        found.setdefault(one["name"], []).append(
            value.get("reference", value) if isinstance(value, dict) else value
        )
    return found


def parameters(**given: Any) -> dict[str, Any]:
    """Gives Parameters; a truth is a boolean, anything else a string."""
    return {
        "resourceType": "Parameters",
        "parameter": [
            {
                "name": name.replace("_", "-"),
                "valueBoolean" if isinstance(value, bool) else "valueString": value,
            }
            for name, value in given.items()
        ],
    }


def consent(it: Story, reference: str) -> dict[str, Any]:
    return it.s.read(reference)


def provenances(it: Story, reference: str) -> list[dict[str, Any]]:
    found = parsed(it.s.get(f"/Provenance?target={reference}")).get("entry", [])
    return [entry["resource"] for entry in found]


def desk(it: Story, kind: str, status: str = "ready") -> list[dict[str, Any]]:
    found = parsed(
        it.s.get(f"/Task?code={code_system('task-code')}|{kind}&status={status}&patient={it.person}")
    )
    return [entry["resource"] for entry in found.get("entry", [])]


def test_one_recipient_loses_all_releases_and_nobody_else_does(world: World) -> None:
    it = story(world)
    other = world.add_organization("other", "legal-aid")
    first = it.sign()
    second = it.sign(categories=("identity", "plan"))
    elsewhere = it.s.create(
        b.release(
            it.person, it.shelter, b.permit(other, purpose="legal-representation", categories=("identity",))
        )
    )
    it.refer()
    it.move("accepted")
    assert it.c.get(f"/{it.person}").status_code == 200
    told = withdraw(it.s, it.person, recipient=f"Organization/{it.clinic}", how="phone")
    assert set(told["ended"]) == {f"Consent/{first['id']}", f"Consent/{second['id']}"}
    assert "offered-refusal" not in told
    assert told["still-open"] == [it.task]
    assert consent(it, f"Consent/{first['id']}")["status"] == "inactive"
    assert consent(it, f"Consent/{elsewhere['id']}")["status"] == "active"
    assert it.c.get(f"/{it.person}").status_code == 404
    card = it.c.read(it.task)
    assert card["status"] == "accepted"
    assert "for" not in card


def test_who_and_how_is_written_down(world: World) -> None:
    it = story(world)
    signed = it.sign()
    withdraw(it.s, it.person, how="written")
    (written,) = [p for p in provenances(it, f"Consent/{signed['id']}") if "withdrawn" in json.dumps(p)]
    assert written["activity"]["coding"][0]["code"] == "withdrawn.written"
    assert [agent["type"]["coding"][0]["code"] for agent in written["agent"]] == ["author", "enterer"]
    assert written["agent"][0]["who"] == {"reference": it.person}


def test_a_unit_is_reached_by_the_name_of_the_body_it_belongs_to(world: World) -> None:
    it = story(world)
    unit = world.add_organization("unit", "clinic", part_of=it.clinic)
    signed = it.s.create(b.release(it.person, it.shelter, b.permit(unit)))
    told = withdraw(it.s, it.person, recipient=f"Organization/{it.clinic}")
    assert told["ended"] == [f"Consent/{signed['id']}"]


def test_one_kind_of_information_goes_and_the_rest_of_the_release_stays(world: World) -> None:
    it = story(world)
    signed = it.sign(categories=("identity", "health", "plan"))
    it.refer()
    it.move("accepted")
    record = it.s.create(b.condition(it.person))
    assert it.c.get(f"/Condition/{record['id']}").status_code == 200
    told = withdraw(it.s, it.person, category="health", how="in-person")
    assert told["narrowed"] == [f"Consent/{signed['id']}"]
    assert "ended" not in told
    left = consent(it, f"Consent/{signed['id']}")
    assert left["status"] == "active"
    codes = [one["code"] for one in left["provision"]["provision"][0]["class"]]
    assert codes == ["identity", "plan"]
    assert it.c.get(f"/Condition/{record['id']}").status_code == 404
    assert it.c.get(f"/{it.person}").status_code == 200
    assert "entry" not in parsed(it.c.get(f"/Condition?subject={it.person}"))
    (written,) = [p for p in provenances(it, f"Consent/{signed['id']}") if "withdrawn" in json.dumps(p)]
    assert written["activity"]["coding"][0]["code"] == "withdrawn-in-part.in-person"


def test_a_release_of_one_kind_only_ends_with_it(world: World) -> None:
    it = story(world)
    only = it.sign(categories=("health",))
    both = it.sign(categories=("identity", "health"))
    told = withdraw(it.s, it.person, category="health")
    assert told["ended"] == [f"Consent/{only['id']}"]
    assert told["narrowed"] == [f"Consent/{both['id']}"]


def test_a_single_record_of_that_kind_goes_too(world: World) -> None:
    it = story(world)
    health, plan = (it.s.create(b.condition(it.person, category)) for category in ("health", "plan"))
    names = tuple(f"Condition/{one['id']}" for one in (health, plan))
    permits = (b.permit(it.clinic), b.permit(it.clinic, categories=(), instances=names))
    signed = it.s.create(b.release(it.person, it.shelter, *permits))
    withdraw(it.s, it.person, category="health")
    left = consent(it, f"Consent/{signed['id']}")["provision"]["provision"]
    assert [one["reference"]["reference"] for one in left[1]["data"]] == [names[1]]


def test_everything_ends_every_release_and_offers_a_refusal_it_does_not_make(world: World) -> None:
    it = story(world)
    signed = it.sign()
    refused = it.s.create(b.refusal(it.person, it.shelter, actor={"reference": f"Organization/{it.clinic}"}))
    before = len(parsed(it.s.get(f"/Consent?patient={it.person}"))["entry"])
    told = withdraw(it.s, it.person, how="in-person")
    assert told["ended"] == [f"Consent/{signed['id']}"]
    assert consent(it, f"Consent/{refused['id']}")["status"] == "active"
    assert len(parsed(it.s.get(f"/Consent?patient={it.person}"))["entry"]) == before
    (offered,) = told["offered-refusal"]
    assert offered["status"] == "draft"
    assert "id" not in offered
    made = it.s.create({**offered, "status": "active", "dateTime": b.instant()})
    assert code_in(made["category"], code_system("consent-kind")) == "refusal"


def test_saying_it_again_changes_nothing(world: World) -> None:
    it = story(world)
    signed = it.sign()
    withdraw(it.s, it.person)
    version = consent(it, f"Consent/{signed['id']}")["meta"]["versionId"]
    again = withdraw(it.s, it.person)
    assert "ended" not in again
    assert consent(it, f"Consent/{signed['id']}")["meta"]["versionId"] == version
    assert len(provenances(it, f"Consent/{signed['id']}")) == 1


@pytest.mark.attack("S-24", "T-25")
def test_another_organisation_learns_nothing_by_trying(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer()
    it.move("accepted")
    hers = it.c.ask("POST", f"/{it.person}/$withdraw", parameters())
    none = it.c.ask("POST", "/Patient/00000000-0000-4000-8000-000000000000/$withdraw", parameters())
    assert (hers.status_code, hers.get_data()) == (none.status_code, none.get_data())
    assert hers.status_code == 404
    assert it.c.get(f"/{it.person}").status_code == 200


def test_a_wish_that_cannot_be_read_is_not_taken_for_everything(world: World) -> None:
    it = story(world)
    signed = it.sign()
    for given in (
        {"recipient": "Patient/x"},
        {"category": "helth"},
        {"how": "telepathy"},
        {"recipients": f"Organization/{it.clinic}"},
        {"hold-recall": "yes"},
    ):
        answer = it.s.ask("POST", f"/{it.person}/$withdraw", parameters(**given))
        assert answer.status_code == 422, given
    assert consent(it, f"Consent/{signed['id']}")["status"] == "active"


# --- who says it -----------------------------------------------------------------------------------------


def test_she_says_it_herself_and_her_people_find_it_on_their_desk(world: World) -> None:
    it = story(world)
    signed = it.sign()
    told = withdraw(herself(world, it.shelter, it.person), it.person, how="in-person")
    assert told["ended"] == [f"Consent/{signed['id']}"]
    (written,) = [p for p in provenances(it, f"Consent/{signed['id']}") if "withdrawn" in json.dumps(p)]
    assert written["activity"]["coding"][0]["code"] == "withdrawn.app"
    assert [agent["who"] for agent in written["agent"]] == [{"reference": it.person}]
    (task,) = desk(it, "withdrawal")
    assert "app" in json.dumps(task["input"])


def test_she_ends_nothing_of_anybody_else(world: World) -> None:
    it, other = story(world), story(world)
    signed = other.sign()
    her = herself(world, it.shelter, it.person)
    assert her.ask("POST", f"/{other.person}/$withdraw", parameters()).status_code == 404
    assert her.ask("POST", f"/Consent/{signed['id']}/$revoke").status_code == 404
    assert consent(other, f"Consent/{signed['id']}")["status"] == "active"


def test_she_ends_one_consent_herself(world: World) -> None:
    it = story(world)
    signed = it.sign()
    answer = herself(world, it.shelter, it.person).ask("POST", f"/Consent/{signed['id']}/$revoke")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert consent(it, f"Consent/{signed['id']}")["status"] == "inactive"


def test_any_worker_of_her_organisation_may_take_the_call(world: World) -> None:
    it = story(world)
    signed = it.sign()
    told = withdraw(staff(world, it.shelter), it.person, how="phone", identity_checked=False)
    assert told["ended"] == [f"Consent/{signed['id']}"]
    (task,) = desk(it, "withdrawal")
    assert "identity-check-needed" in json.dumps(task["input"])


@pytest.mark.parametrize("role", ["coordinator", "evaluator", ""])
def test_accounts_that_read_nobody_are_told_of_nobody(world: World, role: str) -> None:
    it = story(world)
    it.sign()
    answer = staff(world, it.shelter, role).ask("POST", f"/{it.person}/$withdraw", parameters())
    assert answer.status_code in (403, 404)


def test_software_needs_the_scope(world: World) -> None:
    it = story(world)
    it.sign()
    reader = world.caller(it.shelter, scope="system/Consent.rs system/Patient.rs")
    assert reader.ask("POST", f"/{it.person}/$withdraw", parameters()).status_code == 403


# --- it always goes through ------------------------------------------------------------------------------


def test_it_goes_through_while_signing_is_off_and_without_a_version(world: World) -> None:
    it = story(world)
    signed = it.sign()
    code = b.coded(code_system("observation"), "cannot-sign-now")
    body = b.observation(it.person, code=code, valueBoolean=True)
    body.pop("valueQuantity")
    it.s.create(body)
    assert withdraw(it.s, it.person)["ended"] == [f"Consent/{signed['id']}"]


@pytest.mark.parametrize(
    "broken",
    [
        {"provision": {"type": "deny", "provision": "nothing that can be read"}},
        {"provision": None},
        {"scope": None, "category": None, "policy": None},
        {"provision": {"type": "deny", "provision": [{"type": "permit", "actor": [7], "class": 3}]}},
    ],
)
def test_a_stored_release_that_would_not_be_taken_today_ends_all_the_same(
    world: World, broken: dict[str, Any]
) -> None:
    it = story(world)
    signed = it.sign()
    _store_as(world, signed["id"], broken)
    told = withdraw(it.s, it.person)
    if "category" in broken:  # nothing says that it is a release, but it permits
        assert told["ended"] == [f"Consent/{signed['id']}"]
    else:
        assert told["ended"] == [f"Consent/{signed['id']}"]
    assert consent(it, f"Consent/{signed['id']}")["status"] == "inactive"


def test_a_broken_release_that_cannot_be_narrowed_ends(world: World) -> None:
    it = story(world)
    signed = it.sign()
    permit = {**signed["provision"]["provision"][0], "purpose": None}
    _store_as(world, signed["id"], {"provision": {"type": "deny", "provision": [permit]}})
    assert withdraw(it.s, it.person, category="health")["ended"] == [f"Consent/{signed['id']}"]


def _store_as(world: World, public_id: str, changes: dict[str, Any]) -> None:
    """Puts a Consent into the store that no write would let in any more: a rule changed after it was signed."""
    from referral_hub.exchange.building import Draft, body_of
    from referral_hub.exchange.interactions import hub_write

    def decide(draft: Draft) -> bool:
        row = draft.working.resource("Consent", public_id)
        assert row is not None
        body = {**body_of(row), **changes}
        body = {key: value for key, value in body.items() if value is not None}
        draft.revise(row, body, written_by=row.author)
        return True

    assert hub_write(world.parts.hub, decide)


# --- what is bound to her --------------------------------------------------------------------------------


@pytest.mark.attack("T-17")
def test_tokens_about_her_end_and_those_of_the_whole_organisation_find_nothing(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer()
    it.move("accepted")
    token = bound(world, it.clinic, it.person)
    other = story(world)
    elsewhere = bound(world, it.clinic, other.person)
    assert token.get(f"/{it.person}").status_code == 200
    withdraw(it.s, it.person)
    assert token.get(f"/{it.person}").status_code == 401
    assert elsewhere.get(f"/{it.person}").status_code == 404
    assert it.c.get(f"/{it.person}").status_code == 404
    her = herself(world, it.shelter, it.person)
    withdraw(her, it.person)
    assert her.ask("POST", f"/{it.person}/$withdraw", parameters()).status_code == 200


def test_narrowing_ends_bound_tokens_too(world: World) -> None:
    it = story(world)
    it.sign(categories=("identity", "health"))
    token = bound(world, it.clinic, it.person)
    withdraw(it.s, it.person, category="health")
    assert token.get(f"/{it.person}").status_code == 401


def test_a_withdrawal_alone_cancels_no_referral_and_no_appointment(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer()
    it.move("accepted")
    appointment = it.c.create(
        {
            "resourceType": "Appointment",
            "status": "booked",
            "basedOn": [{"reference": it.request}],
            "start": b.instant(2),
            "end": b.instant(2.1),
            "participant": [{"actor": {"reference": it.person}, "status": "accepted"}],
        }
    )
    withdraw(it.s, it.person)
    assert it.s.read(it.task)["status"] == "accepted"
    assert it.c.read(f"Appointment/{appointment['id']}")["status"] == "booked"


@pytest.mark.attack("S-24")
def test_the_desk_is_written_by_operations_only(world: World) -> None:
    it = story(world)
    it.sign()
    withdraw(herself(world, it.shelter, it.person), it.person)
    (task,) = desk(it, "withdrawal")
    assert it.s.update({**task, "status": "completed"}).status_code == 403
    assert it.s.ask("DELETE", f"/Task/{task['id']}").status_code == 409
    made = it.s.ask("POST", "/Task", {key: value for key, value in task.items() if key not in ("id", "meta")})
    assert made.status_code in (403, 422), made.get_data(as_text=True)
    assert it.c.get(f"/Task/{task['id']}").status_code == 404
    assert texts(it.c.get(f"/Task/{task['id']}"))


# --- the code alone --------------------------------------------------------------------------------------


def row_of(world: World, person: str) -> int:
    with world.parts.store.snapshot() as snapshot:
        row = snapshot.resource("Patient", person.partition("/")[2])
    assert row is not None
    return row.row_id


def test_the_code_alone_stops_everything_and_her_people_are_told(world: World) -> None:
    it = story(world)
    signed = it.sign()
    it.refer()
    it.move("accepted")
    assert withdraw_by_code(world.parts.hub, row_of(world, it.person)) is None
    assert consent(it, f"Consent/{signed['id']}")["status"] == "inactive"
    assert it.c.get(f"/{it.person}").status_code == 404
    (written,) = [p for p in provenances(it, f"Consent/{signed['id']}") if "withdrawn" in json.dumps(p)]
    assert written["activity"]["coding"][0]["code"] == "withdrawn.code"
    assert [agent["who"] for agent in written["agent"]] == [{"reference": it.person}]
    (task,) = desk(it, "withdrawal")
    assert "code" in json.dumps(task["input"])
    assert len(parsed(it.s.get(f"/Consent?patient={it.person}"))["entry"]) == 1  # no refusal was said for her


def test_using_the_code_again_does_not_fill_the_desk(world: World) -> None:
    it = story(world)
    it.sign()
    for _ in range(3):
        withdraw_by_code(world.parts.hub, row_of(world, it.person))
    assert len(desk(it, "withdrawal")) == 1


def test_an_unknown_code_gives_the_same_answer_and_is_written_down(world: World) -> None:
    assert withdraw_by_code(world.parts.hub, None) is None
    assert withdraw_by_code(world.parts.hub, 7) is None


def test_somebody_without_any_permission_is_answered_alike(world: World) -> None:
    it = story(world)
    assert withdraw_by_code(world.parts.hub, row_of(world, it.person)) is None
    assert len(desk(it, "withdrawal")) == 1


def test_a_worker_takes_it_off_the_desk(world: World) -> None:
    it = story(world)
    it.sign()
    withdraw_by_code(world.parts.hub, row_of(world, it.person))
    (task,) = desk(it, "withdrawal")
    boss = staff(world, it.shelter, "supervisor")
    said = parameters(decision="noted")
    assert boss.ask("POST", f"/Task/{task['id']}/$decide", parameters(decision="release")).status_code == 422
    assert boss.ask("POST", f"/Task/{task['id']}/$decide", said).status_code == 200
    assert boss.ask("POST", f"/Task/{task['id']}/$decide", said).status_code == 409
    assert desk(it, "withdrawal") == []
    withdraw_by_code(world.parts.hub, row_of(world, it.person))
    assert len(desk(it, "withdrawal")) == 1


def test_it_is_acknowledged_while_others_write_the_same_record(world: World) -> None:
    """Others change her record all the time: it is decided anew, and goes through."""
    it = story(world)
    signed = [it.sign() for _ in range(4)]
    stopped = threading.Event()

    def write() -> None:
        for _ in range(40):
            if stopped.is_set():
                return
            it.s.create(b.condition(it.person))
            it.sign(categories=("plan",))

    with ThreadPoolExecutor(2) as pool:
        writers = [pool.submit(write) for _ in range(2)]
        try:
            told = withdraw(it.s, it.person, how="phone")
        finally:
            stopped.set()
        for writer in writers:
            writer.result()
    assert {f"Consent/{one['id']}" for one in signed} <= set(told["ended"])
