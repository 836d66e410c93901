"""The hub's own operations: what can be done next, ending a consent, who saw what.

What lives here: $available-actions, $revoke, $disclosures. What does not: $preview (``exchange.previews``),
HTTP (``web``).

Source: ``interfaces.md`` 4; ``consent.md`` 5.5; e-RS a029 (available actions).
"""

from dataclasses import dataclass
from typing import Any

from referral_hub.access.principal import Principal
from referral_hub.errors import Busy, Conflict, Forbidden, GuardFailed, NotFound
from referral_hub.exchange.audit import DONE, FAILED, REFUSED, write_entry
from referral_hub.exchange.building import Draft, body_of
from referral_hub.exchange.change import AuditEntry
from referral_hub.exchange.consent_writing import write_rows
from referral_hub.exchange.hosting import barred_moves
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.interactions import TRIES, by_token
from referral_hub.exchange.ports import Released, ResourceRow
from referral_hub.exchange.stamping import business_status_of
from referral_hub.exchange.state import Working
from referral_hub.fhir.dates import instant
from referral_hub.fhir.elements import code_in, coded_value
from referral_hub.resources.lifecycle import Actor
from referral_hub.resources.task import BUSINESS_STATUS, LIFECYCLE, OUTPUT_TYPE, STATUS_REASON


def available_actions(hub: Hub, token_digest: bytes, public_id: str) -> dict[str, Any]:
    """Gives the moves this caller may make of a Task now, as Parameters.

    Raises:
        NotFound: absent, or not for this caller (404).
    """
    at_us = hub.clock()
    with hub.store.snapshot() as snapshot:
        caller = hub.identify(snapshot.token(token_digest), at_us)
        hub.gate.allow(caller, "Task", "read")
        working = Working(snapshot)
        row = working.resource("Task", public_id)
        if row is None or not hub.gate.sees(caller, row, working, at_us):
            raise NotFound
        actors = actors_of(row, caller.organization_id)
        barred = barred_moves(row, working)
        before = business_status_of(body_of(row))
    parameters: list[dict[str, Any]] = []
    for edge in LIFECYCLE.table:
        if edge.source != row.status or not edge.actors & actors or edge.target in barred:
            continue
        parts: list[dict[str, Any]] = [{"name": "status", "valueCode": edge.target}]
        parts += [
            {"name": "reason", "valueCoding": {"system": STATUS_REASON, "code": reason}}
            for reason in sorted(edge.reasons)
        ]
        parts += [
            {"name": "business-status", "valueCoding": {"system": BUSINESS_STATUS, "code": step}}
            for step in sorted(edge.business)
        ]
        parameters.append({"name": "action", "part": parts})
    for step in LIFECYCLE.steps_for(row.status, before, actors):
        parameters.append(
            {
                "name": "action",
                "part": [
                    {"name": "status", "valueCode": row.status},
                    {"name": "business-status", "valueCoding": {"system": BUSINESS_STATUS, "code": step}},
                ],
            }
        )
    return (
        {"resourceType": "Parameters", "parameter": parameters}
        if parameters
        else {"resourceType": "Parameters"}
    )


def actors_of(row: ResourceRow, organization: str) -> frozenset[Actor]:
    """Gives which parts an organisation plays in a Task."""
    found: set[Actor] = set()
    if row.author == organization:
        found.add("requester")
    if row.owner == organization:
        found.add("owner")
    return frozenset(found)


_OUTCOMES = {DONE: "disclosed", REFUSED: "refused", FAILED: "failed"}


@dataclass(frozen=True, slots=True)
class Revocation:
    """How a consent is ended: with or without telling the recipients now, and how she said it."""

    hold_recall: bool = False
    how: str = ""


