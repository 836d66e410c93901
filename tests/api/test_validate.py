"""$validate: a verdict on any resource of R4, for whoever has a token; nothing is stored and nothing is told."""

from pathlib import Path
from typing import Any

import pytest

from referral_hub.fhir.canonical import code_system, structure
from referral_hub.fhir.element_tables import index
from tests import builders as b
from tests.api.network import Story, story
from tests.world import Caller, World, parsed

EXAMPLES = Path(__file__).resolve().parents[3] / "shared" / "fhir" / "examples"


def verdict(caller: Caller, path: str, body: Any = None, method: str = "POST") -> list[dict[str, Any]]:
    answer = caller.ask(method, path, body)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    outcome = parsed(answer)
    assert outcome["resourceType"] == "OperationOutcome"
    found: list[dict[str, Any]] = outcome["issue"]
    return found


def errors(issues: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(i.get("expression", [""])[0], i["code"]) for i in issues if i["severity"] == "error"]


def parameters(**parts: Any) -> dict[str, Any]:
    made = []
    for name, value in parts.items():
        kind = "resource" if name == "resource" else "valueCode" if name == "mode" else "valueUri"
        made.append({"name": name, kind: value})
    return {"resourceType": "Parameters", "parameter": made}


@pytest.fixture
def it(world: World) -> Story:
    return story(world)


@pytest.fixture(scope="module")
def anybody(request: pytest.FixtureRequest) -> Caller:
    """Somebody with a token and nothing else; the database does not matter, nothing is stored."""
    world: World = request.getfixturevalue("_sqlite_world")
    return world.caller(world.add_organization("asking", "clinic"))


def test_a_sound_resource_gets_no_error(it: Story) -> None:
    issues = verdict(it.s, "/Patient/$validate", {"resourceType": "Patient", "gender": "female"})
    assert errors(issues) == []
    assert issues[-1]["severity"] == "information"


@pytest.mark.parametrize("where", ["snapshot", "differential"])
def test_definitions_of_too_many_elements_are_refused_at_once(anybody: Caller, where: str) -> None:
    def definition(many: int) -> dict[str, Any]:
        elements = [{"id": f"Patient.x{n}", "path": f"Patient.x{n}"} for n in range(many)]
        return {"resourceType": "StructureDefinition", where: {"element": elements}}

    path = "/StructureDefinition/$validate"
    answer = anybody.ask("POST", path, definition(5_001))
    assert answer.status_code == 422
    assert parsed(answer)["issue"][0]["code"] == "too-costly"
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": definition(2_501)}] * 2}
    assert anybody.ask("POST", "/Bundle/$validate", bundle).status_code == 422
    assert anybody.ask("POST", path, definition(50)).status_code == 200


def test_a_fault_has_its_place_in_both_forms(it: Story) -> None:
    (fault,) = [
        issue
        for issue in verdict(it.s, "/Patient/$validate", {"resourceType": "Patient", "gender": "x"})
        if issue["severity"] == "error"
    ]
    assert (fault["expression"], fault["location"]) == (["Patient.gender"], ["Patient.gender"])


def test_a_resource_in_parameters_is_the_same(it: Story) -> None:
    body = parameters(resource={"resourceType": "Patient", "gender": "x"})
    assert errors(verdict(it.s, "/Patient/$validate", body)) == [("Patient.gender", "code-invalid")]


@pytest.mark.parametrize("type_name", sorted(index().resource_types))
def test_every_type_of_r4_can_be_asked_about(anybody: Caller, type_name: str) -> None:
    issues = verdict(anybody, f"/{type_name}/$validate", {"resourceType": type_name, "shoeSize": 44})
    assert (type_name, "structure") in errors(issues) or errors(issues)[0][0].startswith(type_name)


def test_no_false_alarm_on_the_examples_of_the_standard(anybody: Caller) -> None:
    if not EXAMPLES.is_dir():
        pytest.skip("the official examples are not beside this checkout")
    files = sorted(EXAMPLES.glob("*.json"))
    alarms = {}
    for file in files:
        body = file.read_bytes()
        type_name = file.read_text(encoding="utf-8").partition('"resourceType"')[2].split('"')[1]
        if found := errors(verdict(anybody, f"/{type_name}/$validate", body)):
            alarms[file.name] = found
    assert (len(files) > 300, alarms) == (True, {})


def test_another_type_than_the_address_says_is_a_fault(it: Story) -> None:
    assert errors(verdict(it.s, "/Task/$validate", {"resourceType": "Patient"})) != []


def test_a_type_that_r4_does_not_have_is_not_there(it: Story) -> None:
    assert it.s.ask("POST", "/Persona/$validate", {"resourceType": "Persona"}).status_code == 404


def test_without_a_token_nobody_is_answered(it: Story) -> None:
    nobody = Caller("", "no-such-token", it.s.client)
    for path in ("/Patient/$validate", f"/{it.person}/$validate"):
        assert nobody.ask("POST", path, {"resourceType": "Patient"}).status_code == 401
    assert (
        nobody.ask("POST", "/Patient/$validate", b"<x/>", Content_Type="application/fhir+xml").status_code
        == 401
    )


def test_nothing_is_stored(it: Story) -> None:
    before = parsed(it.s.get("/Patient?_summary=count"))["total"]
    verdict(it.s, "/Patient/$validate", b.patient())
    verdict(it.s, "/Patient/$validate?mode=create", b.patient())
    changed = {**it.s.read(it.person), "gender": "male"}
    verdict(it.s, f"/{it.person}/$validate?mode=update", changed)
    assert parsed(it.s.get("/Patient?_summary=count"))["total"] == before
    assert it.s.read(it.person).get("gender") != "male"


