"""Where a referral stands: who has the ball, what is late, and which words say it.

What lives here: reading that from a Task, as pure arithmetic over the lifecycle. What does not: the lifecycle
(``resources.task``), the sentences (``texts``), acting (``casework.moves``), pages (``web.portal``).

Nothing of it is stored: who has the ball follows from status, finer step and handoff, so it can never disagree with
the Task. Words are keys of ``texts``.

Source: ``referral-loop.md`` Part B; ``views.md`` 9 (Handoff, Late); ``practice.md``, words on pages and paper.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from referral_hub.fhir.dates import span
from referral_hub.fhir.elements import code_in, codings, reference_text, text_at
from referral_hub.resources.task import BUSINESS_STATUS, INPUT_TYPE, LIFECYCLE, STATUS_REASON, TASK_CODES

Ball = Literal["sender", "recipient", "nobody"]
Late = Literal["", "answer", "promise"]

BALL: Mapping[str, Ball] = MappingProxyType(
    {
        "draft": "sender",
        "requested": "recipient",
        "accepted": "recipient",
        "in-progress": "recipient",
        "on-hold": "recipient",
        "rejected": "sender",
        "failed": "sender",
        "completed": "nobody",
        "cancelled": "nobody",
        "entered-in-error": "nobody",
    }
)
"""Who has the ball by status."""
BALL_BY_STEP: Mapping[str, Ball] = MappingProxyType(
    dict.fromkeys(("awaiting-consent", "awaiting-information", "awaiting-client", "sharing-ended"), "sender")
)
"""Who has it by finer step, where that says otherwise: the sender is the one who speaks with the person."""

LIVE = tuple(sorted(LIFECYCLE.live))
STATES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "draft": ("draft",),
        "asked": ("requested",),
        "yes": ("accepted",),
        "working": ("in-progress",),
        "paused": ("on-hold",),
        "no": ("rejected",),
        "failed": ("failed",),
        "done": ("completed",),
        "closed": ("cancelled",),
    }
)
"""States by which the tracker is filtered, in the order of a referral's life: the name in the address, statuses."""
_STATE_OF = {status: state for state, found in STATES.items() for status in found}
_KIND_OF_REFERRAL = "order"


@dataclass(frozen=True, slots=True)
class Standing:
    """How one referral stands.

    Args:
        status: of the Task.
        step: its finer step, or empty.
        reason: the code of its reason, or empty.
        ball: who has to act next.
        late: ``answer`` where nobody answered in time, ``promise`` where a day that was promised is over.
    """

    status: str
    step: str
    reason: str
    ball: Ball
    late: Late

    @property
    def words(self) -> str:
        """Gives the key of the words for its state."""
        return f"tracker.status.{self.status}"

    @property
    def state(self) -> str:
        """Gives the name by which the tracker is filtered to it; empty for what was a mistake."""
        return _STATE_OF.get(self.status, "")

    @property
    def live(self) -> bool:
        """Tells whether it still runs."""
        return self.status in LIFECYCLE.live


def standing_of(task: Mapping[str, Any], at_us: int, *, elsewhere: bool = False) -> Standing:
    """Gives how a referral stands.

    Args:
        task: the Task, as far as the reader has it.
        at_us: now, microseconds UTC.
        elsewhere: after a no, somebody else was asked or the request was closed: nobody need act here any more.

    >>> asked = {"status": "requested", "restriction": {"period": {"end": "2026-11-24"}}}
    >>> standing_of(asked, 1_795_500_000_000_000).ball, standing_of(asked, 1_795_900_000_000_000).late
    ('recipient', 'answer')
    """
    status = str(task.get("status", ""))
    step = step_of(task)
    ball = ball_of(status, step, handoff=is_handoff(task))
    if elsewhere and status in LIFECYCLE.terminal:
        ball = "nobody"
    return Standing(status, step, reason_of(task), ball, _late(task, status, step, at_us))


def ball_of(status: str, step: str = "", *, handoff: bool = False) -> Ball:
    """Gives who has to act next.

    A handoff that was accepted stays with the one who asked until the owner says that the case is theirs.

    >>> ball_of("requested"), ball_of("requested", "awaiting-information"), ball_of("accepted", handoff=True)
    ('recipient', 'sender', 'sender')
    """
    if status in LIFECYCLE.live:
        if step in BALL_BY_STEP:
            return BALL_BY_STEP[step]
        if status == "accepted" and handoff:
            return "sender"
    return BALL.get(status, "nobody")


def step_of(task: Mapping[str, Any]) -> str:
    """Gives the finer step of a Task, or an empty text."""
    return code_in(task.get("businessStatus"), BUSINESS_STATUS)


def reason_of(task: Mapping[str, Any]) -> str:
    """Gives the code of a Task's reason, or an empty text."""
    return code_in(task.get("statusReason"), STATUS_REASON)


def is_handoff(task: Mapping[str, Any]) -> bool:
    """Tells whether the owner is to take the whole case over."""
    return any(
        isinstance(entry, dict) and code_in(entry.get("type"), INPUT_TYPE) == "handoff"
        for entry in task.get("input") or ()
    )


def is_referral(task: Mapping[str, Any]) -> bool:
    """Tells a referral from Tasks of the hub itself: recalls, and what waits on a desk."""
    return task.get("intent") == _KIND_OF_REFERRAL and not code_in(task.get("code"), TASK_CODES)


def owner_of(task: Mapping[str, Any]) -> str:
    """Gives the id of the organisation that was asked, or an empty text."""
    return reference_text(task.get("owner")).partition("/")[2]


