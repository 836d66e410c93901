"""Condition: a need or a health problem.

Source: HL7 FHIR R4 Condition.
"""

from referral_hub.resources.definition import REMOVABLE, ResourceDefinition, Searchable

DEFINITION = ResourceDefinition(
    type_name="Condition",
    subject=("subject",),
    date_elements=("onsetDateTime", "onsetPeriod", "recordedDate"),
    search=(
        Searchable("category"),
        Searchable("code"),
        Searchable("clinical-status"),
        Searchable("patient"),
        Searchable("subject"),
        Searchable("onset-date"),
        Searchable("recorded-date"),
        Searchable("identifier", "own"),
    ),
    interactions=REMOVABLE,
    version_aware=True,
)
