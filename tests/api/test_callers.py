"""Who sees what within an organisation: staff by role and assignment, the person herself, tokens about one person.

Source: ``views.md`` 9 (Roles inside an organisation); ``practice.md`` 12; ``consent.md`` D-07.
"""

import json
from typing import Any

import pytest

from referral_hub.fhir.canonical import code_system
from referral_hub.resources.catalog import DEFINITIONS
from tests import builders as b
from tests.api.callers import assigned, bound_to, names_of, signed_in
from tests.api.network import Story, story
from tests.world import Caller, World, parsed


@pytest.fixture
def it(world: World) -> Story:
    """A person of a shelter with a record, referred to a clinic that accepted."""
    found = story(world)
    found.s.create(b.condition(found.person))
    found.sign()
    return found


def other_person(it: Story) -> tuple[str, str]:
    """Another person of the same shelter and a record of hers, as ``Type/id``."""
    person = f"Patient/{it.s.create(b.patient('Wren'))['id']}"
    return person, f"Condition/{it.s.create(b.condition(person))['id']}"


def condition_of(it: Story) -> str:
    return next(iter(names_of(it.s, f"/Condition?patient={it.person}")))


def statuses(caller: Caller, *references: str) -> list[int]:
    return [caller.get(f"/{one}").status_code for one in references]


# --- staff ---------------------------------------------------------------------------------------------------


def test_a_supervisor_sees_the_whole_unit(it: Story) -> None:
    other, condition = other_person(it)
    boss = signed_in(it.world, it.shelter, role="supervisor", account="a")
    assert statuses(boss, it.person, other, condition) == [200, 200, 200]
    assert {it.person, other} <= names_of(boss, "/Patient")


@pytest.mark.parametrize("role", ["caseworker", "clinician", "lawyer", "intake"])
def test_staff_see_the_persons_assigned_to_them(it: Story, role: str) -> None:
    other, condition = other_person(it)
    account = f"account-of-{role}"
    worker = signed_in(it.world, it.shelter, role=role, account=account)
    assert statuses(worker, it.person, other, condition) == [404, 404, 404]
    assert names_of(worker, "/Patient") == set()
    assigned(it.world, account, it.person)
    assert statuses(worker, it.person, other, condition) == [200, 404, 404]
    assert names_of(worker, "/Patient") == {it.person}
    assert names_of(worker, f"/Condition?patient={other}") == set()
    assert parsed(worker.get("/Patient?_total=accurate"))["total"] == 1
    assert names_of(worker, "/Consent") == {f"Consent/{it.release['id']}"}


@pytest.mark.parametrize("state", ["pending", "ended"])
def test_an_assignment_that_waits_or_ended_opens_nothing(it: Story, state: str) -> None:
    assigned(it.world, f"a-{state}", it.person, state=state)
    worker = signed_in(it.world, it.shelter, role="caseworker", account=f"a-{state}")
    assert statuses(worker, it.person) == [404]
    assert names_of(worker, "/Patient") == set()


@pytest.mark.parametrize("role", ["coordinator", "evaluator"])
def test_coordinators_and_evaluators_see_nobody(it: Story, role: str) -> None:
    it.refer()
    for organization in (it.shelter, it.clinic):
        caller = signed_in(it.world, organization, role=role, account="a-coordinator")
        assert statuses(caller, it.person, it.task, it.request, condition_of(it)) == [404] * 4
        for name, definition in DEFINITIONS.items():
            if definition.about_person and "search-type" in definition.interactions:
                assert names_of(caller, f"/{name}") == set(), name
        assert f"Organization/{it.shelter}" in names_of(caller, "/Organization?_count=1000")


@pytest.mark.attack("T-22")
@pytest.mark.parametrize("role", ["", "boss"])
def test_an_account_without_a_known_role_opens_nothing(it: Story, role: str) -> None:
    caller = signed_in(it.world, it.shelter, role=role, account="a-none")
    assert statuses(caller, it.person, f"Organization/{it.shelter}") == [403, 403]
    assert caller.get("/Organization").status_code == 403


