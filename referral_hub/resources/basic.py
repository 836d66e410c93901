"""Basic: what R4 has no type for. Its content is in extensions, which leave in no view.

Source: HL7 FHIR R4 Basic; ``views.md`` 4.
"""

from referral_hub.resources.definition import REMOVABLE, ResourceDefinition, Searchable

DEFINITION = ResourceDefinition(
    type_name="Basic",
    subject=("subject",),
    coded_by=("code", "meta.tag"),
    opened=True,
    date_elements=("created",),
    search=(
        Searchable("patient"),
        Searchable("subject"),
        Searchable("code"),
        Searchable("created"),
        Searchable("author", "own"),
        Searchable("identifier", "own"),
    ),
    includes=("Basic:patient", "Basic:subject"),
    interactions=REMOVABLE,
)
