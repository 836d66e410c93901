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
from referral_hub.exchange.desks import OPEN, close, named
from referral_hub.exchange.ports import OrganizationRow, ResourceRow
from referral_hub.exchange.proposal import Built
from referral_hub.exchange.recall_reach import Reach, Received, lost_to, received_by
from referral_hub.exchange.stamping import with_placer_identifier
from referral_hub.fhir.dates import instant, span
from referral_hub.fhir.elements import code_in, coded_value, text_at
from referral_hub.fhir.outcome import Issue
from referral_hub.resources.task import INPUT_TYPE, OUTPUT_TYPE, TASK_CODES

RECALL_ANSWER_DAYS = 7
REMIND_DAYS = 3
REMINDER = "recall-reminder"
DUE = "recall-due"
ANSWERS = ("deleted", "kept-by-law", "never-opened")
ASKS = ("stop-using", "delete", "pass-on")
"""What every recall asks: use it no more; delete it or say which law forbids that; tell whoever got it from you."""
URI = "urn:ietf:rfc:3986"
_STATUSES = frozenset({"requested", "accepted", "in-progress", "completed"})


def recall_from(consent: ResourceRow, receiver: str, draft: Draft, *, parts: bool = True) -> bool:
    """Writes a recall of what one recipient has and nothing covers any more; gives whether it did.

    Args:
        consent: the current version of the consent that ended or was narrowed.
        receiver: id of the recipient.
        draft: the Change in the making.
        parts: also where only a part is lost; finding out what of it was received takes long.
    """
    owner, hub = draft.working.organization(receiver), draft.working.hub_organization()
    patient = draft.working.row(consent.person)
    if consent.person is None or patient is None or owner is None or hub is None:
        return False
    reach = lost_to(consent, owner, draft)
    if reach is None or not (reach.whole or parts):
        return False
    received = received_by(consent.person, receiver, reach, draft)
    if received is None:
        return False
    write_recall(patient, owner, hub, reach, received, draft)
    return True


def is_recalled(person: int, receiver: str, since_us: int, draft: Draft) -> bool:
    """Tells whether one organisation was asked, at this moment or later, to stop using what it has of a person."""
    for task in draft.working.tasks_of_person(person):
        if task.kind == "recall" and task.owner == receiver:
            written = text_at(body_of(task), "authoredOn")
            if written and span(written)[0] >= since_us:
                return True
    return False


def answer_recall(caller: Principal, row: ResourceRow, body: dict[str, Any], draft: Draft) -> Built:
    """Takes the owner's move of a recall Task; ``completed`` needs one answer, and what is kept needs its law.

    Raises:
        InvalidResource: no answer, one the hub does not know, or no law (422).
    """
    if row.status == "completed" and body.get("status") != "completed":
        raise _wrong(
            "This recall is answered. Correct the answer; the status stays completed.", "Task.status"
        )
    status = body.get("status")
    problem = answer_problem(body) if status == "completed" else ""
    if status not in _STATUSES:
        problem = f"A recall is completed with one output of type recall-answer: {', '.join(ANSWERS)}."
    if problem:
        raise _wrong(problem, "Task.output")
    updated = draft.revise(row, body, written_by=caller.organization_id)
    if status == "completed":
        settle_unanswered(updated, draft)
    draft.audit.append(write_entry(caller, "update", updated, draft.at_us))
    return Built(updated)


def _wrong(text: str, expression: str) -> InvalidResource:
    return InvalidResource([Issue("error", "business-rule", text, expression)])


def answer_problem(body: dict[str, Any]) -> str:
    """Gives what is missing in the answer of a completed recall, in words for its owner; empty where nothing is."""
    answers = _answers(body)
    if len(answers) != 1 or coded_value(answers[0]) not in ANSWERS:
        return f"A recall is completed with one output of type recall-answer: {', '.join(ANSWERS)}."
    if coded_value(answers[0]) == "kept-by-law" and not law_of(body):
        return "Name the law that demands keeping it: valueCodeableConcept with the code and the law as text."
    return ""


def _answers(body: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        entry
        for entry in body.get("output") or ()
        if isinstance(entry, dict) and code_in(entry.get("type"), OUTPUT_TYPE) == "recall-answer"
    ]


def answer_of(body: dict[str, Any]) -> str:
    """Gives the code a recall was answered with, or an empty text."""
    return next((coded_value(entry) for entry in _answers(body)), "")


def law_of(body: dict[str, Any]) -> str:
    """Gives the law that demands keeping what was recalled, as its recipient named it."""
    for entry in _answers(body):
        concept = entry.get("valueCodeableConcept")
        if isinstance(concept, dict) and isinstance(concept.get("text"), str):
            return str(concept["text"]).strip()
    return ""


def write_recall(
    person: ResourceRow,
    receiver: OrganizationRow,
    hub: OrganizationRow,
    reach: Reach,
    received: Received,
    draft: Draft,
) -> ResourceRow:
    """Writes the recall Task for one organisation that had received data, queues it and sets its reminders.

    It names nobody: no ``for``, no ``focus``, only numbers and addresses the recipient already holds.

    Source: ``views.md`` 8 and 9 (Recall Task), ``consent.md`` D-40.
    """
    until_us = draft.at_us + RECALL_ANSWER_DAYS * DAY_US
    body: dict[str, Any] = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "code": {"coding": [{"system": TASK_CODES, "code": "recall"}]},
        "authoredOn": instant(draft.at_us),
        "lastModified": instant(draft.at_us),
        "requester": {"reference": f"Organization/{hub.facts.id}"},
        "owner": {"reference": f"Organization/{receiver.facts.id}"},
        "restriction": {"period": {"end": instant(until_us)}},
        "input": _inputs(reach, received, draft),
    }
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
    draft.remind(REMINDER, row.row_id, draft.at_us + REMIND_DAYS * DAY_US)
    draft.remind(DUE, row.row_id, until_us)
    return row


def _inputs(reach: Reach, received: Received, draft: Draft) -> list[dict[str, Any]]:
    base = draft.own_bases[0]
    named: list[tuple[str, dict[str, Any]]] = [("recall-asks", {"valueCode": code}) for code in ASKS]
    named += [("recalled-referral", {"valueIdentifier": number}) for number in received.numbers]
    named += [
        ("recalled-record", {"valueIdentifier": {"system": URI, "value": f"{base}/{name}"}})
        for name in received.records
    ]
    if not reach.whole:
        named += [("recalled-category", {"valueCode": name}) for name in sorted(reach.categories)]
    return [{"type": {"coding": [{"system": INPUT_TYPE, "code": code}]}, **value} for code, value in named]


def settle_unanswered(recall: ResourceRow, draft: Draft) -> None:
    """Ends what a supervisor was asked to do about an answer that did not come: it has come."""
    for task in draft.working.tasks_of_person(recall.person) if recall.person is not None else ():
        if task.kind == "recall-unanswered" and task.status == OPEN and named(task, "about") == recall.id:
            close(task, "answered", draft, status="completed")
