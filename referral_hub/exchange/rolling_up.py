"""Where a source's referral stands, worked out from what the hub passed on for it. Pure.

What lives here: the rule and its values. What does not: finding the Tasks and writing the move
(``exchange.hosting``).

The hub says accepted only once a recipient has. While nobody has, the source's referral stays requested; where the
hub's organisation may still name another recipient, a no of the last one does not end it.

Source: ``referral-loop.md`` Part B (roll-up of the source-facing Task).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from referral_hub.resources.lifecycle import Actor
from referral_hub.resources.task import ACCEPTED_STATUSES, LIFECYCLE, STATUS_REASON

ROUTING = "hub-routing"
PARTIAL = "partial"
_OWNER: frozenset[Actor] = frozenset({"owner"})
_TOLD_WHILE_REQUESTED = frozenset({"awaiting-information"})
_OF_ONE_TASK = frozenset({"sent", "sharing-ended"})
_WITHDREW = "recipient-withdrew"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one Task stands: status, finer step, and the code of its reason."""

    status: str
    step: str = ""
    reason: str = ""


def rolled_up(parent: Standing, children: Sequence[Standing], *, may_retry: bool) -> Standing:
    """Gives where the source's Task stands after a move of what was passed on for it.

    Args:
        parent: where it stood.
        children: where each Task of the hub for it stands, oldest first.
        may_retry: the hub's organisation may still name another recipient.

    Returns:
        where it stands now; ``parent`` itself where nothing is to be told.

    >>> rolled_up(Standing("requested", "hub-routing"), [Standing("accepted")], may_retry=False)
    Standing(status='accepted', step='', reason='')
    >>> rolled_up(Standing("accepted"), [Standing("completed"), Standing("failed", "", "x")], may_retry=False)
    Standing(status='completed', step='partial', reason='')
    """
    found = _found(parent, [one for one in children if one.status != "entered-in-error"], may_retry=may_retry)
    if found is None or parent.status in LIFECYCLE.terminal or found.status == parent.status:
        return parent if found is None or parent.status in LIFECYCLE.terminal else found
    return found if LIFECYCLE.move(parent.status, found.status, _OWNER) is not None else parent


def reason_coding(code: str) -> dict[str, str]:
    """Gives the coding of a reason."""
    return {"system": STATUS_REASON, "code": code}


def _found(parent: Standing, children: list[Standing], *, may_retry: bool) -> Standing | None:
    live = [one for one in children if one.status in LIFECYCLE.live]
    for status in ("in-progress", "accepted"):
        at = [one for one in live if one.status == status]
        if at:
            return Standing(status, _only_step(at))
    if live and all(one.status == "on-hold" for one in live):
        return Standing("on-hold", _only_step(live), live[-1].reason)
    if live:
        return _still_asked(parent, live)
    return _ended(parent, children, may_retry=may_retry) if children else None


def _only_step(at: list[Standing]) -> str:
    return at[0].step if len(at) == 1 and at[0].step not in _OF_ONE_TASK else ""


def _still_asked(parent: Standing, live: list[Standing]) -> Standing | None:
    if parent.status != "requested":
        return None
    asked = [one.step for one in live if one.step in _TOLD_WHILE_REQUESTED]
    if len(live) == 1 and asked:
        return Standing("requested", asked[0])
    if parent.step in _TOLD_WHILE_REQUESTED:
        return Standing("requested", ROUTING)
    return None


def _ended(parent: Standing, children: list[Standing], *, may_retry: bool) -> Standing:
    completed = [one for one in children if one.status == "completed"]
    if completed:
        partly = len(completed) < len(children)
        return Standing("completed", PARTIAL if partly else "", completed[-1].reason)
    failed = [one for one in children if one.status == "failed"]
    if failed and parent.status in ACCEPTED_STATUSES:
        return Standing("failed", "", failed[-1].reason)
    if parent.status in ACCEPTED_STATUSES:
        # It was accepted, and nobody goes on with it.
        return Standing("cancelled", "", _WITHDREW)
    if may_retry:
        return Standing("requested", ROUTING)
    last = children[-1]
    if last.status == "rejected":
        return Standing("rejected", "", last.reason)
    return Standing("cancelled", "", "by-target")
