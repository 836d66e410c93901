"""The REST interactions on real input, on both databases: create, read, update, patch, delete, history, Bundles."""

import json
import threading
from typing import Any

import pytest

from referral_hub.fhir.canonical import V2_0203
from tests import builders as b
from tests.api.network import story
from tests.world import World, parsed, texts


def test_what_was_stored_comes_back_digit_for_digit(world: World) -> None:
    it = story(world)
    raw = (
        b'{"resourceType":"Observation","status":"final","category":[{"coding":[{"system":'
        b'"https://referral-hub.example/fhir/CodeSystem/information-category","code":"health"}]}],'
        b'"code":{"text":"weight"},"subject":{"reference":"' + it.person.encode() + b'"},'
        b'"effectiveDateTime":"2026-11-20T10:00:00.123456789Z","valueQuantity":{"value":1.50},'
        b'"component":[{"code":{"text":"long"},"valueQuantity":{"value":100.000000000000000001}},'
        b'{"code":{"text":"exponent"},"valueQuantity":{"value":1E2}}]}'
    )
    made = it.s.ask("POST", "/Observation", raw)
    assert made.status_code == 201, made.get_data(as_text=True)
    text = it.s.get(f"/Observation/{parsed(made)['id']}").get_data(as_text=True)
    for kept in ('"value":1.50', "100.000000000000000001", '"value":1E2', "10:00:00.123456789Z"):
        assert kept in text


def test_primitive_extensions_and_nulls_in_parallel_arrays_come_back(world: World) -> None:
    it = story(world)
    person = b.patient("Wren")
    person["_birthDate"] = {"extension": [{"url": "urn:example:about", "valueBoolean": True}]}
    person["name"] = [
        {
            "given": ["Wren", "Ann"],
            "_given": [None, {"extension": [{"url": "urn:example:x", "valueCode": "a"}]}],
        }
    ]
    made = it.s.create(person)
    read = it.s.read(f"Patient/{made['id']}")
    assert read["name"] == person["name"]
    assert read["_birthDate"] == person["_birthDate"]


def test_create_answers_with_location_etag_and_last_modified(world: World) -> None:
    it = story(world)
    answer = it.s.ask("POST", "/Patient", b.patient("Finch"))
    made = parsed(answer)
    version = made["meta"]["versionId"]
    assert answer.status_code == 201
    assert answer.headers["Location"].endswith(f"/fhir/Patient/{made['id']}/_history/{version}")
    assert answer.headers["ETag"] == f'W/"{version}"'
    assert answer.headers["Last-Modified"].endswith("GMT")
    assert answer.headers["Content-Type"] == "application/fhir+json; charset=utf-8"


@pytest.mark.parametrize(
    ("prefer", "kind"),
    [("return=minimal", ""), ("return=OperationOutcome", "OperationOutcome"), ("", "Patient")],
)
def test_prefer_return(world: World, prefer: str, kind: str) -> None:
    it = story(world)
    answer = it.s.ask("POST", "/Patient", b.patient("Finch"), Prefer=prefer)
    assert answer.status_code == 201
    assert (parsed(answer)["resourceType"] if answer.get_data() else "") == kind


