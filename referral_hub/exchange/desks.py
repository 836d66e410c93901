"""Tasks an organisation has for its own people: somebody must look, decide, or confirm what another began.

What lives here: making such a Task, reading its parts, closing it, and who is at the desk. What does not: what each
kind of decision does (``exchange.deciding`` and the modules it names).

Such a Task never leaves the organisation, is written by operations only, and keeps who began and who decided as
accounts, so that two people are two people.

Source: ``practice.md`` 1, 9 and 12; ``consent.md`` F-14; FHIR R4 Task.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from referral_hub.access.principal import Principal
from referral_hub.errors import Forbidden
from referral_hub.exchange.audit import DONE
from referral_hub.exchange.building import Draft, body_of
from referral_hub.exchange.change import AuditEntry
from referral_hub.exchange.columns import private_columns
from referral_hub.exchange.ports import ResourceRow
from referral_hub.fhir.canonical import code_system
from referral_hub.fhir.dates import instant
from referral_hub.fhir.elements import code_in
from referral_hub.resources.task import DESK_CODES, TASK_CODES

DESK_PART = code_system("desk-part")
OPEN = "ready"
"""The status of one that waits for somebody. It is none of a referral's, so no referral's rule touches it."""

Part = tuple[str, dict[str, Any]]
"""A code of the hub's ``desk-part`` and its value, as ``{"valueString": …}``."""


@dataclass(frozen=True, slots=True)
class Worker:
    """A signed-in member of staff: one human, one account."""

    organization: str
    account: str
    name: str
    role: str


def check_desk(kind: str) -> None:
    """Refuses to write such a Task like any other resource: who decided what would not be sure.

    Raises:
        Forbidden: 403.
    """
    if kind in DESK_CODES:
        raise Forbidden(
            "A Task of this kind is made and decided by operations: see Task/[id]/$decide.", "Task.code"
        )


def worker_of(caller: Principal) -> Worker:
    """Gives the member of staff who asks.

    Raises:
        Forbidden: it is software alone, or the person herself (403).
    """
    if caller.context != "user" or not caller.account:
        raise Forbidden("This is done by a member of staff who is signed in, not by software alone.")
    return Worker(caller.organization_id, caller.account, caller.user or caller.account, caller.role)


def lay_out(
    kind: str,
    draft: Draft,
    *,
    custodian: str,
    person: ResourceRow | None,
    parts: Iterable[Part] = (),
    until_us: int | None = None,
    status: str = OPEN,
) -> ResourceRow:
    """Writes such a Task for an organisation and gives its row.

    Args:
        kind: one of ``DESK_CODES``.
        draft: the Change in the making.
        custodian: the organisation whose people it is for.
        person: the Patient it is about; None where nobody of the hub is named.
        parts: what there is to know.
        until_us: by when it is to be done, microseconds UTC.
        status: ``completed`` for one that needs nobody any more.
    """
    if kind not in DESK_CODES:
        raise ValueError(kind)
    organization = {"reference": f"Organization/{custodian}"}
    body: dict[str, Any] = {
        "resourceType": "Task",
        "status": status,
        "intent": "plan",
        "code": {"coding": [{"system": TASK_CODES, "code": kind}]},
        "authoredOn": instant(draft.at_us),
        "lastModified": instant(draft.at_us),
        "requester": organization,
        "owner": organization,
        "input": [_part(code, value) for code, value in parts],
    }
    if person is not None:
        body["for"] = {"reference": f"Patient/{person.id}"}
    if until_us is not None:
        body["restriction"] = {"period": {"end": instant(until_us)}}
    if not body["input"]:
        del body["input"]
    columns = private_columns(person.row_id if person is not None else None, kind=kind)
    columns = replace(columns, status=status, owner=custodian, requester=custodian)
    row = draft.create(
        body,
        columns,
        row_id=draft.ids.row_id(draft.at_us),
        public_id=draft.ids.public_id(),
        author=custodian,
    )
    draft.audit.append(_line(row, "create", "", draft.at_us))
    return row


def close(
    task: ResourceRow,
    decision: str,
    draft: Draft,
    *,
    worker: Worker | None = None,
    status: str = "completed",
    parts: Iterable[Part] = (),
) -> ResourceRow:
    """Writes what was decided and by whom, and gives the new row; without a worker it was the hub itself."""
    body = body_of(task)
    said: list[Part] = [("decision", {"valueCode": decision})]
    if worker is not None:
        said += [("decided-by", {"valueString": worker.account}), ("decided-as", {"valueCode": worker.role})]
    said += parts
    body = {
        **body,
        "status": status,
        "lastModified": instant(draft.at_us),
        "output": [*(body.get("output") or ()), *(_part(code, value) for code, value in said)],
    }
    row = draft.revise(task, body, written_by=task.author)
    user = worker.name if worker is not None else ""
    draft.record_move(row, organization=task.author, user=user, activity=status)
    draft.audit.append(_line(row, "update", user, draft.at_us))
    return row


def part(task: ResourceRow, code: str) -> Any:
    """Gives the value of the first part of such a Task with this code, what was decided included; None without one."""
    return next(iter(parts(task, code)), None)


def parts(task: ResourceRow, code: str) -> list[Any]:
    """Gives the values of all parts of such a Task with this code."""
    body = body_of(task)
    return [
        value
        for entry in (*(body.get("input") or ()), *(body.get("output") or ()))
        if isinstance(entry, dict) and code_in(entry.get("type"), DESK_PART) == code
        for key, value in entry.items()
        if key.startswith("value")
    ]


def named(task: ResourceRow, code: str) -> str:
    """Gives a part as a text; empty where it has none."""
    found = part(task, code)
    return found if isinstance(found, str) else ""


def _part(code: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"type": {"coding": [{"system": DESK_PART, "code": code}]}, **value}


def _line(row: ResourceRow, interaction: str, user: str, at_us: int) -> AuditEntry:
    return AuditEntry(
        at_us=at_us,
        action="C" if interaction == "create" else "U",
        interaction=interaction,
        outcome=DONE,
        organization=row.author,
        oauth_client="",
        user=user,
        purpose="",
        person=row.person,
        entities=(f"{row.type}/{row.id}/{row.version}",),
    )
