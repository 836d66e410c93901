"""Organization: a partner of the network, or a unit of one. Part of the directory.

Source: HL7 FHIR R4 Organization; ``views.md`` 9.
"""

from referral_hub.resources.definition import REMOVABLE, ResourceDefinition, Searchable

DEFINITION = ResourceDefinition(
    type_name="Organization",
    search=(
        Searchable("identifier"),
        Searchable("active"),
        Searchable("type"),
        Searchable("name", "own"),
        Searchable("partof", "own"),
    ),
    interactions=REMOVABLE,
    directory=True,
)
