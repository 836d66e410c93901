"""A referral in the making: what was filled in so far, what of it is still missing, and the resources it becomes.

What lives here: pure rules, from a draft to the proposals of one Change. What does not: keeping a draft
(``store.portal_rows``), the screens (``web.portal.refer``), every decision (``exchange.gate``).

No field asks what happened. What is written is what the next person needs; a court may read it.

Source: ``practice.md`` 1, 6, 13, 15 and 17; ``views.md`` 9; ``referral-loop.md`` Part B.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any

from referral_hub.casework.needs import NEED_KIND, NEEDS
from referral_hub.exchange.proposal import Proposal
from referral_hub.fhir.canonical import INTERPRETER_REQUIRED, TASK_CODE, code_system, structure
from referral_hub.fhir.dates import instant, span
from referral_hub.fhir.elements import code_in, codings, reference_text
from referral_hub.resources.consent import CONSENT_KIND
from referral_hub.resources.task import HANDLING_CODES, HANDLING_CONDITION, INPUT_TYPE

STEPS = ("need", "options", "see", "permission", "send")
"""The five screens."""
URGENCIES: Mapping[str, int] = MappingProxyType({"routine": 7, "urgent": 3, "asap": 1, "stat": 1})
"""FHIR's request priorities, each with the days after which an answer is hoped for."""
MOST_WORDS = 300
"""Letters of what may be written in words."""
LIFE_DAYS = 30
"""A draft goes so many days after it was saved last."""
AGE_GROUPS = ("adult", "child")


@dataclass(frozen=True, slots=True)
class ReferralDraft:
    """What was filled in so far.

    Args:
        kind: a need (``casework.needs.NEEDS``).
        words: what the next person needs to know, in words; may be empty.
        urgency: FHIR request priority.
        by: the day it is needed by (``2026-12-01``); may be empty.
        recipient: organisation id; ``service`` the HealthcareService chosen, where one was.
        conditions: what the recipient is asked to confirm (``handling-condition``).
        answer_by: the day an answer is hoped for.
    """

    kind: str = ""
    words: str = ""
    urgency: str = "routine"
    by: str = ""
    recipient: str = ""
    service: str = ""
    conditions: tuple[str, ...] = HANDLING_CODES
    answer_by: str = ""

    @property
    def category(self) -> str:
        """Gives the information category of the need; empty where none is chosen."""
        return NEEDS.get(self.kind, "")


def draft_text(draft: ReferralDraft) -> bytes:
    """Gives a draft as it is kept.

    >>> draft_of(draft_text(ReferralDraft("teeth"))) == ReferralDraft("teeth")
    True
    """
    return json.dumps(asdict(draft), separators=(",", ":"), ensure_ascii=False).encode()


def draft_of(text: bytes) -> ReferralDraft:
    """Gives the draft of a kept text; what it does not know it leaves out."""
    found = json.loads(text) if text else {}
    known = {one.name for one in fields(ReferralDraft)}
    given = {name: value for name, value in found.items() if name in known}
    if "conditions" in given:
        given["conditions"] = tuple(given["conditions"])
    return ReferralDraft(**given)


def next_step(draft: ReferralDraft) -> str:
    """Gives the screen a draft goes on at: the first that is not filled in.

    >>> next_step(ReferralDraft()), next_step(ReferralDraft("teeth")), next_step(ReferralDraft("teeth", recipient="x"))
    ('need', 'options', 'see')
    """
    if not draft.category:
        return "need"
    return "see" if draft.recipient else "options"


# --- what a form says -----------------------------------------------------------------------------------------


def with_need(
    draft: ReferralDraft, form: Mapping[str, str], today: date
) -> tuple[ReferralDraft, dict[str, str]]:
    """Gives a draft with the first screen's fields, and what is wrong with them: the text key by field."""
    words = form.get("words", "").strip()
    kind, urgency, by = form.get("kind", ""), form.get("urgency", ""), form.get("by", "").strip()
    problems: dict[str, str] = {}
    if kind not in NEEDS:
        problems["kind"] = "refer.wrong-kind"
    if urgency not in URGENCIES:
        problems["urgency"] = "refer.wrong-urgency"
    if len(words) > MOST_WORDS:
        problems["words"] = "refer.wrong-words"
    if by and not _is_day(by, today):
        problems["by"] = "refer.wrong-day"
    changed = replace(draft, kind=kind, words=words, urgency=urgency, by=by)
    if changed.category != draft.category:
        changed = replace(changed, recipient="", service="")
    return changed, problems


