"""Procedure: what the recipient did for the ServiceRequest.

Source: HL7 FHIR R4 Procedure; SDOHCC Procedure.
"""

from referral_hub.resources.definition import (
    BY_PATIENT,
    BY_SUBJECT,
    REMOVABLE,
    ResourceDefinition,
    Searchable,
)

DEFINITION = ResourceDefinition(
    type_name="Procedure",
    inherits=True,
    opened=True,
    subject=("subject",),
    subject_named=True,
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
        Searchable("reason-code"),
        Searchable("encounter", "own"),
        Searchable("location", "own"),
        Searchable("part-of", "own"),
        Searchable("reason-reference", "own"),
    ),
    includes=("Procedure:based-on", "Procedure:patient"),
    chains=(*BY_PATIENT, *BY_SUBJECT),
    interactions=REMOVABLE,
    version_aware=True,
)
