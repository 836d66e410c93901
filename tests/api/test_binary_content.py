"""A Binary as the bytes it holds: by Accept, as it is sent, and as hidden as ever.

Source: FHIR R4 binary.html#rest; ``views.md`` 5 and 9.
"""

import base64
from typing import Any

import pytest

from tests.api.network import Story, story
from tests.world import Caller, World, parsed

FHIR = "application/fhir+json; charset=utf-8"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def it(world: World) -> Story:
    """A referral that is accepted, of a person whose health is open to the clinic."""
    found = story(world)
    found.sign()
    found.refer()
    found.move("accepted")
    return found


def _binary(it: Story, media_type: str = "text/plain", content: bytes = b"hello") -> str:
    paper = it.record("DocumentReference")
    made = it.s.create(
        {
            "resourceType": "Binary",
            "contentType": media_type,
            "securityContext": {"reference": f"DocumentReference/{paper['id']}"},
            "data": base64.b64encode(content).decode(),
        }
    )
    return f"/Binary/{made['id']}"


@pytest.mark.parametrize(
    "accept", ["text/plain", "text/*", BROWSER, "image/png", "text/plain, application/json;q=0.1"]
)
def test_whoever_asks_for_anything_else_than_fhir_gets_the_bytes(it: Story, accept: str) -> None:
    path = _binary(it)
    version = parsed(it.s.get(path))["meta"]["versionId"]
    for address in (path, f"{path}/_history/{version}"):
        answer = it.s.get(address, Accept=accept)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/plain")
        assert answer.data == b"hello"
        assert answer.headers["ETag"] == f'W/"{version}"'
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    head = it.s.ask("HEAD", path, Accept=accept)
    assert (head.status_code, head.data, head.headers["Content-Length"]) == (200, b"", "5")
    assert it.s.get(path, Accept=accept, If_None_Match=f'W/"{version}"').status_code == 304


@pytest.mark.parametrize(
    "accept",
    ["", "*/*", "application/fhir+json", "application/json", "application/fhir+json, text/plain;q=0.9"],
)
def test_whoever_asks_for_fhir_or_leaves_the_choice_gets_the_resource(it: Story, accept: str) -> None:
    answer = it.s.get(_binary(it), **({"Accept": accept} if accept else {}))
    assert answer.headers["Content-Type"] == FHIR
    assert parsed(answer)["data"] == "aGVsbG8="


def test_the_format_in_the_address_wins(it: Story) -> None:
    assert it.s.get(f"{_binary(it)}?_format=json", Accept="text/plain").headers["Content-Type"] == FHIR
    answer = it.s.get(f"{_binary(it, 'application/fhir+json', b'{}')}?_pretty=true", Accept="text/plain")
    assert (answer.headers["Content-Type"], answer.data) == ("application/fhir+json", b"{}")


def test_no_other_type_has_bytes(it: Story) -> None:
    assert it.s.get(f"/{it.person}", Accept="text/plain").status_code == 406


def test_without_data_there_is_no_content(it: Story) -> None:
    made = it.s.create({"resourceType": "Binary", "contentType": "text/plain"})
    answer = it.s.get(f"/Binary/{made['id']}", Accept="text/plain")
    assert (answer.status_code, answer.data) == (204, b"")


@pytest.mark.attack("S-01", "S-22")
def test_who_may_not_read_it_cannot_tell_that_it_is_there(it: Story, world: World) -> None:
    path = _binary(it)
    plain = it.c.get(path, Accept="text/plain")  # it may know of it, its free text is closed
    assert (plain.status_code, plain.data, "data" in parsed(it.c.get(path))) == (204, b"", False)
    stranger = world.caller(world.add_organization("stranger", "clinic"))
    for caller in (stranger, *_after_withdrawal(it)):
        for accept in ("text/plain", "image/png", BROWSER):
            hidden, absent = (caller.get(one, Accept=accept) for one in (path, f"/Binary/{UNKNOWN}"))
            assert hidden.status_code == 404
            assert (hidden.data, sorted(hidden.headers)) == (absent.data, sorted(absent.headers))
    nobody = world.client.get(f"/fhir{path}", headers={"Accept": "text/plain"})
    assert nobody.status_code == 401


def _after_withdrawal(it: Story) -> list[Caller]:
    it.revoke()
    return [it.c]


def test_bytes_of_another_type_are_taken_as_the_content(it: Story) -> None:
    paper = it.record("DocumentReference")
    sent: dict[str, Any] = {
        "Content_Type": "image/png",
        "X_Security_Context": f"DocumentReference/{paper['id']}",
    }
    answer = it.s.ask("POST", "/Binary", b"\x89PNG\r\n\x00", **sent)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    made = parsed(answer)
    assert made["contentType"] == "image/png"
    assert made["securityContext"] == {"reference": f"DocumentReference/{paper['id']}"}
    path = f"/Binary/{made['id']}"
    assert it.s.get(path, Accept="image/png").data == b"\x89PNG\r\n\x00"
    answer = it.s.ask("PUT", path, b"GIF", If_Match=f'W/"{made["meta"]["versionId"]}"', **sent)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert it.s.get(path, Accept="image/png").data == b"GIF"


def test_bytes_whose_context_is_hidden_are_refused(it: Story, world: World) -> None:
    paper = it.record("DocumentReference", "mental-health")
    answers = [
        it.c.ask(
            "POST", "/Binary", b"x", Content_Type="image/png", X_Security_Context=f"DocumentReference/{one}"
        )
        for one in (paper["id"], UNKNOWN)
    ]
    assert [answer.status_code for answer in answers] == [422, 422]
    assert answers[0].data == answers[1].data


def test_other_types_and_false_media_types_are_415(it: Story) -> None:
    assert it.s.ask("POST", "/Patient", b"x", Content_Type="image/png").status_code == 415
    assert it.s.ask("POST", "/Binary", b"x", Content_Type="image").status_code == 415
