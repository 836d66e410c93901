"""$preview: what a named recipient would see, byte for byte, made by the same filter that serves the data.

What lives here: supposing a state (requested or accepted, a consent not yet signed) and asking the gate. What
does not: the filter (``exchange.gate``). Nothing is stored but the audit line.

Source: ``views.md`` 9 ($preview); ``mission.md`` 5, point 3.
"""

from dataclasses import dataclass
from typing import Any, Literal

from referral_hub.access.grants import compile_rows
from referral_hub.access.principal import Principal, refusal_targets
from referral_hub.access.provisions import compile_consent
from referral_hub.access.rows import ReferralAccess
from referral_hub.errors import InvalidResource, NotFound
from referral_hub.exchange.audit import read_entry
from referral_hub.exchange.building import Draft, body_of
from referral_hub.exchange.change import ConsentRows
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.ports import OrganizationRow, ResourceRow, Snapshot
from referral_hub.exchange.proposal import Proposal
from referral_hub.exchange.reaching import check_staff
from referral_hub.exchange.state import Working
from referral_hub.fhir.outcome import Issue
from referral_hub.resources.catalog import DEFINITIONS

_NOT_SHOWN = frozenset({"Task", "ServiceRequest", "Patient", "Consent", "Provenance", "AuditEvent"})
_SUPPOSED_TASK = -1


@dataclass(frozen=True, slots=True)
class Supposition:
    """What is supposed: who receives, in which state, under which consent (empty: those that run now)."""

    service_request: str
    recipient: str
    state: Literal["requested", "accepted"]
    consent: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """One resource as the recipient would see it: its relative address and the bytes."""

    reference: str
    body: bytes


def preview(hub: Hub, token_digest: bytes, supposed: Supposition) -> list[Shown]:
    """Gives what the recipient would see of a request, its person and what the release covers.

    Raises:
        NotFound: the request is not the caller's own (404).
        InvalidResource: the recipient or the consent cannot be supposed (422).
    """
    at_us = hub.clock()
    with hub.store.snapshot() as snapshot:
        caller = hub.identify(snapshot.token(token_digest), at_us)
        check_staff(caller)
        hub.gate.allow(caller, "ServiceRequest", "read")
        draft = Draft(Working(snapshot), hub.ids, at_us, hub.own_bases)
        request = draft.working.resource("ServiceRequest", supposed.service_request)
        if request is None or request.deleted or request.author != caller.organization_id:
            raise NotFound
        if not hub.gate.reaches(caller, request, draft.working, at_us):
            raise NotFound
        receiver = draft.working.organization(supposed.recipient)
        if receiver is None:
            raise InvalidResource(
                [
                    Issue(
                        "error",
                        "not-found",
                        "Name the recipient as Organization/id.",
                        "Parameters.parameter[recipient]",
                    )
                ]
            )
        if supposed.consent:
            _suppose_consent(hub, draft, supposed.consent, caller)
        _suppose_access(draft, request, receiver, supposed.state)
        shown = _shown(hub, snapshot, draft, request, receiver, at_us, accepted=supposed.state == "accepted")
        person = request.person
    entry = read_entry(
        caller, "preview", person, (f"ServiceRequest/{request.id}/{request.version}",), (), at_us
    )
    hub.store.spool((entry,), durable=False)
    return shown


def preview_unsent(
    hub: Hub,
    token_digest: bytes,
    request: dict[str, Any],
    recipient: str,
    consent: dict[str, Any] | None,
) -> tuple[list[Shown], list[Shown]]:
    """Gives what the recipient of a request that was not written yet would see: now, and once it said yes.

    Everything is admitted as if it were written, by the same rules, and then let go; nothing is stored but the line
    of the audit.

    Args:
        hub: store, gate and clock.
        token_digest: of the caller's token.
        request: the ServiceRequest as it would be written.
        recipient: organisation id.
        consent: a release as it would be signed; None for those that run now.

    Raises:
        NotFound: the person is not the caller's own (404).
        InvalidResource: the request or the consent could not be written like this (422).
    """
    at_us = hub.clock()
    with hub.store.snapshot() as snapshot:
        caller = hub.identify(snapshot.token(token_digest), at_us)
        check_staff(caller)
        made = []
        for accepted in (False, True):
            draft = Draft(Working(snapshot), hub.ids, at_us, hub.own_bases)
            row = hub.gate.admit(caller, Proposal("create", "ServiceRequest", body=request), draft).row
            receiver = draft.working.organization(recipient)
            if receiver is None:
                raise NotFound
            if consent is not None:
                written = hub.gate.admit(caller, Proposal("create", "Consent", body=consent), draft).row
                _compile_as_active(draft, written, caller)
            _suppose_access(draft, row, receiver, "accepted" if accepted else "requested")
            made.append(_shown(hub, snapshot, draft, row, receiver, at_us, accepted=accepted))
        person = row.person
    hub.store.spool((read_entry(caller, "preview", person, (), (), at_us),), durable=False)
    return made[0], made[1]


def _suppose_consent(hub: Hub, draft: Draft, consent_id: str, caller: Principal) -> None:
    row = draft.working.resource("Consent", consent_id)
    if row is None or row.author != caller.organization_id or row.person is None:
        raise NotFound
    if not hub.gate.reaches(caller, row, draft.working, draft.at_us):
        raise NotFound
    if row.status not in ("draft", "proposed", "active"):
        raise InvalidResource(
            [
                Issue(
                    "error",
                    "business-rule",
                    "A consent that ended cannot be supposed.",
                    "Parameters.parameter[consent]",
                )
            ]
        )
    _compile_as_active(draft, row, caller)


def _compile_as_active(draft: Draft, row: ResourceRow, caller: Principal) -> None:
    if row.person is None:
        raise NotFound
    body = {**body_of(row), "status": "active"}
    active = draft.revise(row, body, written_by=caller.organization_id)
    compiled = compile_consent(active.id, active.version, body, authored=True)
    grants, refusals, exceptions = compile_rows(compiled, consent_row=row.row_id, person=row.person)
    draft.compile(ConsentRows(row.row_id, row.person, grants, refusals, exceptions))


def _suppose_access(draft: Draft, request: ResourceRow, receiver: OrganizationRow, state: str) -> None:
    person = draft.working.row(request.person)
    accepted = state == "accepted"
    draft.open(
        ReferralAccess(
            task=_SUPPOSED_TASK,
            organization=receiver.facts.id,
            person=request.person,
            service_request=request.row_id,
            level="full" if accepted else "notice",
            nameless=person is not None and person.kind == "no-name",
            accepted=accepted,
        )
    )


def _shown(
    hub: Hub,
    snapshot: Snapshot,
    draft: Draft,
    request: ResourceRow,
    receiver: OrganizationRow,
    at_us: int,
    *,
    accepted: bool,
) -> list[Shown]:
    working = draft.working
    rows = [request]
    patient = working.row(request.person)
    if patient is not None:
        rows.append(patient)
        if accepted:
            for type_name, definition in DEFINITIONS.items():
                if definition.about_person and type_name not in _NOT_SHOWN:
                    rows.extend(snapshot.of_person(patient.row_id, type_name))
    targets = refusal_targets(receiver.facts)
    standing = (
        working.standing(request.person, receiver.facts.id, targets) if request.person is not None else None
    )
    purposes = sorted({grant.purpose for grant in standing.grants}) if standing else []
    found: list[Shown] = []
    for row in rows:
        for purpose in purposes or [""]:
            body = hub.gate.preview(receiver, row, working, purpose, at_us)
            if body is not None:
                found.append(Shown(f"{row.type}/{row.id}", body))
                break
    return found
