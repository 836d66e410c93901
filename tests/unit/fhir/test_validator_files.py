"""One fault per file: each is found, at its place, and nothing else is."""

import json
from pathlib import Path
from typing import Any

import pytest

from referral_hub.fhir.json_codec import decode
from referral_hub.fhir.outcome import Issue
from referral_hub.fhir.validator import judge, validate

ROOT = Path(__file__).resolve().parents[3]
INVALID = ROOT / "tests" / "data" / "invalid"
EXPECTED: dict[str, dict[str, str]] = json.loads((INVALID / "index.json").read_text(encoding="utf-8"))
EXAMPLES = ROOT.parent / "shared" / "fhir" / "examples"


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
    strict = {path.name: found for path in files if (found := _errors(decode(path.read_bytes())))}
    assert (len(files) > 300, alarms, strict) == (True, {}, {})


def _errors(resource: dict[str, Any]) -> list[Issue]:
    return [issue for issue in judge(resource) if issue.is_error]
