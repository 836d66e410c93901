"""What else is written when a referral moves: doors, messages, timers, Provenance, the finer step.

What lives here: turning the consequences of a move (``exchange.referrals``) into rows of the Draft. What does
not: which moves exist (``resources.task``), whether they are allowed (``exchange.writing``).

Source: ``referral-loop.md`` Part B; ``views.md`` 1, 5, 6 and 9.
"""

from dataclasses import dataclass
from typing import Any

from referral_hub.access.rows import ReferralAccess
from referral_hub.errors import ConsentEnded, ConsentMissing, ConsentRefused, InvalidResource
from referral_hub.exchange.admission import asks_immediate_identity
from referral_hub.exchange.building import Draft
from referral_hub.exchange.columns import Columns
from referral_hub.exchange.judging import Coverage, Judge
from referral_hub.exchange.ports import OrganizationRow, ResourceRow
from referral_hub.exchange.referrals import (
    Consequence,
    Fetch,
    Open,
    RecordMove,
    ReferralFacts,
    Remind,
    SetBusinessStatus,
    Tell,
    consequences,
)
from referral_hub.exchange.sources import hosting_of, is_external
from referral_hub.exchange.stamping import business_status_of, with_business_status
from referral_hub.fhir.dates import span
from referral_hub.fhir.elements import reference_text, text_at
from referral_hub.fhir.outcome import Issue
from referral_hub.fhir.references import parse
from referral_hub.resources.task import ACCEPTED_STATUSES

_MISSING = {
    "none": (
        ConsentMissing,
        "No release of this person covers this recipient. Have her sign one that names it, then send again.",
    ),
    "ended": (
        ConsentEnded,
        "The release that covered this recipient has ended. Have her sign a new one, then send again.",
    ),
    "refused": (
        ConsentRefused,
        "She refused sharing with this recipient. Nothing was stored or sent; only she can change that.",
    ),
}


@dataclass(frozen=True, slots=True)
class MovedTask:
    """The facts of one move that were found while checking it."""

    body: dict[str, Any]
    found: tuple[Consequence, ...]
    owner: OrganizationRow | None
    nameless: bool


def decide_move(
    before: dict[str, Any] | None,
    body: dict[str, Any],
    columns: Columns,
    *,
    row_id: int,
    author: str,
    mover: str,
    draft: Draft,
    judge: Judge,
) -> MovedTask:
    """Gives what a move of a Task causes, and the Task with the hub's own finer step in it.

    Args:
        before: the Task as stored, or None for a new one.
        body: the Task as it is to be.
        columns: its columns.
        row_id: its row id.
        author: the organisation that authored it; ``mover`` the one that moves it now.
        draft: the Change in the making.
        judge: the gate.

    Raises:
        InvalidResource: a Task leaves draft without an owner, a person or a request (422).
        ConsentMissing, ConsentEnded, ConsentRefused: told to the custodian of the person's consents only (422).
    """
    working = draft.working
    status = str(body.get("status"))
    was = str(before.get("status")) if before else ("draft" if status == "requested" else status)
    owner = working.organization(columns.owner) if columns.owner else None
    person = working.row(columns.person)
    nameless = person is not None and person.kind == "no-name"
    leaving = was == "draft" and status == "requested"
    hosting = hosting_of(body, owner, draft.own_bases)
    if leaving:
        _check_leaving(body, columns, owner, author=author, own_bases=draft.own_bases)
    internal = columns.owner in ("", author)
    coverage = Coverage("none")
    opened = False
    if not internal and owner is not None:
        opened = any(a.organization == columns.owner for a in working.accesses_of_task(row_id))
        if person is not None and not nameless:
            coverage = judge.coverage(owner, person.row_id, working, draft.at_us)
    uncovered = leaving and not internal and not nameless and not coverage.live
    custodian = person is not None and person.author == author
    if uncovered and custodian and columns.focus is not None and hosting != "source":
        kind, text = _MISSING[coverage.reason]
        raise kind(text, "Task.owner")
    facts = ReferralFacts(
        before=was,
        after=status,
        business_before=business_status_of(before) if before else "",
        business_after=business_status_of(body),
        at_us=draft.at_us,
        by_owner=mover == columns.owner and not internal,
        internal=internal,
        live_release=coverage.live and columns.focus is not None,
        nameless=nameless and columns.focus is not None,
        immediate=coverage.live and coverage.identity and asks_immediate_identity(body),
        opened=opened,
        due_us=_due_us(body),
        permit_end_us=coverage.until_us if coverage.live else None,
        hosting=hosting,
        child=is_child(body, author, draft),
    )
    found = consequences(facts)
    for consequence in found:
        if isinstance(consequence, SetBusinessStatus):
            body = with_business_status(body, consequence.code)
    return MovedTask(body, found, owner, nameless)


