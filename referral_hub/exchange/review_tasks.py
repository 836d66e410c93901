"""Asks an organisation to look at a permission of its own: it ends soon, it has ended, she is to be asked again.

What lives here: the Task ``case-review`` that says so, inside the organisation that keeps the permission. What does
not: when it is time (``outbound.timers``), telling by e-mail that there is something new (a Subscription of the
organisation, ``outbound.notifying``).

Only one is open for a permission: the newest word replaces the one before. It never leaves the organisation, it names
nobody but by reference, and nothing is sent to the person herself.

Source: ``views.md`` 8 (the caseworker is told); ``practice.md`` 4 and 9.
"""

from dataclasses import replace
from typing import Any

from referral_hub.exchange.audit import DONE
from referral_hub.exchange.building import Draft, body_of
from referral_hub.exchange.change import AuditEntry
from referral_hub.exchange.columns import private_columns
from referral_hub.exchange.ports import ResourceRow
from referral_hub.fhir.canonical import code_system
from referral_hub.fhir.dates import instant
from referral_hub.fhir.elements import text_at
from referral_hub.resources.task import STATUS_REASON, TASK_CODES

REVIEW = "case-review"
REVIEW_REASON = code_system("review-reason")
_OPEN = "requested"


def ask_to_look(consent: ResourceRow, reason: str, until_us: int, draft: Draft) -> ResourceRow | None:
    """Writes the Task that asks the organisation of a permission to look; earlier ones about it are closed.

    Args:
        consent: the permission; its author is asked.
        reason: a code of review-reason.
        until_us: when it ends or ended, microseconds UTC.
        draft: the Change in the making.

    Returns:
        the new Task, or None where the permission is about nobody of this hub.
    """
    patient = draft.working.row(consent.person)
    if patient is None:
        return None
    stop_asking(consent, draft)
    organization = {"reference": f"Organization/{consent.author}"}
    body: dict[str, Any] = {
        "resourceType": "Task",
        "status": _OPEN,
        "intent": "order",
        "code": {"coding": [{"system": TASK_CODES, "code": REVIEW}]},
        "focus": {"reference": f"Consent/{consent.id}"},
        "for": {"reference": f"Patient/{patient.id}"},
        "authoredOn": instant(draft.at_us),
        "lastModified": instant(draft.at_us),
        "requester": organization,
        "owner": organization,
        "reasonCode": {"coding": [{"system": REVIEW_REASON, "code": reason}]},
        "restriction": {"period": {"end": instant(until_us)}},
    }
    columns = replace(
        private_columns(patient.row_id, kind=REVIEW),
        status=_OPEN,
        owner=consent.author,
        requester=consent.author,
    )
    task = draft.create(
        body,
        columns,
        row_id=draft.ids.row_id(draft.at_us),
        public_id=draft.ids.public_id(),
        author=consent.author,
    )
    draft.audit.append(_line(task, "C", "create", draft.at_us))
    return task


def stop_asking(consent: ResourceRow, draft: Draft) -> bool:
    """Closes what asks to look at a permission; gives whether anything did."""
    if consent.person is None:
        return False
    found = False
    for task in draft.working.tasks_of_person(consent.person):
        if task.kind != REVIEW or task.author != consent.author or task.status != _OPEN or task.deleted:
            continue
        body = body_of(task)
        if text_at(body, "focus.reference") != f"Consent/{consent.id}":
            continue
        closed = {
            **body,
            "status": "cancelled",
            "statusReason": {"coding": [{"system": STATUS_REASON, "code": "by-source"}]},
            "lastModified": instant(draft.at_us),
        }
        row = draft.revise(task, closed, written_by=task.author)
        draft.audit.append(_line(row, "U", "update", draft.at_us))
        found = True
    return found


def _line(task: ResourceRow, action: str, interaction: str, at_us: int) -> AuditEntry:
    return AuditEntry(
        at_us=at_us,
        action=action,
        interaction=interaction,
        outcome=DONE,
        organization=task.author,
        oauth_client="",
        user="",
        purpose="",
        person=task.person,
        entities=(f"{task.type}/{task.id}/{task.version}",),
    )
