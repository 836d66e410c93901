"""Every declaration speaks of elements that R4 has, and of parameters that are declared."""

import re
from collections.abc import Iterator

import pytest

from referral_hub.fhir.code_tables import codes_of
from referral_hub.fhir.element_tables import Property, properties
from referral_hub.resources.catalog import DEFINITIONS, PUBLISHED, SERVED, definition_of
from referral_hub.resources.definition import ResourceDefinition
from scripts import write_docs

_CHAIN = re.compile(r"([a-z-]+)\.([A-Z][A-Za-z]+)\.([a-z_-]+)")


def at(type_name: str, path: str) -> Property | None:
    """Gives the element at a dotted path of a type, as it is written in JSON."""
    found: Property | None = None
    for name in path.split("."):
        found = properties(type_name).get(name)
        if found is None:
            return None
        type_name = found.type_name
    return found


def codes(type_name: str) -> set[str]:
    return {one.code for one in SERVED[type_name].search}


def elements(one: ResourceDefinition) -> Iterator[str]:
    yield from one.subject
    yield from one.based_on
    yield from one.coded_by
    yield from one.date_elements
    yield from (name for name in (one.keeper, one.status_element) if name)


@pytest.mark.parametrize("type_name", sorted(SERVED))
def test_every_element_that_is_named_exists(type_name: str) -> None:
    named = [name for name in elements(SERVED[type_name]) if name != "meta.tag"]
    assert [name for name in named if at(type_name, name) is None] == []


@pytest.mark.parametrize("type_name", sorted(SERVED))
def test_subjects_and_what_it_is_based_on_are_references(type_name: str) -> None:
    one = SERVED[type_name]
    for path in (*one.subject, *one.based_on, *([one.keeper] if one.keeper else [])):
        found = at(type_name, path)
        assert found is not None
        assert found.type_name == "Reference", path


@pytest.mark.parametrize("type_name", sorted(SERVED))
def test_no_parameter_is_declared_twice(type_name: str) -> None:
    found = [one.code for one in SERVED[type_name].search]
    assert len(found) == len(set(found))


@pytest.mark.parametrize("type_name", sorted(SERVED))
def test_includes_chains_and_has_speak_of_declared_parameters(type_name: str) -> None:
    one = SERVED[type_name]
    for include in one.includes:
        source, code = include.split(":")[:2]
        assert source == type_name
        assert code in codes(type_name), include
    for include in one.revincludes:
        source, code = include.split(":")[:2]
        assert code in codes(source), include
    for chain in one.chains:
        match = _CHAIN.fullmatch(chain)
        assert match, chain
        assert match[1] in codes(type_name), chain
        assert match[3] in codes(match[2]) | {"_id"}, chain
    for has in one.has:
        source, code, asked = has.split(":")
        assert {code, asked} <= codes(source) | {"_id"}, has


@pytest.mark.parametrize("type_name", sorted(SERVED))
def test_a_lifecycle_speaks_of_codes_that_r4_has(type_name: str) -> None:
    one = SERVED[type_name]
    if one.lifecycle is None:
        return
    found = at(type_name, one.status_element)
    assert found is not None
    possible = codes_of(found.row.binding)
    assert possible
    named = {status for move in one.lifecycle.table for status in (move.source, move.target)}
    assert named | one.lifecycle.initial <= possible
    reached = set(one.lifecycle.initial) | {move.target for move in one.lifecycle.table}
    assert named <= reached
    for status in one.lifecycle.terminal:
        assert set(one.lifecycle.moves(status, {"requester", "owner", "hub"})) <= {"entered-in-error"}


@pytest.mark.parametrize("type_name", sorted(DEFINITIONS))
def test_no_declaration_says_two_things(type_name: str) -> None:
    one = DEFINITIONS[type_name]
    assert not one.published
    assert not (one.directory and one.listed)
    if one.opened:
        assert one.subject or type_name == "Patient"
    if one.subject_named:
        assert one.subject
    if one.directory and not one.opened:
        assert one.category == "directory"
    if not (one.opened or one.directory or one.listed):
        assert one.category == "own", "what nobody else reads says so"
    if one.keeper or one.by_coordinator or one.at_shelter:
        assert one.directory


def test_the_two_catalogs_share_no_type() -> None:
    assert not set(DEFINITIONS) & set(PUBLISHED)
    assert set(SERVED) == set(DEFINITIONS) | set(PUBLISHED)
    assert definition_of("Claim") is None
    for one in PUBLISHED.values():
        assert one.published
        assert one.interactions == {"read", "search-type"}
        assert {"url", "version", "name", "status"} <= codes(one.type_name)


def test_the_pages_that_follow_from_declarations_are_up_to_date() -> None:
    for page in sorted(write_docs.DOCS.glob("*.md")):
        text = page.read_text(encoding="utf-8")
        assert write_docs.made(text) == text, f"{page.name}: run `make docs`"
