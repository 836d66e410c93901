"""HealthcareService: what an organisation offers. Part of the directory.

Source: HL7 FHIR R4 HealthcareService.
"""

from referral_hub.resources.definition import REMOVABLE, ResourceDefinition, Searchable

DEFINITION = ResourceDefinition(
    type_name="HealthcareService",
    category="directory",
    search=(
        Searchable("identifier", "public"),
        Searchable("active"),
        Searchable("organization"),
        Searchable("service-type"),
        Searchable("service-category"),
        Searchable("specialty"),
        Searchable("location", "public"),
        Searchable("name", "public"),
        Searchable("characteristic"),
        Searchable("coverage-area", "public"),
        Searchable("endpoint", "public"),
        Searchable("program"),
    ),
    includes=("HealthcareService:organization", "HealthcareService:location"),
    chains=(
        "organization.Organization.identifier",
        "organization.Organization.name",
        "organization.Organization.type",
        "location.Location.address-city",
        "location.Location.address-state",
    ),
    interactions=REMOVABLE,
    directory=True,
    at_shelter=True,
    keeper="providedBy",
)
