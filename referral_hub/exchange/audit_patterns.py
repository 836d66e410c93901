"""What an audit line looks like as an AuditEvent: IHE's patterns where one fits, the hub's own elsewhere.

What lives here: the rendering of one line. What does not: who reads it, and searches (``exchange.audit_events``), the
lines themselves (``exchange.audit``).

IHE's Basic Audit Log Patterns cover what succeeded: a read, a create, an update about a person, and a disclosure that
the hub made by itself. They do not cover who was refused, nor a search, since the raw request they demand would put
what was asked for into the audit, nor several records in one line; such lines keep the shape of the hub's own profile
and claim no other. Network addresses are demanded by the patterns and never kept: they tell where a shelter is. Their
place says that they are masked.

Source: IHE BALP 1.1.4 (PatientRead, PatientCreate, PatientUpdate, PrivacyDisclosure.Source); FHIR R4 AuditEvent;
``consent.md`` P-11 to P-16 and F-18; ADR 0017.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from referral_hub.exchange.change import AuditEntry
from referral_hub.fhir.canonical import ACT_REASON, code_system, structure
from referral_hub.fhir.dates import instant

_EVENT = "http://terminology.hl7.org/CodeSystem/audit-event-type"
_INTERACTION = "http://hl7.org/fhir/restful-interaction"
_LIFECYCLE = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
_OBJECT = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
_PATTERN = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."

_REST = frozenset({"read", "vread", "create", "update", "patch", "delete", "search-type", "history-instance"})
_SOURCE, _DESTINATION, _APPLICATION = "110153", "110152", "110150"
_OUTCOMES = MappingProxyType({0: "0", 4: "4", 8: "8"})

_PATTERNS: Mapping[str, tuple[str, str, str, str]] = MappingProxyType(
    {
        # interaction: pattern, the role of the software, of the hub, of the one on whose behalf
        "read": ("PatientRead", _DESTINATION, _SOURCE, "IRCP"),
        "vread": ("PatientRead", _DESTINATION, _SOURCE, "IRCP"),
        "create": ("PatientCreate", _SOURCE, _DESTINATION, "AUT"),
        "update": ("PatientUpdate", _SOURCE, _DESTINATION, "AUT"),
        "patch": ("PatientUpdate", _SOURCE, _DESTINATION, "AUT"),
    }
)
_DISCLOSURES = frozenset({"task-notice", "task-update", "task-report"})
"""What the hub sends about a person by itself: a disclosure at its source."""


def audit_event(patient: str, entry: AuditEntry, hub: str, fhir_base: str) -> dict[str, Any]:
    """Gives one line as an AuditEvent, without its id.

    Args:
        patient: the person's public id.
        entry: the line.
        hub: id of the network's own organisation, which keeps the audit.
        fhir_base: the hub's own FHIR base, its address in the network.
    """
    disclosed = entry.interaction in _DISCLOSURES and entry.outcome == 0 and bool(entry.recipient)
    pattern = _pattern(entry, disclosed=disclosed)
    subtype = _INTERACTION if entry.interaction in _REST else code_system("audit-interaction")
    event: dict[str, Any] = {"resourceType": "AuditEvent"}
    event["meta"] = {"profile": [structure("disclosure"), *([_PATTERN + pattern] if pattern else [])]}
    event["type"] = {"system": _DICOM, "code": "110106"} if disclosed else {"system": _EVENT, "code": "rest"}
    event["subtype"] = [{"system": subtype, "code": entry.interaction}]
    if disclosed:
        event["subtype"].append({"system": _LIFECYCLE, "code": "disclose"})
    event["action"] = "R" if disclosed else entry.action
    event["recorded"] = instant(entry.at_us)
    event["outcome"] = _OUTCOMES.get(entry.outcome, "8")
    if entry.purpose:
        event["purposeOfEvent"] = [_purpose(entry.purpose)]
    event["agent"] = _disclosing(entry, hub, fhir_base) if disclosed else _asking(entry, hub, fhir_base)
    event["source"] = {"observer": _organization(hub)}
    event["entity"] = [
        {
            "what": {"reference": f"Patient/{patient}"},
            "type": {"system": _OBJECT, "code": "1"},
            "role": {"system": _ROLE, "code": "1"},
        },
        *_contents(entry.entities),
        *_consents(entry.consents),
    ]
    return event


def _pattern(entry: AuditEntry, *, disclosed: bool) -> str:
    """Gives the name of IHE's pattern that the line meets, or an empty text."""
    if disclosed:
        return "PrivacyDisclosure.Source"
    if entry.outcome != 0 or entry.interaction not in _PATTERNS or not entry.oauth_client:
        return ""
    # The pattern has one object; a line about several, such as a Bundle's, meets none.
    return _PATTERNS[entry.interaction][0] if len(list(_contents(entry.entities))) == 1 else ""


