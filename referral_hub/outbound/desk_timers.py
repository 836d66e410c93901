"""What becomes of a Task of the desk that nobody takes up in time.

What lives here: the work of its timers. What does not: deciding about one (``exchange.deciding``).

Source: ``consent.md`` section 0 point 7 (a second person's review within 24 hours).
"""

from referral_hub.exchange.building import Draft, body_of
from referral_hub.exchange.desks import OPEN, part
from referral_hub.exchange.judging import Judge
from referral_hub.exchange.stamping import with_business_status
from referral_hub.fhir.elements import reference_text
from referral_hub.outbound.alerts import alert


def emergency_review_due(draft: Draft, resource: int, judge: Judge) -> bool:
    """Marks an opening in an emergency as late that nobody looked at within a day, and raises it once more.

    The person's organisation and the clinic's have an alert; coordinators count it.
    """
    del judge
    task = draft.working.row(resource)
    if task is None or task.deleted or task.status != OPEN:
        return False
    late = draft.revise(task, with_business_status(body_of(task), "overdue"), written_by=task.author)
    recipient = part(late, "recipient")
    clinic = reference_text(recipient).partition("/")[2]
    for organization in dict.fromkeys((late.author, clinic)):
        if organization:
            draft.audit.append(alert(late, "emergency-review-overdue", draft.at_us, to=organization))
    return True
