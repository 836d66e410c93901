"""Reading one resource as it is now.

What lives here: the walk of a read. What does not: whether it may leave (``exchange.gate``), versions
(``exchange.histories``), search (``exchange.search``), HTTP (``web``).

Source: FHIR R4 http.html#read; ``engine.md`` 2; ``views.md`` 5.
"""

from referral_hub.access.principal import Principal
from referral_hub.errors import Busy, Gone, NotFound
from referral_hub.exchange.audit import read_entry, refusal_entry
from referral_hub.exchange.audit_events import read_event
from referral_hub.exchange.gate import Outcome
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.looking import LazyLook
from referral_hub.exchange.ports import ResourceRow
from referral_hub.exchange.state import Working
from referral_hub.resources.catalog import DEFINITIONS

TRIES = 5


def read(hub: Hub, token_digest: bytes, type_name: str, public_id: str) -> Outcome:
    """Gives one resource as this caller may have it now.

    Args:
        hub: store, gate and clock.
        token_digest: SHA-256 of the access token.
        type_name: a served type.
        public_id: the id in the address.

    Raises:
        Unauthenticated: no live token (401).
        InsufficientScope, Forbidden: facts of the caller alone (403).
        Gone: the caller's own organisation deleted it (410).
        NotFound: absent, or not for this caller: the same bytes (404).
    """
    if type_name == "AuditEvent":
        return Outcome(read_event(hub, token_digest, public_id), (), own=True, discloses=False)
    for _ in range(TRIES):
        at_us = hub.clock()
        answer = hub.store.read(type_name, public_id, token_digest)
        caller = hub.identify(answer.token, at_us)
        hub.gate.allow(caller, type_name, "read")
        row = answer.resource
        with LazyLook(hub.store, known=answer.beside, of=row, assigned=answer.assigned) as look:
            found = None
            if row is not None:
                found = hub.gate.release(caller, row, answer.standing, look, at_us)
            if answer.standing is not None and look.moved_on((answer.standing,)):
                continue
        if found is None or row is None:
            record_absence(hub, caller, type_name, row, at_us)
            if row is not None and row.deleted and deleted_by(hub, caller, row, at_us):
                raise Gone
            raise NotFound
        entity = f"{row.type}/{row.id}/{row.version}"
        entry = read_entry(
            caller, "read", row.person, (entity,), found.consents, at_us, own=not found.discloses
        )
        hub.store.spool((entry,), durable=not found.own and row.person is not None)
        return found
    raise Busy("Her permissions are changing right now. Try again in a moment.")


def record_absence(hub: Hub, caller: Principal, type_name: str, row: ResourceRow | None, at_us: int) -> None:
    """Leaves the line of an attempt; written the same way whether or not anything is there."""
    person = row.person if row is not None else None
    hub.store.spool(
        (refusal_entry(caller, "read", person, caller.organization_id, type_name, at_us),), durable=False
    )


def deleted_by(hub: Hub, caller: Principal, row: ResourceRow, at_us: int) -> bool:
    """Tells whether a caller may know that a row was deleted: its organisation did it, within the caller's reach."""
    if row.author != caller.organization_id:
        return False
    if caller.reach is None:
        return True
    with hub.store.snapshot() as snapshot:
        return hub.gate.reaches(caller, row, Working(snapshot), at_us)


def served(type_name: str) -> bool:
    """Tells whether the hub serves a type.

    >>> served("Task"), served("Claim")
    (True, False)
    """
    return type_name in DEFINITIONS
