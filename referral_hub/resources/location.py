"""Location: a place in the directory; a shelter has none there.

Source: HL7 FHIR R4 Location; ``consent.md`` F-18.
"""

from referral_hub.resources.definition import REMOVABLE, ResourceDefinition, Searchable

DEFINITION = ResourceDefinition(
    type_name="Location",
    status_element="status",
    search=(
        Searchable("identifier"),
        Searchable("status"),
        Searchable("organization"),
        Searchable("name", "own"),
        Searchable("address", "own"),
    ),
    includes=("Location:organization",),
    interactions=REMOVABLE,
    directory=True,
)