def test_the_text_repeats_nothing_of_what_was_sent(it: Story) -> None:
    answer = it.s.ask("POST", "/Patient/$validate", {"resourceType": "Patient", "birthDate": "Zweifelhaft"})
    assert "Zweifelhaft" not in answer.get_data(as_text=True)


# --- what for --------------------------------------------------------------------------------------------


def test_an_unknown_extension_is_an_error_in_general_and_none_for_a_write(it: Story) -> None:
    strange = {"url": "http://ehr.vendor/x", "valueCode": "y"}
    body = {**b.patient(), "extension": [*b.patient().get("extension", []), strange]}
    assert ("extension") in {code for _, code in errors(verdict(it.s, "/Patient/$validate", body))}
    assert errors(verdict(it.s, "/Patient/$validate?mode=create", body)) == []
    it.s.create(body)


def test_a_create_of_a_type_that_is_not_stored_is_told(it: Story) -> None:
    body = {"resourceType": "Substance", "code": {"text": "water"}}
    assert errors(verdict(it.s, "/Substance/$validate", body)) == []
    assert errors(verdict(it.s, "/Substance/$validate?mode=create", body)) == [("", "not-supported")]


def test_a_create_in_a_later_status_is_told(it: Story) -> None:
    body = b.task(it.person, "ServiceRequest/x", it.clinic, status="accepted")
    found = errors(verdict(it.s, "/Task/$validate", parameters(resource=body, mode="create")))
    assert ("Task.status", "business-rule") in found


def test_an_update_is_asked_of_the_gate(it: Story) -> None:
    it.sign()
    task = it.refer()
    seen = it.c.read(task)
    assert errors(verdict(it.c, f"/{task}/$validate?mode=update", {**seen, "status": "accepted"})) == []
    found = errors(verdict(it.c, f"/{task}/$validate?mode=update", {**seen, "status": "completed"}))
    assert ("Task.status", "business-rule") in found
    assert it.c.read(task)["status"] == "requested"


def test_a_delete_is_for_drafts_of_ones_own(it: Story) -> None:
    it.sign()
    task = it.refer(status="draft")
    assert errors(verdict(it.s, f"/{task}/$validate?mode=delete", None)) == []
    it.s.changed(task, status="requested")
    assert errors(verdict(it.s, f"/{task}/$validate?mode=delete", None)) == [("", "business-rule")]
    assert errors(verdict(it.c, f"/{task}/$validate?mode=delete", None)) == [("", "forbidden")]


def test_a_mode_nobody_knows_is_refused(it: Story) -> None:
    assert it.s.ask("POST", "/Patient/$validate?mode=guess", b.patient()).status_code == 400


# --- profiles --------------------------------------------------------------------------------------------


def test_a_profile_that_is_named_is_judged(it: Story) -> None:
    body = {"resourceType": "HealthcareService", "name": "Help"}
    assert errors(verdict(it.s, "/HealthcareService/$validate", body)) == []
    named = parameters(resource=body, profile=structure("healthcare-service"))
    assert ("HealthcareService.providedBy", "required") in errors(
        verdict(it.s, "/HealthcareService/$validate", named)
    )


def test_a_profile_nobody_knows_is_told(it: Story) -> None:
    named = parameters(resource={"resourceType": "Patient"}, profile="https://elsewhere.test/p")
    assert errors(verdict(it.s, "/Patient/$validate", named)) == [("", "not-found")]


def test_a_claim_nobody_knows_is_a_warning(it: Story) -> None:
    body = {"resourceType": "Patient", "meta": {"profile": ["https://elsewhere.test/p"]}}
    issues = verdict(it.s, "/Patient/$validate", body)
    assert errors(issues) == []
    assert "Patient.meta.profile[0]" in [i["expression"][0] for i in issues if i["severity"] == "warning"]
    it.s.create({**b.patient(), "meta": body["meta"]})


def test_a_claim_is_in_force_when_it_is_written(it: Story) -> None:
    claims = {"meta": {"profile": [structure("healthcare-service")]}}
    answer = it.s.ask(
        "POST", "/HealthcareService", {"resourceType": "HealthcareService", "name": "x", **claims}
    )
    assert answer.status_code == 422
    assert "HealthcareService.providedBy" in answer.get_data(as_text=True)


def test_what_the_hub_shows_beside_its_codes_is_theirs(it: Story) -> None:
    need = {"system": code_system("service-domain"), "code": "no-such-domain"}
    body = {"resourceType": "HealthcareService", "type": [{"coding": [need]}]}
    found = errors(verdict(it.s, "/HealthcareService/$validate", body))
    assert found == [("HealthcareService.type[0].coding[0].code", "code-invalid")]


# --- others' data ----------------------------------------------------------------------------------------


@pytest.mark.attack("S-24", "E-09")
def test_who_does_not_see_it_learns_nothing(it: Story) -> None:
    stranger = it.world.caller(it.world.add_organization("stranger", "clinic"))
    there = stranger.ask("GET", f"/{it.person}/$validate")
    absent = stranger.ask("GET", "/Patient/no-such-person/$validate")
    assert (there.status_code, there.get_data()) == (404, absent.get_data())
    for mode in ("update", "delete"):
        there = stranger.ask("POST", f"/{it.person}/$validate?mode={mode}", b.patient())
        absent = stranger.ask("POST", f"/Patient/no-such-person/$validate?mode={mode}", b.patient())
        assert (there.status_code, there.get_data()) == (404, absent.get_data())


def test_the_view_a_recipient_has_is_valid(it: Story) -> None:
    it.sign()
    task = it.refer()
    for reference in (task, it.request, it.person):
        assert errors(verdict(it.c, f"/{reference}/$validate", method="GET")) == []
