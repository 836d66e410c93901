"""Bad input: a 4xx OperationOutcome that names the place, nothing stored, nothing leaked. On both databases."""

import json
from typing import Any

import pytest

from referral_hub.fhir import json_codec
from tests import builders as b
from tests.api.network import story
from tests.world import World, parsed

VALID_PATIENT = json_codec.encode(b.patient("Tern"))


def _deep(levels: int) -> bytes:
    return (
        b'{"resourceType":"Patient","extension":['
        + b'{"url":"urn:x","extension":[' * levels
        + b"]}" * levels
        + b"]}"
    )


BODIES: dict[str, tuple[bytes, int, str]] = {
    "not JSON": (b"{", 400, ""),
    "a list": (b"[]", 400, ""),
    "two documents": (VALID_PATIENT + VALID_PATIENT, 400, ""),
    "NaN": (b'{"resourceType":"Patient","multipleBirthInteger":NaN}', 400, ""),
    "not UTF-8": (b'{"resourceType":"Patient","language":"\xff"}', 400, ""),
    "a key twice": (b'{"resourceType":"Patient","gender":"male","gender":"female"}', 400, ""),
    "too deep": (_deep(200), 400, ""),
    "empty": (b"", 400, ""),
    "another type": (b'{"resourceType":"Task"}', 422, "resourceType"),
    "an unknown element": (b'{"resourceType":"Patient","shoeSize":44}', 422, "Patient.shoeSize"),
    "a wrong type": (b'{"resourceType":"Patient","active":"yes"}', 422, "Patient.active"),
    "a wrong code": (b'{"resourceType":"Patient","gender":"banana"}', 422, "Patient.gender"),
    "a wrong date": (b'{"resourceType":"Patient","birthDate":"2026-02-30"}', 422, "Patient.birthDate"),
    "an empty array": (b'{"resourceType":"Patient","name":[]}', 422, "Patient.name"),
    "script in the narrative": (
        b'{"resourceType":"Patient","text":{"status":"generated","div":'
        b'"<div xmlns=\\"http://www.w3.org/1999/xhtml\\"><script>x</script></div>"}}',
        422,
        "Patient.text",
    ),
    "a foreign reference": (
        b'{"resourceType":"Patient","managingOrganization":{"reference":"https://elsewhere.example/fhir/Organization/1"}}',
        422,
        "Patient.managingOrganization.reference",
    ),
    "a reference to nothing": (
        b'{"resourceType":"Patient","managingOrganization":{"reference":"Organization/none"}}',
        422,
        "Patient.managingOrganization.reference",
    ),
}


@pytest.mark.parametrize("fault", BODIES)
def test_a_bad_body_is_refused_by_place_and_nothing_is_stored(world: World, fault: str) -> None:
    body, http_status, expression = BODIES[fault]
    it = story(world)
    before = parsed(it.s.get("/Patient"))["entry"]
    answer = it.s.ask("POST", "/Patient", body, Content_Type="application/fhir+json")
    assert answer.status_code == http_status, answer.get_data(as_text=True)
    outcome = parsed(answer)
    assert outcome["resourceType"] == "OperationOutcome"
    if expression:
        assert any(issue.get("expression", [""])[0].startswith(expression) for issue in outcome["issue"]), (
            outcome
        )
    assert len(parsed(it.s.get("/Patient"))["entry"]) == len(before)


def test_every_problem_is_told_at_once(world: World) -> None:
    it = story(world)
    body = {"resourceType": "Patient", "gender": "banana", "birthDate": "x", "shoeSize": 1, "active": "yes"}
    found = parsed(it.s.ask("POST", "/Patient", body))["issue"]
    assert {issue["expression"][0] for issue in found} == {
        "Patient.gender",
        "Patient.birthDate",
        "Patient.shoeSize",
        "Patient.active",
    }


@pytest.mark.attack("S-19")
def test_hidden_and_missing_references_are_refused_alike(world: World) -> None:
    it = story(world)
    other = world.caller(world.add_organization("other", "shelter"))

    def answer(reference: str) -> bytes:
        return other.ask("POST", "/Condition", b.condition(reference)).get_data()

    assert answer(it.person) == answer("Patient/00000000-0000-4000-8000-000000000000")


@pytest.mark.parametrize(
    ("headers", "http_status"),
    [
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Type": "text/turtle"}, 415),
        ({"Content_Type": "application/fhir+json; charset=latin1"}, 415),
        ({"Accept": "text/turtle"}, 406),
        ({"Accept": "text/html"}, 406),
    ],
)
def test_forms_the_hub_does_not_speak(world: World, headers: dict[str, str], http_status: int) -> None:
    it = story(world)
    answer = it.s.ask("POST", "/Patient", b.patient("Tern"), **headers)
    assert answer.status_code == http_status
    assert parsed(answer)["resourceType"] == "OperationOutcome"


