"""Appointment: when and with whom; authored by the recipient, based on the ServiceRequest.

Source: HL7 FHIR R4 Appointment; ``views.md`` 9.
"""

from referral_hub.resources.definition import REMOVABLE, ResourceDefinition, Searchable

DEFINITION = ResourceDefinition(
    type_name="Appointment",
    inherits=True,
    opened=True,
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
        Searchable("appointment-type"),
        Searchable("reason-code"),
        Searchable("service-category"),
        Searchable("service-type"),
        Searchable("specialty"),
        Searchable("location", "own"),
        Searchable("part-status", "own"),
        Searchable("practitioner", "own"),
        Searchable("reason-reference", "own"),
        Searchable("slot", "own"),
        Searchable("supporting-info", "own"),
    ),
    interactions=REMOVABLE,
)