def test_update_needs_the_version_it_was_made_from(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer(status="draft")
    task = it.s.read(it.task)
    task["priority"] = "routine"
    missing = it.s.ask("PUT", f"/{it.task}", task)
    assert (missing.status_code, parsed(missing)["issue"][0]["code"]) == (400, "required")
    assert it.s.update(task).status_code == 200
    stale = it.s.update(task)
    assert (stale.status_code, parsed(stale)["issue"][0]["code"]) == (412, "conflict")


@pytest.mark.attack("T-26")
def test_an_id_that_does_not_exist_is_405_for_put_and_404_for_patch(world: World) -> None:
    it = story(world)
    unknown = "00000000-0000-4000-8000-000000000000"
    task = b.task(it.person, "ServiceRequest/x", it.clinic) | {"id": unknown}
    assert it.s.ask("PUT", f"/Task/{unknown}", task, If_Match='W/"x"').status_code == 405
    patch = [{"op": "replace", "path": "/status", "value": "accepted"}]
    answer = it.s.ask(
        "PATCH", f"/Task/{unknown}", patch, If_Match='W/"x"', Content_Type="application/json-patch+json"
    )
    assert answer.status_code == 404


@pytest.mark.attack("S-01", "S-04", "T-26")
def test_hidden_and_unknown_ids_answer_alike(world: World) -> None:
    it = story(world)
    other = world.caller(world.add_organization("other", "clinic"))
    unknown = "Patient/00000000-0000-4000-8000-000000000000"
    hidden, absent = other.get(f"/{it.person}"), other.get(f"/{unknown}")
    assert hidden.status_code == absent.status_code == 404
    assert hidden.get_data() == absent.get_data()
    person = it.s.read(it.person)
    gone = {**person, "id": unknown.partition("/")[2]}
    hidden = other.ask("PUT", f"/{it.person}", person, If_Match='W/"x"')
    absent = other.ask("PUT", f"/{unknown}", gone, If_Match='W/"x"')
    assert hidden.status_code == absent.status_code == 405
    assert hidden.get_data() == absent.get_data()


def test_json_patch_moves_a_task(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer()
    shown = it.c.read(it.task)
    patch = [{"op": "replace", "path": "/status", "value": "accepted"}]
    answer = it.c.ask(
        "PATCH",
        f"/{it.task}",
        patch,
        If_Match=f'W/"{shown["meta"]["versionId"]}"',
        Content_Type="application/json-patch+json",
    )
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert it.s.read(it.task)["status"] == "accepted"


def test_delete_is_for_drafts_that_were_never_released(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer(status="draft")
    assert it.s.ask("DELETE", f"/{it.task}").status_code == 204
    assert it.s.get(f"/{it.task}").status_code == 410
    it.refer()
    refused = it.s.ask("DELETE", f"/{it.task}")
    assert refused.status_code == 409
    assert "entered-in-error" in texts(refused)[0]


@pytest.mark.attack("S-06", "E-03", "T-32")
def test_history_gives_the_author_every_version_and_others_since_requested(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer(status="draft")
    it.s.changed(it.task, status="requested")
    it.move("accepted")
    own = parsed(it.s.get(f"/{it.task}/_history"))
    seen = parsed(it.c.get(f"/{it.task}/_history"))
    assert [entry["resource"]["status"] for entry in own["entry"]] == ["accepted", "requested", "draft"]
    assert [entry["resource"]["status"] for entry in seen["entry"]] == ["accepted", "requested"]
    draft = own["entry"][2]["resource"]["meta"]["versionId"]
    assert it.s.get(f"/{it.task}/_history/{draft}").status_code == 200
    assert it.c.get(f"/{it.task}/_history/{draft}").status_code == 404


@pytest.mark.attack("S-06", "E-03")
def test_a_recipient_has_the_request_and_the_person_only_as_current(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer()
    old = it.s.read(it.person)["meta"]["versionId"]
    it.s.changed(it.person, gender="other")
    seen = parsed(it.c.get(f"/{it.person}/_history"))
    assert len(seen["entry"]) == 1
    assert it.c.get(f"/{it.person}/_history/{old}").status_code == 404


def test_conditional_create_makes_one_resource(world: World) -> None:
    it = story(world)
    person = b.patient("Robin")
    criteria = "identifier=urn:example:shelter-file|file-robin"
    first = it.s.ask("POST", "/Patient", person, If_None_Exist=criteria)
    second = it.s.ask("POST", "/Patient", person, If_None_Exist=criteria)
    assert (first.status_code, second.status_code) == (201, 200)
    assert parsed(first)["id"] == parsed(second)["id"]
    other = world.caller(world.add_organization("other", "shelter"))
    assert other.ask("POST", "/Patient", person, If_None_Exist=criteria).status_code == 201
    it.s.create(person)
    assert it.s.ask("POST", "/Patient", person, If_None_Exist=criteria).status_code == 412
    refused = it.s.ask("POST", "/Patient", person, If_None_Exist="name=Robin")
    assert (refused.status_code, parsed(refused)["issue"][0]["code"]) == (412, "not-supported")


def _in_threads(count: int, act: Any) -> list[Any]:
    answers: list[Any] = [None] * count
    ready = threading.Barrier(count)

    def run(index: int) -> None:
        ready.wait()
        answers[index] = act(index)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_forty_conditional_creates_at_once_make_one_resource(world: World) -> None:
    it = story(world)
    person = b.patient("Crane")
    criteria = "identifier=urn:example:shelter-file|file-crane"
    answers = _in_threads(
        40, lambda _: it.s.ask("POST", "/Patient", person, If_None_Exist=criteria).status_code
    )
    assert sorted(set(answers)) in ([200, 201], [200, 201, 503])
    assert answers.count(201) == 1
    found = parsed(it.s.get(f"/Patient?{criteria}"))
    assert len(found["entry"]) == 1


def test_forty_updates_of_one_version_make_one_success(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer(status="draft")
    task = it.s.read(it.task)

    def update(index: int) -> int:
        return it.s.update({**task, "description": f"attempt {index}"}).status_code

    answers = _in_threads(40, update)
    assert answers.count(200) == 1
    assert answers.count(412) == 39


def test_a_transaction_is_one_change(world: World) -> None:
    it = story(world)
    bundle = _referral_bundle(it.shelter, it.clinic)
    answer = it.s.ask("POST", "/", bundle)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    made = parsed(answer)
    assert made["type"] == "transaction-response"
    assert [entry["response"]["status"] for entry in made["entry"]] == ["201 Created"] * 4
    task = made["entry"][0]["resource"]
    assert task["for"]["reference"] == f"Patient/{made['entry'][3]['resource']['id']}"
    assert it.c.read(f"Task/{task['id']}")["status"] == "requested"


def test_a_transaction_with_one_fault_stores_nothing(world: World) -> None:
    it = story(world)
    bundle = _referral_bundle(it.shelter, it.clinic)
    bundle["entry"][1]["resource"]["status"] = "banana"
    answer = it.s.ask("POST", "/", bundle)
    assert answer.status_code == 422
    found = parsed(it.s.get("/Patient?identifier=urn:example:shelter-file|file-heron"))
    assert "entry" not in found


def test_a_batch_answers_each_entry_as_it_would_be_alone(world: World) -> None:
    it = story(world)
    bundle = {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [
            {"request": {"method": "GET", "url": it.person}},
            {"request": {"method": "GET", "url": "Patient/00000000-0000-4000-8000-000000000000"}},
            {"request": {"method": "POST", "url": "Patient"}, "resource": b.patient("Swift")},
            {
                "request": {"method": "POST", "url": "Patient"},
                "resource": {"resourceType": "Patient", "x": 1},
            },
            {"request": {"method": "GET", "url": "Task?status=requested"}},
        ],
    }
    made = parsed(it.s.ask("POST", "/", bundle))
    assert [entry["response"]["status"][:3] for entry in made["entry"]] == ["200", "404", "201", "422", "200"]


def _referral_bundle(shelter: str, clinic: str) -> dict[str, Any]:
    person, request, release, task = (f"urn:uuid:00000000-0000-4000-8000-00000000000{n}" for n in range(4))
    entries = [
        (task, b.task(person, request, clinic)),
        (request, b.service_request(person, clinic)),
        (release, b.release(person, shelter, b.permit(clinic))),
        (person, b.patient("Heron")),
    ]
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {"fullUrl": url, "resource": body, "request": {"method": "POST", "url": body["resourceType"]}}
            for url, body in entries
        ],
    }


def test_both_sides_know_a_referral_by_their_own_number(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer()
    filler = {"type": b.coded(V2_0203, "FILL"), "system": "urn:example:clinic", "value": "C-17"}
    shown = it.c.read(it.task)
    it.c.changed(it.task, status="accepted", identifier=[*shown["identifier"], filler])
    kinds = {i["type"]["coding"][0]["code"]: i["value"] for i in it.c.read(it.task)["identifier"]}
    assert kinds["FILL"] == "C-17"
    assert kinds["PLAC"] == shown["identifier"][0]["value"]


def test_every_move_has_a_provenance_of_the_organisation_that_made_it(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer()
    it.move("accepted")
    theirs = parsed(it.c.get(f"/Provenance?target={it.task}"))
    ours = parsed(it.s.get(f"/Provenance?target={it.task}"))
    assert [e["resource"]["activity"]["coding"][0]["code"] for e in theirs["entry"]] == ["accepted"]
    assert [e["resource"]["activity"]["coding"][0]["code"] for e in ours["entry"]] == ["requested.sent"]


def test_the_capability_statement_says_what_is_declared(world: World) -> None:
    told = json.loads(world.client.get("/fhir/metadata").get_data())
    rest = told["rest"][0]
    task = next(resource for resource in rest["resource"] if resource["type"] == "Task")
    assert told["fhirVersion"] == "4.0.1"
    assert task["versioning"] == "versioned-update"
    assert task["updateCreate"] is False
    assert "Task:focus" in task["searchInclude"]
    assert {"_id", "_lastUpdated", "owner", "status", "focus", "patient", "requester", "code"} <= {
        parameter["name"] for parameter in task["searchParam"]
    }
    assert rest["security"]["service"][0]["coding"][0]["code"] == "SMART-on-FHIR"


@pytest.mark.parametrize("sent", [{"id": "00000000-0000-4000-8000-000000000000"}, {"id": None}])
def test_an_update_whose_id_is_not_that_of_the_address_is_400(world: World, sent: dict[str, Any]) -> None:
    it = story(world)
    stranger = world.caller(world.add_organization("stranger", "clinic"))
    body = {name: value for name, value in {**it.s.read(it.person), **sent}.items() if value is not None}
    version = {"If_Match": f'W/"{body["meta"]["versionId"]}"'}
    answer = it.s.ask("PUT", f"/{it.person}", body, **version)
    assert answer.status_code == 400
    assert parsed(answer)["issue"][0]["expression"] == ["Patient.id"]
    hidden, absent = (
        stranger.ask("PUT", f"/Patient/{one}", body, **version)
        for one in (it.person.partition("/")[2], "11111111-0000-4000-8000-000000000000")
    )
    assert (hidden.status_code, hidden.data) == (absent.status_code, absent.data)
    assert hidden.status_code == 405
    assert it.s.read(it.person)["meta"]["versionId"] == body["meta"]["versionId"]


def test_available_actions_name_the_moves_of_the_caller(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer()

    def statuses(caller: Any) -> set[str]:
        told = parsed(caller.get(f"/{it.task}/$available-actions"))
        return {
            part["valueCode"]
            for parameter in told.get("parameter", [])
            for part in parameter["part"]
            if part["name"] == "status"
        }

    assert statuses(it.c) == {"accepted", "rejected", "cancelled", "requested"}
    assert statuses(it.s) == {"cancelled", "entered-in-error"}
