"""What a move of a referral causes elsewhere, returned as values.

What lives here: pure arithmetic over the facts of one move. What does not: the table of moves
(``resources.task``), the rows these values become (``exchange.building``), the decision about consent
(``exchange.gate``).

Source: ``referral-loop.md`` Part B as corrected by ``views.md`` 1, 6, 8 and 9.
"""

from dataclasses import dataclass
from typing import Literal

from referral_hub.resources.task import CLOSED_WITH_RESULT, LIFECYCLE

HISTORY_AFTER_US = 30 * 24 * 3600 * 1_000_000
"""How long a finished referral stays readable in full, at most: 30 days (``views.md`` 1)."""

Hosting = Literal["", "hub", "source"]
"""Whether a referral is passed on by the hub: no; its owner is the hub's organisation, which names the recipient;
or its request lies on the source's own server and is copied first (``views.md`` 6)."""

TAKEN_BACK = frozenset({"cancelled", "entered-in-error"})
"""The ends that the sender sets."""


@dataclass(frozen=True, slots=True)
class ReferralFacts:
    """What is known about one move of one Task.

    ``live_release`` says a release opens the notice to the owner now, ``immediate`` that the sender asked for
    immediate identity and the release covers it, ``internal`` that owner and author are the same organisation,
    ``opened`` that the owner has a referral_access row already, ``by_owner`` that the owner itself moves it.
    ``permit_end_us`` is when the last live permit of the owner ends; None without one. ``hosting`` says whether
    the hub passes it on, ``child`` that it is itself what the hub passed on.
    """

    before: str
    after: str
    business_before: str
    business_after: str
    at_us: int
    by_owner: bool
    internal: bool
    live_release: bool
    nameless: bool
    immediate: bool
    opened: bool
    due_us: int | None
    permit_end_us: int | None
    hosting: Hosting = ""
    child: bool = False


@dataclass(frozen=True, slots=True)
class Open:
    """The owner reads at this level from now on (until ``until_us``, where given)."""

    level: Literal["notice", "full", "history"]
    accepted: bool
    until_us: int | None = None


@dataclass(frozen=True, slots=True)
class SetBusinessStatus:
    """The hub sets this finer step; an empty code clears it."""

    code: str


@dataclass(frozen=True, slots=True)
class Tell:
    """The owner's own system is told."""

    kind: Literal["task-notice", "task-update"]


@dataclass(frozen=True, slots=True)
class Remind:
    """A timer is set on this Task."""

    kind: Literal["task-overdue"]
    at_us: int


@dataclass(frozen=True, slots=True)
class RecordMove:
    """A Provenance is written for this move."""


@dataclass(frozen=True, slots=True)
class Fetch:
    """The request and what it needs are copied from the source's own server."""


@dataclass(frozen=True, slots=True)
class PassDown:
    """What the source did with its referral is done with what the hub passed on for it."""


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a referral the hub passed on is told on the one it was passed on for."""


Consequence = Open | SetBusinessStatus | Tell | Remind | RecordMove | Fetch | PassDown | Report


def consequences(facts: ReferralFacts) -> tuple[Consequence, ...]:
    """Gives everything a move causes, in the order it is to be applied.

    >>> quiet = ReferralFacts("draft", "draft", "", "", 0, False, False, False, False, False, False, None, None)
    >>> consequences(quiet)
    ()
    """
    found: list[Consequence] = []
    moved = facts.before != facts.after
    if not moved and facts.business_before == facts.business_after:
        return ()
    if facts.internal:
        return (RecordMove(),)
    if moved and facts.after == "requested":
        found.extend(_requested(facts))
    elif moved and facts.after == "accepted" and facts.opened:
        found.append(Open("full", accepted=True))
    elif moved and facts.after in CLOSED_WITH_RESULT and facts.opened:
        found.append(_closed_with_result(facts))
    elif moved and facts.after in LIFECYCLE.terminal and facts.opened:
        found.append(
            Open("history", accepted=facts.before in ("accepted", "in-progress", "on-hold", "completed"))
        )
    if facts.opened and not facts.by_owner:
        found.append(Tell("task-update"))
    found.append(RecordMove())
    if facts.child:
        found.append(Report())
    if facts.hosting and not facts.by_owner and (facts.after in TAKEN_BACK or not moved):
        found.append(PassDown())
    return tuple(found)


def _requested(facts: ReferralFacts) -> list[Consequence]:
    if facts.hosting == "source":
        return [SetBusinessStatus("awaiting-consent"), Fetch()]
    if not (facts.nameless or facts.live_release):
        return [SetBusinessStatus("awaiting-consent")]
    return [SetBusinessStatus("hub-routing" if facts.hosting == "hub" else "sent"), *opening(facts)]


def opening(facts: ReferralFacts) -> list[Consequence]:
    """Gives what follows once a requested Task may leave: the door, the message, the timer."""
    found: list[Consequence] = [
        Open("full" if facts.immediate else "notice", accepted=False),
        Tell("task-notice"),
    ]
    if facts.due_us is not None:
        found.append(Remind("task-overdue", facts.due_us))
    return found


def _closed_with_result(facts: ReferralFacts) -> Open:
    if facts.nameless or facts.permit_end_us is None:
        return Open("history", accepted=True)
    return Open("full", accepted=True, until_us=min(facts.permit_end_us, facts.at_us + HISTORY_AFTER_US))
