"""One fault per file: each is found, at its place, and nothing else is."""

import json
from pathlib import Path

import pytest

from referral_hub.fhir.json_codec import decode
from referral_hub.fhir.validator import validate

ROOT = Path(__file__).resolve().parents[3]
INVALID = ROOT / "tests" / "data" / "invalid"
EXPECTED: dict[str, dict[str, str]] = json.loads((INVALID / "index.json").read_text(encoding="utf-8"))
EXAMPLES = ROOT.parent / "shared" / "fhir" / "examples"
CASES = ROOT.parent / "shared" / "fhir" / "validator-cases"


def test_the_index_lists_every_file():
    assert {path.name for path in INVALID.glob("*.json")} - {"index.json"} == set(EXPECTED)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_the_one_fault_is_found_and_nothing_else(name: str):
    found = validate(decode((INVALID / name).read_bytes()))
    assert [(issue.expression, issue.code, issue.severity) for issue in found] == [
        (EXPECTED[name]["expression"], EXPECTED[name]["code"], "error")
    ]


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_the_file_is_named_by_its_type(name: str):
    assert name.startswith(decode((INVALID / name).read_bytes())["resourceType"] + "-")


def test_no_false_alarm_on_the_examples_of_the_standard():
    if not EXAMPLES.is_dir():
        pytest.skip("the official examples are not beside this checkout")
    files = sorted(EXAMPLES.glob("*.json"))
    alarms = {path.name: found for path in files if (found := validate(decode(path.read_bytes())))}
    assert (len(files) > 300, alarms) == (True, {})


# Verdicts of HL7's validator that stand on something this validator does not know.
BEYOND = {
    "ai5.json": "profiles that cannot be found",
    "bundle-conformsto.json": "a profile that cannot be found",
    "bundle-id-collection.json": "codes of another publisher",
    "dr-example-org.json": "a setting of that run: addresses at example.org",
    "ext-xver-modifier-2.json": "extensions defined by FHIR R5",
    "json-comments-1.json": "comments in JSON",
    "json-comments-2.json": "comments in JSON",
    "nested-questionnaire-nested-valueset.json": "answers against a questionnaire",
    "obs-vs-1.json": "the vital signs profile",
    "pat-dob-ext.json": "a setting of that run: unknown extensions",
    "pat-example-ext.json": "a setting of that run: unknown extensions",
    "vs-params-2.json": "a tooling extension",
}


def test_the_verdict_is_that_of_the_hl7_validator():
    if not CASES.is_dir():
        pytest.skip("the cases of the HL7 validator are not beside this checkout")
    cases = [c for c in json.loads((CASES / "INDEX.json").read_bytes()) if not c["profile"]]
    judged = [c for c in cases if c["java_errors"] is not None and c["file"] not in BEYOND]
    differing = [c["file"] for c in judged if bool(c["java_errors"]) is not _refuses(CASES / c["file"])]
    assert (len(judged) > 60, differing) == (True, [])


def _refuses(path: Path) -> bool:
    from referral_hub.errors import MalformedContent

    try:
        return any(issue.is_error for issue in validate(decode(path.read_bytes())))
    except MalformedContent:
        return True
