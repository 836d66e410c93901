"""What a decision reads of one stored row.

What lives here: plain facts worked out from a row and its body. What does not: remembering them
(``exchange.sayings``), choosing a view by them (``exchange.sight``).
"""

from typing import Any

from referral_hub.access.facts import ResourceFacts, codes_of, references_of
from referral_hub.exchange.building import body_of
from referral_hub.exchange.ports import ResourceRow
from referral_hub.fhir.elements import code_in
from referral_hub.resources.task import CANCEL_BY_TARGET, STATUS_REASON

_OWNER_STATUSES = frozenset({"accepted", "rejected", "in-progress", "on-hold", "completed", "failed"})
_MOVE = frozenset({"status", "statusReason"})
_OWNER_ONLY = frozenset({"output", "executionPeriod"})
_SELF_MARKS = (b"HealthcareService/", b"PractitionerRole/")


def facts_of(row: ResourceRow) -> ResourceFacts:
    """Gives what a decision reads of a row."""
    body = body_of(row)
    return ResourceFacts(
        type=row.type,
        id=row.id,
        category=row.category,
        confidentiality=row.confidentiality,
        sensitivities=frozenset(row.sensitivities),
        codes=codes_of(body),
        data_from_us=row.data_from_us,
        data_until_us=row.data_until_us,
        author=row.author,
        refers_to=references_of(body),
    )


def names_selves(row: ResourceRow) -> bool:
    """Tells whether a row may point at services or roles, which may be the reader's own."""
    return any(mark in row.body for mark in _SELF_MARKS)


def owner_elements(task: dict[str, Any]) -> frozenset[str]:
    """Gives the tracked elements of a Task whose present value its owner wrote."""
    return own_elements(task, by_owner=True)


def own_elements(task: dict[str, Any], *, by_owner: bool) -> frozenset[str]:
    """Gives the tracked elements of a Task whose present value one side wrote, told by the table of moves."""
    status = task.get("status")
    reason = code_in(task.get("statusReason"), STATUS_REASON)
    owners = status in _OWNER_STATUSES or (status == "cancelled" and reason in CANCEL_BY_TARGET)
    if by_owner:
        return (_MOVE if owners else frozenset()) | _OWNER_ONLY
    return frozenset() if owners else _MOVE
