"""The interactions that read one resource: read, vread, history-instance.

What lives here: the walk of a read. What does not: whether it may leave (``exchange.gate``), search
(``exchange.search``), HTTP (``web``).

Source: FHIR R4 http.html#read, #vread, #history; ``engine.md`` 2; ``views.md`` 5.
"""

from dataclasses import dataclass

from referral_hub.access.principal import Principal
from referral_hub.errors import Busy, NotFound
from referral_hub.exchange.audit import read_entry, refusal_entry
from referral_hub.exchange.audit_events import read_event
from referral_hub.exchange.gate import Outcome
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.looking import LazyLook
from referral_hub.exchange.ports import Released, ResourceRow, Standing
from referral_hub.resources.catalog import DEFINITIONS

TRIES = 5


@dataclass(frozen=True, slots=True)
class Version:
    """One entry of a history: the body as the caller may have it, and how it came about."""

    released: Released
    method: str
    status: str


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
        with LazyLook(hub.store) as look:
            found = None
            if row is not None:
                found = hub.gate.release(caller, row, answer.standing, look, at_us)
            if answer.standing is not None and look.moved_on((answer.standing,)):
                continue
        if found is None or row is None:
            _record_absence(hub, caller, type_name, row, at_us)
            raise NotFound
        entity = f"{row.type}/{row.id}/{row.version}"
        entry = read_entry(
            caller, "read", row.person, (entity,), found.consents, at_us, own=not found.discloses
        )
        hub.store.spool((entry,), durable=not found.own and row.person is not None)
        return found
    raise Busy("Her permissions are changing right now. Try again in a moment.")


def vread(hub: Hub, token_digest: bytes, type_name: str, public_id: str, version: str) -> Outcome:
    """Gives one version as this caller may have it now.

    The author's organisation has every version; others have a Task since it was requested, in the view of now,
    and anything else only as current.

    Raises:
        NotFound: absent, or not for this caller (404).
    """
    _, versions = _versions(hub, token_digest, type_name, public_id, "read")
    for released, row in versions:
        if row.version == version:
            return released
    raise NotFound


def history(hub: Hub, token_digest: bytes, type_name: str, public_id: str) -> list[Version]:
    """Gives the versions this caller may have, newest first.

    Raises:
        NotFound: absent, or not for this caller (404).
    """
    _, versions = _versions(hub, token_digest, type_name, public_id, "read")
    if not versions:
        raise NotFound
    return [
        Version(outcome.released, row.method, "201 Created" if row.number == 1 else "200 OK")
        for outcome, row in versions
    ]


def _versions(
    hub: Hub, token_digest: bytes, type_name: str, public_id: str, interaction: str
) -> tuple[Principal, list[tuple[Outcome, ResourceRow]]]:
    at_us = hub.clock()
    with hub.store.snapshot() as snapshot:
        caller = hub.identify(snapshot.token(token_digest), at_us)
        hub.gate.allow(caller, type_name, interaction)
        current = snapshot.resource(type_name, public_id)
        if current is None:
            _record_absence(hub, caller, type_name, None, at_us)
            raise NotFound
        standing = None
        if current.person is not None:
            standing = snapshot.standing(current.person, caller.organization_id, caller.refusal_targets)
        own = current.author == caller.organization_id
        if own:
            rows = snapshot.versions(current.row_id)
        elif hub.gate.release(caller, current, standing, snapshot, at_us) is None:
            rows = []
        elif type_name == "Task":
            rows = [row for row in snapshot.versions(current.row_id) if row.status != "draft"]
        else:
            rows = [current]
        found = []
        for row in rows:
            if row.deleted:
                continue
            outcome = hub.gate.release(caller, row, standing, snapshot, at_us)
            if outcome is not None:
                found.append((outcome, row))
    if not found:
        _record_absence(hub, caller, type_name, current, at_us)
        raise NotFound
    if _moved_on(hub, current, standing):
        raise Busy("Her permissions are changing right now. Try again in a moment.")
    entry = read_entry(
        caller,
        "history-instance",
        current.person,
        [f"{row.type}/{row.id}/{row.version}" for _, row in found],
        [consent for outcome, _ in found for consent in outcome.consents],
        at_us,
        own=not any(outcome.discloses for outcome, _ in found),
    )
    hub.store.spool((entry,), durable=not own and current.person is not None)
    return caller, found


def _moved_on(hub: Hub, row: ResourceRow | None, standing: Standing | None) -> bool:
    if row is None or row.person is None or standing is None:
        return False
    return hub.store.epoch(row.person) != standing.epoch


def _record_absence(hub: Hub, caller: Principal, type_name: str, row: ResourceRow | None, at_us: int) -> None:
    """Leaves the line of an attempt; written the same way whether or not anything is there."""
    person = row.person if row is not None else None
    hub.store.spool(
        (refusal_entry(caller, "read", person, caller.organization_id, type_name, at_us),), durable=False
    )


def served(type_name: str) -> bool:
    """Tells whether the hub serves a type.

    >>> served("Task"), served("Claim")
    (True, False)
    """
    return type_name in DEFINITIONS
