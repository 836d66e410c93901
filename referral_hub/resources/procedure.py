"""Procedure: what the recipient did for the ServiceRequest.

Source: HL7 FHIR R4 Procedure; SDOHCC Procedure.
"""

from referral_hub.resources.definition import REMOVABLE, ResourceDefinition, Searchable

DEFINITION = ResourceDefinition(
    type_name="Procedure",
    subject=("subject",),
    based_on=("basedOn",),
    status_element="status",
    date_elements=("performedDateTime", "performedPeriod"),
    search=(
        Searchable("category"),
        Searchable("code"),
        Searchable("date"),
        Searchable("patient"),
        Searchable("status"),
        Searchable("subject"),
        Searchable("based-on"),
        Searchable("performer", "own"),
        Searchable("identifier", "own"),
    ),
    includes=("Procedure:based-on", "Procedure:patient"),
    interactions=REMOVABLE,
    version_aware=True,
)
