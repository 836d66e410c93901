"""The FHIR types the hub serves: one line each.

Source: the first release's types; ``architecture.md`` 3 (a new type is one file, one line here, one profile).
"""

from collections.abc import Mapping
from types import MappingProxyType

from referral_hub.resources import (
    appointment,
    audit_event,
    basic,
    binary,
    capability_statement,
    care_plan,
    care_team,
    code_system,
    communication,
    composition,
    concept_map,
    condition,
    consent,
    device,
    document_reference,
    encounter,
    endpoint,
    episode_of_care,
    flag,
    goal,
    group,
    healthcare_service,
    location,
    measure,
    measure_report,
    observation,
    operation_definition,
    organization,
    organization_affiliation,
    patient,
    practitioner,
    practitioner_role,
    procedure,
    provenance,
    questionnaire,
    questionnaire_response,
    related_person,
    risk_assessment,
    schedule,
    search_parameter,
    service_request,
    slot,
    structure_definition,
    subscription,
    task,
    value_set,
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
            questionnaire,
            questionnaire_response,
            goal,
            encounter,
            flag,
            group,
            device,
            schedule,
            slot,
            organization_affiliation,
            measure,
            measure_report,
            composition,
            basic,
            subscription,
        )
    }
)
"""The types the hub stores, by name."""

PUBLISHED: Mapping[str, ResourceDefinition] = MappingProxyType(
    {
        module.DEFINITION.type_name: module.DEFINITION
        for module in (
            structure_definition,
            value_set,
            code_system,
            concept_map,
            search_parameter,
            operation_definition,
            capability_statement,
        )
    }
)
"""The types of definitions, which come with the hub: no rows, no consent, nothing is written."""

SERVED: Mapping[str, ResourceDefinition] = MappingProxyType({**DEFINITIONS, **PUBLISHED})
"""Everything that has an address."""


def definition_of(type_name: str) -> ResourceDefinition | None:
    """Gives the declaration of a type, or None where the hub does not serve it.

    >>> definition_of("Task").version_aware
    True
    """
    return SERVED.get(type_name)
