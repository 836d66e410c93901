"""The published definitions over HTTP: everybody reads and searches them, nobody writes them. Both databases."""

from typing import Any

import pytest

from referral_hub.fhir.canonical import CANONICAL
from referral_hub.resources.catalog import PUBLISHED, SERVED
from tests import builders as b
from tests.api.network import story
from tests.world import World, parsed, texts

PROFILE = f"{CANONICAL}/StructureDefinition/referral-task"


def get(world: World, path: str, **headers: str) -> Any:
    """Asks without a token."""
    return world.client.get(f"/fhir/{path}", headers=headers)


def links(bundle: dict[str, Any]) -> dict[str, str]:
    return {link["relation"]: link["url"] for link in bundle["link"]}


@pytest.mark.parametrize("type_name", sorted(PUBLISHED))
def test_whoever_asks_reads_each_definition_and_finds_it_by_url(world: World, type_name: str) -> None:
    bundle = parsed(get(world, f"{type_name}?_count=500"))
    assert bundle["type"] == "searchset"
    assert bundle["total"] >= len(bundle["entry"]) > 0
    for entry in bundle["entry"][:5]:
        resource = entry["resource"]
        answer = get(world, f"{type_name}/{resource['id']}")
        assert answer.status_code == 200
        assert parsed(answer) == resource
        same = parsed(get(world, f"{type_name}?url={resource['url']}&version={resource['version']}"))
        assert [one["resource"]["id"] for one in same["entry"]] == [resource["id"]]
        assert entry["fullUrl"].endswith(f"/{type_name}/{resource['id']}")


def test_every_search_parameter_that_is_claimed_can_be_read(world: World) -> None:
    told = parsed(get(world, "metadata"))["rest"][0]["resource"]
    claimed = {one["definition"] for of_type in told for one in of_type["searchParam"] if "definition" in one}
    wanted = ",".join(sorted(claimed)[:40])
    found = {
        one["resource"]["url"]
        for one in parsed(get(world, f"SearchParameter?url={wanted}&_count=500"))["entry"]
    }
    assert found == set(wanted.split(","))
    known = {one.body["url"] for one in world.parts.hub.shelf().of_type("SearchParameter")}
    assert claimed <= known
    status = parsed(get(world, "SearchParameter/Task-status"))
    assert (status["code"], status["base"], status["type"]) == ("status", ["Task"], "token")


def test_a_definition_is_found_by_the_quantity_of_its_context(world: World) -> None:
    answer = get(world, "ValueSet?context-quantity=5&_summary=count")
    assert (answer.status_code, parsed(answer)["total"]) == (200, 0)


def test_a_token_changes_nothing(world: World) -> None:
    it = story(world)
    path = "StructureDefinition/referral-task"
    assert it.c.get(f"/{path}").get_data() == get(world, path).get_data()
    assert it.c.get(f"/{path}", Authorization="Bearer nonsense").status_code == 200


