"""Every profile has an example that meets it; every broken example breaks the one rule its name tells."""

import json
from pathlib import Path

import pytest

from referral_hub.fhir.canonical import structure
from referral_hub.fhir.validator import validate
from tests.unit.profiles.generated import BROKEN_FILES, Resource, exact, examples, profiles, resource
from tests.unit.profiles.snapshot_rules import broken_rules

PROFILES = {profile["id"]: profile for profile in profiles()}


def _profile_of(body: Resource) -> Resource:
    (url,) = body["meta"]["profile"]
    found = resource(f"StructureDefinition-{url.rsplit('/', 1)[1]}")
    assert found["url"] == url
    return found


@pytest.mark.parametrize("body", examples(), ids=lambda body: body["id"])
def test_a_valid_example_meets_its_profile(body: Resource) -> None:
    assert broken_rules(body, _profile_of(body)) == set()


@pytest.mark.parametrize("file", BROKEN_FILES, ids=lambda file: file.stem)
def test_a_broken_example_is_valid_r4_and_breaks_one_rule_of_its_profile(file: Path) -> None:
    assert validate(exact(file)) == []
    body = json.loads(file.read_text())
    profile = _profile_of(body)
    assert profile["id"] == file.stem.partition("--")[0]
    assert len(broken_rules(body, profile)) == 1


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_every_profile_has_examples_of_both_kinds(profile: str) -> None:
    assert any(body["meta"]["profile"] == [structure(profile)] for body in examples())
    assert any(file.name.startswith(f"{profile}--") for file in BROKEN_FILES)


def test_every_invariant_is_broken_by_an_example() -> None:
    keys = {
        rule["key"]
        for profile in profiles()
        for element in profile["snapshot"]["element"]
        for rule in element.get("constraint", ())
        if rule["key"].startswith("hub-")
    }
    broken = set()
    for file in BROKEN_FILES:
        body = json.loads(file.read_text())
        broken |= {rule.rpartition(": ")[2] for rule in broken_rules(body, _profile_of(body))}
    assert keys <= broken


def test_the_three_stages_have_an_example_each() -> None:
    plans = [body for body in examples() if body["resourceType"] == "CarePlan"]
    assert {plan["category"][0]["coding"][0]["code"] for plan in plans} == {"crisis", "transitional", "exit"}
