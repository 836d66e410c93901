"""Location: a place in the directory; a shelter has none there.

Source: HL7 FHIR R4 Location; ``consent.md`` F-18.
"""

from referral_hub.resources.definition import REMOVABLE, ResourceDefinition, Searchable

DEFINITION = ResourceDefinition(
    type_name="Location",
    category="directory",
    status_element="status",
    search=(
        Searchable("identifier"),
        Searchable("status"),
        Searchable("organization"),
        Searchable("name"),
        Searchable("address"),
        Searchable("address-city"),
        Searchable("address-state"),
        Searchable("endpoint"),
        Searchable("operational-status"),
        Searchable("partof"),
        Searchable("type"),
    ),
    includes=("Location:organization",),
    chains=(
        "organization.Organization.name",
        "organization.Organization.type",
    ),
    revincludes=("HealthcareService:location",),
    interactions=REMOVABLE,
    directory=True,
    keeper="managingOrganization",
)
