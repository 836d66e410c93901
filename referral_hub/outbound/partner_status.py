"""What a partner's own Task means for the hub's: which moves of the owner, or none and why.

What lives here: the map of statuses and the plan of moves, pure. What does not: the table of moves
(``resources.task``), fetching and writing (``outbound.polling``).

A status the map does not know, or one the table has no way to, changes nothing and is an alert. A partner
that jumped over states (from requested to in progress) is followed state by state where each move is its own.

Source: ``views.md`` 6; ``referral-loop.md`` Part B and Part C 16 (servers know only some statuses).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from referral_hub.errors import IllegalMove
from referral_hub.exchange.admission import StatusChange, check_move, task_issues
from referral_hub.exchange.recalls import answer_problem
from referral_hub.exchange.stamping import business_status_of, with_business_status
from referral_hub.outbound.alerts import Reason
from referral_hub.outbound.partner_parts import Taken, with_parts
from referral_hub.resources.lifecycle import Actor
from referral_hub.resources.task import DEFINITION, LIFECYCLE, STATUS_REASON

OWNER: frozenset[Actor] = frozenset({"owner"})

FHIR_STATUSES = frozenset(
    {
        "draft",
        "requested",
        "received",
        "accepted",
        "rejected",
        "ready",
        "cancelled",
        "in-progress",
        "on-hold",
        "failed",
        "completed",
        "entered-in-error",
    }
)
"""Source: HL7 FHIR R4 value set task-status."""

StatusMap = Mapping[str, tuple[str, str]]

STATUSES: StatusMap = MappingProxyType(
    {
        "requested": ("requested", ""),
        "received": ("requested", "acknowledged"),
        **{
            status: (status, "")
            for status in (
                "accepted",
                "rejected",
                "in-progress",
                "on-hold",
                "completed",
                "failed",
                "cancelled",
            )
        },
    }
)
"""A partner's status to the hub's status and finer step.

``ready`` is not here: it says that acceptance is a given, and the hub never says accepted for an agency that
has not.
"""

_ONWARD = ("requested", "accepted", "in-progress")
_BETWEEN = frozenset({"accepted", "in-progress"})
_RECALL_STATUSES = frozenset({"accepted", "in-progress", "completed"})
_OWNERS_STEPS = frozenset(step.business_status for step in LIFECYCLE.steps if "owner" in step.actors)
_UNSTATED = {
    "rejected": "cannot-take",
    "cancelled": "by-target",
}
"""The neutral reason of a no that gave none of the hub's: the person must not wait for an answer that came."""
_WITHDREW = "recipient-withdrew"
NO_REASON = "No reason was given."


@dataclass(frozen=True, slots=True)
class Moves:
    """The owner's view after each move, in order; none where there is nothing to do."""

    bodies: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class NoMove:
    """The partner's Task cannot be followed; ``status`` is its status where FHIR knows it, else ``other``."""

    reason: Reason
    status: str


def known_status(status: str) -> str:
    """Gives a status as it may be told: a code of FHIR, or ``other``.

    >>> known_status("accepted"), known_status("she moved")
    ('accepted', 'other')
    """
    return status if status in FHIR_STATUSES else "other"


def route(source: str, target: str) -> tuple[str, ...] | None:
    """Gives the shortest way of the owner's own moves from one status to another, or None.

    >>> route("requested", "in-progress"), route("accepted", "requested"), route("accepted", "accepted")
    (('accepted', 'in-progress'), None, ())
    """
    if source == target:
        return ()
    ways: list[tuple[str, ...]] = [()]
    seen = {source}
    while ways:
        longer = []
        for way in ways:
            for status in LIFECYCLE.moves(way[-1] if way else source, OWNER):
                if status == target:
                    return (*way, status)
                if status in _BETWEEN and status not in seen:
                    seen.add(status)
                    longer.append((*way, status))
        ways = longer
    return None


