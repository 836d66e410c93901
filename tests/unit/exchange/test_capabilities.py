"""What the CapabilityStatement says in words and by type is what the hub does."""

import pytest

from referral_hub.exchange.capabilities import SDOHCC, capability_statement
from referral_hub.exchange.deleting import DRAFTED, REMOVED
from referral_hub.exchange.indexing import parameters
from referral_hub.fhir.code_tables import value_set
from referral_hub.fhir.element_tables import part_table
from referral_hub.resources.catalog import DEFINITIONS, SERVED

TOLD = {
    found["type"]: found
    for found in capability_statement(
        base_url="https://hub.test", fhir_base="https://hub.test/fhir", version="0", date="2026-11-24"
    )["rest"][0]["resource"]
}


def _may_be_draft(type_name: str) -> bool:
    definition = DEFINITIONS[type_name]
    if not definition.status_element or "delete" not in definition.interactions:
        return False
    row = next(row for row in part_table(type_name).elements if row.name == definition.status_element)
    codes = value_set(row.binding)
    return codes is not None and any("draft" in listed for listed in codes.codes.values())


def test_what_may_be_a_draft_is_what_r4_lets_be_one() -> None:
    assert {name for name in DEFINITIONS if _may_be_draft(name)} == DRAFTED


@pytest.mark.parametrize("type_name", sorted(SERVED))
def test_a_delete_is_claimed_where_something_can_be_deleted(type_name: str) -> None:
    told = TOLD[type_name]
    claimed = {one["code"] for one in told["interaction"]}
    assert ("delete" in claimed) == (type_name in REMOVED)
    single = type_name in REMOVED and "identifier" in parameters(type_name)
    assert told["conditionalDelete"] == ("single" if single else "not-supported")
    assert ("only a draft" in told.get("documentation", "")) == (type_name in DRAFTED)


@pytest.mark.parametrize("type_name", sorted(DEFINITIONS))
def test_a_parameter_kept_as_digests_says_how_it_finds(type_name: str) -> None:
    told = {one["name"]: one.get("documentation", "") for one in TOLD[type_name]["searchParam"]}
    for code, (searchable, parameter) in parameters(type_name).items():
        assert ("digests" in told[code]) == searchable.identifying
        if searchable.identifying and parameter.type == "string":
            assert "whole word" in told[code]
            assert ":contains is 400" in told[code]


def test_of_sdohcc_only_what_conforms_is_claimed() -> None:
    claimed = {
        url for one in TOLD.values() for url in one.get("supportedProfile", ()) if "sdoh-clinicalcare" in url
    }
    assert claimed == set(SDOHCC.values())
    assert not any("us/core" in url for one in TOLD.values() for url in one.get("supportedProfile", ()))
