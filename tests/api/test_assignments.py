"""Who works with whom: assigning, asking for oneself, confirming, ending, and what each is felt at.

Source: ``practice.md`` 12 (self-assignment needs a second person); ``views.md`` 9.
"""

import json
from typing import Any

import pytest
from werkzeug.test import TestResponse

from referral_hub.app import clock
from referral_hub.exchange.change import Row
from tests import builders as b
from tests.api.callers import assigned, bound_to, names_of, row_id_of, signed_in
from tests.api.network import Story, story
from tests.world import Caller, World, parsed

UNKNOWN = "Patient/00000000-0000-4000-8000-000000000000"


@pytest.fixture
def it(world: World) -> Story:
    """A person of a shelter, referred to a clinic that accepted."""
    found = story(world)
    found.sign()
    found.refer()
    found.move("accepted")
    return found


def account(world: World, where: str, name: str, role: str = "caseworker", **more: Any) -> str:
    """Puts an account of a member of staff into the database, and gives its id."""
    account_id = f"{name}-{where[:8]}"
    columns: dict[str, Any] = {
        "id": account_id,
        "organization": where,
        "kind": "staff",
        "role": role,
        "practitioner": "",
        "person": None,
        "patient": "",
        "state": "active",
        "password_hash": "",
        "password_us": 0,
        "one_time": 0,
        "one_time_until_us": 0,
        "trained_until_us": clock() + 10**12,
        "authorised_by": "",
        "on_call_from_us": 0,
        "on_call_until_us": 0,
        "unlocked_until_us": 0,
        "my_set_up_us": 0,
        "created_us": clock(),
        "removed_us": 0,
        "login_digest": account_id,
        "login": b"",
        "code_digest": "",
        **more,
    }
    from sqlalchemy import create_engine

    from referral_hub.store import schema

    url = world.parts.settings.database_url.replace("postgresql://", "postgresql+psycopg://")
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(schema.account.insert(), {**columns, "version": 1})
    engine.dispose()
    return account_id


def act(caller: Caller, what: str, person: str, account_id: str = "") -> TestResponse:
    given = [{"name": "account", "valueString": account_id}] if account_id else []
    body = {"resourceType": "Parameters", **({"parameter": given} if given else {})}
    return caller.ask("POST", f"/{person}/${what}", body)


def state_of(answer: TestResponse) -> str:
    assert answer.status_code == 200, answer.get_data(as_text=True)
    (one,) = json.loads(answer.get_data())["parameter"]
    return next(str(part["valueCode"]) for part in one["part"] if part["name"] == "state")


def held(caller: Caller, person: str) -> dict[str, str]:
    found = json.loads(caller.get(f"/{person}/$assignments").get_data()).get("parameter", [])
    read = [{part["name"]: next(iter(list(part.values())[1:])) for part in one["part"]} for one in found]
    return {str(one["account"]): str(one["state"]) for one in read}


def test_a_supervisor_assigns_at_once_and_ends_it(it: Story) -> None:
    worker_id = account(it.world, it.shelter, "worker")
    worker = signed_in(it.world, it.shelter, role="caseworker", account=worker_id)
    boss = signed_in(it.world, it.shelter, role="supervisor", account="boss")
    assert worker.get(f"/{it.person}").status_code == 404
    assert state_of(act(boss, "assign", it.person, worker_id)) == "active"
    assert worker.get(f"/{it.person}").status_code == 200
    assert state_of(act(boss, "assign", it.person, worker_id)) == "active"
    assert held(boss, it.person)[worker_id] == "active"
    assert state_of(act(boss, "unassign", it.person, worker_id)) == "ended"
    assert worker.get(f"/{it.person}").status_code == 404
    assert names_of(worker, "/Patient") == set()
    assert state_of(act(boss, "assign", it.person, worker_id)) == "active"
    assert worker.get(f"/{it.person}").status_code == 200


