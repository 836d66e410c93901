"""Flag: what staff must know before they act ("do not phone"). An action, never a level of risk.

Source: HL7 FHIR R4 Flag; ``practice.md`` 13.
"""

from referral_hub.resources.definition import BY_PATIENT, REMOVABLE, ResourceDefinition, Searchable

DEFINITION = ResourceDefinition(
    type_name="Flag",
    subject=("subject",),
    coded_by=("category", "code", "meta.tag"),
    opened=True,
    status_element="status",
    date_elements=("period",),
    search=(
        Searchable("patient"),
        Searchable("subject"),
        Searchable("date"),
        Searchable("author", "own"),
        Searchable("encounter", "own"),
        Searchable("identifier", "own"),
    ),
    includes=("Flag:patient", "Flag:subject"),
    chains=BY_PATIENT,
    interactions=REMOVABLE,
)