def with_conditions(draft: ReferralDraft, chosen: Iterable[str]) -> ReferralDraft:
    """Gives a draft with those conditions that were ticked."""
    ticked = set(chosen)
    return replace(draft, conditions=tuple(code for code in HANDLING_CODES if code in ticked))


def with_answer_by(draft: ReferralDraft, answer_by: str, today: date) -> tuple[ReferralDraft, dict[str, str]]:
    """Gives a draft with the day an answer is hoped for, and what is wrong with it."""
    day = answer_by.strip() or answer_day(draft, today)
    if not _is_day(day, today):
        return replace(draft, answer_by=day), {"answer_by": "refer.wrong-day"}
    return replace(draft, answer_by=day), {}


def answer_day(draft: ReferralDraft, today: date) -> str:
    """Gives the day that is proposed: as the urgency says, never after the day it is needed by.

    >>> answer_day(ReferralDraft("teeth", urgency="urgent"), date(2026, 11, 24))
    '2026-11-27'
    """
    usual = (today + timedelta(days=URGENCIES.get(draft.urgency, 7))).isoformat()
    if draft.answer_by:
        return draft.answer_by
    return min(usual, draft.by) if draft.by and draft.by >= today.isoformat() else usual


def _is_day(text: str, today: date) -> bool:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return False
    return today <= day <= today + timedelta(days=366)


# --- what it becomes ------------------------------------------------------------------------------------------


def request_body(draft: ReferralDraft, patient: str, at_us: int) -> dict[str, Any]:
    """Gives the ServiceRequest a draft becomes.

    Args:
        draft: with a need and a recipient.
        patient: public id of whom it is for.
        at_us: now, microseconds UTC.
    """
    code: dict[str, Any] = _coded(NEED_KIND, draft.kind)
    if draft.words:
        code["text"] = draft.words
    body: dict[str, Any] = {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "category": [_coded(code_system("information-category"), draft.category)],
        "priority": draft.urgency,
        "code": code,
        "subject": {"reference": f"Patient/{patient}"},
        "authoredOn": instant(at_us),
        "performer": [{"reference": f"Organization/{draft.recipient}"}],
    }
    if draft.by:
        body["occurrenceDateTime"] = draft.by
    return body


def task_body(draft: ReferralDraft, patient: str, request: str, at_us: int) -> dict[str, Any]:
    """Gives the Task a draft becomes: asked of the recipient, with the day an answer is hoped for."""
    body: dict[str, Any] = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "priority": draft.urgency,
        "code": _coded(TASK_CODE, "fulfill"),
        "focus": {"reference": f"ServiceRequest/{request}"},
        "for": {"reference": f"Patient/{patient}"},
        "authoredOn": instant(at_us),
        "owner": {"reference": f"Organization/{draft.recipient}"},
    }
    if draft.answer_by:
        body["restriction"] = {"period": {"end": instant(span(draft.answer_by)[1] - 1)}}
    if draft.conditions:
        body["input"] = [
            {
                "type": _coded(INPUT_TYPE, "handling-condition"),
                "valueCodeableConcept": _coded(HANDLING_CONDITION, code),
            }
            for code in draft.conditions
        ]
    return body


def proposals(draft: ReferralDraft, patient: str, request: str, at_us: int) -> tuple[Proposal, Proposal]:
    """Gives what is written in one act: the request, and the Task that asks for it.

    Args:
        draft: complete.
        patient: public id of whom it is for.
        request: the id the ServiceRequest is given.
        at_us: now, microseconds UTC.
    """
    return (
        Proposal("create", "ServiceRequest", body=request_body(draft, patient, at_us), reserved_id=request),
        Proposal("create", "Task", body=task_body(draft, patient, request, at_us)),
    )


@dataclass(frozen=True, slots=True)
class Nameless:
    """A referral without a name: what is needed, and nothing of her but what the next person must prepare for."""

    kind: str
    recipient: str
    age_group: str
    interpreter: bool


