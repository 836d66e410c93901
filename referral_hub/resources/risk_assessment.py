"""RiskAssessment: what could harm the person, others near her. Category safety.

Source: HL7 FHIR R4 RiskAssessment; ``practice.md`` 13.
"""

from referral_hub.resources.definition import (
    BY_PATIENT,
    BY_SUBJECT,
    REMOVABLE,
    ResourceDefinition,
    Searchable,
)

DEFINITION = ResourceDefinition(
    type_name="RiskAssessment",
    category="safety",
    opened=True,
    subject=("subject",),
    subject_named=True,
    status_element="status",
    date_elements=("occurrenceDateTime", "occurrencePeriod"),
    search=(
        Searchable("date"),
        Searchable("patient"),
        Searchable("subject"),
        Searchable("identifier", "own"),
        Searchable("condition", "own"),
        Searchable("method"),
        Searchable("encounter", "own"),
        Searchable("performer", "own"),
        Searchable("probability", "own"),
        Searchable("risk", "own"),
    ),
    chains=(*BY_PATIENT, *BY_SUBJECT),
    interactions=REMOVABLE,
)
