"""CareTeam: who works with the person. Category plan.

Source: HL7 FHIR R4 CareTeam.
"""

from referral_hub.resources.definition import REMOVABLE, ResourceDefinition, Searchable

DEFINITION = ResourceDefinition(
    type_name="CareTeam",
    subject=("subject",),
    status_element="status",
    search=(
        Searchable("category"),
        Searchable("patient"),
        Searchable("status"),
        Searchable("subject"),
        Searchable("participant", "own"),
        Searchable("identifier", "own"),
    ),
    interactions=REMOVABLE,
)
