"""RiskAssessment: what could harm the person, others near her. Category safety.

Source: HL7 FHIR R4 RiskAssessment; ``practice.md`` 13.
"""

from referral_hub.resources.definition import REMOVABLE, ResourceDefinition, Searchable

DEFINITION = ResourceDefinition(
    type_name="RiskAssessment",
    subject=("subject",),
    status_element="status",
    date_elements=("occurrenceDateTime", "occurrencePeriod"),
    search=(
        Searchable("date"),
        Searchable("patient"),
        Searchable("subject"),
        Searchable("identifier", "own"),
        Searchable("condition", "own"),
    ),
    interactions=REMOVABLE,
)
