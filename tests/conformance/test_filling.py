"""Filled resources: valid, nearly complete, and the same for the same seed."""

import pytest

from conformance.filling import Filler
from referral_hub.fhir.element_tables import part_table
from referral_hub.fhir.validator import validate
from referral_hub.resources.catalog import DEFINITIONS

PLACES = {"Patient": ["Patient/p1"], "Organization": ["Organization/o1"]}
LEFT_OUT = {"id", "meta", "implicitRules", "contained", "modifierExtension"}
ONLY_WHEN_CANCELLED = {"cancelationReason"}
GIVEN_BY_THE_STORIES = {"Questionnaire": {"item"}, "Measure": {"group"}, "MeasureReport": {"group"}}
"""Trees whose rules (unique numbers, one of two) no random value meets."""


@pytest.mark.parametrize("type_name", DEFINITIONS)
def test_a_filled_resource_is_valid_and_nearly_complete(type_name: str) -> None:
    filled = set()
    for seed in range(4):
        made = Filler(seed, PLACES).resource(type_name)
        assert validate(made) == []
        filled |= set(made)
    rows = [row for row in part_table(type_name).elements if row.name not in LEFT_OUT]
    missing = [row.name for row in rows if not any(name.startswith(row.name) for name in filled)]
    assert set(missing) <= ONLY_WHEN_CANCELLED | GIVEN_BY_THE_STORIES.get(type_name, set())


def test_the_same_seed_gives_the_same_resource() -> None:
    first, again, other = (Filler(seed, PLACES).resource("Task") for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_what_is_fixed_stays_and_none_leaves_an_element_out() -> None:
    made = Filler(3, PLACES).resource("Patient", gender="female", contact=None, deceasedBoolean=False)
    assert made["gender"] == "female"
    assert made["deceasedBoolean"] is False
    assert not {"contact", "deceasedDateTime"} & made.keys()


def test_references_lead_to_the_places_or_are_logical() -> None:
    made = Filler(4, PLACES).resource("Condition")
    assert made["subject"]["reference"] == "Patient/p1"
    assert "reference" not in made["encounter"]


def test_a_rule_among_fixed_elements_is_not_hidden() -> None:
    with pytest.raises(ValueError, match="ServiceRequest could not be filled"):
        Filler(5, PLACES).resource("ServiceRequest", status="banana")
