"""AuditEvents: rendered from the audit rows for the custodian of a person, never stored twice.

What lives here: which lines a read or a search names. What does not: what a line looks like
(``exchange.audit_patterns``), the rows (``store.audit_rows``), who may have them (``exchange.gate``).

The id of an event holds the person's id and a digest of the line, so that it can be read again.

Source: FHIR R4 AuditEvent; ``engine.md`` 3.
"""

from collections.abc import Sequence
from hashlib import sha256

from referral_hub.access.principal import Principal
from referral_hub.errors import InvalidParameter, NotFound
from referral_hub.exchange.audit_patterns import audit_event
from referral_hub.exchange.change import AuditEntry
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.ports import Released
from referral_hub.exchange.state import Working
from referral_hub.fhir.index_values import DateValue
from referral_hub.fhir.search_match import date_meets
from referral_hub.fhir.search_query import DateTerm, Query, ReferenceTerm

MOST = 500


def event_id(patient: str, entry: AuditEntry) -> str:
    """Gives the id of a line about a person: the person's id, a dot, 16 digits of a digest."""
    line = repr(
        (
            entry.at_us,
            entry.organization,
            entry.oauth_client,
            entry.interaction,
            entry.outcome,
            entry.entities,
        )
    )
    return f"{patient}.{sha256(line.encode()).hexdigest()[:16]}"


def patient_of(public_id: str) -> str:
    """Gives the id of the person an event id names.

    >>> patient_of("a1.0123456789abcdef")
    'a1'
    """
    return public_id.rpartition(".")[0]


def rendered(hub: Hub, patient: str, entry: AuditEntry, network: str) -> Released:
    """Gives one line as the AuditEvent that leaves; the caller has shown that the person is its own.

    Args:
        hub: gate and addresses.
        patient: the person's public id.
        entry: the line.
        network: the network's own organisation id.
    """
    event = audit_event(patient, entry, network, hub.own_bases[0])
    return hub.gate.release_audit({**event, "id": event_id(patient, entry)}, entry)


def asked_patient(query: Query) -> str:
    """Gives the id of the person a search is about.

    Raises:
        InvalidParameter: it names none: an audit is asked for one person (400).
    """
    for criterion in query.criteria:
        if criterion.parameter.code == "patient" and not criterion.modifier and len(criterion.terms) == 1:
            term = criterion.terms[0]
            if isinstance(term, ReferenceTerm) and term.id:
                return term.id
    raise InvalidParameter("patient", "The audit is asked for one person: patient=Patient/id.")


def within(entries: Sequence[AuditEntry], query: Query) -> list[AuditEntry]:
    """Gives the lines a search names, newest first, at most ``MOST``."""
    found = list(entries)
    for criterion in query.criteria:
        if criterion.parameter.code != "date":
            continue
        spans = [term for term in criterion.terms if isinstance(term, DateTerm)]
        found = [
            e
            for e in found
            if any(date_meets(s.prefix, s.low_us, s.high_us, DateValue(e.at_us, e.at_us + 1)) for s in spans)
        ]
    return sorted(found, key=lambda entry: -entry.at_us)[: min(query.count or MOST, MOST)]


def events_of(
    hub: Hub, token_digest: bytes, patient: str, interaction: str
) -> tuple[Principal, list[AuditEntry]]:
    """Gives the caller and the lines about one of its own persons; none where the person is not its own."""
    at_us = hub.clock()
    hub.store.settle(at_us)
    with hub.store.snapshot() as snapshot:
        caller = hub.identify(snapshot.token(token_digest), at_us)
        hub.gate.allow(caller, "AuditEvent", interaction)
        row = snapshot.resource("Patient", patient)
        if row is None or row.author != caller.organization_id:
            return caller, []
        if not hub.gate.reaches(caller, row, Working(snapshot), at_us):
            return caller, []
        return caller, snapshot.disclosures(row.row_id)


def search_events(hub: Hub, token_digest: bytes, query: Query) -> list[Released]:
    """Gives the AuditEvents a search names, newest first: of the caller's own persons only.

    Raises:
        InvalidParameter: it names no person (400).
    """
    patient = asked_patient(query)
    _, entries = events_of(hub, token_digest, patient, "search")
    network = _network(hub)
    return [rendered(hub, patient, entry, network) for entry in within(entries, query)]


def read_event(hub: Hub, token_digest: bytes, public_id: str) -> Released:
    """Gives one AuditEvent of one of the caller's own persons.

    Raises:
        NotFound: absent, or not of the caller's own person (404).
    """
    patient = patient_of(public_id)
    _, entries = events_of(hub, token_digest, patient, "read")
    for entry in entries:
        if event_id(patient, entry) == public_id:
            return rendered(hub, patient, entry, _network(hub))
    raise NotFound


def _network(hub: Hub) -> str:
    with hub.store.snapshot() as snapshot:
        found = snapshot.hub_organization()
    return found.facts.id if found is not None else ""
