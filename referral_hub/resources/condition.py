"""Condition: a need or a health problem.

Source: HL7 FHIR R4 Condition.
"""

from referral_hub.resources.definition import (
    BY_PATIENT,
    BY_SUBJECT,
    REMOVABLE,
    ResourceDefinition,
    Searchable,
)

DEFINITION = ResourceDefinition(
    type_name="Condition",
    coded_by=("category", "code"),
    opened=True,
    subject=("subject",),
    subject_named=True,
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
        Searchable("verification-status"),
        Searchable("severity"),
        Searchable("abatement-date"),
        Searchable("body-site"),
        Searchable("asserter", "own"),
        Searchable("encounter", "own"),
        Searchable("evidence", "own"),
        Searchable("evidence-detail", "own"),
        Searchable("onset-info", "own", identifying=True),
    ),
    chains=(*BY_PATIENT, *BY_SUBJECT),
    interactions=REMOVABLE,
    version_aware=True,
)