def test_intake_sees_what_is_asked_and_not_yet_answered(it: Story) -> None:
    it.refer()
    desk = signed_in(it.world, it.clinic, role="intake", account="a-desk")
    assert statuses(desk, it.task, it.request, it.person, condition_of(it)) == [200, 200, 200, 404]
    assert names_of(desk, "/Task?status=requested") == {it.task}
    assert "name" not in desk.read(it.person)
    answer = desk.ask(
        "PUT",
        f"/{it.task}",
        {**desk.read(it.task), "status": "accepted"},
        If_Match=desk.get(f"/{it.task}").headers["ETag"],
    )
    assert answer.status_code in (200, 204), answer.get_data(as_text=True)
    assert it.c.read(it.task)["status"] == "accepted"
    assert statuses(desk, it.task, it.request, it.person) == [404, 404, 404]
    assert names_of(desk, "/Task") == names_of(desk, "/Patient") == set()
    assigned(it.world, "a-desk", it.person)
    assert statuses(desk, it.task, it.request, it.person, condition_of(it)) == [200] * 4


def test_staff_of_a_recipient_see_the_assigned_person_as_their_organisation_does(it: Story) -> None:
    it.refer()
    it.move("accepted")
    nurse = signed_in(it.world, it.clinic, role="clinician", account="a-nurse")
    assert statuses(nurse, it.task, it.person, condition_of(it)) == [404, 404, 404]
    assigned(it.world, "a-nurse", it.person)
    for reference in (it.task, it.person, condition_of(it)):
        assert nurse.get(f"/{reference}").get_data() == it.c.get(f"/{reference}").get_data()
    it.revoke()
    assert statuses(nurse, it.person, condition_of(it)) == [404, 404]
    assert nurse.read(it.task) == it.c.read(it.task)


def test_a_removed_assignment_is_felt_at_the_next_request(it: Story) -> None:
    assigned(it.world, "a-leaving", it.person)
    worker = signed_in(it.world, it.shelter, role="caseworker", account="a-leaving")
    assert statuses(worker, it.person) == [200]
    from referral_hub.exchange.change import Row
    from tests.api.callers import row_id_of

    it.world._apply(
        (
            Row(
                "assignment_update",
                {
                    "account": "a-leaving",
                    "person": row_id_of(it.world, it.person),
                    "organization": "",
                    "state": "ended",
                    "version": 1,
                    "asked_by": "a",
                    "asked_us": 0,
                    "confirmed_by": "",
                    "changed_us": 1,
                },
                at_least_one=True,
            ),
        )
    )
    assert statuses(worker, it.person) == [404]
    assert names_of(worker, "/Patient") == set()


def test_whoever_opens_a_file_works_with_her(it: Story) -> None:
    worker = signed_in(it.world, it.shelter, role="caseworker", account="a-new")
    made = worker.create(b.patient("Finch"))
    person = f"Patient/{made['id']}"
    assert names_of(worker, "/Patient") == {person}
    worker.create(b.condition(person))
    colleague = signed_in(it.world, it.shelter, role="caseworker", account="a-other")
    assert statuses(colleague, person) == [404]


@pytest.mark.parametrize("role", ["coordinator", "evaluator"])
def test_who_sees_nobody_opens_no_file(it: Story, role: str) -> None:
    caller = signed_in(it.world, it.shelter, role=role, account="a-count")
    answer = caller.ask("POST", "/Patient", b.patient("Dove"))
    assert answer.status_code == 403
    assert "Patient" not in {one.partition("/")[0] for one in names_of(it.s, "/Patient?name=Dove")}


def test_staff_write_only_what_they_reach(it: Story) -> None:
    other, condition = other_person(it)
    assigned(it.world, "a-writer", it.person)
    worker = signed_in(it.world, it.shelter, role="caseworker", account="a-writer")
    hidden = worker.ask("POST", "/Condition", b.condition(other))
    missing = worker.ask("POST", "/Condition", b.condition("Patient/00000000-0000-4000-8000-000000000000"))
    assert hidden.status_code == missing.status_code == 422
    whole = it.s.read(condition)
    assert worker.update(whole).status_code == 405
    answer = worker.ask("DELETE", f"/{condition}")
    assert answer.status_code in (404, 405)
    assert worker.ask("POST", "/Group", b.of_author("Group", it.person)).status_code == 403
    assert worker.changed(it.person, gender="other")["gender"] == "other"


