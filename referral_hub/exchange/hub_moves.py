"""What the hub's own organisation writes: a move of a referral, an order of its own, and its line in the audit.

What lives here: laying such a row into the Draft with everything that follows it. What does not: when it is done
(``exchange.hosting``, ``exchange.reporting``), what a move causes (``exchange.referrals``).
"""

from dataclasses import replace
from typing import Any

from referral_hub.errors import HubError
from referral_hub.exchange.audit import DONE
from referral_hub.exchange.building import Draft, body_of, columns_of_row
from referral_hub.exchange.change import AuditEntry
from referral_hub.exchange.columns import Columns, columns_of
from referral_hub.exchange.judging import Judge
from referral_hub.exchange.made_by_hub import FILLER_KIND
from referral_hub.exchange.ports import OrganizationRow, ResourceRow
from referral_hub.exchange.stamping import with_placer_identifier
from referral_hub.exchange.task_writing import decide_move, write_consequences
from referral_hub.fhir.dates import instant
from referral_hub.resources.catalog import DEFINITIONS


def network(draft: Draft) -> OrganizationRow:
    """Gives the network's own organisation.

    Raises:
        HubError: there is none yet.
    """
    hub = draft.working.hub_organization()
    if hub is None:
        raise HubError("The network has no organisation of its own yet. Run referral-hub init.")
    return hub


def move(row: ResourceRow, body: dict[str, Any], draft: Draft, judge: Judge, *, mover: str) -> ResourceRow:
    """Moves a Task in the hub's name and gives its new row; everything a move causes follows.

    Args:
        row: the Task as stored.
        body: as it is to be.
        draft: the Change in the making.
        judge: the gate.
        mover: whose part the hub plays in this move: the Task's owner or its author.
    """
    hub = network(draft)
    body = {**body, "lastModified": instant(draft.at_us)}
    columns = columns_of_row(row, str(body["status"]))
    moved = decide_move(
        body_of(row),
        body,
        columns,
        row_id=row.row_id,
        author=row.author,
        mover=mover,
        draft=draft,
        judge=judge,
    )
    foreign = True if row.author != hub.facts.id else None
    columns = columns_of_row(row, str(moved.body["status"]))
    written = draft.next_version(row, moved.body, columns, written_by=hub.facts.id, foreign_elements=foreign)
    write_consequences(moved, written, mover=hub.facts.id, user="", draft=draft)
    draft.audit.append(_line(hub.facts.id, "update", written, draft.at_us))
    return written


def ask(task: dict[str, Any], draft: Draft, judge: Judge, **targets: ResourceRow) -> ResourceRow:
    """Creates a Task of the hub and gives its row; everything that follows a new referral follows.

    Args:
        task: the Task, without its placer number.
        draft: the Change in the making.
        judge: the gate.
        targets: the rows of its request and its person.
    """
    hub = network(draft)
    row_id, columns, body = _prepared(task, draft, targets)
    moved = decide_move(
        None,
        body,
        columns,
        row_id=row_id,
        author=hub.facts.id,
        mover=hub.facts.id,
        draft=draft,
        judge=judge,
    )
    row = draft.create(
        moved.body, columns, row_id=row_id, public_id=draft.ids.public_id(), author=hub.facts.id
    )
    write_consequences(moved, row, mover=hub.facts.id, user="", draft=draft)
    draft.audit.append(_line(hub.facts.id, "create", row, draft.at_us))
    return row


def order(request: dict[str, Any], draft: Draft, **targets: ResourceRow) -> ResourceRow:
    """Creates a ServiceRequest of the hub and gives its row."""
    hub = network(draft)
    row_id, columns, body = _prepared(request, draft, targets)
    row = draft.create(body, columns, row_id=row_id, public_id=draft.ids.public_id(), author=hub.facts.id)
    draft.audit.append(_line(hub.facts.id, "create", row, draft.at_us))
    return row


def renew(row: ResourceRow, body: dict[str, Any], draft: Draft, **targets: ResourceRow) -> bool:
    """Says an order of the hub anew with its own labels; False where it would become another kind of help.

    What it is for decides who reads it and by which consent, so that never changes under a recipient.
    """
    columns = _columns(body, row.row_id, targets)
    if columns.category != row.category:
        return False
    hub = network(draft)
    written = draft.next_version(row, body, columns, written_by=hub.facts.id)
    draft.audit.append(_line(hub.facts.id, "update", written, draft.at_us))
    return True


def revise(
    row: ResourceRow, body: dict[str, Any], draft: Draft, *, foreign: bool | None = None
) -> ResourceRow:
    """Adds a version of a row in the hub's name that causes nothing elsewhere."""
    hub = network(draft)
    written = draft.revise(row, body, written_by=hub.facts.id, foreign_elements=foreign)
    draft.audit.append(_line(hub.facts.id, "update", written, draft.at_us))
    return written


def _prepared(
    body: dict[str, Any], draft: Draft, targets: dict[str, ResourceRow]
) -> tuple[int, Columns, dict[str, Any]]:
    row_id = draft.ids.row_id(draft.at_us)
    body = with_placer_identifier(body, draft.ids.public_id())
    return row_id, _columns(body, row_id, targets), body


def _columns(body: dict[str, Any], row_id: int, targets: dict[str, ResourceRow]) -> Columns:
    named = {f"{target.type}/{target.id}": target for target in targets.values()}
    columns, _ = columns_of(DEFINITIONS[body["resourceType"]], body, named, own_row=row_id, author_kind="")
    return replace(columns, kind=FILLER_KIND)


def _line(hub: str, interaction: str, row: ResourceRow, at_us: int) -> AuditEntry:
    return AuditEntry(
        at_us=at_us,
        action="C" if interaction == "create" else "U",
        interaction=interaction,
        outcome=DONE,
        organization=hub,
        oauth_client="",
        user="",
        purpose="",
        person=row.person,
        entities=(f"{row.type}/{row.id}/{row.version}",),
    )
