"""The hub's own operations: what can be done next, and ending one consent.

What lives here: $available-actions and $revoke. What does not: $withdraw (``exchange.withdrawing``), $disclosures
(``exchange.disclosing``), $preview (``exchange.previews``), HTTP (``web``).

Source: ``interfaces.md`` 4; ``consent.md`` 5.5; e-RS a029 (available actions).
"""

from dataclasses import dataclass
from typing import Any

from referral_hub.access.principal import Principal
from referral_hub.errors import Busy, Conflict, Forbidden, GuardFailed, NotFound
from referral_hub.exchange.audit import write_entry
from referral_hub.exchange.building import Draft, body_of
from referral_hub.exchange.change import TokenGuard
from referral_hub.exchange.consent_writing import Asking, write_rows
from referral_hub.exchange.hosting import barred_moves
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.interactions import by_token
from referral_hub.exchange.ports import Released, ResourceRow
from referral_hub.exchange.reaching import of_herself
from referral_hub.exchange.stamping import business_status_of
from referral_hub.exchange.state import Working
from referral_hub.exchange.withdrawal_words import provenance
from referral_hub.exchange.withdrawing import STRICT_TRIES, TRIES, By, may_withdraw
from referral_hub.resources.lifecycle import Actor
from referral_hub.resources.task import BUSINESS_STATUS, LIFECYCLE, STATUS_REASON


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
        actors = frozenset() if of_herself(caller) else actors_of(row, caller.organization_id)
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


@dataclass(frozen=True, slots=True)
class Revocation:
    """How a consent is ended: with or without telling the recipients now, and how she said it."""

    hold_recall: bool = False
    how: str = ""
    reason: str = ""


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
    for tried in range(TRIES):
        at_us = hub.clock()
        with hub.store.snapshot() as snapshot:
            caller = by_token(hub, token_digest)(snapshot, at_us)
            draft = Draft(Working(snapshot), hub.ids, at_us, hub.own_bases)
            row = draft.working.resource("Consent", public_id)
            patient = draft.working.row(row.person) if row is not None else None
            if row is None or patient is None or row.deleted:
                raise NotFound
            by = _ender(hub, caller, row, draft)
            if row.status in ("inactive", "rejected", "entered-in-error"):
                raise Conflict("This consent does not run any more.")
            body = {**body_of(row), "status": "inactive"}
            ended = draft.revise(row, body, written_by=caller.organization_id)
            asking = Asking(hold=revocation.hold_recall, reason=revocation.reason)
            write_rows(ended, body, draft, hub.gate, was_active=row.status == "active", asking=asking)
            how = "app" if by.herself else revocation.how
            provenance(ended, patient, draft, by=by, activity=f"withdrawn.{how}".rstrip("."))
            draft.audit.append(write_entry(caller, "update", ended, at_us))
            if tried >= STRICT_TRIES:
                draft.working.let_go()
            draft.working.guard(TokenGuard(bytes.fromhex(caller.token_key), at_us))
            change = hub.gate.admit_hub(draft, hub.ids.public_id())
            answer = hub.gate.answer(caller, ended, draft.working, at_us)
            if answer is None:
                raise NotFound
        try:
            hub.store.apply(change)
        except GuardFailed:
            continue
        return answer.released
    raise Busy("Others are changing the same record. Try again in a moment.")


def _ender(hub: Hub, caller: Principal, row: ResourceRow, draft: Draft) -> By:
    """Gives who ends a consent: the person, or the organisation that keeps it."""
    try:
        return may_withdraw(caller, row.person, (row.author, row.custodian))
    except NotFound:
        if hub.gate.sees(caller, row, draft.working, draft.at_us):
            raise Forbidden("The organisation that keeps this consent can end it.") from None
        raise
