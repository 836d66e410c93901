"""One referral as its sender has it: where it stands, what was answered, and what can be done about it.

What lives here: showing it and taking an act. What does not: the list (``web.portal.tracker``), which acts there are
(``casework.moves``), whether the hub takes one (``exchange``).

Source: ``referral-loop.md`` Part B; ``views.md`` 2, 3 and 8.
"""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Response

from referral_hub.auth.people.portal_tokens import Seat
from referral_hub.casework.moves import (
    SENDER_ACTS,
    Act,
    Said,
    act_named,
    answers,
    moved,
    offered,
    possible_of,
)
from referral_hub.casework.tracking import Permit, is_elsewhere, is_referral, permits_of, timeline
from referral_hub.errors import Conflict, NotFound, VersionConflict
from referral_hub.fhir.elements import coded_value, reference_text
from referral_hub.web.portal.asking import Asking, Fields, Found, Resource, version_of
from referral_hub.web.portal.frame import Portal
from referral_hub.web.portal.rows import Row, row_of, with_stops

StaffName = Callable[[str], str]
"""Gives the name colleagues know an account by, or an empty text."""
CHANGED = {"changed": "error.changed"}
"""What is said where somebody else was quicker."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The page of a referral that was sent, and what its form does.

    Args:
        portal: the frame.
        staff_name: says who moved a referral, where it was a colleague.
    """

    portal: Portal
    staff_name: StaffName

    def acted(self, seat: Seat, task_id: str, form: dict[str, str]) -> Response:
        """Takes a form of the page; what does not fit is shown again with what was typed."""
        asking = Asking(self.portal.hub, seat)
        task = _sent(asking, task_id)
        if form.get("act") == "close":
            problems = _closed(asking, task, form)
        else:
            acts = offered(SENDER_ACTS, possible_of(asking.possible(task_id)), str(task["status"]))
            problems = _taken(asking, task, act_named(acts, form.get("act", "")), form)
        if problems:
            return self.shown(seat, task_id, form, problems)
        return self.portal.to(f"/referrals/{task_id}")

    def shown(self, seat: Seat, task_id: str, typed: dict[str, str], problems: dict[str, str]) -> Response:
        """Gives the page.

        Args:
            seat: who sits there.
            task_id: the Task.
            typed: what was typed before, where a form did not fit.
            problems: what did not fit, as keys of sentences by field.
        """
        asking, at_us = Asking(self.portal.hub, seat), self.portal.hub.clock()
        task = _sent(asking, task_id)
        along = _along(asking, task)
        asked = along.led_to(task, "focus")
        row = row_of(task, along, at_us)
        permits: tuple[Permit, ...] = ()
        if row.person and not row.nameless and row.to != asking.organization:
            permits = _permits(asking, row, at_us)
            (row,) = [row] if permits else with_stops([row], asking, at_us)
        movers = _movers(asking, task_id)
        moves = timeline(asking.versions("Task", task_id))
        over = not row.standing.live and row.standing.status != "draft"
        open_request = asked is not None and asked.get("status") in ("active", "on-hold")
        return self.portal.page(
            seat,
            "portal/tracker/one.html",
            422 if problems else 200,
            row=row,
            version=version_of(task),
            request_version=version_of(asked or {}),
            number=number_of(task),
            need_words=words_of(asked),
            permits=permits,
            moves=[(move, self.staff_name(movers.get(move.version, ""))) for move in reversed(moves)],
            outputs=told(task),
            notes=[str(one.get("text", "")) for one in task.get("note") or ()],
            period=Fields(task.get("executionPeriod") or {}),
            acts=offered(SENDER_ACTS, possible_of(asking.possible(task_id)), row.standing.status),
            can_close=open_request and over,
            can_ask_again=open_request
            and row.standing.status in ("rejected", "failed", "cancelled")
            and not is_elsewhere(task, asked),
            typed=Fields(typed),
            problems=Fields(problems),
        )