@pytest.mark.attack("S-17", "S-18")
def test_a_number_of_somebody_out_of_reach_is_no_match(it: Story) -> None:
    """A colleague's person is neither found by her number nor told by a refusal."""
    number = {"identifier": [{"system": "urn:example:h", "value": "colleague-1"}]}
    it.s.create(b.patient("Wren", **number))
    worker = signed_in(it.world, it.shelter, role="caseworker", account="a-cond")
    wanted = "identifier=urn:example:h|colleague-1"
    assert worker.ask("PATCH", f"/Patient?{wanted}", []).status_code in (400, 404, 415)
    made = worker.ask("POST", "/Patient", b.patient("Wren", **number), If_None_Exist=wanted)
    assert made.status_code == 201
    again = worker.ask("POST", "/Patient", b.patient("Wren", **number), If_None_Exist=wanted)
    assert again.status_code == 200
    assert parsed(again)["id"] == parsed(made)["id"]


LASTING: tuple[tuple[str, str], ...] = (
    ("GET", "/Patient/$export"),
    ("GET", "/$export"),
    ("GET", "/$export/nothing"),
    ("DELETE", "/$export/nothing"),
    ("GET", "/$export/nothing/1"),
    ("GET", "/Subscription/$status"),
    ("GET", "/Subscription/00000000-0000-4000-8000-000000000000/$events"),
)


@pytest.mark.attack("E-05", "E-06")
@pytest.mark.parametrize(("method", "path"), LASTING)
def test_what_outlives_a_token_is_for_software_of_the_organisation(it: Story, method: str, path: str) -> None:
    for caller in (
        signed_in(it.world, it.shelter, role="supervisor", account="a"),
        signed_in(it.world, it.shelter, "patient", account="p", person=it.person),
        signed_in(it.world, it.shelter, "system", person=it.person),
        signed_in(it.world, it.clinic, "system", person=it.person, binding=bound_to(it.release, "health")),
    ):
        assert caller.ask(method, path, Prefer="respond-async").status_code == 403


def test_an_account_makes_no_subscription(it: Story) -> None:
    boss = signed_in(it.world, it.shelter, role="supervisor", account="a")
    body = {"resourceType": "Subscription", "status": "requested", "reason": "x", "criteria": "Task"}
    body["channel"] = {"type": "rest-hook"}
    assert boss.ask("POST", "/Subscription", body).status_code in (403, 422)
    assert names_of(boss, "/Subscription") == set()


# --- herself -------------------------------------------------------------------------------------------------


def test_she_reads_her_own_record_whoever_wrote_it(it: Story) -> None:
    it.refer()
    it.move("accepted")
    answer = it.c.create(b.observation(it.person))
    other, condition = other_person(it)
    she = signed_in(it.world, it.shelter, "patient", account="p", person=it.person)
    observation = f"Observation/{answer['id']}"
    assert she.get(f"/{it.person}").get_data() == it.s.get(f"/{it.person}").get_data()
    assert she.get(f"/{observation}").get_data() == it.c.get(f"/{observation}").get_data()
    assert statuses(she, it.task, it.request, condition_of(it), other, condition) == [200] * 3 + [404] * 2
    assert names_of(she, "/Patient") == {it.person}
    assert names_of(she, "/Observation") == {observation}
    assert names_of(she, "/Task") == {it.task}
    assert names_of(she, "/Task?_include=Task:patient") == {it.task, it.person}
    found = names_of(she, f"/{it.person}/$everything?_count=1000")
    assert {it.person, observation, it.task, f"Consent/{it.release['id']}"} <= found
    assert other not in found


def test_her_consents_are_hers_whole_and_with_their_history(it: Story) -> None:
    it.revoke()
    she = signed_in(it.world, it.shelter, "patient", account="p", person=it.person)
    consent = f"Consent/{it.release['id']}"
    assert she.read(consent)["status"] == "inactive"
    assert len(parsed(she.get(f"/{consent}/_history"))["entry"]) == 2
    assert names_of(she, "/Consent?status=inactive") == {consent}


