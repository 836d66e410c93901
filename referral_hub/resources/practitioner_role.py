"""PractitionerRole: what a member of staff does for an organisation.

Source: HL7 FHIR R4 PractitionerRole.
"""

from referral_hub.resources.definition import REMOVABLE, ResourceDefinition, Searchable

DEFINITION = ResourceDefinition(
    type_name="PractitionerRole",
    category="directory",
    search=(
        Searchable("identifier", "own"),
        Searchable("organization"),
        Searchable("practitioner"),
        Searchable("active"),
        Searchable("role"),
        Searchable("service"),
        Searchable("specialty"),
        Searchable("endpoint", "own"),
        Searchable("location", "own"),
    ),
    includes=("PractitionerRole:organization", "PractitionerRole:practitioner"),
    chains=(
        "organization.Organization.name",
        "practitioner.Practitioner.identifier",
        "practitioner.Practitioner.name",
    ),
    interactions=REMOVABLE,
    listed=True,
)
