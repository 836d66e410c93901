"""What SUSHI made is valid R4, whole, and agrees with what the server declares."""

import re
from pathlib import Path

import pytest

from referral_hub.exchange.capabilities import capability_statement
from referral_hub.fhir.canonical import CANONICAL
from referral_hub.fhir.fhirpath.compiler import compile_expression
from referral_hub.fhir.search_parameters import official
from referral_hub.fhir.validator import validate
from referral_hub.resources.catalog import DEFINITIONS
from referral_hub.resources.task import LIFECYCLE
from tests.unit.profiles.generated import (
    FILES,
    ROOT,
    codes_of,
    exact,
    invariants_of,
    of_type,
    profiles,
    resource,
)

CANONICAL_TYPES = (
    "CapabilityStatement",
    "CodeSystem",
    "ConceptMap",
    "OperationDefinition",
    "Questionnaire",
    "SearchParameter",
    "StructureDefinition",
    "ValueSet",
)
NOT_SERVED_YET = {f"{CANONICAL}/OperationDefinition/HealthcareService-find"}
"""Defined so that others can build against them; draft until the server has them."""
STATEMENT = capability_statement(
    base_url="https://hub.test", fhir_base="https://hub.test/fhir", version="0", date="2026-11-24"
)
DECLARED = {found["type"]: found for found in STATEMENT["rest"][0]["resource"]}
REQUIRED = {found["type"]: found for found in resource("CapabilityStatement-hub")["rest"][0]["resource"]}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_file_is_valid(file: Path) -> None:
    assert validate(exact(file)) == []


@pytest.mark.parametrize("type_name", CANONICAL_TYPES)
def test_every_definition_stands_under_the_canonical_base(type_name: str) -> None:
    for found in of_type(type_name):
        assert found["url"] == f"{CANONICAL}/{type_name}/{found['id']}"
        assert found["version"] == "1.0.0"
        assert found["status"] == ("draft" if found["url"] in NOT_SERVED_YET else "active")
        assert found.get("experimental", False) is False
        assert found.get("description")


def test_nothing_but_the_statement_carries_a_date() -> None:
    dated = [file.stem for file in FILES if "date" in resource(file.stem)]
    assert dated == ["CapabilityStatement-hub"]


def test_every_structure_has_a_snapshot_on_an_r4_base() -> None:
    for structure in of_type("StructureDefinition"):
        assert structure["snapshot"]["element"][0]["path"] == structure["type"]
        assert structure["baseDefinition"].startswith("http://hl7.org/fhir/StructureDefinition/")
        assert structure["fhirVersion"] == "4.0.1"


def test_every_own_definition_that_is_named_is_there() -> None:
    there = {found["url"] for type_name in CANONICAL_TYPES for found in of_type(type_name)}
    kinds = "|".join(CANONICAL_TYPES)
    for file in FILES:
        named = re.findall(rf'"({re.escape(CANONICAL)}/(?:{kinds})/[A-Za-z0-9.-]+)"', file.read_text())
        assert set(named) <= there, file.stem


def test_every_invariant_has_its_own_key_and_is_understood() -> None:
    keys = []
    for profile in profiles():
        for key, (_, expression) in invariants_of(profile).items():
            compile_expression(expression)
            keys.append((key, expression))
    assert len({key for key, _ in keys}) == len(set(keys))


def test_the_steps_of_a_status_are_those_of_the_state_table() -> None:
    _, expression = invariants_of(resource("StructureDefinition-referral-task"))["hub-task-7"]
    told = {
        (status, code)
        for status, codes in re.findall(
            r"\(status = '([a-z-]+)' implies [^)]*\)\.all\(([^)]*)\)\)", expression
        )
        for code in re.findall(r"code = '([a-z-]+)'", codes)
    }
    known = {(step.status, step.business_status) for step in LIFECYCLE.steps}
    known |= {(move.target, step) for move in LIFECYCLE.table for step in move.business}
    assert told == known
    statuses = {move.source for move in LIFECYCLE.table} | {move.target for move in LIFECYCLE.table}
    without_steps = set(re.findall(r"status = '([a-z-]+)'", expression.rpartition(" and ((")[2]))
    assert without_steps == statuses - {status for status, _ in known}


@pytest.mark.parametrize(
    ("key", "status"),
    [
        ("hub-task-2", "rejected"),
        ("hub-task-4", "on-hold"),
        ("hub-task-5", "failed"),
        ("hub-task-6", "entered-in-error"),
    ],
)
def test_the_reasons_of_a_status_are_those_of_the_state_table(key: str, status: str) -> None:
    _, expression = invariants_of(resource("StructureDefinition-referral-task"))[key]
    told = set(re.findall(r"code = '([a-z-]+)'", expression))
    known = {reason for move in LIFECYCLE.table if move.target == status for reason in move.reasons}
    assert told == known


def test_a_cancellation_has_the_reasons_of_the_state_table_and_the_one_a_recipient_reads() -> None:
    _, expression = invariants_of(resource("StructureDefinition-referral-task"))["hub-task-3"]
    told = set(re.findall(r"code = '([a-z-]+)'", expression))
    known = {reason for move in LIFECYCLE.table if move.target == "cancelled" for reason in move.reasons}
    assert told == known | {"closed-by-sender"}


@pytest.mark.parametrize("type_name", sorted(REQUIRED))
def test_the_server_offers_what_its_statement_requires(type_name: str) -> None:
    required, declared = REQUIRED[type_name], DECLARED[type_name]
    for element, key in (("interaction", "code"), ("searchParam", "name"), ("operation", "name")):
        offered = {entry[key] for entry in declared.get(element, ())}
        assert {entry[key] for entry in required.get(element, ())} <= offered
    assert set(required.get("searchInclude", ())) <= set(declared.get("searchInclude", ()))


def test_the_statement_requires_no_type_that_the_server_lacks() -> None:
    assert REQUIRED
    assert set(REQUIRED) <= set(DECLARED)


def test_every_operation_of_the_server_is_defined() -> None:
    named = {entry["definition"] for found in DECLARED.values() for entry in found.get("operation", ())}
    named |= {entry["definition"] for entry in STATEMENT["rest"][0]["operation"]}
    own = {definition for definition in named if definition.startswith(CANONICAL)}
    assert own == {found["url"] for found in of_type("OperationDefinition") if found["status"] == "active"}, (
        "an operation of the server is active and defined; any other is a draft"
    )


def test_every_search_parameter_that_r4_lacks_is_defined() -> None:
    own = {
        (name, parameter.code, parameter.expression)
        for name, definition in DEFINITIONS.items()
        for parameter in definition.search
        if parameter.code not in official(name)
    }
    told = {(found["base"][0], found["code"], found["expression"]) for found in of_type("SearchParameter")}
    assert told == own


def test_capacity_has_the_codes_of_sdohcc() -> None:
    # SDOHCC capacity.md: four codes.
    expected = ["capacity", "no-capacity", "waitlist", "additional-assessment-required"]
    assert codes_of("capacity") == expected


def test_obstacles_are_the_four_of_the_practice_guide() -> None:
    assert len(codes_of("unmet-need")) == 4


@pytest.mark.parametrize(
    "file", sorted((ROOT / "profiles" / "input" / "fsh").glob("*.fsh")), ids=lambda f: f.name
)
def test_sources_are_short_enough_to_read(file: Path) -> None:
    long_lists = {"capability-statement.fsh", "concept-maps-status.fsh"}
    assert file.name in long_lists or len(file.read_text().splitlines()) <= 250
