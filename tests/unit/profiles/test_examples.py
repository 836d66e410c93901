"""Every profile has an example that meets it; every broken example breaks the one rule its name tells."""

import json
from pathlib import Path

import pytest

from referral_hub.fhir.canonical import structure
from referral_hub.fhir.validator import validate
from tests.unit.profiles.generated import BROKEN, BROKEN_FILES, Resource, exact, examples, profiles, resource
from tests.unit.profiles.profile_rules import breakable_rules
from tests.unit.profiles.snapshot_rules import broken_rules

RULES = json.loads(BROKEN.with_suffix(".json").read_bytes())
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
def test_a_broken_example_breaks_the_one_rule_its_table_names(file: Path) -> None:
    body = json.loads(file.read_text())
    profile = _profile_of(body)
    assert profile["id"] == file.stem.partition("--")[0]
    assert broken_rules(body, profile) == {RULES[file.stem]}


@pytest.mark.parametrize("file", BROKEN_FILES, ids=lambda file: file.stem)
def test_a_broken_example_is_valid_r4_without_its_claim(file: Path) -> None:
    body = exact(file)
    del body["meta"]
    # What the hub's own extensions and code systems say is in force without a claim as well.
    rule = RULES[file.stem]
    by_definition = rule.startswith("Extension.") or rule.endswith(": binding")
    assert validate(body) == [] or by_definition


def test_the_table_of_broken_rules_names_every_file() -> None:
    assert list(RULES) == [file.stem for file in BROKEN_FILES]


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_every_rule_that_can_be_broken_alone_is_broken_by_an_example(profile: str) -> None:
    broken = {rule for stem, rule in RULES.items() if stem.startswith(f"{profile}--")}
    assert breakable_rules(PROFILES[profile]) - broken == set()


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_every_profile_has_examples_of_both_kinds(profile: str) -> None:
    assert any(body["meta"]["profile"] == [structure(profile)] for body in examples())
    assert any(file.name.startswith(f"{profile}--") for file in BROKEN_FILES)


def test_the_three_stages_and_aftercare_have_an_example_each() -> None:
    plans = [body for body in examples() if body["resourceType"] == "CarePlan"]
    stages = {plan["category"][0]["coding"][0]["code"] for plan in plans}
    assert stages == {"crisis", "transitional", "exit", "aftercare"}
