"""What the two sides of a referral can do with it at a desk, and the Task each act makes of the one that was shown.

What lives here: the acts by name, which of them are possible now, and the changed Task. What does not: whether the
hub takes it (``exchange.interactions``; the lifecycle is in ``resources.task``), forms and pages (``web.portal``).

An act is offered where ``$available-actions`` names its move, so the table here can only say less than the lifecycle.

Source: ``referral-loop.md`` Part B; ``views.md`` 3 and 9; ``practice.md`` 11 (a conflict is never named).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from referral_hub.fhir.canonical import code_system
from referral_hub.fhir.elements import code_in, coded_value
from referral_hub.resources.task import (
    BUSINESS_STATUS,
    CANCEL_BY_SOURCE,
    FAILURE_REASONS,
    HOLD_REASONS,
    INPUT_TYPE,
    OUTPUT_TYPE,
    REJECTION_REASONS,
    STATUS_REASON,
)

Resource = dict[str, Any]
ATTENDANCE = code_system("attendance")
RECALL_ANSWER = code_system("recall-answer")
CANNOT_TAKE = "cannot-take"
UNNAMED = frozenset({"legal-aid", "immigration"})
"""Kinds of organisation that say no without saying why: a conflict of interest would tell on the other side."""


@dataclass(frozen=True, slots=True)
class Act:
    """One thing somebody can do with a referral.

    Args:
        name: in addresses and forms.
        status: the status it leads to; empty where it stays.
        step: the finer step it sets, or empty.
        reasons: codes of which one is chosen; empty where none is asked.
        fixed: the one reason where there is no choice.
    """

    name: str
    status: str = ""
    step: str = ""
    reasons: tuple[str, ...] = ()
    fixed: str = ""


RECIPIENT_ACTS = (
    Act("accept", "accepted"),
    Act("seen", step="acknowledged"),
    Act("ask", step="awaiting-information"),
    Act("cannot", "rejected", reasons=tuple(sorted(REJECTION_REASONS - {"redirect"}))),
    Act("other", "rejected", fixed="redirect"),
    Act("start", "in-progress"),
    Act("appointment", "in-progress", step="appointment-scheduled"),
    Act("met", "in-progress", step="contact-made"),
    Act("missed", "in-progress", step="no-show"),
    Act("pause", "on-hold", reasons=tuple(sorted(HOLD_REASONS))),
    Act("done", "completed"),
    Act("failed", "failed", reasons=tuple(sorted(FAILURE_REASONS))),
    Act("back", "cancelled", fixed="recipient-withdrew"),
)
"""What the organisation that was asked can do, in the order of a referral's life."""
SENDER_ACTS = (
    Act("answered", step="acknowledged"),
    Act("stop", step="cancellation-requested"),
    Act("withdraw", "cancelled", reasons=tuple(sorted(CANCEL_BY_SOURCE))),
)
"""What the one who asked can do. Asking somebody else and closing the request are not moves of the Task."""


@dataclass(frozen=True, slots=True)
class Possible:
    """One entry of ``$available-actions``: a status, the finer steps it may have, and the reasons it asks for."""

    status: str
    steps: frozenset[str]
    reasons: frozenset[str]


def possible_of(parameters: Mapping[str, Any]) -> tuple[Possible, ...]:
    """Gives the entries of ``$available-actions``.

    >>> status = {"name": "status", "valueCode": "accepted"}
    >>> possible_of({"parameter": [{"name": "action", "part": [status]}]})[0].status
    'accepted'
    """
    found = []
    for entry in parameters.get("parameter") or ():
        status, steps, reasons = "", set(), set()
        for part in entry.get("part") or ():
            code = part.get("valueCoding", {}).get("code", "")
            if part.get("name") == "status":
                status = str(part.get("valueCode", ""))
            elif part.get("name") == "business-status":
                steps.add(code)
            elif part.get("name") == "reason":
                reasons.add(code)
        found.append(Possible(status, frozenset(steps), frozenset(reasons)))
    return tuple(found)


def offered(
    acts: Iterable[Act], possible: Sequence[Possible], status: str, *, kind: str = ""
) -> tuple[Act, ...]:
    """Gives the acts that can be done now.

    Args:
        acts: of one side.
        possible: what the lifecycle lets this caller do.
        status: of the Task now.
        kind: of the caller's organisation: some say no without a reason.
    """
    found = []
    for act in acts:
        if act.status == status and not act.step:
            continue  # it is there already
        for one in possible:
            if one.status != (act.status or status) or (act.step and act.step not in one.steps):
                continue
            if act.status and act.status != status and not act.step and not _reasons_fit(act, one):
                continue
            found.append(_unnamed(act, kind))
            break
    return tuple(found)


def act_named(acts: Iterable[Act], name: str) -> Act | None:
    """Gives the act of this name; None where it cannot be done now."""
    return next((act for act in acts if act.name == name), None)


