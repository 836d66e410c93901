"""DocumentReference: a document about the person, its bytes in a Binary.

Source: HL7 FHIR R4 DocumentReference.
"""

from referral_hub.resources.definition import REMOVABLE, ResourceDefinition, Searchable

DEFINITION = ResourceDefinition(
    type_name="DocumentReference",
    subject=("subject",),
    based_on=("context.related",),
    status_element="status",
    date_elements=("date",),
    search=(
        Searchable("category"),
        Searchable("date"),
        Searchable("patient"),
        Searchable("status"),
        Searchable("subject"),
        Searchable("type"),
        Searchable("identifier", "own"),
    ),
    interactions=REMOVABLE,
)
