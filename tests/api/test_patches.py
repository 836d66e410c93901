"""Patches over HTTP, of both kinds and of every type, and of a recipient's view, on both databases."""

from typing import Any

import pytest

from referral_hub.fhir import xml_codec
from referral_hub.resources.catalog import DEFINITIONS, PUBLISHED
from tests import builders as b
from tests.api.asking import UNKNOWN, operation, path_patch
from tests.api.network import Story, story
from tests.world import Caller, World, parsed

JSON_PATCH = "application/json-patch+json"
MARRIED = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus", "code": "M"}]}


def _etag(caller: Caller, reference: str) -> str:
    return caller.get(f"/{reference}").headers["ETag"]


def test_each_type_that_is_updated_is_patched(world: World) -> None:
    for name, definition in DEFINITIONS.items():
        assert ("patch" in definition.interactions) == ("update" in definition.interactions), name
    for name, definition in PUBLISHED.items():
        assert "patch" not in definition.interactions, name


@pytest.mark.parametrize("content_type", [JSON_PATCH, "application/json"])
def test_a_json_patch_of_a_person(world: World, content_type: str) -> None:
    it = story(world)
    patch = [{"op": "add", "path": "/maritalStatus", "value": MARRIED}]
    answer = it.s.ask("PATCH", f"/{it.person}", patch, Content_Type=content_type)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert it.s.read(it.person)["maritalStatus"] == MARRIED


@pytest.mark.parametrize(
    "content_type", ["application/fhir+json", "application/json", "application/fhir+xml"]
)
def test_a_fhirpath_patch_of_a_person(world: World, content_type: str) -> None:
    it = story(world)
    patch: Any = path_patch(
        operation(
            "add", "Patient", name={"valueString": "maritalStatus"}, value={"valueCodeableConcept": MARRIED}
        ),
        operation("replace", "Patient.name.where(use = 'usual').family", value={"valueString": "Wren"}),
        operation("delete", "Patient.telecom[0]"),
    )
    body = xml_codec.encode(patch) if "xml" in content_type else patch
    answer = it.s.ask("PATCH", f"/{it.person}", body, Content_Type=content_type)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    found = it.s.read(it.person)
    assert found["maritalStatus"] == MARRIED
    assert found["name"][0]["family"] == "Wren"
    assert "telecom" not in found
    assert parsed(it.s.get(f"/{it.person}/_history"))["entry"][0]["request"]["method"] == "PATCH"


def _patches(it: Story, status: str) -> list[tuple[Any, str]]:
    return [
        ([{"op": "replace", "path": "/status", "value": status}], JSON_PATCH),
        (
            path_patch(operation("replace", "Task.status", value={"valueCode": status})),
            "application/fhir+json",
        ),
    ]


@pytest.mark.parametrize("kind", [0, 1])
def test_a_recipient_patches_its_view(world: World, kind: int) -> None:
    it = story(world)
    it.sign()
    it.refer(description="only ours")
    patch, content_type = _patches(it, "accepted")[kind]
    answer = it.c.ask("PATCH", f"/{it.task}", patch, If_Match=_etag(it.c, it.task), Content_Type=content_type)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    stored = it.s.read(it.task)
    assert (stored["status"], stored["description"]) == ("accepted", "only ours")


@pytest.mark.parametrize(
    "patch",
    [
        path_patch(operation("delete", "Task.for")),
        path_patch(operation("replace", "Task.priority", value={"valueCode": "stat"})),
        path_patch(operation("replace", "Task.description", value={"valueString": "seen"})),
        path_patch(
            operation("add", "Task", name={"valueString": "description"}, value={"valueString": "mine"})
        ),
        path_patch(operation("replace", "Task.note[0].text", value={"valueString": "mine"})),
        path_patch(operation("replace", "Task.id", value={"valueId": "mine"})),
        path_patch(
            operation("delete", "Task.meta"),
            operation("replace", "Task.owner.reference", value={"valueString": "x"}),
        ),
    ],
)
def test_a_recipients_patch_changes_nothing_but_its_part(world: World, patch: dict[str, Any]) -> None:
    it = story(world)
    it.sign()
    it.refer(description="only ours", note=[{"text": "only ours"}])
    before = it.s.read(it.task)
    answer = it.c.ask("PATCH", f"/{it.task}", patch, If_Match=_etag(it.c, it.task))
    assert answer.status_code == 422, answer.get_data(as_text=True)
    assert "only ours" not in answer.get_data(as_text=True)
    assert it.s.read(it.task) == before


@pytest.mark.attack("S-13")
def test_a_path_finds_nothing_out_about_the_hidden(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer(description="only ours")
    etag = _etag(it.c, it.task)

    def tried(text: str) -> bytes:
        path = f"Task.where(description.startsWith('{text}')).priority"
        patch = path_patch(operation("replace", path, value={"valueCode": "stat"}))
        return it.c.ask("PATCH", f"/{it.task}", patch, If_Match=etag).get_data().replace(text.encode(), b"")

    assert tried("only") == tried("else")


BAD: dict[str, tuple[Any, str, int]] = {
    "XML patch": (b"<diff/>", "application/xml-patch+xml", 415),
    "merge patch": ({"gender": "other"}, "application/merge-patch+json", 415),
    "a whole resource": (b.patient(), "application/fhir+json", 400),
    "not JSON": (b"[", JSON_PATCH, 400),
    "an object as JSON patch": ({}, JSON_PATCH, 400),
    "an unknown operation": (path_patch(operation("copy", "Patient.name")), "application/fhir+json", 422),
    "without a value": (path_patch(operation("replace", "Patient.gender")), "application/fhir+json", 422),
    "a path to nothing": (
        path_patch(operation("replace", "Patient.photo", value={"valueString": "x"})),
        "application/fhir+json",
        422,
    ),
    "a path with a pattern": (
        path_patch(operation("delete", "Patient.name.where(text.matches('(a+)+$'))")),
        "application/fhir+json",
        422,
    ),
    "a wrong result": (
        path_patch(operation("replace", "Patient.gender", value={"valueCode": "banana"})),
        "application/fhir+json",
        422,
    ),
    "another type": ([{"op": "replace", "path": "/resourceType", "value": "Task"}], JSON_PATCH, 422),
    "another id": ([{"op": "replace", "path": "/id", "value": UNKNOWN}], JSON_PATCH, 422),
    "entities": (
        b'<!DOCTYPE x [<!ENTITY a "b">]><Parameters xmlns="http://hl7.org/fhir"/>',
        "application/fhir+xml",
        400,
    ),
    "nothing": (b"", JSON_PATCH, 400),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_patch_is_refused_and_nothing_is_stored(world: World, fault: str) -> None:
    it = story(world)
    body, content_type, http_status = BAD[fault]
    before = it.s.get(f"/{it.person}").get_data()
    answer = it.s.ask("PATCH", f"/{it.person}", body, Content_Type=content_type)
    assert answer.status_code == http_status, answer.get_data(as_text=True)
    assert parsed(answer)["resourceType"] == "OperationOutcome"
    assert it.s.get(f"/{it.person}").get_data() == before


@pytest.mark.attack("S-01", "T-25")
def test_hidden_and_absent_are_patched_alike(world: World) -> None:
    it = story(world)
    other = world.caller(world.add_organization("other", "clinic"))
    patch = path_patch(operation("replace", "Patient.gender", value={"valueCode": "other"}))
    hidden, absent = (other.ask("PATCH", f"/{one}", patch) for one in (it.person, f"Patient/{UNKNOWN}"))
    assert (hidden.status_code, hidden.get_data()) == (404, absent.get_data())
