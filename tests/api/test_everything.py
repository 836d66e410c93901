"""Patient/[id]/$everything: her record as the caller may have it, page by page, on both databases."""

from typing import Any

import pytest

from referral_hub.fhir import xml_codec
from tests import builders as b
from tests.api.asking import UNKNOWN, link, pages, resources
from tests.api.network import Story, story
from tests.world import Caller, World, parsed


def _record(it: Story) -> None:
    """Writes a small record, and one of somebody else."""
    for category in ("health", "mental-health"):
        it.s.create(b.condition(it.person, category))
    it.s.create({**b.observation(it.person), "effectiveDateTime": "2026-03-01"})
    it.s.create({**b.observation(it.person), "effectiveDateTime": "2026-09-01"})
    other = it.s.create(b.patient("Other"))
    it.s.create(b.condition(f"Patient/{other['id']}"))


def _ids(page: dict[str, Any]) -> list[str]:
    return [f"{one['resourceType']}/{one['id']}" for one in resources(page)]


def _all(caller: Caller, person: str, query: str = "") -> list[str]:
    return [one for page in pages(caller, f"/{person}/$everything{query}") for one in _ids(page)]


def test_the_custodian_has_the_whole_record_of_one_person(world: World) -> None:
    it = story(world)
    _record(it)
    it.sign()
    it.refer()
    found = _all(it.s, it.person)
    assert found[0] == it.person
    assert len(found) == len(set(found))
    kinds = sorted(one.partition("/")[0] for one in found)
    wanted = ["Condition"] * 2 + ["Consent"] + ["Observation"] * 2 + ["Patient", "ServiceRequest", "Task"]
    assert [kind for kind in kinds if kind != "Provenance"] == wanted


@pytest.mark.attack("S-24", "E-04")
def test_a_recipient_has_what_the_release_names(world: World) -> None:
    it = story(world)
    _record(it)
    assert it.c.get(f"/{it.person}/$everything").status_code == 404
    it.sign()
    it.refer()
    before = _all(it.c, it.person)
    assert [one.partition("/")[0] for one in before] == ["Patient", "ServiceRequest", "Task"]
    it.move("accepted")
    after = [one.partition("/")[0] for one in _all(it.c, it.person)]
    assert after.count("Condition") == 1
    assert "mental-health" not in it.c.get(f"/{it.person}/$everything").get_data(as_text=True)
    it.revoke()
    assert it.c.get(f"/{it.person}/$everything").status_code == 404


@pytest.mark.parametrize("count", [1, 2, 3, 500])
def test_pages_hold_everything_once(world: World, count: int) -> None:
    it = story(world)
    _record(it)
    it.sign()
    it.refer()
    it.move("accepted")
    for caller in (it.s, it.c):
        walk = list(pages(caller, f"/{it.person}/$everything?_count={count}"))
        assert all(len(page.get("entry", [])) <= count for page in walk)
        assert [one for page in walk for one in _ids(page)] == _all(caller, it.person)


def test_it_is_narrowed_by_type_by_time_of_care_and_by_change(world: World) -> None:
    it = story(world)
    _record(it)
    kinds = {one.partition("/")[0] for one in _all(it.s, it.person, "?_type=Condition,Patient")}
    assert kinds == {"Condition", "Patient"}
    assert {one.partition("/")[0] for one in _all(it.s, it.person, "?_type=Observation")} == {"Observation"}
    summer = _all(it.s, it.person, "?_type=Observation&start=2026-06-01")
    spring = _all(it.s, it.person, "?_type=Observation&end=2026-06-01")
    assert (len(summer), len(spring)) == (1, 1)
    assert summer != spring
    assert _all(it.s, it.person, "?_type=Observation&start=2026-01-01&end=2026-12-31&_count=1") != []
    assert _all(it.s, it.person, "?_type=Condition&_since=2999-01-01") == []


def test_it_is_asked_by_post_too(world: World) -> None:
    it = story(world)
    _record(it)
    parameters = {
        "resourceType": "Parameters",
        "parameter": [{"name": "_type", "valueCode": "Condition"}, {"name": "_count", "valueInteger": 1}],
    }
    by_json = it.s.ask("POST", f"/{it.person}/$everything", parameters)
    by_xml = it.s.ask(
        "POST", f"/{it.person}/$everything", xml_codec.encode(parameters), Content_Type="application/fhir+xml"
    )
    empty = it.s.ask("POST", f"/{it.person}/$everything")
    assert by_json.status_code == by_xml.status_code == empty.status_code == 200
    assert _ids(parsed(by_json)) == _ids(parsed(by_xml))
    assert len(_ids(parsed(by_json))) == 1
    assert link(parsed(by_json))


def test_a_scope_narrows_it(world: World) -> None:
    it = story(world)
    _record(it)
    narrow = world.caller(it.shelter, scope="system/Patient.rs system/Condition.rs")
    assert {one.partition("/")[0] for one in _all(narrow, it.person)} == {"Patient", "Condition"}
    assert (
        world.caller(it.shelter, scope="system/Condition.rs").get(f"/{it.person}/$everything").status_code
        == 403
    )


@pytest.mark.parametrize(
    ("query", "strict", "http_status"),
    [
        ("_type=Claim", False, 400),
        ("_count=0", False, 400),
        ("start=yesterday", False, 400),
        ("_since=x", False, 400),
        ("_cursor=x", False, 400),
        ("start=2026&start=2027", False, 400),
        ("shoe-size=44", False, 200),
        ("shoe-size=44", True, 400),
    ],
)
def test_what_it_can_be_asked(world: World, query: str, strict: bool, http_status: int) -> None:
    it = story(world)
    headers = {"Prefer": "handling=strict"} if strict else {}
    assert it.s.get(f"/{it.person}/$everything?{query}", **headers).status_code == http_status


@pytest.mark.attack("T-19")
def test_a_page_link_ends_with_the_permission(world: World) -> None:
    it = story(world)
    _record(it)
    it.sign()
    it.refer()
    it.move("accepted")
    following = link(parsed(it.c.get(f"/{it.person}/$everything?_count=1")))
    assert it.c.get(following).status_code == 200
    other = it.s.create(b.patient("Else"))["id"]
    assert it.s.get(f"/Patient/{other}/$everything?{following.partition('?')[2]}").status_code == 400
    it.revoke()
    assert it.c.get(following).status_code == 404


def test_only_a_person_has_it(world: World) -> None:
    it = story(world)
    assert it.s.get("/Patient/$everything").status_code in (404, 405)
    assert it.s.get(f"/Task/{UNKNOWN}/$everything").status_code == 404
    assert it.s.ask("DELETE", f"/{it.person}/$everything").status_code == 405
