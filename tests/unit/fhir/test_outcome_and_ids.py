"""OperationOutcome and ids: the small shapes everything else tells its troubles in."""

import pytest

from referral_hub.fhir.ids import is_id
from referral_hub.fhir.json_codec import decode_object
from referral_hub.fhir.outcome import Issue, operation_outcome, outcome_bytes


def test_issues_are_told_in_their_order_with_their_places() -> None:
    issues = [
        Issue("error", "required", "Task.status is missing.", "Task.status"),
        Issue("warning", "business-rule", "This is late."),
    ]
    told = operation_outcome(issues)
    assert told == {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "error",
                "code": "required",
                "details": {"text": "Task.status is missing."},
                "expression": ["Task.status"],
            },
            {"severity": "warning", "code": "business-rule", "details": {"text": "This is late."}},
        ],
    }
    assert decode_object(outcome_bytes(issues)) == told


def test_an_outcome_is_never_empty() -> None:
    assert [issue["severity"] for issue in operation_outcome([])["issue"]] == ["information"]


@pytest.mark.parametrize(
    ("severity", "is_error"), [("fatal", True), ("error", True), ("warning", False), ("information", False)]
)
def test_only_errors_are_reasons_to_refuse(severity: str, is_error: bool) -> None:
    assert Issue(severity, "value", "x").is_error is is_error  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("a", True),
        ("A-b.9", True),
        ("x" * 64, True),
        ("x" * 65, False),
        ("", False),
        ("a_b", False),
        ("a/b", False),
        ("a\n", False),
        ("\u00e9", False),
        ("\u0661", False),
    ],
)
def test_ids(text: str, good: bool) -> None:
    assert is_id(text) is good
