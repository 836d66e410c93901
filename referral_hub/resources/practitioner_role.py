"""PractitionerRole: what a member of staff does for an organisation.

Source: HL7 FHIR R4 PractitionerRole.
"""

from referral_hub.resources.definition import REMOVABLE, ResourceDefinition, Searchable

DEFINITION = ResourceDefinition(
    type_name="PractitionerRole",
    search=(
        Searchable("identifier", "own"),
        Searchable("organization", "own"),
        Searchable("practitioner", "own"),
        Searchable("active", "own"),
    ),
    includes=("PractitionerRole:organization", "PractitionerRole:practitioner"),
    interactions=REMOVABLE,
)
