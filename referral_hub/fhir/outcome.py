"""What went wrong, or well, in FHIR's own form.

What lives here: :class:`Issue`, one problem with its place, and the OperationOutcome made of such issues.
What does not: finding the problems (the validator, the gate), and HTTP statuses (``web``).

Source: FHIR R4 ``operationoutcome.html``; value sets ``issue-severity`` and ``issue-type``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from referral_hub.fhir import json_codec

Severity = Literal["fatal", "error", "warning", "information"]


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing to tell the caller.

    Args:
        severity: ``fatal``, ``error``, ``warning`` or ``information``.
        code: FHIR's issue type, such as ``required`` or ``value``.
        text: what happened and what is possible, without any value a person wrote.
        expression: the element it is about, as a path such as ``Task.input[1].type``; empty for none.

    >>> Issue("error", "required", "Task.status is missing.", "Task.status").is_error
    True
    """

    severity: Severity
    code: str
    text: str
    expression: str = ""

    @property
    def is_error(self) -> bool:
        """Says whether this issue alone is a reason to refuse."""
        return self.severity in ("error", "fatal")


def operation_outcome(issues: Iterable[Issue]) -> dict[str, Any]:
    """Gives the OperationOutcome that tells these issues, in their order.

    An OperationOutcome without issues is not valid, so none at all becomes one ``information``: all well.

    Source: FHIR R4 ``operationoutcome.html`` (issue 1..*).

    >>> operation_outcome([Issue("error", "required", "For whom?", "Task.for")])["issue"]
    [{'severity': 'error', 'code': 'required', 'details': {'text': 'For whom?'}, 'expression': ['Task.for']}]
    """
    told = [_issue(issue) for issue in issues]
    return {"resourceType": "OperationOutcome", "issue": told or [_issue(_ALL_WELL)]}


def outcome_bytes(issues: Iterable[Issue]) -> bytes:
    """Gives the same OperationOutcome as the JSON that is sent.

    >>> outcome_bytes([])[:33]
    b'{"resourceType":"OperationOutcome'
    """
    return json_codec.encode(operation_outcome(issues))


_ALL_WELL = Issue("information", "informational", "All well.")


def _issue(issue: Issue) -> dict[str, Any]:
    told: dict[str, Any] = {
        "severity": issue.severity,
        "code": issue.code,
        "details": {"text": issue.text},
    }
    if issue.expression:
        told["expression"] = [issue.expression]
    return told
