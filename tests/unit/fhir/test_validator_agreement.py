"""The verdict beside that of HL7's Java validator, on cases of its own test suite.

A case counts if it is a resource of a type of R4, claims no profile that only its suite has, and its verdict needs no
terminology of another publisher. What differs is listed with its cause, and may be five in a hundred at most.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from referral_hub.errors import MalformedContent
from referral_hub.fhir.element_tables import index
from referral_hub.fhir.json_codec import decode
from referral_hub.fhir.profile_tables import profile
from referral_hub.fhir.structure_rows import CORE
from referral_hub.fhir.validator import judge

CASES = Path(__file__).resolve().parents[3].parent / "shared" / "fhir" / "validator-cases"

LEAST = 0.95

BY_ANOTHER_PUBLISHER = {"bundle-id-5": "the words beside a code of CVX"}
"""Cases whose verdict stands on a terminology that neither R4 nor the hub publishes."""

DIFFERS = {
    "dr-example-org": "a setting of that run: an address at example.org is an error; the same file is valid elsewhere",
    "pat-example-extensions": "the same setting, for the address of an extension",
}
"""Cases with another verdict here, and why."""


def _cases() -> list[dict[str, Any]]:
    if not CASES.is_dir():
        return []
    found: list[dict[str, Any]] = json.loads((CASES / "INDEX.json").read_bytes())
    return [case for case in found if not case["profile"] and case["java_errors"] is not None]


def _counted(case: dict[str, Any]) -> bool:
    if case["resourceType"] not in index().resource_types or case["name"] in BY_ANOTHER_PUBLISHER:
        return False
    return all(_is_known(url) for url in _claims(json.loads((CASES / case["file"]).read_bytes())))


def _claims(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        meta = value.get("meta")
        if isinstance(meta, dict):
            yield from meta.get("profile", ())
        for item in value.values():
            yield from _claims(item)
    elif isinstance(value, list):
        for item in value:
            yield from _claims(item)


def _is_known(url: str) -> bool:
    return profile(url) is not None or url.removeprefix(CORE) in index().resource_types


def _refuses(case: dict[str, Any]) -> bool:
    try:
        resource = decode((CASES / case["file"]).read_bytes())
    except MalformedContent:
        return True
    return any(issue.is_error for issue in judge(resource))


COUNTED = [case for case in _cases() if _counted(case)]


@pytest.mark.parametrize("case", COUNTED, ids=lambda case: str(case["name"]))
def test_the_verdict_is_that_of_hl7s_validator(case: dict[str, Any]):
    agrees = bool(case["java_errors"]) is _refuses(case)
    assert agrees is (case["name"] not in DIFFERS)


def test_at_least_95_in_100_verdicts_agree(capsys: pytest.CaptureFixture[str]):
    if not CASES.is_dir():
        pytest.skip("the cases of the HL7 validator are not beside this checkout")
    every = [case for case in _cases() if case["resourceType"] in index().resource_types]
    shares = {}
    for name, cases in (("counted", COUNTED), ("all of a type of R4", every), ("all", _cases())):
        agreeing = sum(bool(case["java_errors"]) is _refuses(case) for case in cases)
        shares[name] = agreeing / len(cases)
        with capsys.disabled():
            print(
                f"\nagreement with HL7's validator, {name}: {agreeing} of {len(cases)} ({shares[name]:.1%})"
            )
    assert len(COUNTED) > 50
    assert shares["counted"] >= LEAST
