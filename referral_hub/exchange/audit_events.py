"""AuditEvents: rendered from the audit rows for the custodian of a person, never stored twice.

What lives here: what one audit line looks like as FHIR, and which lines a search names. What does not: the rows
(``store.audit_rows``), who may have them (``exchange.gate``).

The id of an event holds the person's id and a digest of the line, so that it can be read again.

Source: IHE BALP 1.1 (REST patterns and PatientQuery); FHIR R4 AuditEvent; ``engine.md`` 3.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

from referral_hub.access.principal import Principal
from referral_hub.errors import InvalidParameter, NotFound
from referral_hub.exchange.change import AuditEntry
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.ports import Released
from referral_hub.fhir.canonical import ACT_REASON, code_system
from referral_hub.fhir.dates import instant
from referral_hub.fhir.index_values import DateValue
from referral_hub.fhir.search_match import date_meets
from referral_hub.fhir.search_query import DateTerm, Query, ReferenceTerm

_EVENT = "http://terminology.hl7.org/CodeSystem/audit-event-type"
_INTERACTION = "http://hl7.org/fhir/restful-interaction"
_OBJECT = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
_AGENT = "http://dicom.nema.org/resources/ontology/DCM"
_REST = frozenset({"read", "vread", "create", "update", "patch", "delete", "search-type", "history-instance"})
_OUTCOMES = {0: "0", 4: "4", 8: "8"}
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


def audit_event(patient: str, entry: AuditEntry, observer: str) -> dict[str, Any]:
    """Gives one line as an AuditEvent.

    Args:
        patient: the person's public id.
        entry: the line.
        observer: the network's own organisation id.
    """
    own = entry.interaction not in _REST
    subtype = code_system("audit-interaction") if own else _INTERACTION
    event: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "id": event_id(patient, entry),
        "type": {"system": _EVENT, "code": "rest"},
        "subtype": [{"system": subtype, "code": entry.interaction}],
        "action": entry.action,
        "recorded": instant(entry.at_us),
        "outcome": _OUTCOMES.get(entry.outcome, "8"),
    }
    if entry.purpose:
        system = ACT_REASON if entry.purpose.isupper() else code_system("purpose")
        event["purposeOfEvent"] = [{"coding": [{"system": system, "code": entry.purpose}]}]
    event["agent"] = _agents(entry)
    event["source"] = {"observer": {"reference": f"Organization/{observer}"}}
    event["entity"] = [
        {
            "what": {"reference": f"Patient/{patient}"},
            "type": {"system": _OBJECT, "code": "1"},
            "role": {"system": _ROLE, "code": "1"},
        },
        *_entities(entry.entities, "4"),
        *_entities((f"Consent/{consent}" for consent in entry.consents), "13"),
    ]
    return event


def _agents(entry: AuditEntry) -> list[dict[str, Any]]:
    who = entry.organization or entry.recipient
    agent: dict[str, Any] = {
        "type": {"coding": [{"system": _AGENT, "code": "110153"}]},
        "who": {"reference": f"Organization/{who}"},
        "requestor": True,
    }
    agents = [agent]
    if entry.recipient and entry.recipient != entry.organization:
        agents.append(
            {
                "type": {"coding": [{"system": _AGENT, "code": "110152"}]},
                "who": {"reference": f"Organization/{entry.recipient}"},
                "requestor": False,
            }
        )
    return agents


def _entities(texts: Iterable[str], role: str) -> list[dict[str, Any]]:
    found = []
    for text in texts:
        parts = text.split("/")
        if len(parts) == 3:
            reference = f"{parts[0]}/{parts[1]}/_history/{parts[2]}"
            found.append({"what": {"reference": reference}, "role": {"system": _ROLE, "code": role}})
    return found


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
        return caller, snapshot.disclosures(row.row_id)


def search_events(hub: Hub, token_digest: bytes, query: Query) -> list[Released]:
    """Gives the AuditEvents a search names, newest first: of the caller's own persons only.

    Raises:
        InvalidParameter: it names no person (400).
    """
    patient = asked_patient(query)
    _, entries = events_of(hub, token_digest, patient, "search")
    network = _network(hub)
    return [
        hub.gate.release_audit(audit_event(patient, entry, network), entry)
        for entry in within(entries, query)
    ]


def read_event(hub: Hub, token_digest: bytes, public_id: str) -> Released:
    """Gives one AuditEvent of one of the caller's own persons.

    Raises:
        NotFound: absent, or not of the caller's own person (404).
    """
    patient = patient_of(public_id)
    _, entries = events_of(hub, token_digest, patient, "read")
    for entry in entries:
        if event_id(patient, entry) == public_id:
            return hub.gate.release_audit(audit_event(patient, entry, _network(hub)), entry)
    raise NotFound


def _network(hub: Hub) -> str:
    with hub.store.snapshot() as snapshot:
        found = snapshot.hub_organization()
    return found.facts.id if found is not None else ""