def _taken(asking: Asking, task: Resource, chosen: Act | None, form: dict[str, str]) -> dict[str, str]:
    """Writes an act of the sender; gives what did not fit."""
    said = Said(reason=form.get("reason", ""), words=form.get("words", ""))
    if chosen is None or form.get("version") != version_of(task):
        return CHANGED
    if chosen.reasons and said.reason not in chosen.reasons:
        return {"reason": "tracker.problem.reason"}
    if chosen.reasons and not said.words.strip():
        return {"words": "tracker.problem.words"}
    try:
        asking.update(moved(task, chosen, said), form["version"])
    except (VersionConflict, Conflict):
        return CHANGED
    return {}


def _closed(asking: Asking, task: Resource, form: dict[str, str]) -> dict[str, str]:
    """Closes the request behind a referral that is over, since nobody else is asked; gives what did not fit."""
    asked = asking.maybe("ServiceRequest", reference_text(task.get("focus")).partition("/")[2])
    if asked is None or asked.get("status") not in ("active", "on-hold"):
        return CHANGED
    if form.get("request_version") != version_of(asked):
        return CHANGED
    ended = "completed" if task.get("status") == "completed" else "revoked"
    try:
        asking.update({**asked, "status": ended}, form["request_version"])
    except (VersionConflict, Conflict):
        return CHANGED
    return {}


def _permits(asking: Asking, row: Row, at_us: int) -> tuple[Permit, ...]:
    """Gives the running permissions behind a referral."""
    pairs = [("patient", f"Patient/{row.person}"), ("status", "active"), ("_count", "100")]
    running = permits_of(asking.find("Consent", pairs, own=True).matches, at_us)
    return tuple(one for one in running if one.recipient == row.to)


def told(task: Resource) -> list[tuple[str, str]]:
    """Gives what the recipient answered, as (kind, code or date or yes/no), as far as this seat reads it."""
    found = []
    for kind, entry in answers(task):
        if kind in ("attendance",):
            found.append((kind, coded_value(entry)))
        elif kind == "next-date":
            found.append((kind, str(entry.get("valueDate", ""))))
        elif kind == "needs-more":
            found.append((kind, "yes" if entry.get("valueBoolean") is True else "no"))
        elif kind != "handling-confirmed":
            found.append(("more", ""))
    return found


def _sent(asking: Asking, task_id: str) -> Resource:
    """Gives a referral this organisation sent; one that it received has its page in the inbox."""
    found = asking.find("Task", [("_id", task_id)], own=True).matches
    if not found or not is_referral(found[0]):
        raise NotFound
    return found[0]


def _along(asking: Asking, task: Resource) -> Found:
    references = [reference_text(task.get(name)) for name in ("for", "focus", "owner")]
    along: dict[str, Resource] = {}
    for reference in references:
        if reference:
            along.update(asking.many([reference]))
    return Found((task,), along)


def _movers(asking: Asking, task_id: str) -> dict[str, str]:
    """Gives which account of this organisation made which version."""
    found: dict[str, str] = {}
    pairs = [("target", f"Task/{task_id}"), ("_count", "200")]
    for provenance in asking.find("Provenance", pairs, own=True).matches:
        account = next(
            (str(one["who"].get("display", "")) for one in provenance.get("agent") or () if "who" in one), ""
        )
        for target in provenance.get("target") or ():
            found[reference_text(target).rpartition("/_history/")[2]] = account
    return found


def number_of(task: Resource) -> str:
    """Gives the start of the number both sides know a referral by: what is said on the telephone."""
    for one in task.get("identifier") or ():
        if str(one.get("system", "")).endswith("/placer"):
            return str(one.get("value", ""))[:8].upper()
    return ""


def words_of(asked: Resource | None) -> str:
    """Gives the words the request itself has for what is asked, or an empty text."""
    code = (asked or {}).get("code") or {}
    return str(
        code.get("text")
        or next((one["display"] for one in code.get("coding") or () if one.get("display")), "")
    )
