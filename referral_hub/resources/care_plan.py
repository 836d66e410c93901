"""CarePlan: what was agreed, in three stages and aftercare. Category plan.

Source: HL7 FHIR R4 CarePlan; ``views.md`` 9.
"""

from referral_hub.resources.definition import (
    BY_PATIENT,
    BY_SUBJECT,
    REMOVABLE,
    ResourceDefinition,
    Searchable,
)

DEFINITION = ResourceDefinition(
    type_name="CarePlan",
    category="plan",
    opened=True,
    subject=("subject",),
    subject_named=True,
    status_element="status",
    date_elements=("period",),
    search=(
        Searchable("category"),
        Searchable("date"),
        Searchable("intent"),
        Searchable("patient"),
        Searchable("status"),
        Searchable("subject"),
        Searchable("based-on", "own"),
        Searchable("identifier", "own"),
        Searchable("activity-code"),
        Searchable("care-team", "own"),
        Searchable("condition", "own"),
        Searchable("encounter", "own"),
        Searchable("goal", "own"),
        Searchable("part-of", "own"),
        Searchable("performer", "own"),
        Searchable("replaces", "own"),
    ),
    chains=(*BY_PATIENT, *BY_SUBJECT),
    interactions=REMOVABLE,
    version_aware=True,
)