def is_child(body: dict[str, Any], author: str, draft: Draft) -> bool:
    """Tells whether the hub itself asks, on behalf of another referral here."""
    if not any(reference_text(one).startswith("Task/") for one in body.get("partOf") or ()):
        return False
    hub = draft.working.hub_organization()
    return hub is not None and author == hub.facts.id


def write_consequences(moved: MovedTask, row: ResourceRow, *, mover: str, user: str, draft: Draft) -> None:
    """Writes the rows a decided move causes, after the Task itself was laid into the Draft."""
    for consequence in moved.found:
        if isinstance(consequence, Open):
            _open(consequence, row, nameless=moved.nameless, draft=draft)
        elif isinstance(consequence, Tell):
            if moved.owner is not None and moved.owner.fhir_endpoint:
                draft.tell(row.owner, consequence.kind, row, person=row.person)
        elif isinstance(consequence, Remind):
            draft.remind(consequence.kind, row.row_id, consequence.at_us)
        elif isinstance(consequence, Fetch):
            draft.tell(row.author, "task-copy", row, person=None)
    if any(isinstance(consequence, RecordMove) for consequence in moved.found):
        step = business_status_of(moved.body)
        draft.record_move(
            row, organization=mover, user=user, activity=f"{row.status}.{step}" if step else row.status
        )


def facts_of_waiting(body: dict[str, Any], draft: Draft, *, until_us: int | None) -> ReferralFacts:
    """Gives the facts of a referral that waited for a release and goes on now."""
    end = text_at(body, "restriction.period.end")
    return ReferralFacts(
        before="requested",
        after="requested",
        business_before="awaiting-consent",
        business_after="sent",
        at_us=draft.at_us,
        by_owner=False,
        internal=False,
        live_release=True,
        nameless=False,
        immediate=False,
        opened=False,
        due_us=span(end)[1] if end else None,
        permit_end_us=until_us,
    )


def _open(consequence: Open, row: ResourceRow, *, nameless: bool, draft: Draft) -> None:
    draft.open(
        ReferralAccess(
            task=row.row_id,
            organization=row.owner,
            person=row.person,
            service_request=row.focus,
            level=consequence.level,
            until_us=consequence.until_us,
            nameless=nameless,
            accepted=consequence.accepted,
        )
    )
    draft.open(
        ReferralAccess(
            task=row.row_id,
            organization=row.author,
            person=row.person,
            service_request=row.focus,
            level="full",
            nameless=nameless,
            back=True,
            accepted=consequence.accepted or row.status in ACCEPTED_STATUSES,
        )
    )


def _check_leaving(
    body: dict[str, Any],
    columns: Columns,
    owner: OrganizationRow | None,
    *,
    author: str,
    own_bases: tuple[str, ...],
) -> None:
    issues: list[Issue] = []
    if owner is None or not owner.facts.active:
        issues.append(
            Issue(
                "error",
                "required",
                "A referral leaves draft with an owner: the Organization that is asked, as Organization/id.",
                "Task.owner",
            )
        )
    person_elsewhere = _elsewhere(body, "for", "Patient", own_bases)
    request_elsewhere = _elsewhere(body, "focus", "ServiceRequest", own_bases)
    if columns.owner != author and columns.person is None and not (person_elsewhere and request_elsewhere):
        issues.append(Issue("error", "required", "A referral says whom it is for: Patient/id.", "Task.for"))
    focus = text_at(body, "focus.reference")
    if columns.owner != author and (not focus or (is_external(focus, own_bases) and not request_elsewhere)):
        issues.append(
            Issue("error", "required", "A referral names what is asked: ServiceRequest/id.", "Task.focus")
        )
    if issues:
        raise InvalidResource(issues)


def _elsewhere(body: dict[str, Any], element: str, type_name: str, own_bases: tuple[str, ...]) -> bool:
    """Tells whether an element names a resource of this type on the source's own server."""
    text = reference_text(body.get(element))
    return is_external(text, own_bases) and parse(text).type == type_name


def _due_us(body: dict[str, Any]) -> int | None:
    end = text_at(body, "restriction.period.end")
    return span(end)[1] if end else None
