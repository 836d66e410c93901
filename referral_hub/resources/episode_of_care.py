"""EpisodeOfCare: one stretch of help, opened and ended; a return opens a new one.

Source: HL7 FHIR R4 EpisodeOfCare; ``practice.md`` 9.
"""

from referral_hub.resources.definition import BY_PATIENT, REMOVABLE, ResourceDefinition, Searchable

DEFINITION = ResourceDefinition(
    type_name="EpisodeOfCare",
    category="plan",
    opened=True,
    subject=("patient",),
    status_element="status",
    date_elements=("period",),
    search=(
        Searchable("patient"),
        Searchable("status"),
        Searchable("date"),
        Searchable("type"),
        Searchable("organization", "own"),
        Searchable("identifier", "own"),
        Searchable("care-manager", "own"),
        Searchable("condition", "own"),
        Searchable("incoming-referral", "own"),
    ),
    chains=BY_PATIENT,
    interactions=REMOVABLE,
)
