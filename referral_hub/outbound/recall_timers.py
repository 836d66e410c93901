"""What becomes of a recall nobody answers: a reminder, another one, then people who can pick up a telephone.

What lives here: the work of a recall's two timers. What does not: writing and answering it (``exchange.recalls``).

A reminder is a new version of the recall: its owner finds it among what changed, and who subscribed is told. It says
no more than the recall did.

Source: ``views.md`` 8; ``consent.md`` D-40 (answer in 7 days; reminders).
"""

from referral_hub.exchange.building import Draft, body_of
from referral_hub.exchange.desks import lay_out
from referral_hub.exchange.hub_moves import revise
from referral_hub.exchange.judging import Judge
from referral_hub.exchange.ports import ResourceRow
from referral_hub.exchange.stamping import with_business_status
from referral_hub.fhir.dates import instant
from referral_hub.outbound.alerts import alert
from referral_hub.resources.task import INPUT_TYPE

_ANSWERED = "completed"


def recall_reminder(draft: Draft, resource: int, judge: Judge) -> bool:
    """Reminds the owner of a recall that has no answer after three days, and tells the person's organisation."""
    del judge
    recall = draft.working.row(resource)
    person = _waits_about(recall, draft)
    if recall is None or person is None:
        return False
    reminded = _remind(recall, "", draft)
    draft.audit.append(alert(reminded, "recall-reminded", draft.at_us, to=person.author))
    return True


def recall_due(draft: Draft, resource: int, judge: Judge) -> bool:
    """Marks a recall without an answer after seven days as late, reminds once more, and lays it before people.

    A supervisor of the person's organisation has a Task about it; both organisations have an alert, and both
    coordinators count it.
    """
    del judge
    recall = draft.working.row(resource)
    person = _waits_about(recall, draft)
    if recall is None or person is None:
        return False
    reminded = _remind(recall, "overdue", draft)
    for organization in (person.author, recall.owner):
        draft.audit.append(alert(reminded, "recall-unanswered", draft.at_us, to=organization))
    lay_out(
        "recall-unanswered",
        draft,
        custodian=person.author,
        person=person,
        parts=[
            ("about", {"valueString": recall.id}),
            ("recipient", {"valueReference": {"reference": f"Organization/{recall.owner}"}}),
        ],
    )
    return True


def _waits_about(recall: ResourceRow | None, draft: Draft) -> ResourceRow | None:
    """Gives whom an unanswered recall is about; None where there is nothing to remind of."""
    if recall is None or recall.deleted or recall.kind != "recall" or recall.status == _ANSWERED:
        return None
    return draft.working.row(recall.person)


def _remind(recall: ResourceRow, step: str, draft: Draft) -> ResourceRow:
    body = with_business_status(body_of(recall), step)
    body["lastModified"] = instant(draft.at_us)
    body["input"] = [
        *(body.get("input") or ()),
        {
            "type": {"coding": [{"system": INPUT_TYPE, "code": "reminded"}]},
            "valueDateTime": instant(draft.at_us),
        },
    ]
    return revise(recall, body, draft)