def revoke(hub: Hub, token_digest: bytes, public_id: str, revocation: Revocation) -> Released:
    """Ends a consent now; nothing else of it is judged, so this always goes through.

    It waits for nothing but its own commit: who read a moment ago, and whose line is not in the database yet, is
    asked to stop by a timer of the same commit (``exchange.consent_writing``).

    Raises:
        NotFound: absent, or not for this caller (404).
        Forbidden: only the organisation that keeps the consent can end it (403).
        Conflict: it does not run (409).

    Source: ``consent.md`` 5.5 D-30 to D-41 as corrected by ``views.md`` 8; FAST ``$revokeConsent``.
    """
    for _ in range(TRIES):
        at_us = hub.clock()
        with hub.store.snapshot() as snapshot:
            caller = by_token(hub, token_digest)(snapshot, at_us)
            hub.gate.allow(caller, "Consent", "update")
            draft = Draft(Working(snapshot), hub.ids, at_us, hub.own_bases)
            row = draft.working.resource("Consent", public_id)
            if row is None or not hub.gate.sees(caller, row, draft.working, at_us):
                raise NotFound
            if row.author != caller.organization_id and row.custodian != caller.organization_id:
                raise Forbidden("The organisation that keeps this consent can end it.")
            if row.status in ("inactive", "rejected", "entered-in-error"):
                raise Conflict("This consent does not run any more.")
            body = {**body_of(row), "status": "inactive"}
            ended = draft.revise(row, body, written_by=caller.organization_id)
            write_rows(
                ended,
                body,
                draft,
                hub.gate,
                was_active=row.status == "active",
                hold_recall=revocation.hold_recall,
            )
            draft.record_move(
                ended,
                organization=caller.organization_id,
                user=caller.user,
                activity=f"withdrawn.{revocation.how}".rstrip("."),
            )
            draft.audit.append(write_entry(caller, "update", ended, at_us))
            change = hub.gate.seal(caller, draft, hub.ids.public_id())
            answer = hub.gate.answer(caller, ended, draft.working, at_us)
        try:
            hub.store.apply(change)
        except GuardFailed:
            continue
        if answer is None:
            raise NotFound
        return answer.released
    raise Busy("Others are changing the same record. Try again in a moment.")


def disclosures(hub: Hub, token_digest: bytes, public_id: str) -> dict[str, Any]:
    """Gives who received what of a person's record, who was refused, and recall answers, as Parameters.

    Raises:
        NotFound: absent, or not the caller's own person (404).

    Source: ``interfaces.md`` 4; ``views.md`` 9 (Her own acts); FAST Consent ``sharing.md``.
    """
    at_us = hub.clock()
    hub.store.settle(at_us)
    with hub.store.snapshot() as snapshot:
        caller = hub.identify(snapshot.token(token_digest), at_us)
        hub.gate.allow(caller, "Patient", "read")
        row = snapshot.resource("Patient", public_id)
        if row is None or row.deleted or row.author != caller.organization_id:
            raise NotFound
        entries = snapshot.disclosures(row.row_id)
        recalls = [task for task in snapshot.of_person(row.row_id, "Task") if task.kind == "recall"]
    parameter = [_disclosure(entry) for entry in entries if _tells(entry, caller)]
    parameter += [_recall(task) for task in recalls]
    return (
        {"resourceType": "Parameters", "parameter": parameter}
        if parameter
        else {"resourceType": "Parameters"}
    )


def _tells(entry: AuditEntry, caller: Principal) -> bool:
    return entry.recipient not in ("", caller.organization_id) or entry.outcome != 0


def _disclosure(entry: AuditEntry) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [
        {"name": "when", "valueInstant": instant(entry.at_us)},
        {"name": "what", "valueCode": entry.interaction},
        {"name": "outcome", "valueCode": _OUTCOMES.get(entry.outcome, "failed")},
    ]
    if entry.recipient:
        parts.append(
            {"name": "recipient", "valueReference": {"reference": f"Organization/{entry.recipient}"}}
        )
    if entry.organization:
        parts.append({"name": "by", "valueReference": {"reference": f"Organization/{entry.organization}"}})
    if entry.purpose:
        parts.append({"name": "purpose", "valueCode": entry.purpose})
    if entry.reason:
        parts.append({"name": "reason", "valueString": entry.reason})
    parts += [{"name": "resource", "valueUri": "/".join(entity.split("/")[:2])} for entity in entry.entities]
    parts += [{"name": "consent", "valueUri": f"Consent/{text.partition('/')[0]}"} for text in entry.consents]
    return {"name": "disclosure", "part": parts}


def _recall(task: ResourceRow) -> dict[str, Any]:
    body = body_of(task)
    answer = next(
        (
            coded_value(entry)
            for entry in body.get("output") or ()
            if code_in(entry.get("type"), OUTPUT_TYPE) == "recall-answer"
        ),
        "",
    )
    parts: list[dict[str, Any]] = [
        {"name": "recipient", "valueReference": {"reference": f"Organization/{task.owner}"}},
        {"name": "status", "valueCode": task.status},
    ]
    if answer:
        parts.append({"name": "answer", "valueCode": answer})
    return {"name": "recall", "part": parts}
