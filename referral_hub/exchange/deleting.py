"""The end of a draft: what may be deleted, and what a deletion leaves.

What lives here: the rule, and the rows. What does not: who asks and what it may see (``exchange.gate``), reading what
was deleted (``exchange.reading``, ``exchange.histories``).

To its author a deleted resource is gone (410) and its history stays; to everybody else it never was (404).

Source: ``views.md`` 5 (DELETE only for own drafts that were never released, else 409); FHIR R4 http.html#delete.
"""

from referral_hub.access.principal import Principal
from referral_hub.errors import Conflict, Forbidden
from referral_hub.exchange.audit import write_entry
from referral_hub.exchange.building import Draft
from referral_hub.exchange.ports import ResourceRow
from referral_hub.exchange.proposal import Built
from referral_hub.exchange.subscription_writing import ended_row

DRAFTED = frozenset({"CarePlan", "Consent", "Measure", "Questionnaire", "ServiceRequest", "Task"})
"""Types whose status may be ``draft``: nothing of another type was ever one, so no other can be deleted."""
REMOVED = DRAFTED | {"Subscription"}
"""Types of which something can be deleted; a Subscription always can."""
_TEXT = "Only a draft that was never released can be deleted. Use the status entered-in-error."


def delete(caller: Principal, row: ResourceRow, draft: Draft) -> Built:
    """Ends a draft of the caller's organisation; deleting what it deleted before changes nothing.

    Raises:
        Forbidden: another organisation wrote it (403).
        Conflict: it is no draft, or somebody else received it or was shown it (409).
    """
    if row.author != caller.organization_id:
        raise Forbidden("Only the organisation that wrote this may delete it.")
    if row.deleted:
        return Built(row, existing=True, deleted=True)
    if row.type == "Subscription":
        draft.settle(ended_row(row))  # nobody but its author ever saw it
    elif row.status != "draft" or _was_released(row, draft):
        raise Conflict(_TEXT)
    gone = draft.delete(row, written_by=caller.organization_id)
    draft.audit.append(write_entry(caller, "delete", gone, draft.at_us))
    return Built(gone, deleted=True)


def _was_released(row: ResourceRow, draft: Draft) -> bool:
    """Tells whether a draft was opened to anybody: by a referral, or shown or sent as the audit has it."""
    working = draft.working
    tasks = [row] if row.type == "Task" else []
    if row.type == "ServiceRequest":
        tasks = working.tasks_of(row.row_id)
        if any(task.status != "draft" for task in tasks):
            return True
    if any(working.accesses_of_task(task.row_id) for task in tasks):
        return True
    if row.person is None:
        return False
    me = f"{row.type}/{row.id}/"
    return any(
        entry.recipient not in ("", row.author) and any(text.startswith(me) for text in entry.entities)
        for entry in working.disclosures(row.person)
    )