def nameless_of(form: Mapping[str, str], needs: Iterable[str]) -> tuple[Nameless, dict[str, str]]:
    """Gives what a form without a name says, and what is wrong with it: the text key by field."""
    found = Nameless(
        form.get("kind", ""),
        form.get("recipient", ""),
        form.get("age", ""),
        form.get("interpreter", "") == "yes",
    )
    problems: dict[str, str] = {}
    if found.kind not in set(needs):
        problems["kind"] = "refer.wrong-kind"
    if not found.recipient:
        problems["recipient"] = "refer.wrong-recipient"
    if found.age_group not in AGE_GROUPS:
        problems["age"] = "refer.wrong-choice"
    if form.get("interpreter", "") not in ("yes", "no"):
        problems["interpreter"] = "refer.wrong-choice"
    return found, problems


def nameless_proposals(
    asked: Nameless, person: str, request: str, at_us: int, answer_us: int
) -> tuple[Proposal, Proposal, Proposal]:
    """Gives what is written for a referral without a name: a person of nothing, the request, the Task.

    Args:
        asked: what was filled in.
        person: the id its Patient is given; ``request`` that of its ServiceRequest.
        at_us: now; ``answer_us`` when an answer is hoped for, microseconds UTC.
    """
    draft = ReferralDraft(asked.kind, urgency="stat", recipient=asked.recipient, conditions=())
    patient = {
        "resourceType": "Patient",
        "extension": [
            {"url": structure("no-name-referral"), "valueBoolean": True},
            {"url": structure("age-group"), "valueCode": asked.age_group},
            {"url": INTERPRETER_REQUIRED, "valueBoolean": asked.interpreter},
        ],
    }
    request_of, task = proposals(draft, person, request, at_us)
    task.body["restriction"] = {"period": {"end": instant(answer_us)}}
    return (Proposal("create", "Patient", body=patient, reserved_id=person), request_of, task)


# --- her permission -------------------------------------------------------------------------------------------


def fitting(
    consents: Iterable[Mapping[str, Any]], recipient: str, category: str, purposes: Iterable[str], at_us: int
) -> list[str]:
    """Gives the ids of the releases that cover this recipient for this need now, the longest-running first.

    It helps to choose; what opens is decided by the gate.

    Args:
        consents: as their custodian reads them.
        recipient: organisation id.
        category: information category of the need.
        purposes: for which the recipient may be asked; none means any.
        at_us: now, microseconds UTC.
    """
    wanted = frozenset(purposes)
    found: list[tuple[int, str]] = []
    for consent in consents:
        if consent.get("status") != "active" or not _is_release(consent):
            continue
        provision = consent.get("provision")
        for permit in provision.get("provision") or () if isinstance(provision, dict) else ():
            ends_us = _covers(permit, recipient, category, wanted, at_us)
            if ends_us:
                found.append((ends_us, str(consent.get("id", ""))))
    return [consent for _, consent in sorted(found, reverse=True)]


def _covers(
    permit: Mapping[str, Any], recipient: str, category: str, purposes: frozenset[str], at_us: int
) -> int:
    """Gives until when a permit covers a need; 0 where it does not."""
    named = {reference_text(one.get("reference")) for one in permit.get("actor") or ()}
    given = {one.get("code") for one in permit.get("class") or () if isinstance(one, dict)}
    codes = {one.get("code") for one in permit.get("purpose") or () if isinstance(one, dict)}
    period = permit.get("period") or {}
    starts, ends = period.get("start"), period.get("end")
    if permit.get("type") != "permit" or f"Organization/{recipient}" not in named or not ends:
        return 0
    if category not in given or (purposes and not purposes & codes):
        return 0
    ends_us = span(ends)[0]
    begun = not starts or span(starts)[0] <= at_us
    return ends_us if begun and at_us < ends_us else 0


def _is_release(consent: Mapping[str, Any]) -> bool:
    return any(
        pair == (CONSENT_KIND, "release") for one in consent.get("category") or () for pair in codings(one)
    )


def is_asking(task: Mapping[str, Any]) -> bool:
    """Tells whether a Task asks somebody for help, and is no other work."""
    return code_in(task.get("code"), TASK_CODE) == "fulfill"


def _coded(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}