def test_what_never_leaves_its_author_is_not_hers(it: Story) -> None:
    made = it.s.create(
        {
            "resourceType": "Task",
            "status": "requested",
            "intent": "order",
            "code": b.coded(code_system("task-code"), "complaint"),
            "for": {"reference": it.person},
            "owner": {"reference": f"Organization/{it.shelter}"},
        }
    )
    she = signed_in(it.world, it.shelter, "patient", account="p", person=it.person)
    assert statuses(she, f"Task/{made['id']}") == [404]
    assert names_of(she, "/Task") == set()
    for name in ("Provenance", "AuditEvent", "Group", "Subscription"):
        assert she.get(f"/{name}?patient={it.person}").status_code == 403


def test_she_is_told_who_received_what(it: Story) -> None:
    it.refer()
    it.move("accepted")
    it.c.read(it.person)
    other, _ = other_person(it)
    she = signed_in(it.world, it.shelter, "patient", account="p", person=it.person)
    told = parsed(she.get(f"/{it.person}/$disclosures"))
    recipients = [
        part["valueReference"]["reference"]
        for entry in told["parameter"]
        for part in entry["part"]
        if part["name"] == "recipient"
    ]
    assert f"Organization/{it.clinic}" in recipients
    assert she.get(f"/{other}/$disclosures").status_code == 404


def test_she_writes_a_request_to_correct_and_nothing_else(it: Story) -> None:
    she = signed_in(it.world, it.shelter, "patient", account="p", person=it.person)
    request: dict[str, Any] = {
        "resourceType": "Communication",
        "status": "completed",
        "category": [b.coded(code_system("communication-category"), "correction-request")],
        "subject": {"reference": it.person},
        "sender": {"reference": it.person},
        "recipient": [{"reference": f"Organization/{it.shelter}"}],
        "payload": [{"contentString": "My birth date is wrong."}],
    }
    made = she.create(request)
    assert it.s.read(f"Communication/{made['id']}")["payload"] == request["payload"]
    assert statuses(she, f"Communication/{made['id']}") == [200]
    wrong = [
        {**request, "recipient": [{"reference": f"Organization/{it.clinic}"}]},
        {**request, "subject": {"reference": other_person(it)[0]}},
        {**request, "category": [b.coded(code_system("communication-category"), "supervision")]},
        {**request, "basedOn": [{"reference": "ServiceRequest/1"}]},
        b.condition(it.person),
    ]
    for body in wrong:
        assert she.ask("POST", f"/{body['resourceType']}", body).status_code == 403
    whole = she.read(it.person)
    assert she.update(whole).status_code == 403
    assert she.ask("DELETE", f"/Communication/{made['id']}").status_code in (403, 405)


def test_a_guardian_and_a_person_without_a_record_are_refused(it: Story) -> None:
    guardian = signed_in(
        it.world, it.shelter, "patient", account="g", person=it.person, user="RelatedPerson/1"
    )
    nobody = signed_in(it.world, it.shelter, "patient", account="n")
    for caller in (guardian, nobody):
        assert statuses(caller, it.person, f"Organization/{it.shelter}") == [403, 403]
        assert caller.get("/Patient").status_code == 403


# --- about one person, and bound -----------------------------------------------------------------------------


def test_a_token_about_one_person_knows_nobody_else(it: Story) -> None:
    other, condition = other_person(it)
    for caller in (
        signed_in(it.world, it.shelter, "system", person=it.person),
        signed_in(it.world, it.shelter, role="supervisor", account="a", person=it.person),
    ):
        assert statuses(caller, it.person, other, condition) == [200, 404, 404]
        assert names_of(caller, "/Patient") == {it.person}
        assert parsed(caller.get("/Condition?_total=accurate"))["total"] == 1
        assert condition not in names_of(caller, "/Patient?_revinclude=Condition:patient")
        assert caller.ask("POST", "/Patient", b.patient("Dove")).status_code == 403
        assert caller.ask("POST", "/Condition", b.condition(other)).status_code == 422
        entries = parsed(caller.get("/Patient/_history"))["entry"]
        assert {f"Patient/{one['resource']['id']}" for one in entries} == {it.person}


