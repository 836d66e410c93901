"""Appointment: when and with whom; authored by the recipient, based on the ServiceRequest.

Source: HL7 FHIR R4 Appointment; ``views.md`` 9.
"""

from referral_hub.resources.definition import REMOVABLE, ResourceDefinition, Searchable

DEFINITION = ResourceDefinition(
    type_name="Appointment",
    subject=("participant.actor",),
    based_on=("basedOn",),
    status_element="status",
    date_elements=("start",),
    search=(
        Searchable("date", "own"),
        Searchable("status"),
        Searchable("patient"),
        Searchable("identifier", "own"),
        Searchable("actor", "own"),
        Searchable("based-on", "full"),
    ),
    interactions=REMOVABLE,
)
