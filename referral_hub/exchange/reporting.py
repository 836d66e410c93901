"""What both sides of a referral that was passed on learn: the source of the answer, the recipient of an end.

What lives here: the writes that follow a move of the hub's Task, or of the source's. What does not: where the
source's Task stands then (``exchange.rolling_up``), making the hub's Task (``exchange.hosting``), telling the
source's own server (``outbound.copying``).

The source's Task is moved in the hub's name. What the recipient wrote goes along as it stands on the hub's Task,
and the source reads of it what a return release opens: the same view as of any other answer.

Source: ``views.md`` 2 and 6; ``referral-loop.md`` Part B (roll-up, cascade).
"""

from typing import Any

from referral_hub.access.writeback import same
from referral_hub.exchange import hub_moves
from referral_hub.exchange.building import Draft, body_of
from referral_hub.exchange.change import AuditEntry
from referral_hub.exchange.hosting import children_of, parent_of
from referral_hub.exchange.judging import Judge
from referral_hub.exchange.made_by_hub import FILLER_KIND
from referral_hub.exchange.ports import ResourceRow
from referral_hub.exchange.referrals import TAKEN_BACK, PassDown, Report
from referral_hub.exchange.rolling_up import Standing, reason_coding, rolled_up
from referral_hub.exchange.sources import own_task_url
from referral_hub.exchange.stamping import business_status_of, with_business_status
from referral_hub.exchange.task_writing import MovedTask
from referral_hub.fhir.elements import code_in
from referral_hub.resources.lifecycle import Actor
from referral_hub.resources.service_request import LIFECYCLE as ORDERS
from referral_hub.resources.task import LIFECYCLE, STATUS_REASON

REASON_TOLD = "Told by the network on behalf of who was asked."
CLOSED_FOR_SOURCE = "Closed by who asked for it."
_REQUESTER: frozenset[Actor] = frozenset({"requester"})
_ORDER_ENDS = {
    "completed": "completed",
    "rejected": "revoked",
    "cancelled": "revoked",
    "failed": "revoked",
    "entered-in-error": "entered-in-error",
}


def follow(moved: MovedTask, row: ResourceRow, draft: Draft, judge: Judge) -> None:
    """Writes what a move of one Task causes on the Tasks it belongs to, in the same Change."""
    for consequence in moved.found:
        if isinstance(consequence, Report):
            report(row, draft, judge)
        elif isinstance(consequence, PassDown):
            pass_down(row, draft, judge)


def report(child: ResourceRow, draft: Draft, judge: Judge) -> None:
    """Brings the source's Task to where the hub's Tasks for it stand."""
    _close_order(child, draft)
    parent = parent_of(child, draft)
    if parent is None or parent.status not in LIFECYCLE.live:
        return
    children = children_of(parent, draft)
    may_retry = _may_retry(parent, draft, judge)
    body = body_of(parent)
    before = _standing(body)
    after = rolled_up(before, [_standing(body_of(one)) for one in children], may_retry=may_retry)
    told = _with_outputs(body, children)
    if after == before and told is body:
        if may_retry and child.status in LIFECYCLE.terminal and parent.status == "requested":
            draft.audit.append(_recipient_needed(parent, draft))
        return
    written = hub_moves.move(parent, _at(told, before, after), draft, judge, mover=parent.owner)
    if after != before:
        tell_source(written, draft)


def pass_down(parent: ResourceRow, draft: Draft, judge: Judge) -> None:
    """Does with the hub's Tasks what the source did with its own: ends them, or sets the same step."""
    hub = hub_moves.network(draft).facts.id
    body = body_of(parent)
    step, ends = business_status_of(body), parent.status in TAKEN_BACK
    for child in children_of(parent, draft):
        is_live = child.status in LIFECYCLE.live
        if ends and LIFECYCLE.move(child.status, parent.status, _REQUESTER) is not None:
            reason = {"text": CLOSED_FOR_SOURCE, "coding": [reason_coding(_reason(body))]}
            ended = with_business_status(
                {**body_of(child), "status": parent.status, "statusReason": reason}, ""
            )
            _close_order(hub_moves.move(child, ended, draft, judge, mover=hub), draft)
        elif is_live and _may_step(child, step):
            hub_moves.move(child, with_business_status(body_of(child), step), draft, judge, mover=hub)


