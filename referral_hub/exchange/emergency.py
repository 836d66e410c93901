"""Opening a record in an emergency: what she allowed beforehand, a stated reason, an alarm, and a look afterwards.

What lives here: the operation of a clinic, and what her own organisation has on its desk afterwards. What does not:
what such a permission may name (``access.emergency``), the view (``exchange.gate``), the review
(``exchange.deciding``).

Nothing stays open: the findings come in the answer itself, and there is no second answer without a second reason. A
record that may not be opened and one that is not there are answered alike, and nothing ever says that more exists.
In danger of life people telephone.

Source: ``consent.md`` section 0 point 7, P-08 to P-10; ``practice.md`` 1.
"""

from referral_hub.access.emergency import (
    EMERGENCY,
    EMERGENCY_CATEGORIES,
    EMERGENCY_KINDS,
    EMERGENCY_TYPES,
)
from referral_hub.access.principal import Principal
from referral_hub.errors import Busy, Forbidden, GuardFailed, InsufficientScope, NotFound
from referral_hub.exchange.audit import DONE, REFUSED
from referral_hub.exchange.building import Draft
from referral_hub.exchange.change import AuditEntry, TokenGuard
from referral_hub.exchange.desks import Part, lay_out
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.interactions import TRIES
from referral_hub.exchange.outcomes import Outcome
from referral_hub.exchange.ports import Released, ResourceRow, Snapshot
from referral_hub.exchange.reaching import check_working
from referral_hub.exchange.state import Working

REVIEW_US = 24 * 3600 * 1_000_000
REVIEW_DUE = "emergency-review-due"
KIND = "emergency-opening"


def open_in_emergency(hub: Hub, token_digest: bytes, public_id: str, reason: str) -> list[Released]:
    """Gives the clinical findings of a person that she allowed for an emergency, once.

    Args:
        hub: store, gate and clock.
        token_digest: SHA-256 of the access token, whose purpose is emergency.
        public_id: of the Patient.
        reason: why, in the words of whoever opens it; her organisation and she herself read it.

    Raises:
        Forbidden: facts of the caller alone: no clinic, another purpose, nobody who answers for it (403).
        InsufficientScope: the token names no Patient.r (403).
        NotFound: absent, or not allowed by her (404).
    """
    for _ in range(TRIES):
        at_us = hub.clock()
        with hub.store.snapshot() as snapshot:
            caller = hub.identify(snapshot.token(token_digest), at_us)
            _check_caller(caller)
            draft = Draft(Working(snapshot), hub.ids, at_us, hub.own_bases)
            row = draft.working.resource("Patient", public_id)
            found = [] if row is None or row.deleted else _findings(hub, caller, row, snapshot, draft)
            if row is None or not found:
                _record_attempt(hub, caller, row, at_us)
                raise NotFound
            entities = tuple(f"{one.type}/{one.id}/{one.version}" for one, _ in found)
            consents = sorted({consent for _, outcome in found for consent in outcome.consents})
            draft.audit.append(_line(caller, row, at_us, DONE, reason, entities, consents))
            task = lay_out(
                KIND,
                draft,
                custodian=row.author,
                person=row,
                parts=_parts(caller, reason, [one for one, _ in found]),
                until_us=at_us + REVIEW_US,
            )
            draft.remind(REVIEW_DUE, task.row_id, at_us + REVIEW_US)
            draft.audit.append(_alarm(task, row.author, at_us))
            draft.working.guard(TokenGuard(bytes.fromhex(caller.token_key), at_us))
            change = hub.gate.admit_hub(draft, hub.ids.public_id())
        try:
            hub.store.apply(change)
        except GuardFailed:
            continue
        return [outcome.released for _, outcome in found]
    raise Busy("Her permissions are changing right now. Try again in a moment.")


def _check_caller(caller: Principal) -> None:
    check_working(caller)
    if not caller.organization.active or caller.organization.kind not in EMERGENCY_KINDS:
        raise Forbidden("Clinics open a record in an emergency. In danger of life, telephone.")
    if caller.purpose != EMERGENCY or caller.context == "patient" or caller.binding is not None:
        raise Forbidden(f"This takes a token for the purpose {EMERGENCY}.")
    if not (caller.account or caller.user):
        raise Forbidden("Say who opens it: sign in, or name the member of staff in the assertion.")
    if not caller.covers("Patient", "r"):
        raise InsufficientScope("The token's scope does not open Patient.r. Ask for a token that names it.")


def _findings(
    hub: Hub, caller: Principal, row: ResourceRow, snapshot: Snapshot, draft: Draft
) -> list[tuple[ResourceRow, Outcome]]:
    """Gives the clinical rows that her permission for emergencies opens to this clinic, as it may have them."""
    if caller.person not in (None, row.row_id):
        return []
    found = []
    for type_name in sorted(EMERGENCY_TYPES):
        for one in snapshot.of_person(row.row_id, type_name):
            if one.category not in EMERGENCY_CATEGORIES or one.never_release or one.deleted:
                continue
            outcome = hub.gate.in_emergency(caller, one, draft.working, draft.at_us)
            if outcome is not None:
                found.append((one, outcome))
    return found


def _parts(caller: Principal, reason: str, opened: list[ResourceRow]) -> list[Part]:
    recipient = {"reference": f"Organization/{caller.organization_id}"}
    return [
        ("recorded-by", {"valueString": caller.account or caller.user}),
        ("recipient", {"valueReference": recipient}),
        ("reason", {"valueString": reason}),
        *(("opened", {"valueReference": {"reference": f"{one.type}/{one.id}"}}) for one in opened),
    ]


def _line(
    caller: Principal,
    row: ResourceRow | None,
    at_us: int,
    outcome: int,
    reason: str,
    entities: tuple[str, ...] = (),
    consents: list[tuple[str, str]] | None = None,
) -> AuditEntry:
    return AuditEntry(
        at_us=at_us,
        action="R" if outcome == DONE else "E",
        interaction=KIND,
        outcome=outcome,
        organization=caller.organization_id,
        oauth_client=caller.oauth_client,
        user=caller.user or caller.account,
        purpose=EMERGENCY,
        person=row.person if row is not None else None,
        entities=entities,
        consents=tuple(f"{consent}/{version}" for consent, version in consents or ()),
        recipient=caller.organization_id,
        reason=reason,
    )


def _alarm(task: ResourceRow, custodian: str, at_us: int) -> AuditEntry:
    """Gives the line that asks her own organisation to look at once; it carries a code and no words."""
    return AuditEntry(
        at_us=at_us,
        action="E",
        interaction="alert",
        outcome=DONE,
        organization=custodian,
        oauth_client="",
        user="",
        purpose="",
        person=task.person,
        entities=(f"{task.type}/{task.id}/{task.version}",),
        reason=KIND,
    )


def _record_attempt(hub: Hub, caller: Principal, row: ResourceRow | None, at_us: int) -> None:
    """Leaves the line of an attempt, the same way whether or not anything is there (P-10)."""
    entry = _line(caller, row, at_us, REFUSED, "not-allowed")
    hub.store.apply(hub.gate.admit_record(hub.ids.public_id(), (entry,)))
