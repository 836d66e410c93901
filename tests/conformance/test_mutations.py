"""Faults: each kind finds its place, changes one resource and no other, and is the same for the same seed."""

import copy
import doctest

import pytest

from conformance import mutations, own_verdict, verdicts
from conformance.faults import KINDS
from conformance.filling import Filler
from conformance.mutations import mutated
from conformance.own_verdict import hub_says
from conformance.resource_nodes import nodes
from referral_hub.fhir import json_codec
from referral_hub.resources.catalog import DEFINITIONS

SEEDS = range(6)
FILLED = [
    Filler(seed, {"Patient": ["Patient/p1"]}).resource(name) | {"id": "r1"}
    for seed, name in enumerate(DEFINITIONS)
]
HARMLESS = {"element missing", "more than one", "coding without a system", "coding with a wrong code"}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_fault_is_made_and_most_are_found(kind: str) -> None:
    found = [mutant for resource in FILLED for seed in SEEDS if (mutant := mutated(resource, kind, seed))]
    assert found
    assert all(mutant.place for mutant in found)
    refused = [mutant for mutant in found if hub_says(json_codec.encode(mutant.resource))]
    assert refused or kind in HARMLESS


def test_the_resource_itself_is_not_altered() -> None:
    for resource in FILLED:
        before = copy.deepcopy(resource)
        for kind in KINDS:
            mutated(resource, kind, 7)
        assert resource == before


def test_the_same_seed_makes_the_same_mutant() -> None:
    for kind in KINDS:
        assert mutated(FILLED[0], kind, 3) == mutated(FILLED[0], kind, 3)


def test_a_fault_without_a_place_is_no_mutant() -> None:
    assert mutated({"resourceType": "Patient"}, "bad reference", 1) is None


def test_the_walk_enters_resources_inside_resources() -> None:
    bundle = {
        "resourceType": "Bundle",
        "entry": [{"resource": {"resourceType": "Patient", "name": [{"given": ["A"]}]}}],
    }
    found = {node.path: node.kind for node in nodes(bundle)}
    assert found["Bundle.entry.resource.name.given"] == "string"


@pytest.mark.parametrize("module", [mutations, own_verdict, verdicts])
def test_the_examples_in_the_docstrings_hold(module: object) -> None:
    assert doctest.testmod(module) == (0, doctest.testmod(module).attempted)  # type: ignore[arg-type]
