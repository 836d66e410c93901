"""The inbox: what other organisations ask this one for, from the notice to the end.

What lives here: the list. What does not: one of them (``web.portal.received``), the tracker of what was sent
(``web.portal.tracker``), what a recipient may read (the gate).

Source: ``referral-loop.md`` Part B; ``views.md`` 1 and 9 (Who seems to ask); ``practice.md`` 12.
"""

from dataclasses import dataclass

from flask import Blueprint, Response, request

from referral_hub.auth.people.portal_tokens import Seat
from referral_hub.casework.person_file import called, is_child, is_nameless, needs_interpreter
from referral_hub.casework.tracking import Standing, is_referral, since, standing_of
from referral_hub.fhir.elements import code_in, text_at
from referral_hub.resources.task import TASK_CODES
from referral_hub.web.portal.asking import Asking, Found, Resource
from referral_hub.web.portal.frame import Portal
from referral_hub.web.portal.received import Received
from referral_hub.web.portal.rows import name_of, need_of, phone_of
from referral_hub.web.portal.sent import number_of
from referral_hub.web.portal.staff import Staff

PAGE = 25
SHELVES = ("new", "working", "over", "recall", "desk")
"""Parts of the inbox: not answered, taken, over, asked to stop using something, and decisions of this organisation."""
_ALONG = [("_include", "Task:patient"), ("_include", "Task:focus"), ("_include", "Task:requester")]
_STATUSES = {
    "new": "requested",
    "working": "accepted,in-progress,on-hold",
    "over": "completed,failed,rejected,cancelled,entered-in-error",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One entry of the inbox, as far as this seat reads it.

    Args:
        id: of the Task.
        kind: ``referral``, or the hub's code of another Task.
        number: what is said on the telephone.
        need: the information category, or empty.
        priority: routine, urgent, asap, stat, or empty.
        child, interpreter: of the person; None where that is not told.
        who: her name, once it is told.
        from_name, phone: who asks, as the directory names them.
        until: by when an answer is asked for.
        since: an instant.
        standing: how it stands.
    """

    id: str
    kind: str
    number: str
    need: str
    priority: str
    child: bool | None
    interpreter: bool | None
    who: str
    nameless: bool
    from_name: str
    phone: str
    until: str
    since: str
    standing: Standing


def inbox_pairs(organization: str, shelf: str) -> list[tuple[str, str]]:
    """Gives the search of one part of the inbox."""
    if shelf == "desk":
        return [("intent", "plan"), ("status", "ready")]
    pairs = [("owner", f"Organization/{organization}"), ("intent", "order")]
    if shelf == "recall":
        return [*pairs, ("code", f"{TASK_CODES}|recall"), ("status", "requested")]
    return [*pairs, ("status", _STATUSES[shelf])]


def asked_of(task: Resource, found: Found, at_us: int) -> Asked:
    """Gives one entry."""
    person = found.led_to(task, "for")
    sender = found.led_to(task, "requester")
    return Asked(
        id=str(task["id"]),
        kind="referral" if is_referral(task) else code_in(task.get("code"), TASK_CODES),
        number=number_of(task),
        need=need_of(found.led_to(task, "focus")),
        priority=str(task.get("priority", "")),
        child=None if person is None else is_child(person),
        interpreter=None if person is None else needs_interpreter(person),
        who=called(person),
        nameless=person is not None and is_nameless(person),
        from_name=name_of(sender),
        phone=phone_of(sender),
        until=text_at(task, "restriction.period.end"),
        since=since(task),
        standing=standing_of(task, at_us),
    )


def inbox_blueprint(portal: Portal, staff: Staff) -> Blueprint:
    """Gives the routes.

    Args:
        portal: the frame.
        staff: who works here, and who works with whom.
    """
    blueprint = Blueprint("portal_inbox", __name__)
    received = Received(portal, staff)

    @blueprint.get("/inbox")
    @portal.staff()
    def inbox(seat: Seat) -> Response:
        asking, at_us = Asking(portal.hub, seat), portal.hub.clock()
        shelf = request.args.get("show", "new")
        shelf = shelf if shelf in SHELVES else "new"
        pairs = [*inbox_pairs(asking.organization, shelf), ("_count", str(PAGE)), *_ALONG]
        order = ("_sort", "_lastUpdated" if shelf == "new" else "-_lastUpdated")
        page = request.args.get("page", "")
        found = asking.find("Task", [*pairs, order], own=shelf == "desk", following=page)
        entries = [asked_of(task, found, at_us) for task in found.matches]
        if shelf in _STATUSES:
            entries = [one for one in entries if one.kind == "referral"]
        return portal.page(
            seat,
            "portal/inbox/list.html",
            entries=entries,
            shelf=shelf,
            shelves=SHELVES,
            next=found.next,
            done=request.args.get("done", ""),
        )

    @blueprint.get("/inbox/<task_id>")
    @portal.staff()
    def one(seat: Seat, task_id: str) -> Response:
        return received.shown(seat, task_id, {}, {})

    @blueprint.post("/inbox/<task_id>")
    @portal.staff()
    def act(seat: Seat, task_id: str) -> Response:
        return received.acted(seat, task_id, portal.form())

    return blueprint
