"""Consents, records and references written with absolute or versioned references are decided like plain ones.

Each spelling is either refused when it is written (422), or means what the plain one means. Both databases.

Source: ``consent.md`` 3.3, S-40 and S-20.
"""

from typing import Any

import pytest

from tests import builders as b
from tests.api.network import Story, story
from tests.api.test_twin_worlds import normalised
from tests.world import World, parsed

SPELLINGS = (
    "{base}/{reference}",
    "{reference}/_history/1",
    "{base}/{reference}/_history/1",
    "{base}//{reference}",
)


def spelled(world: World, how: str, reference: str) -> str:
    """Gives a reference in another spelling."""
    return how.format(base=world.parts.hub.base, reference=reference)


def written(it: Story, resource: dict[str, Any]) -> dict[str, Any]:
    """Writes as the shelter; empty where the spelling is refused."""
    answer = it.s.ask("POST", f"/{resource['resourceType']}", resource)
    assert answer.status_code in (201, 422), answer.get_data(as_text=True)
    return parsed(answer) if answer.status_code == 201 else {}


def accepted(world: World) -> Story:
    """A referral that was accepted, under a release of identity and health."""
    it = story(world)
    it.sign()
    it.refer()
    it.move("accepted")
    return it


@pytest.mark.attack("S-40", "T-23")
@pytest.mark.parametrize("how", SPELLINGS)
def test_a_refusal_of_somebody_spelled_otherwise_stops_her_or_is_not_taken(world: World, how: str) -> None:
    it = accepted(world)
    refused = written(
        it,
        b.refusal(
            it.person, it.shelter, actor={"reference": spelled(world, how, f"Organization/{it.clinic}")}
        ),
    )
    assert it.c.get(f"/{it.person}").status_code == (404 if refused else 200)
    assert ("entry" in parsed(it.c.get("/Patient"))) is not bool(refused)


@pytest.mark.attack("S-40")
@pytest.mark.parametrize("how", SPELLINGS)
def test_a_consent_about_her_spelled_otherwise_is_about_her_or_is_not_taken(world: World, how: str) -> None:
    it = accepted(world)
    body = b.refusal(it.person, it.shelter, actor={"reference": f"Organization/{it.clinic}"})
    refused = written(it, {**body, "patient": {"reference": spelled(world, how, it.person)}})
    assert it.c.get(f"/{it.person}").status_code == (404 if refused else 200)


@pytest.mark.attack("S-40", "S-20")
@pytest.mark.parametrize("how", SPELLINGS)
def test_a_record_about_her_spelled_otherwise_is_hidden_like_any(world: World, how: str) -> None:
    it = accepted(world)
    about = spelled(world, how, it.person)
    hidden = written(it, b.condition(about, "mental-health"))
    shown = written(it, b.condition(about, "health"))
    assert bool(hidden) == bool(shown)
    if not shown:
        return
    assert it.c.get(f"/Condition/{hidden['id']}").status_code == 404
    assert it.c.get(f"/Condition/{shown['id']}").status_code == 200
    for path in ("/Condition", f"/{it.person}/$everything", "/Patient?_revinclude=Condition:patient"):
        body = it.c.get(path).get_data(as_text=True)
        assert shown["id"] in body, path
        assert hidden["id"] not in body, path
    it.revoke()
    assert it.c.get(f"/Condition/{shown['id']}").status_code == 404
    assert "entry" not in parsed(it.c.get("/Condition"))


@pytest.mark.attack("S-40", "S-20", "S-23")
@pytest.mark.parametrize("how", ["{reference}", *SPELLINGS])
@pytest.mark.parametrize("element", ["section", "evidence", "addresses", "supportingInfo"])
def test_a_hidden_thing_named_in_any_spelling_is_named_to_nobody(
    world: World, how: str, element: str
) -> None:
    it = accepted(world)
    hidden = it.s.create(b.condition(it.person, "mental-health"))
    named = {"reference": spelled(world, how, f"Condition/{hidden['id']}")}
    body: dict[str, Any] = {
        "section": b.about_person(
            "Composition", it.person, category="health", request=it.request, document="-"
        )
        | {"section": [{"title": "All", "entry": [named, {"reference": it.request}]}]},
        "evidence": {**b.condition(it.person), "evidence": [{"detail": [named]}]},
        "addresses": b.about_person("Goal", it.person, category="health", request="-", document="-")
        | {"addresses": [named]},
        "supportingInfo": b.service_request(it.person, it.clinic, supportingInfo=[named]),
    }[element]
    made = written(it, body)
    if not made:
        return
    if element == "supportingInfo":
        it.s.create(b.task(it.person, f"ServiceRequest/{made['id']}", it.clinic))
    reference = f"{made['resourceType']}/{made['id']}"
    answer = it.c.get(f"/{reference}")
    assert answer.status_code == 200
    for path in (
        f"/{reference}",
        f"/{reference}?_format=xml",
        f"/{made['resourceType']}",
        f"/{reference}/_history",
    ):
        assert hidden["id"] not in it.c.get(path).get_data(as_text=True), path
    assert hidden["id"] in it.s.get(f"/{reference}").get_data(as_text=True)


@pytest.mark.attack("S-40")
@pytest.mark.parametrize("how", SPELLINGS)
def test_a_release_of_one_document_spelled_otherwise_opens_no_other(world: World, how: str) -> None:
    it = story(world)
    one, other = (it.record("DocumentReference", "mental-health")["id"] for _ in range(2))
    named = spelled(world, how, f"DocumentReference/{one}")
    made = written(
        it,
        b.release(
            it.person, it.shelter, b.permit(it.clinic), b.permit(it.clinic, categories=(), instances=(named,))
        ),
    )
    if not made:
        return
    it.refer()
    it.move("accepted")
    assert it.c.get(f"/DocumentReference/{other}").status_code == 404
    assert it.c.get(f"/DocumentReference/{one}").status_code in (200, 404)


SERVERS = (
    "https://elsewhere.example/fhir",
    "http://169.254.169.254/fhir",
    "http://127.0.0.1:1/fhir",
    "ftp://elsewhere.example/fhir",
    "https://user:word@elsewhere.example/fhir",
    "//elsewhere.example/fhir",
)


@pytest.mark.attack("T-30", "S-19", "S-40")
@pytest.mark.parametrize("server", SERVERS)
def test_a_reference_to_a_server_of_ones_own_is_refused_alike(world: World, server: str) -> None:
    it = accepted(world)
    told = set()
    for public_id in (it.person.partition("/")[2], "abcdefab-cdef-4abc-8def-abcdefabcdef"):
        for caller in (it.s, it.c):
            answer = caller.ask("POST", "/Condition", b.condition(f"{server}/Patient/{public_id}"))
            assert answer.status_code == 422
            told.add(normalised(answer))
    assert len(told) == 1
