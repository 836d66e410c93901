"""OrganizationAffiliation: which organisations work together, as what. Written by the network's coordinator.

Source: HL7 FHIR R4 OrganizationAffiliation; ``consent.md`` O-14.
"""

from referral_hub.resources.definition import REMOVABLE, ResourceDefinition, Searchable

DEFINITION = ResourceDefinition(
    type_name="OrganizationAffiliation",
    category="directory",
    search=(
        Searchable("active"),
        Searchable("date"),
        Searchable("email"),
        Searchable("endpoint"),
        Searchable("identifier"),
        Searchable("location", "own"),
        Searchable("network"),
        Searchable("participating-organization"),
        Searchable("phone"),
        Searchable("primary-organization"),
        Searchable("role"),
        Searchable("service"),
        Searchable("specialty"),
        Searchable("telecom"),
    ),
    includes=(
        "OrganizationAffiliation:primary-organization",
        "OrganizationAffiliation:participating-organization",
        "OrganizationAffiliation:service",
    ),
    interactions=REMOVABLE,
    directory=True,
    by_coordinator=True,
)
