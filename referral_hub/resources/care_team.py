"""CareTeam: who works with the person. Category plan.

Source: HL7 FHIR R4 CareTeam.
"""

from referral_hub.resources.definition import BY_PATIENT, REMOVABLE, ResourceDefinition, Searchable

DEFINITION = ResourceDefinition(
    type_name="CareTeam",
    category="plan",
    opened=True,
    subject=("subject",),
    status_element="status",
    search=(
        Searchable("category"),
        Searchable("patient"),
        Searchable("status"),
        Searchable("subject"),
        Searchable("participant", "own"),
        Searchable("identifier", "own"),
        Searchable("date"),
        Searchable("encounter", "own"),
    ),
    chains=BY_PATIENT,
    interactions=REMOVABLE,
)
