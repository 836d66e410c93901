"""Her permissions as they stand: what the people who keep her record need to sit down with her and look at them.

What lives here: one look, in one consistent state. What does not: telling them (``casework.permissions_told``), writing
(``exchange.interactions``), ending (``exchange.withdrawing``).

Only the organisation that keeps the record is answered, and within the caller's reach; to everybody else there is
nothing. What is open is not worked out from what is read: it is asked of the same rows that open it.

Source: ``views.md`` 9 (Roles inside an organisation, Signing is off); ``consent.md`` F-26.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from referral_hub.errors import InvalidResource, NotFound
from referral_hub.exchange.audit import read_entry
from referral_hub.exchange.building import Draft, body_of
from referral_hub.exchange.consent_writing import CANNOT_SIGN_NOW
from referral_hub.exchange.contact_lost import cannot_be_asked
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.ports import ResourceRow
from referral_hub.exchange.reaching import check_staff
from referral_hub.exchange.recall_reach import receivers_of
from referral_hub.exchange.state import Working
from referral_hub.fhir.outcome import Issue
from referral_hub.resources.task import LIFECYCLE

_NO_REFERRAL = frozenset({"recall", "case-review"})


@dataclass(frozen=True, slots=True)
class PermissionFile:
    """One person's permissions, and what decides whether she can be asked now.

    Args:
        patient: her record, decoded.
        consents: her Consents that the caller's organisation wrote or keeps, decoded.
        closed: ids of units that a refusal of hers keeps out.
        signing_off: she cannot sign now.
        unreachable: contact with her is lost, or she died.
        going_on: for each unit, how many referrals to it go on.
        relatives: RelatedPersons in her record, decoded: who may sign with a child.
    """

    patient: dict[str, Any]
    consents: tuple[dict[str, Any], ...]
    closed: frozenset[str]
    signing_off: bool
    unreachable: bool
    going_on: dict[str, int]
    relatives: tuple[dict[str, Any], ...]


def permission_file(hub: Hub, token_digest: bytes, public_id: str) -> PermissionFile:
    """Gives a person's permissions to those who keep her record.

    Raises:
        NotFound: absent, or not a person of the caller's own record within its reach (404).
    """
    at_us = hub.clock()
    with hub.store.snapshot() as snapshot:
        caller = hub.identify(snapshot.token(token_digest), at_us)
        check_staff(caller)
        hub.gate.allow(caller, "Consent", "read")
        draft = Draft(Working(snapshot), hub.ids, at_us, hub.own_bases)
        working = draft.working
        row = working.resource("Patient", public_id)
        if row is None or row.deleted or row.author != caller.organization_id:
            raise NotFound
        if row.locked or not hub.gate.reaches(caller, row, working, at_us):
            raise NotFound
        consents = [
            one
            for one in snapshot.of_person(row.row_id, "Consent")
            if caller.organization_id in (one.author, one.custodian)
        ]
        bodies = tuple(body_of(one) for one in consents)
        units = {unit for body in bodies for unit in receivers_of(body)}
        newest = working.newest_observation(row.row_id, CANNOT_SIGN_NOW, row.author)
        found = PermissionFile(
            patient=body_of(row),
            consents=bodies,
            closed=frozenset(unit for unit in units if _is_closed(hub, unit, row, working, at_us)),
            signing_off=newest is not None and body_of(newest).get("valueBoolean") is True,
            unreachable=cannot_be_asked(row, draft),
            going_on=_going_on(row, draft),
            relatives=tuple(body_of(one) for one in snapshot.of_person(row.row_id, "RelatedPerson")),
        )
    entities = [f"{one.type}/{one.id}/{one.version}" for one in (row, *consents)]
    hub.store.spool((read_entry(caller, "read", row.person, entities, (), at_us, own=True),), durable=False)
    return found


def known_unit(hub: Hub, token_digest: bytes, unit: str) -> None:
    """Refuses a unit that the network does not have, or that does not work any more.

    Raises:
        InvalidResource: 422.
    """
    at_us = hub.clock()
    with hub.store.snapshot() as snapshot:
        hub.identify(snapshot.token(token_digest), at_us)
        found = snapshot.organization(unit) if unit else None
    if found is None or not found.facts.active:
        place = "Consent.provision.actor"
        raise InvalidResource([Issue("error", "not-found", "Choose an organisation of this network.", place)])


def _is_closed(hub: Hub, unit: str, person: ResourceRow, working: Working, at_us: int) -> bool:
    """Tells whether her refusal keeps a unit out, whatever she allowed it."""
    owner = working.organization(unit)
    if owner is None:
        return False
    return hub.gate.coverage(owner, person.row_id, working, at_us).reason == "refused"


def _going_on(person: ResourceRow, draft: Draft) -> dict[str, int]:
    """Gives for each unit how many referrals to it go on; stopping what it is told ends none of them."""
    found: dict[str, int] = {}
    tasks: Sequence[ResourceRow] = draft.working.tasks_of_person(person.row_id)
    for task in tasks:
        if (
            task.status in LIFECYCLE.live
            and task.kind not in _NO_REFERRAL
            and not task.deleted
            and task.owner
        ):
            found[task.owner] = found.get(task.owner, 0) + 1
    return found
