"""Endpoint: where an organisation's own software answers. Part of the directory.

Source: HL7 FHIR R4 Endpoint.
"""

from referral_hub.resources.definition import REMOVABLE, ResourceDefinition, Searchable

DEFINITION = ResourceDefinition(
    type_name="Endpoint",
    category="directory",
    status_element="status",
    search=(
        Searchable("identifier"),
        Searchable("status"),
        Searchable("organization"),
        Searchable("connection-type"),
        Searchable("name"),
        Searchable("payload-type"),
    ),
    interactions=REMOVABLE,
    directory=True,
    keeper="managingOrganization",
)
