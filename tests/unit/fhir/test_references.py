"""References: their forms, finding them all, and replacing them."""

import copy
from typing import Any

import pytest

from referral_hub.fhir.references import (
    Reference,
    is_under,
    iter_references,
    normalise,
    of,
    parse,
    rewrite_references,
    written,
)

UUID = "urn:uuid:0c3201bd-1cbf-4d64-b04d-cd9187a4c6e0"
HOME = ["https://hub.example/fhir", "http://127.0.0.1:8080/fhir"]


@pytest.mark.parametrize(
    ("text", "kind", "local", "version", "base"),
    [
        ("Task/7", "relative", "Task/7", "", ""),
        ("Task/7/_history/2", "relative", "Task/7", "2", ""),
        (
            "https://ehr.example/fhir/Patient/a.b-1",
            "absolute",
            "Patient/a.b-1",
            "",
            "https://ehr.example/fhir",
        ),
        ("http://ehr.example/Patient/1/_history/3", "absolute", "Patient/1", "3", "http://ehr.example"),
        (UUID, "urn", "", "", ""),
        ("urn:oid:1.2.840.1", "urn", "", "", ""),
        ("#note", "contained", "", "", ""),
        ("#", "contained", "", "", ""),
        ("Patient?identifier=urn:x|7", "conditional", "", "", ""),
        ("https://ehr.example/documents/report.pdf", "url", "", "", ""),
        ("https://ehr.example/fhir/Patient/1?x=y", "url", "", "", ""),
    ],
)
def test_each_form_is_known(text: str, kind: str, local: str, version: str, base: str) -> None:
    found = parse(text)
    assert (found.kind, found.local, found.version, found.base, found.text) == (
        kind,
        local,
        version,
        base,
        text,
    )


@pytest.mark.parametrize(
    "text", ["", "7", "task/7", "Task/", "Task/a b", "Task/7/8", "/Task/7", "Task/7/_history/", "x y"]
)
def test_other_texts_are_no_references(text: str) -> None:
    with pytest.raises(ValueError, match="not a FHIR reference"):
        parse(text)


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        ({"reference": "Task/7"}, Reference("relative", "Task/7", "Task", "7")),
        ({"reference": UUID, "type": "Patient"}, Reference("urn", UUID, "Patient")),
        (
            {"identifier": {"system": "urn:x", "value": "7"}, "type": "Patient"},
            Reference("logical", type="Patient", identifier=("urn:x", "7")),
        ),
        ({"identifier": {"value": "7"}}, Reference("logical", identifier=("", "7"))),
        (
            {"reference": "Task/7", "identifier": {"system": "urn:x", "value": "7"}},
            Reference("relative", "Task/7", "Task", "7", identifier=("urn:x", "7")),
        ),
        ({"display": "somebody"}, Reference("none")),
    ],
)
def test_elements(element: dict[str, Any], expected: Reference) -> None:
    assert of(element) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://hub.example/fhir/Task/7", "Task/7"),
        ("https://HUB.example:443/fhir/Task/7/_history/2", "Task/7/_history/2"),
        ("HTTPS://hub.example/fhir//Task/7", "Task/7"),
        ("http://127.0.0.1:8080/fhir/Task/7", "Task/7"),
        ("Task/7", "Task/7"),
        ("#a", "#a"),
        (UUID, UUID),
    ],
)
def test_what_points_home_becomes_relative(text: str, expected: str) -> None:
    assert normalise(text, HOME) == expected


@pytest.mark.parametrize(
    "text",
    [
        "http://hub.example/fhir/Task/7",
        "https://hub.example.evil/fhir/Task/7",
        "https://hub.example@evil.example/fhir/Task/7",
        "https://user@hub.example/fhir/Task/7",
        "https://hub.example:8443/fhir/Task/7",
        "https://hub.example/fhir/../fhir/Task/7",
        "https://hub.example/fhir2/Task/7",
        "https://hub.example/Task/7",
        "https://hub.example:port/fhir/Task/7",
        "https://[hub/fhir/Task/7",
    ],
)
def test_what_only_looks_like_home_stays_foreign(text: str) -> None:
    assert normalise(text, HOME) == text


def test_an_unreadable_base_is_no_base() -> None:
    assert not is_under("https://hub.example:port/fhir", ["https://hub.example:port/fhir"])


TASK: dict[str, Any] = {
    "resourceType": "Task",
    "contained": [
        {"resourceType": "Patient", "id": "p", "managingOrganization": {"reference": "Organization/1"}}
    ],
    "for": {"reference": "#p"},
    "focus": {"reference": "ServiceRequest/1", "display": "help"},
    "owner": {"identifier": {"system": "urn:x", "value": "7"}},
    "requester": {"display": "only a name"},
    "identifier": [{"system": "urn:x", "value": "7", "assigner": {"reference": "Organization/2"}}],
    "input": [
        {"type": {"text": "a"}, "valueReference": {"reference": "Consent/1"}},
        {"type": {"text": "b"}, "valueExpression": {"language": "text/cql", "reference": "Library/1"}},
    ],
    "extension": [{"url": "urn:e", "valueReference": {"reference": "Group/1"}}],
    "partOf": [{"reference": "Task/1"}, {"reference": "Task/2"}],
}


def test_every_reference_is_found_with_its_place() -> None:
    found = {path: element.get("reference", "") for path, element in iter_references(TASK)}
    assert found == {
        "Task.contained[0].managingOrganization": "Organization/1",
        "Task.for": "#p",
        "Task.focus": "ServiceRequest/1",
        "Task.owner": "",
        "Task.identifier[0].assigner": "Organization/2",
        "Task.input[0].valueReference": "Consent/1",
        "Task.extension[0].valueReference": "Group/1",
        "Task.partOf[0]": "Task/1",
        "Task.partOf[1]": "Task/2",
    }


def test_links_are_replaced_and_identifiers_are_not() -> None:
    document = {
        "resourceType": "DocumentReference",
        "text": {"status": "generated", "div": f'<div><a href="{UUID}">x</a> {UUID}</div>'},
        "identifier": [{"system": "urn:ietf:rfc3986", "value": UUID}],
        "masterIdentifier": {"value": UUID},
        "subject": {"reference": UUID},
        "content": [{"attachment": {"url": UUID}}],
        "description": UUID,
        "date": None,
    }
    before = copy.deepcopy(document)
    after = rewrite_references(document, {UUID: "Patient/1"})
    assert document == before
    assert after == {
        **before,
        "text": {"status": "generated", "div": f'<div><a href="Patient/1">x</a> {UUID}</div>'},
        "subject": {"reference": "Patient/1"},
        "content": [{"attachment": {"url": "Patient/1"}}],
    }
    assert after["identifier"] is document["identifier"]


def test_without_a_link_to_replace_nothing_is_copied() -> None:
    assert rewrite_references(TASK, {UUID: "Patient/1"}) is TASK


def test_written_references_are_read_back() -> None:
    for version in ("", "2"):
        found = parse(written("Task", "7", version))
        assert (found.type, found.id, found.version) == ("Task", "7", version)
