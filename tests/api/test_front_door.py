"""The door before Flask changes nothing but the speed: both ways give the same status, headers and body."""

from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from referral_hub.fhir import json_codec
from referral_hub.web.front_door import FrontDoor
from tests import builders as b
from tests.api.network import story
from tests.world import Caller, World

ASKS: dict[str, tuple[str, str, Any, dict[str, str]]] = {
    "read": ("GET", "/{person}", None, {}),
    "read, pretty": ("GET", "/{person}?_pretty=true", None, {}),
    "read in a form the hub does not speak": ("GET", "/{person}?_format=ttl", None, {}),
    "read as XML": ("GET", "/{person}?_format=xml&_pretty=true", None, {}),
    "read of nothing as XML": ("GET", "/Patient/none", None, {"Accept": "application/fhir+xml"}),
    "read, changed since": ("GET", "/{person}", None, {"If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"}),
    "read with another Accept": ("GET", "/{person}", None, {"Accept": "text/html"}),
    "read of nothing": ("GET", "/Patient/none", None, {}),
    "read of a foreign type": ("GET", "/Claim/1", None, {}),
    "read without a token": ("GET", "/{person}", None, {"Authorization": ""}),
    "read, known already": ("GET", "/{person}", None, {"If-None-Match": "{etag}"}),
    "head": ("HEAD", "/{person}", None, {}),
    "options": ("OPTIONS", "/{person}", None, {}),
    "search": ("GET", "/Patient?gender=female&_count=1&_total=accurate", None, {}),
    "search, strict": ("GET", "/Patient?shoe-size=44", None, {"Prefer": "handling=strict"}),
    "search with a slash": ("GET", "/Patient/", None, {}),
    "metadata": ("GET", "/metadata", None, {}),
    "create refused": ("POST", "/Patient", {"resourceType": "Patient", "gender": "banana"}, {}),
    "create without a body": ("POST", "/Patient", b"", {"Content-Type": "application/fhir+json"}),
    "create in another form": ("POST", "/Patient", b"x", {"Content-Type": "text/plain"}),
    "update with another version": ("PUT", "/{person}", {"resourceType": "Patient"}, {"If-Match": 'W/"x"'}),
    "update of nothing": ("PUT", "/Patient/none", {"resourceType": "Patient", "id": "none"}, {}),
    "patch of a type without": (
        "PATCH",
        "/AuditEvent/1",
        b"[]",
        {"Content-Type": "application/json-patch+json"},
    ),
    "patch of nothing": ("PATCH", "/Patient/none", b"[]", {"Content-Type": "application/json-patch+json"}),
    "create as XML": ("POST", "/Patient", b"<Patient/>", {"Content-Type": "application/fhir+xml"}),
    "search packed": ("GET", "/Patient", None, {"Accept-Encoding": "gzip"}),
    "delete": ("DELETE", "/{person}", None, {}),
    "wrong method": ("PUT", "/metadata", {"resourceType": "Patient"}, {}),
    "no id": ("GET", "/ServiceRequest/$preview", None, {}),
    "history of a type": ("GET", "/Patient/_history?_count=1", None, {}),
    "update under a condition": ("PUT", "/Patient", {"resourceType": "Patient"}, {}),
    "bundle refused": ("POST", "", {"resourceType": "Bundle", "type": "collection"}, {}),
    "an id outside ASCII": ("GET", "/Patient/%C3%A9", None, {}),
    "history": ("GET", "/{person}/_history", None, {}),
}


@pytest.mark.parametrize("ask", ASKS)
def test_both_ways_answer_alike(world: World, ask: str) -> None:
    it = story(world)
    door = world.client.application.wsgi_app.inner.inner
    assert isinstance(door, FrontDoor)
    method, path, body, headers = ASKS[ask]
    etag = it.s.get(f"/{it.person}").headers["ETag"]
    path = path.format(person=it.person)
    headers = {name: value.format(etag=etag) for name, value in headers.items()}
    first, second = (_asked(Client(app), it.s, method, path, body, headers) for app in (door, door._inner))
    assert first.status_code == second.status_code
    assert sorted(first.headers.items()) == sorted(second.headers.items())
    assert first.get_data() == second.get_data()


@pytest.mark.parametrize("prefer", ["", "return=minimal", "return=OperationOutcome"])
def test_a_create_has_the_same_headers_both_ways(world: World, prefer: str) -> None:
    it = story(world)
    door = world.client.application.wsgi_app.inner.inner
    assert isinstance(door, FrontDoor)
    headers = {"Prefer": prefer} if prefer else {}
    first, second = (
        _asked(Client(app), it.s, "POST", "/Patient", b.patient("Tern"), headers)
        for app in (door, door._inner)
    )
    assert first.status_code == second.status_code == 201
    assert sorted(first.headers.keys()) == sorted(second.headers.keys())


def _asked(
    client: Client, caller: Caller, method: str, path: str, body: Any, headers: dict[str, str]
) -> TestResponse:
    sent = {"Authorization": f"Bearer {caller.token}"}
    if body is not None:
        sent["Content-Type"] = "application/fhir+json"
    sent.update(headers)
    data = body if isinstance(body, bytes) or body is None else json_codec.encode(body)
    return client.open(f"/fhir{path}", method=method, data=data, headers=sent)
