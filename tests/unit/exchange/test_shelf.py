"""The shelf of published definitions: what stands on it, and how it is looked through."""

from typing import Any

import pytest

from referral_hub.errors import InvalidParameter, MalformedContent, NotFound, NotSupportedParameter
from referral_hub.exchange.shelf import Hits, Place, Shelf, declared, look_through, packaged_shelf, shelf_of
from referral_hub.fhir.artifacts import artifact_files
from referral_hub.fhir.code_tables import codes_of
from referral_hub.fhir.core_definitions import core_definitions, structure_definition
from referral_hub.fhir.element_tables import part_table
from referral_hub.fhir.validator import validate
from referral_hub.resources.catalog import DEFINITIONS, PUBLISHED, SERVED

SHELF = packaged_shelf("2026-11-24")
CORE = "http://hl7.org/fhir/StructureDefinition"


def find(query: str, type_name: str = "StructureDefinition", shelf: Shelf = SHELF, **more: Any) -> Hits:
    pairs = tuple(
        (name, value) for name, _, value in (part.partition("=") for part in query.split("&") if part)
    )
    place = Place(type_name, pairs, more.pop("offset", 0))
    return look_through(
        shelf, type_name, place, **{"usual": 50, "most": 100, "strict": True, "at_us": 0, **more}
    )


def ids(hits: Hits) -> list[str]:
    return [one.id for one in hits.page]


def test_every_own_definition_stands_on_it() -> None:
    names = {f"{one.type}-{one.id}.json" for name in PUBLISHED for one in SHELF.of_type(name)}
    own = {file.name for file in artifact_files() if file.name.partition("-")[0] in PUBLISHED}
    assert own
    assert own <= names


def test_no_definition_of_r4_hides_behind_an_own_one_of_the_same_id() -> None:
    core = {(one["resourceType"], one["id"]): one["url"] for one in core_definitions(sorted(SERVED))}
    assert {key: SHELF.one(*key).body["url"] for key in core} == core


@pytest.mark.parametrize("type_name", sorted(SERVED))
def test_the_type_itself_and_all_it_is_made_of_are_defined(type_name: str) -> None:
    body = SHELF.one("StructureDefinition", type_name).body
    assert body["url"] == f"{CORE}/{type_name}"
    elements = body["snapshot"]["element"]
    names = {
        one["path"].partition(".")[2].removesuffix("[x]") for one in elements if one["path"].count(".") == 1
    }
    assert names == {row.name for row in part_table(type_name).elements}
    for element in elements:
        for kind in element.get("type", ()):
            if kind["code"][0].isupper() and kind["code"] != "Resource":
                SHELF.one("StructureDefinition", kind["code"])


def test_a_required_binding_leads_to_a_value_set_and_its_code_system() -> None:
    status = next(
        one for one in structure_definition("Flag")["snapshot"]["element"] if one["path"] == "Flag.status"
    )
    url = status["binding"]["valueSet"].partition("|")[0]
    [found] = find(f"url={url}", "ValueSet").page
    codes = {one["code"] for part in found.body["compose"]["include"] for one in part["concept"]}
    assert codes == codes_of(url)
    [system] = find(f"url={found.body['compose']['include'][0]['system']}", "CodeSystem").page
    assert codes <= {one["code"] for one in system.body["concept"]}


@pytest.mark.parametrize("type_name", sorted(PUBLISHED))
def test_every_definition_is_valid(type_name: str) -> None:
    seen = 0
    for one in SHELF.of_type(type_name):
        assert [issue.text for issue in validate(dict(one.body)) if issue.is_error] == [], one.id
        seen += 1
    assert seen or type_name == "CapabilityStatement"


