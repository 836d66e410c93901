"""HealthcareService: what an organisation offers. Part of the directory.

Source: HL7 FHIR R4 HealthcareService.
"""

from referral_hub.resources.definition import REMOVABLE, ResourceDefinition, Searchable

DEFINITION = ResourceDefinition(
    type_name="HealthcareService",
    search=(
        Searchable("identifier"),
        Searchable("active"),
        Searchable("organization"),
        Searchable("service-type"),
        Searchable("service-category"),
        Searchable("specialty"),
        Searchable("location", "own"),
        Searchable("name", "own"),
    ),
    includes=("HealthcareService:organization", "HealthcareService:location"),
    interactions=REMOVABLE,
    directory=True,
)