def moves_of(
    shown: Mapping[str, Any],
    taken: Taken,
    *,
    owner: str,
    recall: bool = False,
    statuses: StatusMap = STATUSES,
) -> Moves | NoMove:
    """Gives the moves that bring the hub's Task to where the partner's is.

    Args:
        shown: the owner's view of the hub's Task; it is not altered.
        taken: what the partner's Task says.
        owner: the partner's organisation id.
        recall: the Task is a recall, which its owner answers.
        statuses: this partner's map of statuses.
    """
    known = statuses.get(taken.status)
    if known is None:
        reason: Reason = (
            "partner-status-not-possible" if taken.status in FHIR_STATUSES else "partner-status-unknown"
        )
        return NoMove(reason, known_status(taken.status))
    if recall:
        return _answered(shown, taken, known[0], owner)
    before = str(shown.get("status"))
    target = known[0]
    # A partner's server keeps the step it was sent, such as "sent": only a step of the owner's own says something.
    step = taken.step if taken.step in _OWNERS_STEPS else known[1]
    if _is_behind(target, before):
        return Moves()
    withdrew = target == "rejected" and before != "requested"
    if withdrew:
        target = "cancelled"
    way = route(before, target)
    if way is None:
        return NoMove("partner-status-not-possible", taken.status)
    body = with_parts(shown, taken, owner=owner)
    if not way:
        body = _stepped(body, before, step)
        return Moves((body,)) if body != shown else Moves()
    return _walked(body, way, taken, _WITHDREW if withdrew else _UNSTATED.get(target, ""), step)


def _is_behind(target: str, before: str) -> bool:
    """Says whether the partner's Task merely lags: its people moved the hub's Task themselves."""
    return target in _ONWARD and before in _ONWARD and _ONWARD.index(target) < _ONWARD.index(before)


def _stepped(body: dict[str, Any], status: str, step: str) -> dict[str, Any]:
    before = business_status_of(body)
    if step and step != before and LIFECYCLE.step(status, before, step, OWNER) is not None:
        return with_business_status(body, step)
    return body


def _walked(
    body: dict[str, Any], way: tuple[str, ...], taken: Taken, unstated: str, step: str
) -> Moves | NoMove:
    bodies: list[dict[str, Any]] = []
    for place, status in enumerate(way, start=1):
        before = body
        body = {
            name: value for name, value in before.items() if name not in ("statusReason", "businessStatus")
        }
        body["status"] = status
        if place == len(way):
            body = _ended(body, str(before["status"]), status, taken, unstated, step)
        change = StatusChange(
            before=str(before["status"]),
            after=status,
            business_before=business_status_of(before),
            business_after=business_status_of(body),
            actors=OWNER,
        )
        problem = _problem(body, change)
        if problem is not None:
            return NoMove(problem, taken.status)
        bodies.append(body)
    return Moves(tuple(bodies))


def _ended(
    body: dict[str, Any], before: str, status: str, taken: Taken, unstated: str, step: str
) -> dict[str, Any]:
    edge = LIFECYCLE.move(before, status, OWNER)
    asked = edge.reasons if edge is not None else frozenset()
    code = taken.reason_code if not asked or taken.reason_code in asked else unstated
    reason: dict[str, Any] = {}
    if code:
        reason["coding"] = [{"system": STATUS_REASON, "code": code}]
    if taken.reason_text or (asked and code):
        reason["text"] = taken.reason_text or NO_REASON
    if reason:
        body["statusReason"] = reason
    if edge is not None and step in edge.business:
        body = with_business_status(body, step)
    return body


def _problem(body: dict[str, Any], change: StatusChange) -> Reason | None:
    try:
        check_move(DEFINITION, body, change)
    except IllegalMove as refused:
        is_reason = refused.expression.startswith("Task.statusReason")
        return "partner-reason-missing" if is_reason else "partner-status-not-possible"
    if not task_issues(body, change):
        return None
    return "partner-condition-not-confirmed" if change.after == "accepted" else "partner-output-missing"


def _answered(shown: Mapping[str, Any], taken: Taken, target: str, owner: str) -> Moves | NoMove:
    """A recall is answered; it has no table of moves."""
    if target == str(shown.get("status")) or target == "requested":
        return Moves()
    if target not in _RECALL_STATUSES:
        return NoMove("partner-status-not-possible", taken.status)
    body = {**with_parts(shown, taken, owner=owner), "status": target}
    if target == "completed" and answer_problem(body):
        return NoMove("partner-output-missing", taken.status)
    return Moves((body,))