@pytest.mark.parametrize(
    ("type_name", "query", "expected"),
    [
        ("StructureDefinition", f"url={CORE}/Task", ["Task"]),
        ("StructureDefinition", f"url={CORE}/task", []),
        ("StructureDefinition", f"url={CORE}/Task&version=4.0.1", ["Task"]),
        ("StructureDefinition", f"url={CORE}/Task&version=5.0.0", []),
        ("StructureDefinition", f"url={CORE}/Task,{CORE}/Goal", ["Goal", "Task"]),
        ("StructureDefinition", "name=ServiceR", ["ServiceRequest"]),
        ("StructureDefinition", "name:exact=servicerequest", []),
        ("StructureDefinition", "_id=Task", ["Task"]),
        ("StructureDefinition", "_id=Task&status=draft", []),
        ("StructureDefinition", f"type={CORE}/Task", []),
        ("CodeSystem", "_id=age-group&content-mode=complete", ["age-group"]),
        ("CodeSystem", "url:missing=true", []),
        ("ValueSet", "_id=flag-status&_lastUpdated=gt2027", []),
        ("ValueSet", "_id=flag-status&_lastUpdated=ge2026", ["flag-status"]),
    ],
)
def test_searches(type_name: str, query: str, expected: list[str]) -> None:
    assert ids(find(query, type_name)) == expected


@pytest.mark.parametrize("type_name", sorted(PUBLISHED))
def test_every_declared_parameter_finds_what_has_it_and_nothing_else(type_name: str) -> None:
    everything = {one.id for one in SHELF.of_type(type_name)}
    for code, parameter in declared(type_name).items():
        if parameter.type == "composite":
            continue  # of which R4 asks no :missing
        there = set(ids(find(f"{code}:missing=false&_count=1000", type_name, most=1000)))
        not_there = set(ids(find(f"{code}:missing=true&_count=1000", type_name, most=1000)))
        assert there | not_there == everything, code
        assert not there & not_there, code


def test_pages_hold_everything_once() -> None:
    everything = [one.id for one in SHELF.of_type("CodeSystem")]
    walk, offset = [], 0
    while True:
        hits = find("_count=7", "CodeSystem", offset=offset)
        assert hits.total == len(everything)
        walk.extend(ids(hits))
        offset = hits.offset
        if not offset:
            break
    assert walk == everything


def test_order_by_name_both_ways() -> None:
    up = find("_sort=name&_count=1000", "CodeSystem", most=1000)
    down = find("_sort=-name&_count=1000", "CodeSystem", most=1000)
    assert ids(up) == ids(down)[::-1]
    names = [one.body["name"].casefold() for one in up.page]
    assert names == sorted(names)


@pytest.mark.parametrize("query", ["nonsense=1", "_tag=x", "_filter=x"])
def test_what_is_not_understood_is_refused(query: str) -> None:
    with pytest.raises(NotSupportedParameter):
        find(query)


def test_a_search_that_compares_too_much_is_refused() -> None:
    assert find(f"code={','.join('abcdefghij')}", "CodeSystem").total >= 0
    with pytest.raises(MalformedContent):
        find("&".join(f"code={','.join('abcdefghij')}" for _ in range(6)), "CodeSystem")


def test_an_unreadable_value_is_refused() -> None:
    with pytest.raises(InvalidParameter):
        find("date=yesterday")


@pytest.mark.parametrize("wrong", [("ValueSet", "none"), ("Task", "Task"), ("", "")])
def test_what_is_not_there_is_absent(wrong: tuple[str, str]) -> None:
    with pytest.raises(NotFound):
        SHELF.one(*wrong)


def test_a_version_follows_from_the_content() -> None:
    body = {"resourceType": "ValueSet", "id": "a", "status": "active", "meta": {"versionId": "x", "tag": []}}
    one, same, other = (
        shelf_of([{**body, **more}], 0).one("ValueSet", "a").released
        for more in ({}, {}, {"status": "retired"})
    )
    assert one == same
    assert one.version != other.version
    assert b'"versionId":"x"' not in one.body


def test_nothing_about_a_person_stands_on_it() -> None:
    assert set(SHELF.definitions) <= set(PUBLISHED) | {"Questionnaire", "Basic"}
    assert not set(PUBLISHED) & set(DEFINITIONS)