def test_who_asks_for_herself_waits_for_a_second_person(it: Story) -> None:
    first_id = account(it.world, it.shelter, "first")
    second_id = account(it.world, it.shelter, "second")
    assigned(it.world, first_id, it.person, organization=it.shelter)
    first = signed_in(it.world, it.shelter, role="caseworker", account=first_id)
    second = signed_in(it.world, it.shelter, role="lawyer", account=second_id)
    assert state_of(act(second, "assign", it.person)) == "pending"
    assert second.get(f"/{it.person}").status_code == 404
    assert state_of(act(second, "assign", it.person, second_id)) == "pending"
    assert second.get(f"/{it.person}").status_code == 404
    assert held(first, it.person) == {first_id: "active", second_id: "pending"}
    assert state_of(act(first, "assign", it.person, second_id)) == "active"
    assert second.get(f"/{it.person}").status_code == 200


def test_a_supervisor_who_asks_for_herself_waits_too(it: Story) -> None:
    boss = signed_in(it.world, it.shelter, role="supervisor", account="boss-1")
    assert state_of(act(boss, "assign", it.person)) == "pending"
    assert state_of(act(boss, "assign", it.person, "boss-1")) == "pending"
    other = signed_in(it.world, it.shelter, role="supervisor", account="boss-2")
    account(it.world, it.shelter, "ignored", id="boss-1", login_digest=f"boss-1-{it.shelter}")
    assert state_of(act(other, "assign", it.person, "boss-1")) == "active"


@pytest.mark.attack("S-24", "T-25")
def test_asking_tells_nothing_about_who_is_there(it: Story) -> None:
    worker = signed_in(it.world, it.shelter, role="caseworker", account="asks")
    other = f"Patient/{story(it.world).person.partition('/')[2]}"  # of another shelter
    answers = [act(worker, "assign", person) for person in (it.person, UNKNOWN, other)]
    assert len({answer.get_data() for answer in answers}) == 1
    assert {answer.status_code for answer in answers} == {200}
    boss = signed_in(it.world, it.shelter, role="supervisor", account="boss")
    assert held(boss, it.person)["asks"] == "pending"
    taken_back = [act(worker, "unassign", person) for person in (it.person, UNKNOWN, other, it.person)]
    assert len({answer.get_data() for answer in taken_back}) == 1
    assert {answer.status_code for answer in taken_back} == {200}
    assert held(boss, it.person)["asks"] == "ended"
    hidden = [
        act(worker, what, person, "x") for what in ("assign", "unassign") for person in (it.person, UNKNOWN)
    ]
    assert {answer.status_code for answer in hidden} == {404}
    assert worker.get(f"/{it.person}/$assignments").status_code == 404


def test_who_is_not_assigned_assigns_nobody(it: Story) -> None:
    friend = account(it.world, it.shelter, "friend")
    worker = signed_in(it.world, it.shelter, role="caseworker", account="outside")
    assert act(worker, "assign", it.person, friend).status_code == 404
    assigned(it.world, "outside", it.person, organization=it.shelter, state="pending")
    assert act(worker, "assign", it.person, friend).status_code == 404
    assert act(worker, "assign", it.person, "outside").status_code == 200
    assert worker.get(f"/{it.person}").status_code == 404


@pytest.mark.parametrize(
    "more",
    [
        {"role": "coordinator"},
        {"role": ""},
        {"state": "removed"},
        {"kind": "person"},
        {"organization": "elsewhere"},
    ],
)
def test_only_an_account_that_works_with_persons_is_assigned(it: Story, more: dict[str, str]) -> None:
    boss = signed_in(it.world, it.shelter, role="supervisor", account="boss")
    name = "-".join([*more.values(), "x"])
    other = account(it.world, it.shelter, name, **more)
    assert act(boss, "assign", it.person, other).status_code == 422
    assert act(boss, "assign", it.person, "no-such-account").status_code == 422
    assert other not in held(boss, it.person)


