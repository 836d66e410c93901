"""Recalls: those who had received data are asked to stop using it; they answer what they did.

What lives here: writing a recall Task and taking its answer. What does not: when one is due
(``exchange.consent_writing``), its delivery (``outbound``).

Source: ``views.md`` 8 and 9 (Recall Task), ``consent.md`` D-40 and D-41.
"""

from typing import Any

from referral_hub.access.principal import Principal
from referral_hub.access.rows import ReferralAccess
from referral_hub.errors import InvalidResource
from referral_hub.exchange.audit import write_entry
from referral_hub.exchange.building import Draft, body_of
from referral_hub.exchange.columns import Columns
from referral_hub.exchange.consent_rules import DAY_US
from referral_hub.exchange.ports import OrganizationRow, ResourceRow
from referral_hub.exchange.proposal import Built
from referral_hub.exchange.stamping import with_placer_identifier
from referral_hub.fhir.canonical import PLACER
from referral_hub.fhir.dates import instant, span
from referral_hub.fhir.elements import code_in, coded_value, text_at
from referral_hub.fhir.outcome import Issue
from referral_hub.resources.task import INPUT_TYPE, OUTPUT_TYPE, TASK_CODES

RECALL_ANSWER_DAYS = 7
ANSWERS = ("deleted", "kept-by-law", "never-opened")
_STATUSES = frozenset({"requested", "accepted", "in-progress", "completed"})


def recall_from(person: int, receiver: str, draft: Draft) -> bool:
    """Writes a recall to one organisation if it had received anything about the person; gives whether it did.

    A recall to somebody who never heard of her would be the first to tell of her (D-41).
    """
    working = draft.working
    received = receiver in working.delivered_to(person) or any(
        access.organization == receiver and access.accepted and not access.back
        for access in working.accesses_of_person(person)
    )
    patient, owner, hub = working.row(person), working.organization(receiver), working.hub_organization()
    if not received or patient is None or owner is None or hub is None:
        return False
    write_recall(patient, owner, hub, draft)
    return True


def is_recalled(person: int, receiver: str, since_us: int, draft: Draft) -> bool:
    """Tells whether one organisation was asked, at this moment or later, to stop using what it has of a person."""
    for task in draft.working.tasks_of_person(person):
        if task.kind == "recall" and task.owner == receiver:
            written = text_at(body_of(task), "authoredOn")
            if written and span(written)[0] >= since_us:
                return True
    return False


def _knows(receiver: str, task: ResourceRow, draft: Draft) -> bool:
    """Tells whether a receiver ever read a Task: a source's Task that the hub passes on names it and is not for it."""
    return any(access.organization == receiver for access in draft.working.accesses_of_task(task.row_id))


def answer_recall(caller: Principal, row: ResourceRow, body: dict[str, Any], draft: Draft) -> Built:
    """Takes the owner's move of a recall Task; ``completed`` needs one answer.

    Raises:
        InvalidResource: no answer, or one the hub does not know (422).
    """
    answers = [
        coded_value(entry)
        for entry in body.get("output") or ()
        if isinstance(entry, dict) and code_in(entry.get("type"), OUTPUT_TYPE) == "recall-answer"
    ]
    status = body.get("status")
    if status not in _STATUSES or (
        status == "completed" and (len(answers) != 1 or answers[0] not in ANSWERS)
    ):
        raise InvalidResource(
            [
                Issue(
                    "error",
                    "business-rule",
                    f"A recall is completed with one output of type recall-answer: {', '.join(ANSWERS)}.",
                    "Task.output",
                )
            ]
        )
    updated = draft.revise(row, body, written_by=caller.organization_id)
    draft.audit.append(write_entry(caller, "update", updated, draft.at_us))
    return Built(updated)


def write_recall(
    person: ResourceRow, receiver: OrganizationRow, hub: OrganizationRow, draft: Draft
) -> ResourceRow:
    """Writes the recall Task for one organisation that had received data, and queues it.

    It names nobody: no ``for``, no ``focus``, only the placer numbers the recipient already holds.

    Source: ``views.md`` 8 and 9 (Recall Task), ``consent.md`` D-40.
    """
    numbers = [
        identifier
        for task in draft.working.tasks_of_person(person.row_id)
        if task.owner == receiver.facts.id and _knows(receiver.facts.id, task, draft)
        for identifier in body_of(task).get("identifier") or ()
        if isinstance(identifier, dict) and identifier.get("system") == PLACER
    ]
    body: dict[str, Any] = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "code": {"coding": [{"system": TASK_CODES, "code": "recall"}]},
        "authoredOn": instant(draft.at_us),
        "lastModified": instant(draft.at_us),
        "requester": {"reference": f"Organization/{hub.facts.id}"},
        "owner": {"reference": f"Organization/{receiver.facts.id}"},
        "restriction": {"period": {"end": instant(draft.at_us + RECALL_ANSWER_DAYS * DAY_US)}},
    }
    if numbers:
        body["input"] = [
            {
                "type": {"coding": [{"system": INPUT_TYPE, "code": "recalled-referral"}]},
                "valueIdentifier": {key: value for key, value in number.items() if key != "assigner"},
            }
            for number in numbers
        ]
    # Its own placer number lets the partner recognise a recall that is delivered twice.
    body = with_placer_identifier(body, draft.ids.public_id())
    columns = Columns(
        person=person.row_id,
        category="own",
        confidentiality="R",
        sensitivities=(),
        status="requested",
        owner=receiver.facts.id,
        requester=hub.facts.id,
        focus=None,
        based_on=None,
        data_from_us=None,
        data_until_us=None,
        directory=False,
        never_release=False,
        kind="recall",
        custodian="",
    )
    row = draft.create(
        body,
        columns,
        row_id=draft.ids.row_id(draft.at_us),
        public_id=draft.ids.public_id(),
        author=hub.facts.id,
    )
    draft.open(
        ReferralAccess(
            task=row.row_id,
            organization=receiver.facts.id,
            person=None,
            service_request=None,
            level="full",
            nameless=True,
        )
    )
    if receiver.fhir_endpoint:
        draft.tell(receiver.facts.id, "recall", row, person=person.row_id)
    return row