def give_back(parent: ResourceRow, draft: Draft, judge: Judge) -> ResourceRow | None:
    """Says no to a source's referral that the hub cannot make sense of, or cannot fetch: ``data-issue``."""
    if parent.status != "requested":
        return None
    body = {
        **with_business_status(body_of(parent), ""),
        "status": "rejected",
        "statusReason": {"coding": [reason_coding("data-issue")], "text": "The request could not be copied."},
    }
    written = hub_moves.move(parent, body, draft, judge, mover=parent.owner)
    tell_source(written, draft)
    return written


def tell_source(parent: ResourceRow, draft: Draft) -> None:
    """Queues what became of a referral for the source's own Task, where it named one."""
    source = draft.working.organization(parent.author)
    endpoint = source.fhir_endpoint if source is not None else ""
    if endpoint and own_task_url(body_of(parent), (endpoint,)):
        draft.tell(parent.author, "task-report", parent, person=None)


def _standing(task: dict[str, Any]) -> Standing:
    return Standing(str(task.get("status")), business_status_of(task), _reason(task))


def _reason(task: dict[str, Any]) -> str:
    return code_in(task.get("statusReason"), STATUS_REASON)


def _at(task: dict[str, Any], before: Standing, after: Standing) -> dict[str, Any]:
    if after == before:
        return task
    if after.status == before.status:
        return with_business_status(task, after.step)
    body = {name: value for name, value in task.items() if name != "statusReason"}
    body["status"] = after.status
    if after.reason:
        body["statusReason"] = {"coding": [reason_coding(after.reason)], "text": REASON_TOLD}
    return with_business_status(body, after.step)


def _with_outputs(task: dict[str, Any], children: list[ResourceRow]) -> dict[str, Any]:
    """Gives the source's Task with what the recipients answered; the very same where nothing is new."""
    outputs: list[Any] = []
    for child in children:
        outputs += [
            one for one in body_of(child).get("output") or () if not any(same(one, o) for o in outputs)
        ]
    if same(outputs, task.get("output") or []):
        return task
    rest = {name: value for name, value in task.items() if name != "output"}
    return {**rest, "output": outputs} if outputs else rest


def _may_retry(parent: ResourceRow, draft: Draft, judge: Judge) -> bool:
    """Tells whether the hub's organisation owns it and may read it, so that it can name another recipient."""
    owner = draft.working.organization(parent.owner)
    person = draft.working.row(parent.person)
    if owner is None or not owner.is_hub or person is None:
        return False
    return person.kind == "no-name" or judge.coverage(owner, person.row_id, draft.working, draft.at_us).live


def _may_step(child: ResourceRow, step: str) -> bool:
    before = business_status_of(body_of(child))
    return step != before and LIFECYCLE.step(child.status, before, step, _REQUESTER) is not None


def _close_order(child: ResourceRow, draft: Draft) -> None:
    """Ends the hub's own order with the Task that carried it; its author does that, and the hub is its author."""
    order = draft.working.row(child.focus)
    status = _ORDER_ENDS.get(child.status, "")
    if order is None or order.kind != FILLER_KIND or not status or order.status == status:
        return
    if ORDERS.move(order.status, status, _REQUESTER) is not None:
        hub_moves.revise(order, {**body_of(order), "status": status}, draft)


def _recipient_needed(parent: ResourceRow, draft: Draft) -> AuditEntry:
    hub = hub_moves.network(draft)
    return AuditEntry(
        at_us=draft.at_us,
        action="E",
        interaction="alert",
        outcome=0,
        organization=hub.facts.id,
        oauth_client="",
        user="",
        purpose="",
        person=parent.person,
        entities=(f"Task/{parent.id}/{parent.version}",),
        reason="recipient-needed",
    )
