"""DocumentReference: a document about the person, its bytes in a Binary.

Source: HL7 FHIR R4 DocumentReference.
"""

from referral_hub.resources.definition import BY_PATIENT, REMOVABLE, ResourceDefinition, Searchable

DEFINITION = ResourceDefinition(
    type_name="DocumentReference",
    coded_by=("category", "type"),
    opened=True,
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
        Searchable("contenttype"),
        Searchable("author", "own"),
        Searchable("custodian", "own"),
        Searchable("description", "own", identifying=True),
        Searchable("encounter", "own"),
        Searchable("event", "own"),
        Searchable("facility", "own"),
        Searchable("format", "own"),
        Searchable("language", "own"),
        Searchable("period", "own"),
        Searchable("related", "own"),
        Searchable("relatesto", "own"),
        Searchable("relation", "own"),
        Searchable("relationship", "own"),
        Searchable("setting", "own"),
    ),
    chains=BY_PATIENT,
    interactions=REMOVABLE,
)
