"""Observation: something measured, said or agreed.

Source: HL7 FHIR R4 Observation.
"""

from referral_hub.resources.definition import (
    BY_PATIENT,
    BY_SUBJECT,
    REMOVABLE,
    ResourceDefinition,
    Searchable,
)

DEFINITION = ResourceDefinition(
    type_name="Observation",
    coded_by=("category", "code"),
    opened=True,
    subject=("subject",),
    based_on=("basedOn",),
    status_element="status",
    date_elements=("effectiveDateTime", "effectivePeriod", "effectiveInstant"),
    search=(
        Searchable("category"),
        Searchable("code"),
        Searchable("date"),
        Searchable("patient"),
        Searchable("status"),
        Searchable("subject"),
        Searchable("based-on", "own"),
        Searchable("identifier", "own"),
        Searchable("value-concept"),
        Searchable("value-date"),
        Searchable("value-quantity"),
        Searchable("code-value-concept"),
        Searchable("code-value-date"),
        Searchable("code-value-quantity"),
        Searchable("component-code"),
        Searchable("component-value-concept"),
        Searchable("component-value-quantity"),
        Searchable("component-code-value-concept"),
        Searchable("component-code-value-quantity"),
        Searchable("data-absent-reason"),
        Searchable("method"),
        Searchable("derived-from", "own"),
        Searchable("device", "own"),
        Searchable("encounter", "own"),
        Searchable("focus", "own"),
        Searchable("has-member", "own"),
        Searchable("part-of", "own"),
        Searchable("performer", "own"),
        Searchable("value-string", "own", identifying=True),
        Searchable("code-value-string", "own", identifying=True),
    ),
    chains=(*BY_PATIENT, *BY_SUBJECT),
    interactions=REMOVABLE,
    version_aware=True,
)