def test_scopes_of_the_patient_context_serve_staff_only_about_one_person(it: Story) -> None:
    scope = "patient/Patient.rs"
    about = signed_in(it.world, it.shelter, role="supervisor", account="a", person=it.person, scope=scope)
    whole = signed_in(it.world, it.shelter, role="supervisor", account="a", scope=scope)
    system = signed_in(it.world, it.shelter, "system", scope="user/Patient.rs")
    assert [statuses(one, it.person) for one in (about, whole, system)] == [[200], [403], [403]]


@pytest.fixture
def accepted(world: World) -> Story:
    """A person whose health and mental health a clinic may read, as the referral was accepted."""
    found = story(world)
    found.categories = ("identity", "health", "mental-health")
    found.sign()
    found.refer()
    found.move("accepted")
    return found


def test_a_bound_token_reads_its_categories_alone(accepted: Story) -> None:
    it = accepted
    health = f"Condition/{it.s.create(b.condition(it.person))['id']}"
    mental = f"Condition/{it.s.create(b.condition(it.person, 'mental-health'))['id']}"
    assert statuses(it.c, health, mental) == [200, 200]
    bound = signed_in(it.world, it.clinic, "system", person=it.person, binding=bound_to(it.release, "health"))
    assert statuses(bound, health, mental, it.task, it.person) == [200, 404, 200, 200]
    assert names_of(bound, "/Condition") == {health}
    assert "name" not in bound.read(it.person)  # identity is not in the binding
    named = signed_in(
        it.world, it.clinic, "system", person=it.person, binding=bound_to(it.release, "identity")
    )
    assert "name" in named.read(it.person)
    assert names_of(named, "/Condition") == set()


@pytest.mark.attack("T-16", "T-20")
def test_a_bound_token_never_widens_with_a_newer_consent(accepted: Story) -> None:
    it = accepted
    mental = f"Condition/{it.s.create(b.condition(it.person, 'mental-health'))['id']}"
    health = f"Condition/{it.s.create(b.condition(it.person))['id']}"
    bound = signed_in(it.world, it.clinic, "system", person=it.person, binding=bound_to(it.release, "health"))
    more = it.s.create(
        b.release(it.person, it.shelter, b.permit(it.clinic, categories=("identity", "mental-health")))
    )
    assert statuses(bound, health, mental) == [200, 404]
    other = signed_in(it.world, it.clinic, "system", person=it.person, binding=bound_to(more, "health"))
    assert statuses(other, health, mental) == [404, 404]
    it.revoke()
    assert statuses(it.c, mental) == [200]
    assert statuses(bound, health, mental, it.task, it.person) in ([404] * 4, [401] * 4)


def test_what_is_very_restricted_needs_a_token_it_may_come_with(world: World) -> None:
    it = story(world)
    it.release = it.s.create(
        b.release(it.person, it.shelter, b.permit(it.clinic, categories=("identity",), very_restricted=True))
    )
    it.refer()
    it.move("accepted")
    plain = world.caller(it.clinic, very_restricted=False)
    assert "telecom" not in plain.read(it.person)
    low = signed_in(world, it.clinic, "system", person=it.person, binding=bound_to(it.release, "identity"))
    assert "telecom" not in low.read(it.person)


def test_a_search_does_not_tell_what_the_token_kind_hides(accepted: Story) -> None:
    it = accepted
    it.s.create(b.condition(it.person, "mental-health"))
    bound = signed_in(it.world, it.clinic, "system", person=it.person, binding=bound_to(it.release, "health"))
    for path in (
        "/Condition?category=mental-health&_total=accurate",
        "/Condition?category:not=health&_summary=count",
        f"/Condition?patient={it.person}&_summary=count",
    ):
        assert json.loads(bound.get(path).get_data()).get("total") == 0, path
    assert names_of(bound, "/Patient?_has:Condition:patient:category=mental-health") == set()
