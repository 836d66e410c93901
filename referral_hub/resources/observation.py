"""Observation: something measured, said or agreed.

Source: HL7 FHIR R4 Observation.
"""

from referral_hub.resources.definition import REMOVABLE, ResourceDefinition, Searchable

DEFINITION = ResourceDefinition(
    type_name="Observation",
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
    ),
    interactions=REMOVABLE,
    version_aware=True,
)