def test_who_may_not_assign_at_all(it: Story) -> None:
    coordinator = signed_in(it.world, it.shelter, role="coordinator", account="c")
    she = signed_in(it.world, it.shelter, "patient", account="p", person=it.person)
    bound = signed_in(it.world, it.clinic, "system", person=it.person, binding=bound_to(it.release, "health"))
    stranger = it.world.caller(it.world.add_organization("stranger", "clinic"))
    for caller in (coordinator, she, bound):
        for what in ("assign", "unassign", "assignments"):
            assert act(caller, what, it.person, "x").status_code == 403
    for what in ("assign", "unassign", "assignments"):
        assert act(stranger, what, it.person, "x").status_code == 404


def test_each_organisation_assigns_its_own_people(it: Story) -> None:
    nurse_id = account(it.world, it.clinic, "nurse", role="clinician")
    nurse = signed_in(it.world, it.clinic, role="clinician", account=nurse_id)
    assert state_of(act(it.c, "assign", it.person, nurse_id)) == "active"
    assert nurse.get(f"/{it.person}").get_data() == it.c.get(f"/{it.person}").get_data()
    assert nurse_id in held(it.c, it.person)
    assert held(it.s, it.person) == {}
    assert act(it.s, "assign", it.person, nurse_id).status_code == 422
    assert act(it.s, "unassign", it.person, nurse_id).status_code == 404
    it.revoke()
    assert nurse.get(f"/{it.person}").status_code == 404


def test_it_is_audited_and_told_to_her(it: Story) -> None:
    worker_id = account(it.world, it.shelter, "told")
    boss = signed_in(it.world, it.shelter, role="supervisor", account="boss")
    act(boss, "assign", it.person, worker_id)
    act(boss, "unassign", it.person, worker_id)
    she = signed_in(it.world, it.shelter, "patient", account="p", person=it.person)
    told = parsed(she.get(f"/{it.person}/$disclosures"))["parameter"]
    acts = [
        part["valueCode"]
        for entry in told
        for part in entry["part"]
        if part["name"] == "what" and part["valueCode"] in ("assign", "unassign")
    ]
    assert acts == ["assign", "unassign"]
    events = parsed(it.s.get(f"/AuditEvent?patient={it.person}"))["entry"]
    assert {"assign", "unassign"} <= {one["resource"]["subtype"][0]["code"] for one in events}


def test_a_write_that_stood_on_an_ended_assignment_is_decided_again(it: Story) -> None:
    """The Change fails where the assignment ended between the decision and the commit."""
    from referral_hub.errors import GuardFailed
    from referral_hub.exchange.building import Draft
    from referral_hub.exchange.proposal import Proposal
    from referral_hub.exchange.state import Working

    worker_id = account(it.world, it.shelter, "racing")
    assigned(it.world, worker_id, it.person, organization=it.shelter)
    worker = signed_in(it.world, it.shelter, role="caseworker", account=worker_id)
    hub = it.world.parts.hub
    from hashlib import sha256

    with hub.store.snapshot() as snapshot:
        at_us = hub.clock()
        caller = hub.identify(snapshot.token(sha256(worker.token.encode()).digest()), at_us)
        draft = Draft(Working(snapshot), hub.ids, at_us, hub.own_bases)
        hub.gate.admit(caller, Proposal("create", "Condition", body=b.condition(it.person)), draft)
        change = hub.gate.seal(caller, draft, hub.ids.public_id())
    boss = signed_in(it.world, it.shelter, role="supervisor", account="boss")
    act(boss, "unassign", it.person, worker_id)
    with pytest.raises(GuardFailed):
        hub.store.apply(change)
    assert names_of(it.s, "/Condition") == set()


def test_two_who_assign_at_once_leave_one_row(it: Story) -> None:
    row = Row(
        "assignment_insert",
        {
            "account": "same",
            "person": row_id_of(it.world, it.person),
            "organization": it.shelter,
            "state": "active",
            "version": 0,
            "asked_by": "x",
            "asked_us": 0,
            "confirmed_by": "",
            "changed_us": 0,
        },
        at_least_one=True,
    )
    from referral_hub.errors import GuardFailed

    it.world._apply((row,))
    with pytest.raises(GuardFailed):
        it.world._apply((row,))
