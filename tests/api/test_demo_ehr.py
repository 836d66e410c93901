"""The second clinic's own server keeps FHIR's rules: created once, read by version, updated by version."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from referral_hub.demo.ehr import Clinic
from referral_hub.fhir.canonical import code_system

JSON = {"Content-Type": "application/fhir+json"}
NUMBER = {"system": "urn:example:placer", "value": "4711"}
TASK = {"resourceType": "Task", "status": "requested", "intent": "order", "identifier": [NUMBER]}


@pytest.fixture
def clinic() -> Iterator[Clinic]:
    server = Clinic(0, "desk-key")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def ask(clinic: Clinic, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.request(method, f"{clinic.base}{path}", json=body, headers=sent, timeout=5)


def create(clinic: Clinic, body: Any = TASK, **headers: str) -> requests.Response:
    return ask(clinic, "POST", "/fhir/Task", body, Content_Type="application/fhir+json", **headers)


def outcome(answer: requests.Response) -> tuple[int, str]:
    told = answer.json()
    assert told["resourceType"] == "OperationOutcome"
    return answer.status_code, told["issue"][0]["code"]


def test_a_create_is_read_again_by_its_location_and_version(clinic: Clinic) -> None:
    made = create(clinic)
    assert made.status_code == 201
    assert made.headers["Location"] == f"{clinic.base}/fhir/Task/{made.json()['id']}/_history/1"
    path = f"/fhir/Task/{made.json()['id']}"
    found = ask(clinic, "GET", path)
    assert (found.status_code, found.json(), found.headers["ETag"]) == (200, made.json(), 'W/"1"')
    assert ask(clinic, "GET", path, If_None_Match='W/"1"').status_code == 304
    assert ask(clinic, "GET", path, If_None_Match='W/"2"').status_code == 200


@pytest.mark.parametrize(
    "condition", ["identifier=urn:example:placer|4711", "identifier=urn%3Aexample%3Aplacer%7C4711"]
)
def test_a_conditional_create_happens_once(clinic: Clinic, condition: str) -> None:
    first, second = (create(clinic, If_None_Exist=condition) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json() == first.json()
    other = create(
        clinic,
        {**TASK, "identifier": [{**NUMBER, "value": "4712"}]},
        If_None_Exist="identifier=urn:example:placer|4712",
    )
    assert other.status_code == 201
    create(clinic)
    assert outcome(create(clinic, If_None_Exist=condition)) == (412, "duplicate")


def test_a_message_that_comes_twice_makes_one_task(clinic: Clinic) -> None:
    first, second = (create(clinic, Idempotency_Key="k1") for _ in range(2))
    assert second.json()["id"] == first.json()["id"]
    assert create(clinic, Idempotency_Key="k2").json()["id"] != first.json()["id"]


def test_a_search_by_number_finds_it(clinic: Clinic) -> None:
    made = create(clinic).json()
    found = ask(clinic, "GET", "/fhir/Task?identifier=urn:example:placer|4711").json()
    assert [entry["resource"] for entry in found["entry"]] == [made]
    nothing = ask(clinic, "GET", "/fhir/Task?identifier=urn:example:placer|4712").json()
    assert (nothing["total"], "entry" in nothing) == (0, False)
    assert outcome(ask(clinic, "GET", "/fhir/Task?status=requested")) == (400, "value")


def test_an_update_names_the_version_it_was_made_from(clinic: Clinic) -> None:
    made = create(clinic).json()
    path = f"/fhir/Task/{made['id']}"
    moved = {**made, "status": "cancelled"}
    assert outcome(ask(clinic, "PUT", path, moved, Content_Type=JSON["Content-Type"])) == (400, "required")
    wrong = ask(clinic, "PUT", path, moved, Content_Type=JSON["Content-Type"], If_Match='W/"7"')
    assert outcome(wrong) == (412, "conflict")
    other = ask(
        clinic, "PUT", path, {**moved, "id": "x"}, Content_Type=JSON["Content-Type"], If_Match='W/"1"'
    )
    assert outcome(other) == (400, "value")
    done = ask(clinic, "PUT", path, moved, Content_Type=JSON["Content-Type"], If_Match='W/"1"')
    assert (done.status_code, done.headers["ETag"], done.json()["status"]) == (200, 'W/"2"', "cancelled")


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "expected"),
    [
        ("GET", "/fhir/Task/none", None, {}, (404, "not-found")),
        ("GET", "/fhir/Patient/1", None, {}, (404, "not-found")),
        ("POST", "/fhir/Patient", TASK, JSON, (404, "not-found")),
        ("POST", "/fhir/Task", {"resourceType": "Patient"}, JSON, (422, "not-supported")),
        ("POST", "/fhir/Task", {"resourceType": "Task"}, JSON, (422, "required")),
        ("POST", "/fhir/Task", [], JSON, (400, "structure")),
        ("POST", "/fhir/Task", TASK, {"Content-Type": "text/plain"}, (415, "not-supported")),
        ("POST", "/desk/accept", {"task": "1"}, {"X-Desk-Key": "guessed"}, (401, "login")),
        ("GET", "/desk", None, {}, (401, "login")),
        ("POST", "/desk/dance", {}, {"X-Desk-Key": "desk-key"}, (404, "not-found")),
        ("POST", "/desk/accept", {}, {"X-Desk-Key": "desk-key"}, (400, "invalid")),
        ("POST", "/desk/look", {"path": "Task"}, {"X-Desk-Key": "desk-key"}, (502, "transient")),
    ],
)
def test_what_it_does_not_take_is_an_outcome(
    clinic: Clinic, method: str, path: str, body: Any, headers: dict[str, str], expected: tuple[int, str]
) -> None:
    answer = requests.request(method, f"{clinic.base}{path}", json=body, headers=headers, timeout=5)
    assert outcome(answer) == expected


def test_it_turns_partners_away_while_it_is_looked_after(clinic: Clinic) -> None:
    desk = {"X_Desk_Key": "desk-key"}
    ask(clinic, "POST", "/desk/maintenance", {"on": True}, **desk)
    assert outcome(create(clinic)) == (503, "transient")
    screen = ask(clinic, "GET", "/desk", **desk).json()
    assert (screen["turned_away"], screen["messages"]) == (1, 0)
    ask(clinic, "POST", "/desk/maintenance", {"on": False}, **desk)
    assert create(clinic).status_code == 201


def test_its_people_confirm_what_they_were_asked_and_move_their_own_task(clinic: Clinic) -> None:
    asked = {
        "type": {"coding": [{"system": code_system("task-input-type"), "code": "handling-condition"}]},
        "valueCode": "no-letters",
    }
    made = create(clinic, {**TASK, "input": [asked, {"type": {"text": "else"}, "valueString": "x"}]}).json()
    for act in ("confirm", "accept"):
        answer = ask(clinic, "POST", f"/desk/{act}", {"task": made["id"]}, X_Desk_Key="desk-key")
        assert answer.status_code == 200
    moved = ask(clinic, "GET", f"/fhir/Task/{made['id']}")
    assert (moved.json()["status"], moved.headers["ETag"]) == ("accepted", 'W/"3"')
    assert [entry["valueCode"] for entry in moved.json()["output"]] == ["no-letters"]


def test_its_keys_are_public_halves_only(clinic: Clinic) -> None:
    (key,) = ask(clinic, "GET", "/jwks.json").json()["keys"]
    assert (key["kty"], key["alg"], "d" in key) == ("EC", "ES384", False)