def promised(task: Mapping[str, Any]) -> str:
    """Gives by when something is promised: an answer while it is asked, else the day the owner named; or nothing."""
    if task.get("status") == "requested":
        return text_at(task, "restriction.period.end")
    return text_at(task, "executionPeriod.end") if task.get("status") in LIFECYCLE.live else ""


def since(task: Mapping[str, Any]) -> str:
    """Gives since when the ball lies where it is, as far as the Task alone tells.

    A mark the hub set itself (nobody answered in time) passes the ball to nobody: then it lies there since it was
    asked.
    """
    if step_of(task) == "overdue":
        return str(task.get("authoredOn", ""))
    return text_at(task, "meta.lastUpdated")


def is_elsewhere(task: Mapping[str, Any], request: Mapping[str, Any] | None) -> bool:
    """Tells whether a referral that ended was followed by another, or its request is closed.

    Args:
        task: the referral.
        request: the ServiceRequest it was about, where the reader has it.

    Source: ``views.md`` 9 (the next recipient after a no: its author changes ``performer`` first).
    """
    if request is None:
        return False
    if request.get("status") in ("revoked", "completed", "entered-in-error"):
        return True
    asked = [reference_text(one) for one in request.get("performer") or ()]
    return bool(asked) and f"Organization/{owner_of(task)}" not in asked


def _late(task: Mapping[str, Any], status: str, step: str, at_us: int) -> Late:
    if status == "requested":
        if step == "overdue":
            return "answer"
        if step in BALL_BY_STEP:
            return ""
        return "answer" if _is_past(text_at(task, "restriction.period.end"), at_us) else ""
    if status in LIFECYCLE.live and _is_past(text_at(task, "executionPeriod.end"), at_us):
        return "promise"
    return ""


def _is_past(moment: str, at_us: int) -> bool:
    """Tells whether a FHIR date or instant is over; what cannot be read is not."""
    if not moment:
        return False
    try:
        return span(moment)[1] <= at_us
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Permit:
    """What one running permission lets one organisation have: whom it names, for what, until when, and its Consent."""

    consent: str
    patient: str
    recipient: str
    purpose: str
    until: str


def permits_of(consents: Iterable[Mapping[str, Any]], at_us: int) -> tuple[Permit, ...]:
    """Gives every permit of these Consents that runs now, the one that ends first at the front.

    >>> actor = {"reference": {"reference": "Organization/clinic"}}
    >>> permit = {"type": "permit", "actor": [actor], "period": {"end": "2027-01-01"}}
    >>> root = {"type": "deny", "provision": [permit]}
    >>> consent = {"id": "c", "status": "active", "patient": {"reference": "Patient/p"}, "provision": root}
    >>> permits_of([consent], 0)[0].recipient
    'clinic'
    """
    found = []
    for consent in consents:
        root = consent.get("provision") or {}
        if consent.get("status") != "active" or root.get("type") != "deny":
            continue
        for permit in root.get("provision") or ():
            until = text_at(permit, "period.end")
            if permit.get("type") != "permit" or _is_past(until, at_us):
                continue
            purpose = next((code for _, code in codings(permit.get("purpose"))), "")
            for actor in permit.get("actor") or ():
                kind, _, recipient = reference_text(actor.get("reference")).partition("/")
                if kind == "Organization":
                    patient = reference_text(consent.get("patient"))
                    found.append(Permit(str(consent.get("id")), patient, recipient, purpose, until))
    return tuple(sorted(found, key=lambda one: (one.until or "9999", one.consent, one.recipient)))


Mover = Literal["sender", "recipient", "hub", ""]
_OF_THE_SENDER = frozenset({"by-source", "client-declined", "not-selected", "claimed-by-other"})


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of a referral's timeline: where it stood from a moment on, and who moved it there."""

    status: str
    step: str
    reason: str
    at: str
    mover: Mover
    version: str


def timeline(versions: Iterable[Mapping[str, Any]]) -> tuple[Step, ...]:
    """Gives the moves of a referral, from its versions, oldest first; a version that moved nothing is none.

    Who moved it follows from the lifecycle: almost every edge belongs to one side.
    """
    found: list[Step] = []
    for version in versions:
        status, step, reason = str(version.get("status", "")), step_of(version), reason_of(version)
        last = found[-1] if found else None
        if last is not None and (last.status, last.step) == (status, step):
            continue
        mover = _mover(last, status, step, reason)
        at = text_at(version, "meta.lastUpdated")
        found.append(Step(status, step, reason, at, mover, text_at(version, "meta.versionId")))
    return tuple(found)


def _mover(last: Step | None, status: str, step: str, reason: str) -> Mover:
    if last is None:
        return "sender"
    if last.status == status:
        actors = {
            actor
            for one in LIFECYCLE.steps
            if one.status == status
            and one.business_status == step
            and (not one.after or last.step in one.after)
            for actor in one.actors
        }
    else:
        edges = [one for one in LIFECYCLE.table if (one.source, one.target) == (last.status, status)]
        if status == "cancelled" and reason:
            return "sender" if reason in _OF_THE_SENDER or reason == "closed-by-sender" else "recipient"
        actors = {actor for one in edges for actor in one.actors}
    if len(actors) != 1:
        return ""
    return _SIDES[actors.pop()]


_SIDES: Mapping[str, Mover] = {"requester": "sender", "owner": "recipient", "hub": "hub"}
