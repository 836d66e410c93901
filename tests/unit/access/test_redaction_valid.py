"""Every copy is valid base R4, whatever is hidden in it, by the hub's own validator."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_hub.access.redaction import RENDERERS, render
from referral_hub.access.views import View
from referral_hub.errors import NotFound
from referral_hub.fhir.json_codec import decode
from referral_hub.fhir.validator import validate
from tests.unit.access.granted_cases import DIRECTORY, RECORDS
from tests.unit.access.redaction_cases import (
    CLINIC,
    CONSENT,
    PATIENT,
    SERVICE_REQUEST,
    TASK,
    fresh,
    tick,
)

EXAMPLES = Path(__file__).parents[4] / "shared" / "fhir" / "examples"
TICKED = tick("language", "region", "gender", "age-band")
CASES: Mapping[str, Mapping[str, Any]] = {
    "Task": TASK,
    "ServiceRequest": SERVICE_REQUEST,
    "Patient": {**PATIENT, "extension": [*PATIENT["extension"], *TICKED]},
    "Consent": CONSENT,
    **RECORDS,
    **DIRECTORY,
}  # fmt: skip
VISIBLE = frozenset(
    {"Condition/c1", "DocumentReference/d1", "Practitioner/secret-doctor", "Task/secret-task"}
)
OWN = frozenset({"status", "statusReason", "businessStatus", "executionPeriod", "output"})
ALL = frozenset({"health", "identity", "contact", "outcome", "immigration"})


def views(type_name: str) -> Iterator[View]:
    """Many views of a type: closed, open in parts, open in all."""
    for kind in sorted({kind for name, kind in RENDERERS if name == type_name}):
        for more in (
            {},
            {"categories": frozenset({"health"})},
            {"categories": frozenset({"identity"})},
            {"categories": frozenset({"health"}), "from_shelter": False, "visible": VISIBLE},
            {"categories": ALL, "very_restricted": True, "person": "Patient/p1", "own": OWN},
            {"categories": frozenset({"immigration"}), "category": "immigration"},
            {"named": True, "requester": "Organization/network"},
            {"shelter": True, "neutral_name": "North Partner"},
            {"shelter": True},
        ):
            yield View(kind, CLINIC, **{"category": "health", **more})


def shown_in_all_views(resource: dict[str, Any]) -> Iterator[tuple[View, dict[str, Any]]]:
    for view in views(resource["resourceType"]):
        try:
            yield view, render(resource, view)
        except NotFound:
            continue


def problems(resource: dict[str, Any]) -> list[tuple[str, str]]:
    return [(issue.expression, issue.text) for issue in validate(resource) if issue.is_error]


@pytest.mark.parametrize("type_name", sorted(CASES))
def test_the_cases_themselves_are_valid(type_name: str) -> None:
    assert problems(fresh(CASES[type_name])) == []


@pytest.mark.parametrize("type_name", sorted(CASES))
def test_every_copy_is_valid(type_name: str) -> None:
    seen = 0
    for view, shown in shown_in_all_views(fresh(CASES[type_name])):
        assert problems(shown) == [], view
        seen += 1
    assert seen >= 2


@st.composite
def thinned(draw: st.DrawFn) -> dict[str, Any]:
    """One of the cases with some of its elements and list entries taken out, valid still."""
    case = fresh(CASES[draw(st.sampled_from(sorted(CASES)))])
    for name in draw(st.lists(st.sampled_from(sorted(set(case) - {"resourceType", "id"})), max_size=6)):
        case.pop(name, None)
    for value in case.values():
        if isinstance(value, list) and len(value) > 1 and draw(st.booleans()):
            del value[draw(st.integers(0, len(value) - 1))]
    return case


@given(thinned())
def test_every_copy_of_a_thinner_valid_resource_is_valid(resource: dict[str, Any]) -> None:
    if problems(resource):
        return
    for view, shown in shown_in_all_views(resource):
        assert problems(shown) == [], view
        if resource["resourceType"] != "Patient":  # what was ticked for the notice does not travel with it
            assert render(shown, view) == shown


def official_examples() -> list[Path]:
    if not EXAMPLES.is_dir():
        return []
    known = {name for name, _ in RENDERERS}
    return [
        path
        for path in sorted(EXAMPLES.glob("*.json"))
        if json.loads(path.read_bytes()).get("resourceType") in known
    ]


@pytest.mark.skipif(
    not EXAMPLES.is_dir(), reason="the official examples (../shared/fhir/examples) are not here"
)
def test_copies_of_the_official_examples_are_valid() -> None:
    seen = 0
    for path in official_examples():
        resource = decode(path.read_bytes())
        if problems(resource):
            continue
        for view, shown in shown_in_all_views(resource):
            assert problems(shown) == [], (path.name, view)
            seen += 1
    assert seen > 300