def test_a_reader_that_has_it_already_is_told_so(world: World) -> None:
    answer = get(world, "StructureDefinition/referral-task")
    again = get(world, "StructureDefinition/referral-task", If_None_Match=answer.headers["ETag"])
    assert again.status_code in (200, 304)
    with_name = world.client.get(
        "/fhir/StructureDefinition/referral-task", headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert with_name.status_code == 304
    assert with_name.get_data() == b""


@pytest.mark.parametrize("type_name", sorted(PUBLISHED))
def test_nobody_writes_one(world: World, type_name: str) -> None:
    it = story(world)
    coordinator = world.caller("network", scope=f"system/{type_name}.cruds")
    body = {"resourceType": type_name, "id": "x", "status": "active"}
    for caller in (it.s, coordinator):
        for method, path in (("POST", ""), ("PUT", "/x"), ("DELETE", "/x")):
            answer = caller.ask(method, f"/{type_name}{path}", body if method != "DELETE" else None)
            assert answer.status_code == 405, (method, answer.get_data(as_text=True))
    assert "never written" in texts(it.s.ask("POST", f"/{type_name}", body))[0]
    assert get(world, f"{type_name}/x").status_code == 404


@pytest.mark.parametrize(
    "path", ["ValueSet/none", "ValueSet/%00", "ValueSet/..%2F..%2Fetc", "ValueSet/Purpose"]
)
def test_what_is_not_published_is_absent(world: World, path: str) -> None:
    assert get(world, path).status_code in (400, 404)


def test_other_types_still_need_a_token(world: World) -> None:
    for type_name in sorted(set(SERVED) - set(PUBLISHED)):
        assert get(world, f"{type_name}/referral-task").status_code == 401
        assert get(world, type_name).status_code == 401


def test_pages_are_walked_by_their_links(world: World) -> None:
    walk: list[str] = []
    path = "CodeSystem?_count=20&status=active"
    while path:
        bundle = parsed(get(world, path))
        walk.extend(one["resource"]["id"] for one in bundle["entry"])
        path = links(bundle).get("next", "").rpartition("/fhir/")[2]
    everything = parsed(get(world, "CodeSystem?_summary=count"))["total"]
    assert len(walk) == len(set(walk)) == everything > 40


def test_the_hubs_own_instruments_are_found_by_url_beside_stored_ones(world: World) -> None:
    it = story(world)
    own = list(world.parts.hub.shelf().of_type("Questionnaire"))
    assert own
    url = own[0].body["url"]
    assert parsed(get(world, f"Questionnaire/{own[0].id}"))["url"] == url
    stored = it.c.create({**b.in_directory("Questionnaire", it.clinic), "url": url})
    bundle = parsed(it.s.get(f"/Questionnaire?url={url}&_total=accurate"))
    assert [one["resource"]["id"] for one in bundle["entry"]] == [own[0].id, stored["id"]]
    assert bundle["total"] == 2
    assert len(parsed(it.s.get(f"/Questionnaire?url={url}&_count=1"))["entry"]) == 1
    assert get(world, f"Questionnaire?url={url}").status_code == 401
    assert get(world, f"Questionnaire/{stored['id']}").status_code == 401
    answer = it.c.ask("PUT", f"/Questionnaire/{own[0].id}", {**own[0].body})
    assert answer.status_code in (404, 405), "an instrument of the hub is nobody's to write"


def test_a_part_says_that_it_is_one(world: World) -> None:
    [one] = parsed(get(world, f"StructureDefinition?url={PROFILE}&_elements=name"))["entry"]
    assert one["resource"]["meta"]["tag"][0]["code"] == "SUBSETTED"
    assert "snapshot" not in one["resource"]
    assert one["resource"]["name"]
    short = parsed(get(world, "ValueSet?_summary=true&_count=3"))["entry"]
    assert all("compose" not in entry["resource"] for entry in short)
    assert parsed(get(world, "ValueSet?_summary=count")).get("entry") is None


def test_a_link_of_another_search_is_not_followed(world: World) -> None:
    it = story(world)
    for _ in range(2):
        it.s.create(b.condition(it.person))
    stored = links(parsed(it.s.get("/Condition?_count=1")))["next"].rpartition("?")[2]
    published = links(parsed(get(world, "CodeSystem?_count=1")))["next"].rpartition("?")[2]
    for answer in (
        get(world, f"CodeSystem?{stored}"),
        get(world, f"ValueSet?{published}"),
        get(world, f"CodeSystem?{published}x"),
        get(world, f"CodeSystem?{published}&status=active"),
        it.s.get(f"/Condition?{published}"),
    ):
        assert answer.status_code == 400, answer.get_data(as_text=True)


@pytest.mark.parametrize("query", ["date=yesterday", "_count=-1", "_sort=nonsense", "_tag=x", "url="])
def test_a_search_that_cannot_be_read_is_refused(world: World, query: str) -> None:
    answer = get(world, f"ValueSet?{query}")
    assert answer.status_code == 400
    assert parsed(answer)["resourceType"] == "OperationOutcome"


def test_what_is_not_understood_is_ignored_or_refused(world: World) -> None:
    assert get(world, "ValueSet?nonsense=1").status_code == 200
    answer = world.client.get("/fhir/ValueSet?nonsense=1", headers={"Prefer": "handling=strict"})
    assert answer.status_code == 400


def test_the_statement_of_this_hub_stands_among_them(world: World) -> None:
    server = parsed(get(world, "CapabilityStatement/server"))
    metadata = parsed(get(world, "metadata"))
    assert server["rest"] == metadata["rest"]
    assert server["kind"] == "instance"
    declared = {one["type"]: one for one in server["rest"][0]["resource"]}
    assert set(declared) == set(SERVED)
    assert PROFILE in declared["Task"]["supportedProfile"]
    for type_name in PUBLISHED:
        assert {one["code"] for one in declared[type_name]["interaction"]} == {"read", "search-type"}
    for one in declared.values():
        for profile in one.get("supportedProfile", ()):
            if profile.startswith(CANONICAL):
                assert parsed(get(world, f"StructureDefinition?url={profile}"))["total"] == 1