def _reasons_fit(act: Act, possible: Possible) -> bool:
    if act.fixed:
        return act.fixed in possible.reasons
    return possible.reasons.issuperset(act.reasons) if act.reasons else not possible.reasons


def _unnamed(act: Act, kind: str) -> Act:
    if act.name == "cannot" and kind in UNNAMED:
        return replace(act, reasons=(CANNOT_TAKE,))
    return act


# --- the changed Task -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Said:
    """What is said with an act.

    Args:
        reason: the code that was chosen.
        words: why, in words; asked for with a no, a pause and an end.
        note: a question or a remark.
        confirmed: handling conditions that are confirmed.
        attendance: ``came`` or ``did-not-come``; next_date: a FHIR date; needs_more: whether more help is needed.
        starts, ends: instants of an appointment, or until when something is promised.
    """

    reason: str = ""
    words: str = ""
    note: str = ""
    confirmed: tuple[str, ...] = ()
    attendance: str = ""
    next_date: str = ""
    needs_more: bool | None = None
    starts: str = ""
    ends: str = ""


def moved(task: Resource, act: Act, said: Said) -> Resource:
    """Gives the Task as it is to be after an act; the one given is not changed.

    >>> asked = {"resourceType": "Task", "status": "requested"}
    >>> moved(asked, act_named(RECIPIENT_ACTS, "accept"), Said(confirmed=("no-letters",)))["output"][0]["valueCode"]
    'no-letters'
    """
    changed = dict(task)
    if act.status:
        changed["status"] = act.status
        if act.status != task.get("status"):
            changed.pop("statusReason", None)
            changed.pop("businessStatus", None)
    if act.step:
        changed["businessStatus"] = _concept(BUSINESS_STATUS, act.step)
    reason = act.fixed or (said.reason if said.reason in act.reasons else "")
    if reason:
        changed["statusReason"] = {**_concept(STATUS_REASON, reason), "text": said.words.strip()}
    outputs = [*_outputs(said)]
    if outputs:
        changed["output"] = [*(task.get("output") or ()), *outputs]
    if said.note.strip():
        changed["note"] = [*(task.get("note") or ()), {"text": said.note.strip()}]
    if said.starts or said.ends:
        period = {"start": said.starts, "end": said.ends}
        changed["executionPeriod"] = {name: moment for name, moment in period.items() if moment}
    return changed


def _outputs(said: Said) -> Iterable[Resource]:
    for code in said.confirmed:
        yield _output("handling-confirmed", valueCode=code)
    if said.attendance:
        yield _output("attendance", valueCode=said.attendance)
    if said.next_date:
        yield _output("next-date", valueDate=said.next_date)
    if said.needs_more is not None:
        yield _output("needs-more", valueBoolean=said.needs_more)


def recall_answered(task: Resource, answer: str, law: str) -> Resource:
    """Gives a recall Task with its answer.

    Args:
        task: the recall.
        answer: deleted, kept-by-law or never-opened.
        law: the law that demands keeping it, where it is kept.
    """
    concept = _concept(RECALL_ANSWER, answer)
    if law.strip():
        concept["text"] = law.strip()
    output = _output("recall-answer", valueCodeableConcept=concept)
    return {**task, "status": "completed", "output": [output]}


def appointment(task: Resource, starts: str, ends: str) -> Resource:
    """Gives the Appointment of a referral: based on its request, with the person, and no place.

    Where it is, is told to her by a person: an address in a record can be read by others.
    """
    found: Resource = {
        "resourceType": "Appointment",
        "status": "booked",
        "basedOn": [task["focus"]],
        "start": starts,
        "participant": [{"actor": task["for"], "status": "accepted"}],
    }
    return {**found, "end": ends} if ends else found


def conditions(task: Mapping[str, Any]) -> tuple[str, ...]:
    """Gives the handling conditions the sender asks to be confirmed before a yes."""
    return tuple(
        dict.fromkeys(
            code
            for entry in task.get("input") or ()
            if isinstance(entry, dict) and code_in(entry.get("type"), INPUT_TYPE) == "handling-condition"
            for code in (coded_value(entry),)
            if code
        )
    )


def unconfirmed(task: Mapping[str, Any]) -> tuple[str, ...]:
    """Gives the handling conditions that nobody confirmed yet."""
    confirmed = {coded_value(entry) for kind, entry in answers(task) if kind == "handling-confirmed"}
    return tuple(code for code in conditions(task) if code not in confirmed)


def answers(task: Mapping[str, Any]) -> tuple[tuple[str, Resource], ...]:
    """Gives what the recipient answered: the hub's kind of each output (empty for another's) and the output."""
    return tuple(
        (code_in(entry.get("type"), OUTPUT_TYPE), entry)
        for entry in task.get("output") or ()
        if isinstance(entry, dict)
    )


def _concept(system: str, code: str) -> Resource:
    return {"coding": [{"system": system, "code": code}]}


def _output(kind: str, **value: Any) -> Resource:
    return {"type": _concept(OUTPUT_TYPE, kind), **value}
