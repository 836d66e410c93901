"""Passing a referral on: the hub asks a recipient in its own name, for a source that cannot ask it directly.

What lives here: which step a source's referral can take now, and the filler order and Task that are made for it.
What does not: what becomes of them (``exchange.reporting``), copying from the source (``outbound.copying``), the
shape of what is made (``exchange.filler_orders``).

A referral is passed on only while a release lets its notice reach the recipient; consent is asked again when it
leaves. The recipient knows the hub as the one who asks, and learns of no other Task.

Source: ``views.md`` 6 (who hosts the Task); SDOHCC ``refer-1``; ``referral-loop.md`` Part B.
"""

from collections.abc import Mapping
from typing import Any

from referral_hub.access.principal import Principal
from referral_hub.access.rows import ReferralAccess
from referral_hub.access.writeback import same
from referral_hub.errors import IllegalMove, InvalidResource
from referral_hub.exchange import hub_moves
from referral_hub.exchange.building import Draft, body_of
from referral_hub.exchange.columns import columns_of, organization_of
from referral_hub.exchange.filler_orders import (
    Order,
    can_be_passed_on,
    conditions_asked,
    filler_order,
    onward_task,
)
from referral_hub.exchange.judging import Judge
from referral_hub.exchange.linking import external_texts
from referral_hub.exchange.made_by_hub import FILLER_KIND
from referral_hub.exchange.ports import OrganizationRow, ResourceRow
from referral_hub.exchange.referrals import Hosting, Remind, opening
from referral_hub.exchange.rolling_up import ROUTING
from referral_hub.exchange.sources import copies_of, hosting_of, is_external
from referral_hub.exchange.stamping import business_status_of, with_business_status
from referral_hub.exchange.state import Working
from referral_hub.exchange.task_writing import MovedTask, facts_of_waiting, write_consequences
from referral_hub.fhir.elements import reference_text
from referral_hub.fhir.outcome import Issue
from referral_hub.resources.catalog import DEFINITIONS
from referral_hub.resources.task import LIFECYCLE

_ANSWERS = frozenset({"accepted", "in-progress", "on-hold", "completed", "failed"})
_SHELTER = "shelter"
_KEPT = ("id", "meta", "identifier", "requisition", "status", "authoredOn")
"""What of an order stays whatever the source changes in its request."""


def hosting(row: ResourceRow, draft: Draft) -> Hosting:
    """Gives whether the hub passes this Task on."""
    if row.type != "Task" or row.author == row.owner:
        return ""
    return hosting_of(body_of(row), draft.working.organization(row.owner), draft.own_bases)


def children_of(parent: ResourceRow, draft: Draft) -> list[ResourceRow]:
    """Gives the Tasks of the hub that were made for a source's Task, oldest first."""
    if parent.person is None:
        return []
    hub = hub_moves.network(draft)
    wanted = f"Task/{parent.id}"
    found = [
        row
        for row in draft.working.tasks_of_person(parent.person)
        if row.author == hub.facts.id and not row.deleted and wanted in _parts_of(body_of(row))
    ]
    return sorted(found, key=lambda row: row.row_id)


def parent_of(child: ResourceRow, draft: Draft) -> ResourceRow | None:
    """Gives the source's Task that a Task of the hub was made for, or None."""
    for text in _parts_of(body_of(child)):
        row = draft.working.resource("Task", text.partition("/")[2])
        if row is not None and not row.deleted and hosting(row, draft):
            return row
    return None


def _parts_of(task: Mapping[str, Any]) -> list[str]:
    return [reference_text(one) for one in task.get("partOf") or ()]


# --- what a source's referral waits for ----------------------------------------------------------------------


def linked(parent: ResourceRow, draft: Draft) -> ResourceRow | None:
    """Gives a source's Task with its columns led to the copies of what it points at; None while they are missing.

    Raises:
        InvalidResource: its request is about somebody else than it says.
    """
    working, body = draft.working, body_of(parent)
    targets = copies_of(external_texts(body), parent.author, working)
    here = [reference_text(body.get(name)) for name in ("for", "focus")]
    targets.update(
        working.resources(text for text in here if text and not is_external(text, draft.own_bases))
    )
    columns, issues = columns_of(DEFINITIONS["Task"], body, targets, own_row=parent.row_id, author_kind="")
    if issues:
        raise InvalidResource(issues)
    if columns.person is None or columns.focus is None:
        return None
    if (columns.person, columns.focus) == (parent.person, parent.focus):
        return parent
    hub = hub_moves.network(draft)
    return draft.next_version(parent, body, columns, written_by=hub.facts.id)


