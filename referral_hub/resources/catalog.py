"""The FHIR types the hub serves: one line each.

Source: the first release's types; ``architecture.md`` 3 (a new type is one file, one line here, one profile).
"""

from collections.abc import Mapping
from types import MappingProxyType

from referral_hub.resources import (
    appointment,
    audit_event,
    binary,
    care_plan,
    care_team,
    communication,
    condition,
    consent,
    document_reference,
    endpoint,
    episode_of_care,
    healthcare_service,
    location,
    observation,
    organization,
    patient,
    practitioner,
    practitioner_role,
    procedure,
    provenance,
    related_person,
    risk_assessment,
    service_request,
    task,
)
from referral_hub.resources.definition import ResourceDefinition

DEFINITIONS: Mapping[str, ResourceDefinition] = MappingProxyType(
    {
        module.DEFINITION.type_name: module.DEFINITION
        for module in (
            patient,
            related_person,
            practitioner,
            practitioner_role,
            organization,
            healthcare_service,
            location,
            endpoint,
            care_team,
            episode_of_care,
            appointment,
            condition,
            observation,
            risk_assessment,
            care_plan,
            service_request,
            task,
            procedure,
            communication,
            consent,
            document_reference,
            binary,
            provenance,
            audit_event,
        )
    }
)


def definition_of(type_name: str) -> ResourceDefinition | None:
    """Gives the declaration of a type, or None where the hub does not serve it.

    >>> definition_of("Task").version_aware
    True
    """
    return DEFINITIONS.get(type_name)
