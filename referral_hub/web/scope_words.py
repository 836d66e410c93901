"""Scopes in words: which sentences of the catalog say what a scope lets software do.

What lives here: the keys. What does not: the sentences (``texts``), and what is offered (``auth.offered_scopes``).

Source: ``consent.md`` O-15 (ASVS 10.7: what is asked is shown); SMART App Launch 2.2, scopes.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from referral_hub.auth.offered_scopes import OTHER_SCOPES, OfferedScope

_ACTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"read": ("r", "s"), "add": ("c",), "change": ("u",), "delete": ("d",)}
)
_AREAS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "referrals": ("Task", "ServiceRequest"),
        "identity": ("Patient", "RelatedPerson", "Group"),
        "health": (
            *(
                "Condition",
                "Observation",
                "Procedure",
                "Encounter",
                "MedicationRequest",
                "MedicationStatement",
            ),
            *("AllergyIntolerance", "Immunization", "DiagnosticReport", "Specimen"),
        ),
        "plans": ("CarePlan", "CareTeam", "Goal", "EpisodeOfCare", "Appointment", "Schedule", "Slot"),
        "papers": (
            "DocumentReference",
            "Binary",
            "Composition",
            "Questionnaire",
            "QuestionnaireResponse",
            "List",
        ),
        "messages": ("Communication", "CommunicationRequest", "Subscription"),
        "consents": ("Consent", "Provenance", "AuditEvent"),
        "safety": ("RiskAssessment", "Flag"),
        "directory": (
            *(
                "Organization",
                "Practitioner",
                "PractitionerRole",
                "HealthcareService",
                "Location",
                "Endpoint",
            ),
            *("Device",),
        ),
    }
)
_OTHER = {
    name: f"scope.{name.replace('fhirUser', 'fhir-user').replace('/', '-').replace('_', '-')}"
    for name in OTHER_SCOPES
}
_AREA_OF = {name: area for area, names in _AREAS.items() for name in names}


def spoken(line: OfferedScope) -> dict[str, Any]:
    """Gives the keys of the sentences that say what a scope means, and the type it names; empty for no type.

    >>> from referral_hub.access.scopes import Scope
    >>> scope = Scope("user", "Task", "rs")
    >>> spoken(OfferedScope(scope.text(), False, True, scope))
    {'what': 'scope.area.referrals', 'type': 'Task', 'acts': ['scope.act.read']}
    """
    if line.resource is None:
        return {"what": _OTHER[line.text], "type": "", "acts": []}
    letters = set(line.resource.letters)
    acts = [f"scope.act.{act}" for act, needed in _ACTS.items() if letters & set(needed)]
    area = _AREA_OF.get(line.resource.type, "other")
    return {"what": f"scope.area.{area}", "type": line.resource.type, "acts": acts}