def advance(parent: ResourceRow, draft: Draft, judge: Judge) -> None:
    """Lets a source's referral that waits for a release take its next step, where one covers it now."""
    working = draft.working
    waits = parent.status == "requested" and business_status_of(body_of(parent)) == "awaiting-consent"
    request, person = working.row(parent.focus), working.row(parent.person)
    owner = working.organization(parent.owner)
    if not waits or request is None or person is None or owner is None:
        return
    until_us = None
    if person.kind != "no-name":
        coverage = judge.coverage(owner, person.row_id, working, draft.at_us)
        if not coverage.live:
            return
        until_us = coverage.until_us
    if owner.is_hub:
        _let_hub_read(parent, owner, until_us, draft, nameless=person.kind == "no-name")
    elif can_be_passed_on(body_of(request)):
        pass_on(parent, owner, draft, judge)


def resume(parent: ResourceRow, draft: Draft, judge: Judge) -> None:
    """Lets a source's referral go on once a release covers its owner (again)."""
    body = body_of(parent)
    if business_status_of(body) == "sharing-ended":
        step = ROUTING if parent.status == "requested" else ""
        hub_moves.revise(parent, with_business_status(body, step), draft)
    else:
        advance(parent, draft, judge)


def _let_hub_read(
    parent: ResourceRow, owner: OrganizationRow, until_us: int | None, draft: Draft, *, nameless: bool
) -> None:
    body = with_business_status(body_of(parent), ROUTING)
    row = hub_moves.revise(parent, body, draft)
    found = tuple(opening(facts_of_waiting(body, draft, until_us=until_us)))
    write_consequences(
        MovedTask(body, found, owner, nameless), row, mover=owner.facts.id, user="", draft=draft
    )
    draft.record_move(row, organization=owner.facts.id, user="", activity=f"requested.{ROUTING}")


# --- asking a recipient --------------------------------------------------------------------------------------


def pass_on(parent: ResourceRow, recipient: OrganizationRow, draft: Draft, judge: Judge) -> ResourceRow:
    """Makes the filler order and the hub's own Task for a recipient, and gives that Task.

    Raises:
        InvalidResource: the request cannot be said again.
    """
    order, request = _order_for(parent, recipient.facts.id, draft)
    person = _found(draft.working.row(parent.person))
    task = onward_task(body_of(parent), order, request.id)
    asked = hub_moves.ask(task, draft, judge, focus=request, person=person)
    _note_routing(parent, draft)
    return asked


def as_child(caller: Principal, body: dict[str, Any], draft: Draft, judge: Judge) -> dict[str, Any]:
    """Gives a new Task of the hub's organisation for one it owns, with what it leaves out filled in from that.

    So whoever chooses a recipient names the source's Task (``partOf``) and the recipient (``owner``); where no
    request of the hub's own is named, the filler order is made in the same Change. Any other Task is as it was.

    Raises:
        InvalidResource: the source's referral cannot be passed on now.
    """
    parents = [text for text in _parts_of(body) if text.startswith("Task/")]
    if len(parents) != 1:
        return body
    working = draft.working
    parent = working.resource("Task", parents[0].partition("/")[2])
    recipient = organization_of(reference_text(body.get("owner")))
    me = working.organization(caller.organization_id)
    if (
        parent is None
        or me is None
        or not me.is_hub
        or parent.owner != me.facts.id
        or recipient == me.facts.id
    ):
        return body
    if not judge.sees(caller, parent, working, draft.at_us):
        return body
    if parent.status not in LIFECYCLE.live or parent.person is None or parent.focus is None:
        raise InvalidResource([Issue("error", "business-rule", _NOT_NOW, "Task.partOf")])
    original = _found(working.row(parent.focus))
    filled: dict[str, Any] = {}
    if reference_text(body.get("focus")) in ("", f"ServiceRequest/{original.id}"):
        order, request = _order_for(parent, recipient, draft)
        filled = onward_task(body_of(parent), order, request.id)
        body = {name: value for name, value in body.items() if name != "focus"}
    _note_routing(parent, draft)
    given = list(body.get("input") or ())
    inputs = [*given, *(one for one in conditions_asked(body_of(parent)) if one not in given)]
    return {**filled, **body, **({"input": inputs} if inputs else {})}


def barred_moves(row: ResourceRow, working: Working) -> frozenset[str]:
    """Gives the statuses that nobody may move a Task of the hub's organisation to: those an agency answers with.

    Source: ``referral-loop.md`` Part B (``accepted`` at the parent).
    """
    if row.author == row.owner or row.kind == "recall":
        return frozenset()
    owner = working.organization(row.owner)
    return _ANSWERS if owner is not None and owner.is_hub else frozenset()


