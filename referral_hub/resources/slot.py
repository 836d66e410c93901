"""Slot: one stretch of time of a Schedule, free or not; never whose. Part of the directory as its Schedule is.

Source: HL7 FHIR R4 Slot.
"""

from referral_hub.resources.definition import REMOVABLE, ResourceDefinition, Searchable

DEFINITION = ResourceDefinition(
    type_name="Slot",
    subject=("schedule",),
    category="directory",
    search=(
        Searchable("appointment-type"),
        Searchable("identifier"),
        Searchable("schedule"),
        Searchable("service-category"),
        Searchable("service-type"),
        Searchable("specialty"),
        Searchable("start"),
        Searchable("status"),
    ),
    includes=("Slot:schedule",),
    chains=("schedule.Schedule.actor",),
    interactions=REMOVABLE,
    directory=True,
    keeper="schedule",
)
