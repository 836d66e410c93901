"""Histories of one resource, of a type and of all that an organisation wrote, on both databases."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from tests import builders as b
from tests.api.asking import link, pages
from tests.api.network import story
from tests.world import World, parsed


def _now() -> str:
    time.sleep(0.002)
    told = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    time.sleep(0.002)
    return told


def _methods(page: dict[str, Any]) -> list[str]:
    return [one["request"]["method"] for one in page.get("entry", [])]


def test_the_history_of_a_resource_comes_in_pages(world: World) -> None:
    it = story(world)
    for number in range(4):
        it.s.changed(it.person, birthDate=f"199{number}")
    whole = parsed(it.s.get(f"/{it.person}/_history"))
    walk = list(pages(it.s, f"/{it.person}/_history?_count=2"))
    assert [len(page["entry"]) for page in walk] == [2, 2, 1]
    assert [one for page in walk for one in page["entry"]] == whole["entry"]
    assert {page["total"] for page in walk} == {5} == {whole["total"]}
    assert _methods(whole) == ["PUT"] * 4 + ["POST"]
    assert whole["entry"][0]["response"]["etag"] == it.s.get(f"/{it.person}").headers["ETag"]


def test_since_and_at_bound_a_history(world: World) -> None:
    it = story(world)
    before = _now()
    it.s.changed(it.person, gender="other")
    between = _now()
    it.s.changed(it.person, gender="unknown")

    def genders(query: str) -> list[str]:
        found = parsed(it.s.get(f"/{it.person}/_history?{query}"))
        return [one["resource"]["gender"] for one in found.get("entry", [])]

    assert genders(f"_since={between}") == ["unknown"]
    assert genders(f"_since={before}") == ["unknown", "other"]
    assert genders(f"_at={between}") == ["other"]
    assert genders(f"_at={before}") == ["female"]
    assert genders(f"_at={before[:10]}") == ["unknown", "other", "female"]
    assert genders("_since=2999-01-01") == []
    own = parsed(it.s.get(f"/Patient/_history?_at={between}"))
    assert [one["resource"]["gender"] for one in own["entry"]] == ["other"]


@pytest.mark.attack("S-06", "E-03")
def test_the_history_of_a_type_holds_what_the_organisation_wrote(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer(status="draft")
    draft = it.s.create(b.task(it.person, it.request, it.clinic, status="draft"))["id"]
    it.s.ask("DELETE", f"/Task/{draft}")
    it.s.changed(it.task, status="requested")
    it.move("accepted")
    own = parsed(it.s.get("/Task/_history"))
    # The acceptance is a version of the shelter's Task as well.
    assert _methods(own) == ["PUT", "PUT", "DELETE", "POST", "POST"]
    assert "total" not in own
    assert "entry" not in parsed(it.c.get("/Task/_history"))
    walk = list(pages(it.s, "/Task/_history?_count=2"))
    assert [one for page in walk for one in page["entry"]] == own["entry"]


def test_the_history_of_the_hub_holds_every_type_in_one_order(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer()
    whole = parsed(it.s.get("/_history"))
    kinds = [one["resource"]["resourceType"] for one in whole["entry"]]
    assert set(kinds) == {"Patient", "Consent", "ServiceRequest", "Task", "Provenance"}
    times = [one["response"]["lastModified"] for one in whole["entry"]]
    assert times == sorted(times, reverse=True)
    walk = list(pages(it.s, "/_history?_count=2"))
    assert [one for page in walk for one in page["entry"]] == whole["entry"]


@pytest.mark.attack("S-06", "E-03")
def test_a_requester_has_the_recipients_words_in_no_history(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer()
    it.move("accepted", note=[{"text": "We wait for her."}])
    for path in (f"/{it.task}/_history", "/Task/_history", "/_history"):
        assert "We wait" not in it.s.get(path).get_data(as_text=True), path


def test_scopes_open_histories_as_they_open_searches(world: World) -> None:
    it = story(world)
    narrow = world.caller(it.shelter, scope="system/Patient.s system/Task.r")
    assert narrow.get("/Patient/_history").status_code == 200
    assert narrow.get("/Task/_history").status_code == 403
    assert narrow.get(f"/{it.person}/_history").status_code == 403
    found = parsed(narrow.get("/_history"))
    assert {one["resource"]["resourceType"] for one in found["entry"]} == {"Patient"}
    assert world.caller(it.shelter, scope="system/Task.r").get("/_history").status_code == 403


@pytest.mark.parametrize(
    ("query", "strict", "http_status"),
    [
        ("_since=yesterday", False, 400),
        ("_at=2026-13", False, 400),
        ("_count=0", False, 400),
        ("_count=many", False, 400),
        ("_since=2026&_since=2027", False, 400),
        ("_cursor=abc", False, 400),
        ("_list=x", False, 200),
        ("_list=x", True, 400),
        ("_count=100000", False, 200),
    ],
)
def test_what_a_history_can_be_asked(world: World, query: str, strict: bool, http_status: int) -> None:
    it = story(world)
    headers = {"Prefer": "handling=strict"} if strict else {}
    for path in (f"/{it.person}/_history", "/Patient/_history", "/_history"):
        answer = it.s.get(f"{path}?{query}", **headers)
        assert answer.status_code == http_status, answer.get_data(as_text=True)


@pytest.mark.attack("S-08")
def test_a_page_link_is_its_callers_and_of_its_history(world: World) -> None:
    it = story(world)
    it.s.changed(it.person, gender="other")
    it.sign()
    following = link(parsed(it.s.get(f"/{it.person}/_history?_count=1")))
    sealed = following.partition("?")[2]
    assert it.s.get(following).status_code == 200
    assert it.c.get(following).status_code in (400, 404)
    assert it.s.get(f"/Patient/_history?{sealed}").status_code == 400
    assert it.s.get(f"/_history?{sealed}").status_code == 400
    assert it.s.get(f"/Patient?{sealed}").status_code == 400
    assert it.s.get(f"{following}x").status_code == 400


def test_types_without_history_have_none(world: World) -> None:
    it = story(world)
    answer = it.s.get("/AuditEvent/_history")
    assert answer.status_code == 405
    assert "GET" not in answer.headers.get("Allow", "")
    assert it.s.get("/Claim/_history").status_code == 404


def test_one_version_leaves_one_line_in_the_audit(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer()
    version = it.c.read(it.task)["meta"]["versionId"]
    assert it.c.get(f"/{it.task}/_history/{version}").status_code == 200
    told = parsed(it.s.get(f"/{it.person}/$disclosures"))["parameter"]
    parts = [{part["name"]: part for part in one["part"]} for one in told if one["name"] == "disclosure"]
    vreads = [one for one in parts if one["what"]["valueCode"] == "vread"]
    assert [one["resource"]["valueUri"] for one in vreads] == [it.task]