def check_own_answer(row: ResourceRow, body: Mapping[str, Any], draft: Draft) -> None:
    """Refuses that the hub's organisation says yes, or goes on, for an agency that has not.

    Raises:
        IllegalMove: 422 on the wire, saying what is possible.
    """
    status = body.get("status")
    if status in _ANSWERS and status != row.status and status in barred_moves(row, draft.working):
        raise IllegalMove(
            "The hub does not answer for the agency that is to help. Name one (a new Task with partOf and its "
            "owner), and its answer is told here; or say no: rejected or cancelled.",
            "Task.status",
        )


_NOT_NOW = (
    "This referral cannot be passed on: it is closed, or its request was not copied yet. "
    "Read it again in a while."
)
_UNCLEAR = "The request it is for is not active, or says something the hub cannot say again."


def renew_orders(parent: ResourceRow, draft: Draft) -> list[ResourceRow]:
    """Says anew what the source changed in its request; gives the orders that stay as they were.

    Those would be another kind of help now: a person must look, and make a new referral.
    """
    working = draft.working
    request, person = working.row(parent.focus), working.row(parent.person)
    if request is None or person is None or not can_be_passed_on(body_of(request)):
        return []
    stay = []
    for child in children_of(parent, draft):
        row = working.row(child.focus)
        if child.status not in LIFECYCLE.live or row is None or row.kind != FILLER_KIND:
            continue
        before = body_of(row)
        order = _order(parent, request, person, child.owner, draft)
        made = filler_order(body_of(request), order, _beside(parent, draft))
        body = {**made, **{name: before[name] for name in _KEPT if name in before}}
        if not same(body, before) and not hub_moves.renew(row, body, draft, subject=person, original=request):
            stay.append(row)
    return stay


def _order_for(parent: ResourceRow, recipient: str, draft: Draft) -> tuple[Order, ResourceRow]:
    """Makes the filler order for a recipient and gives it with what it was made of."""
    working = draft.working
    request, person = _found(working.row(parent.focus)), _found(working.row(parent.person))
    if not can_be_passed_on(body_of(request)):
        raise InvalidResource([Issue("error", "business-rule", _UNCLEAR, "Task.focus")])
    order = _order(parent, request, person, recipient, draft)
    made = filler_order(body_of(request), order, _beside(parent, draft))
    return order, hub_moves.order(made, draft, subject=person, original=request)


def _order(
    parent: ResourceRow, request: ResourceRow, person: ResourceRow, recipient: str, draft: Draft
) -> Order:
    source = draft.working.organization(request.author)
    return Order(
        hub=hub_moves.network(draft).facts.id,
        recipient=recipient,
        person=person.id,
        original=request.id,
        parent=parent.id,
        number=draft.ids.public_id(),
        at_us=draft.at_us,
        in_words=source is not None and source.facts.kind != _SHELTER,
    )


def _beside(parent: ResourceRow, draft: Draft) -> list[str]:
    """Gives what the source's Task itself brings along (``Task.input``), as far as it lies here."""
    texts = [reference_text(one.get("valueReference")) for one in body_of(parent).get("input") or ()]
    copies = copies_of((text for text in texts if "://" in text), parent.author, draft.working)
    return [f"{row.type}/{row.id}" for text in texts if (row := copies.get(text)) is not None] + [
        text for text in texts if text and "://" not in text
    ]


def _note_routing(parent: ResourceRow, draft: Draft) -> None:
    """Says on the source's Task that a recipient is being asked, and opens what a return release may tell back."""
    body = body_of(parent)
    if parent.status == "requested" and business_status_of(body) != ROUTING:
        parent = hub_moves.revise(parent, with_business_status(body, ROUTING), draft)
        hub = hub_moves.network(draft)
        draft.record_move(parent, organization=hub.facts.id, user="", activity=f"requested.{ROUTING}")
        for reminder in opening(facts_of_waiting(body, draft, until_us=None)):
            if isinstance(reminder, Remind):
                draft.remind(reminder.kind, parent.row_id, reminder.at_us)
    draft.open(
        ReferralAccess(
            task=parent.row_id,
            organization=parent.author,
            person=parent.person,
            service_request=parent.focus,
            level="full",
            back=True,
        )
    )


def _found(row: ResourceRow | None) -> ResourceRow:
    if row is None:
        raise InvalidResource([Issue("error", "business-rule", _NOT_NOW, "Task.partOf")])
    return row
