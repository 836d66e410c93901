"""Bundles: addresses, links and what each kind of Bundle needs."""

from typing import Any

import pytest

from referral_hub.fhir.validator import validate

BASE = "https://hub.example/fhir"
CLINIC = {"resourceType": "Organization", "id": "clinic", "name": "Invented Clinic"}
PERSON = {"resourceType": "Patient", "id": "p"}
URN = "urn:uuid:11111111-2222-3333-4444-555555555555"


def entry(resource: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"fullUrl": f"{BASE}/{resource['resourceType']}/{resource['id']}", "resource": resource} | more


def bundle(kind: str, *entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind} | ({"entry": list(entries)} if entries else {}) | more


def document(*entries: dict[str, Any], **composition: Any) -> dict[str, Any]:
    first = {
        "resourceType": "Composition",
        "id": "c",
        "status": "final",
        "type": {"text": "letter"},
        "subject": {"reference": "Patient/p"},
        "date": "2026-11-24",
        "author": [{"reference": "Organization/clinic"}],
        "title": "Letter",
    } | composition
    return bundle(
        "document",
        entry(first),
        *entries,
        identifier={"system": "urn:ietf:rfc:3986", "value": URN},
        timestamp="2026-11-24T10:00:00Z",
    )


PUT = {"request": {"method": "PUT", "url": "Organization/clinic"}}
SELF = [{"relation": "self", "url": f"{BASE}/Organization?name=x"}]

GOOD = {
    "nothing found": bundle("searchset", total=0),
    "found": bundle("searchset", entry(CLINIC, search={"mode": "match"}), link=SELF),
    "found with what it refers to": bundle(
        "searchset",
        entry(CLINIC, search={"mode": "match"}),
        entry(PERSON, search={"mode": "include"}),
        link=SELF,
    ),
    "a transaction without addresses": bundle("transaction", {"resource": CLINIC} | PUT),
    "a reference that is a search": bundle(
        "transaction",
        {
            "resource": {
                "resourceType": "Task",
                "status": "requested",
                "intent": "order",
                "owner": {"reference": "Organization?identifier=urn:x|7"},
            },
            "request": {"method": "POST", "url": "Task"},
        },
    ),
    "a reference to a sibling": bundle(
        "transaction",
        {"fullUrl": URN, "resource": CLINIC} | PUT,
        {
            "resource": {
                "resourceType": "Task",
                "status": "requested",
                "intent": "order",
                "owner": {"reference": URN},
            },
            "request": {"method": "POST", "url": "Task"},
        },
    ),
    "a document": document(entry(PERSON), entry(CLINIC)),
    "a history of one resource": bundle(
        "history",
        *(entry(CLINIC | {"meta": {"versionId": v}}, response={"status": "200"}, **PUT) for v in ("1", "2")),
    ),
}

BAD: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "a kind that is none": (bundle("list"), [("Bundle.type", "code-invalid")]),
    "a relative address": (
        bundle("collection", {"fullUrl": "Organization/clinic", "resource": CLINIC}),
        [("Bundle.entry[0].fullUrl", "value")],
    ),
    "the address of a version": (
        bundle("collection", {"fullUrl": f"{BASE}/Organization/clinic/_history/1", "resource": CLINIC}),
        [("Bundle.entry[0]", "invariant")],
    ),
    "one address twice": (bundle("collection", entry(CLINIC), entry(CLINIC)), [("Bundle", "invariant")]),
    "a total outside a search": (bundle("collection", total=1), [("Bundle", "invariant")]),
    "pages of a collection": (
        bundle("collection", link=[{"relation": "next", "url": BASE}]),
        [("Bundle.link[0].relation", "invalid")],
    ),
    "two next pages": (
        bundle("searchset", link=[{"relation": "next", "url": BASE}] * 2),
        [("Bundle.link[1].relation", "invalid")],
    ),
    "a transaction without request": (bundle("transaction", {"resource": CLINIC}), [("Bundle", "invariant")]),
    "an entry without anything": (
        bundle("collection", {"fullUrl": URN}),
        [("Bundle.entry[0]", "invariant")],
    ),
    "a search without resource": (
        bundle("searchset", {"fullUrl": URN, "search": {"mode": "match"}}),
        [("Bundle.entry[0].resource", "required"), ("Bundle.entry[0]", "invariant")][::-1],
    ),
    "an outcome that is none": (
        bundle("searchset", entry(CLINIC, search={"mode": "outcome"})),
        [("Bundle.entry[0].resource", "invalid")],
    ),
    "a match of another type": (
        bundle("searchset", entry(PERSON, search={"mode": "match"}), link=SELF),
        [("Bundle.entry[0].resource", "invalid")],
    ),
    "a sibling of a wrong type": (
        bundle(
            "transaction",
            {"fullUrl": URN, "resource": PERSON} | PUT,
            {
                "resource": {
                    "resourceType": "PractitionerRole",
                    "organization": {"reference": URN},
                },
                "request": {"method": "POST", "url": "PractitionerRole"},
            },
        ),
        [("Bundle.entry[1].resource.organization.reference", "value")],
    ),
    "an empty document": (
        bundle("document", identifier={"system": "urn:x:y", "value": "1"}, timestamp="2026-11-24T10:00:00Z"),
        [("Bundle.entry", "required"), ("Bundle", "invariant")],
    ),
    "a document without its subject": (
        document(entry(CLINIC)),
        [("Bundle.entry[0].resource.subject", "not-found")],
    ),
    "a document with a stranger": (
        document(entry(PERSON), entry(CLINIC), entry(CLINIC | {"id": "other"})),
        [("Bundle.entry[3]", "invalid")],
    ),
    "a section that leads nowhere": (
        document(entry(PERSON), entry(CLINIC), section=[{"entry": [{"reference": "Observation/1"}]}]),
        [("Bundle.entry[0].resource.section[0].entry[0]", "not-found")],
    ),
    "a fault inside": (
        bundle("collection", entry(PERSON | {"gender": "x"})),
        [("Bundle.entry[0].resource.gender", "code-invalid")],
    ),
    "a contained resource of another entry": (
        bundle(
            "collection",
            entry(PERSON | {"contained": [CLINIC], "managingOrganization": {"reference": "#clinic"}}),
            entry({"resourceType": "Patient", "id": "q", "managingOrganization": {"reference": "#clinic"}}),
        ),
        [("Bundle.entry[1].resource.managingOrganization.reference", "invariant")],
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_this_is_valid(name: str):
    assert validate(GOOD[name]) == []


@pytest.mark.parametrize("name", BAD)
def test_this_is_found(name: str):
    resource, expected = BAD[name]
    assert [(issue.expression, issue.code) for issue in validate(resource)] == expected


def test_resources_in_parameters_stand_on_their_own():
    parameter = {"name": "resource", "resource": PERSON | {"managingOrganization": {"reference": "#clinic"}}}
    found = validate({"resourceType": "Parameters", "parameter": [parameter]})
    assert [issue.expression for issue in found] == [
        "Parameters.parameter[0].resource.managingOrganization.reference"
    ]
