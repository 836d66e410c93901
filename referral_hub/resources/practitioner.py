"""Practitioner: a member of staff, shown to others only where the organisation lists them.

Source: HL7 FHIR R4 Practitioner.
"""

from referral_hub.resources.definition import REMOVABLE, ResourceDefinition, Searchable

DEFINITION = ResourceDefinition(
    type_name="Practitioner",
    category="directory",
    search=(
        Searchable("identifier", "own"),
        Searchable("name", "own", identifying=True),
        Searchable("active", "own"),
        Searchable("communication"),
    ),
    interactions=REMOVABLE,
    listed=True,
)