def test_a_body_larger_than_the_limit_is_413(world: World) -> None:
    it = story(world)
    body = b'{"resourceType":"Patient","language":"' + b"a" * (4 * 1024 * 1024) + b'"}'
    assert it.s.ask("POST", "/Patient", body, Content_Type="application/fhir+json").status_code == 413


def test_a_bundle_of_too_many_entries_is_422(world: World) -> None:
    it = story(world)
    entry = {"request": {"method": "GET", "url": "Patient"}}
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": [entry] * 501}
    answer = it.s.ask("POST", "/", bundle)
    assert answer.status_code == 422
    assert parsed(answer)["issue"][0]["code"] == "too-costly"


@pytest.mark.attack("S-12", "S-16")
@pytest.mark.parametrize(
    ("query", "strict", "http_status"),
    [
        ("shoe-size=44", False, 200),
        ("shoe-size=44", True, 400),
        ("_filter=name eq x", False, 400),
        ("_text=x", False, 400),
        ("_security=R", False, 400),
        ("birthdate=yesterday", False, 400),
        ("_count=many", False, 400),
        ("_sort=birthdate,name", False, 400),
        ("_has:Task:patient:focus=x", False, 400),
        ("_has:Observation:patient:value-quantity=1", False, 400),
        ("_cursor=abc", False, 400),
    ],
)
def test_searches_that_cannot_be_answered(world: World, query: str, strict: bool, http_status: int) -> None:
    it = story(world)
    headers = {"Prefer": "handling=strict"} if strict else {}
    answer = it.s.get(f"/Patient?{query}", **headers)
    assert answer.status_code == http_status, answer.get_data(as_text=True)
    if http_status != 200:
        assert parsed(answer)["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    "query", ["Task?patient.birthdate=2000", "Task?focus.subject.name=x", "Task?owner.partof=1"]
)
def test_a_chain_beside_the_published_list_is_refused(world: World, query: str) -> None:
    it = story(world)
    assert it.s.get(f"/{query}").status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "http_status"),
    [
        ("GET", "/Claim/1", 404),
        ("POST", "/Claim", 404),
        ("DELETE", "/AuditEvent/1", 405),
        ("PATCH", "/AuditEvent/1", 405),
        ("GET", "/Task/1/$unknown", 404),
        ("PUT", "/Task", 412),
        ("PUT", "/metadata", 405),
    ],
)
def test_addresses_the_hub_does_not_have(world: World, method: str, path: str, http_status: int) -> None:
    it = story(world)
    body: Any = {"resourceType": "Task"} if method in ("POST", "PUT", "PATCH") else None
    answer = it.s.ask(method, path, body)
    assert answer.status_code == http_status
    assert parsed(answer)["resourceType"] == "OperationOutcome"


def test_an_illegal_move_says_what_is_possible(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer()
    shown = it.c.read(it.task)
    answer = it.c.update({**shown, "status": "completed"})
    told = json.loads(answer.get_data())["issue"][0]
    assert answer.status_code == 422
    assert told["code"] == "business-rule"
    assert told["details"]["text"] == "From here this caller can move it to accepted, rejected or cancelled."


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer nonsense", "Basic YTpi", "DPoP abc"])
def test_without_a_live_token_nothing_is_told(world: World, header: str) -> None:
    it = story(world)
    headers = {"Authorization": header} if header else {}
    known = world.client.get(f"/fhir/{it.person}", headers=headers)
    unknown = world.client.get("/fhir/Patient/none", headers=headers)
    assert known.status_code == unknown.status_code == 401
    assert known.get_data() == unknown.get_data()
    assert known.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_scope_that_lacks_the_type_is_403_for_every_id(world: World) -> None:
    it = story(world)
    narrow = world.caller(it.shelter, scope="system/Task.rs")
    assert narrow.get(f"/{it.person}").status_code == 403
    assert narrow.get("/Patient/none").status_code == 403
    assert narrow.ask("POST", "/Task", {"resourceType": "Task"}).status_code == 403


def test_directory_entries_are_ones_own(world: World) -> None:
    it = story(world)
    assert it.s.ask("POST", "/Organization", {"resourceType": "Organization", "name": "X"}).status_code == 403
    service = {"resourceType": "HealthcareService", "providedBy": {"reference": f"Organization/{it.shelter}"}}
    assert it.s.ask("POST", "/HealthcareService", service).status_code == 201
    assert it.c.ask("POST", "/HealthcareService", service).status_code == 422
