"""Organization: a partner of the network, or a unit of one. Part of the directory.

Source: HL7 FHIR R4 Organization; ``views.md`` 9.
"""

from referral_hub.resources.definition import REMOVABLE, ResourceDefinition, Searchable

DEFINITION = ResourceDefinition(
    type_name="Organization",
    category="directory",
    search=(
        Searchable("identifier", "public"),
        Searchable("active"),
        Searchable("type", "public"),
        Searchable("name", "public"),
        Searchable("partof", "public"),
        Searchable("address-city", "public"),
        Searchable("address-state", "public"),
        Searchable("endpoint", "public"),
    ),
    has=(
        "HealthcareService:organization:service-category",
        "HealthcareService:organization:service-type",
    ),
    revincludes=(
        "HealthcareService:organization",
        "Location:organization",
        "Endpoint:organization",
        "PractitionerRole:organization",
    ),
    interactions=REMOVABLE,
    directory=True,
    at_shelter=True,
    by_coordinator=True,
)
