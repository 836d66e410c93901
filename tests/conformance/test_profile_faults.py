"""The faults that only a profile minds find a place in what the hub gives as examples."""

import copy
import json
import random

import pytest

from conformance.profile_faults import PROFILE_KINDS
from scripts import build_profiles

EXAMPLES = [
    json.loads(body)
    for name, body in build_profiles.committed().items()
    if name.startswith(build_profiles.EXAMPLES)
]


@pytest.mark.parametrize("kind", sorted(PROFILE_KINDS))
def test_every_kind_finds_a_place_and_says_where(kind: str) -> None:
    changed = 0
    for number, example in enumerate(EXAMPLES):
        broken = copy.deepcopy(example)
        place = PROFILE_KINDS[kind](broken, random.Random(number))
        assert place == "" or place.startswith(example["resourceType"])
        changed += broken != example
    assert changed > 0


@pytest.mark.parametrize("kind", sorted(PROFILE_KINDS))
def test_the_same_seed_makes_the_same_fault(kind: str) -> None:
    made = [copy.deepcopy(EXAMPLES[0]) for _ in range(2)]
    assert len({PROFILE_KINDS[kind](one, random.Random(7)) for one in made}) == 1
    assert made[0] == made[1]


def test_a_claim_stays_a_claim_of_the_hub() -> None:
    broken = copy.deepcopy(EXAMPLES[0])
    PROFILE_KINDS["claim of another profile"](broken, random.Random(1))
    (claim,) = broken["meta"]["profile"]
    assert claim.startswith("https://referral-hub.example/fhir/StructureDefinition/")