def _asking(entry: AuditEntry, hub: str, fhir_base: str) -> list[dict[str, Any]]:
    """Gives who asked, through which software, and who answered."""
    _, software, server, behalf = _PATTERNS.get(entry.interaction, ("", _SOURCE, _DESTINATION, "IRCP"))
    who = _organization(entry.organization or entry.recipient)
    if entry.oauth_client:
        who["identifier"] = {"value": entry.oauth_client}
    client: dict[str, Any] = {
        "type": _coded(_DICOM, software),
        "who": who,
        "requestor": not entry.user,
        "network": _masked(),
    }
    agents = [client]
    if entry.user:
        user: dict[str, Any] = {
            "type": _coded(_PARTICIPATION, behalf),
            "who": {**_organization(entry.organization), "identifier": {"value": entry.user}},
            "requestor": True,
        }
        if entry.purpose:
            user["purposeOfUse"] = [_purpose(entry.purpose)]
        agents.append(user)
    agents.append(_of_the_hub(server, hub, fhir_base))
    if entry.recipient and entry.recipient != entry.organization:
        agents.append(
            {
                "type": _coded(_DICOM, _APPLICATION),
                "who": _organization(entry.recipient),
                "requestor": False,
            }
        )
    return agents


def _disclosing(entry: AuditEntry, hub: str, fhir_base: str) -> list[dict[str, Any]]:
    """Gives from whom something went to whom, and whose record it is of."""
    return [
        {
            "type": _coded(_DICOM, _DESTINATION),
            "who": _organization(entry.recipient),
            "requestor": False,
            "network": _masked(),
        },
        _of_the_hub(_SOURCE, hub, fhir_base),
        {
            "type": _coded("http://snomed.info/sct", "159541003"),
            "who": _organization(entry.organization),
            "requestor": True,
        },
    ]


def _of_the_hub(role: str, hub: str, fhir_base: str) -> dict[str, Any]:
    return {
        "type": _coded(_DICOM, role),
        "who": _organization(hub),
        "requestor": False,
        "network": {"address": fhir_base, "type": "5"},
    }


def _masked() -> dict[str, Any]:
    return {"extension": [{"url": _ABSENT, "valueCode": "masked"}]}


def _organization(public_id: str) -> dict[str, Any]:
    return {"reference": f"Organization/{public_id}"}


def _coded(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def _purpose(code: str) -> dict[str, Any]:
    return _coded(ACT_REASON if code.isupper() else code_system("purpose"), code)


def _contents(texts: Iterable[str]) -> Iterable[dict[str, Any]]:
    for reference in _versions(texts):
        yield {
            "what": {"reference": reference},
            "type": {"system": _OBJECT, "code": "2"},
            "role": {"system": _ROLE, "code": "4"},
        }


def _consents(texts: Iterable[str]) -> Iterable[dict[str, Any]]:
    for reference in _versions(f"Consent/{text}" for text in texts):
        yield {"what": {"reference": reference}, "role": {"system": _ROLE, "code": "13"}}


def _versions(texts: Iterable[str]) -> Iterable[str]:
    """Gives ``Type/id/version`` texts as references; what has no version is no resource and is left out."""
    for text in texts:
        parts = text.split("/")
        if len(parts) == 3:
            yield f"{parts[0]}/{parts[1]}/_history/{parts[2]}"
