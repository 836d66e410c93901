"""Schedule: when a service or a place can be booked. Part of the directory, unless a person is its actor.

Source: HL7 FHIR R4 Schedule.
"""

from referral_hub.resources.definition import REMOVABLE, ResourceDefinition, Searchable

DEFINITION = ResourceDefinition(
    type_name="Schedule",
    subject=("actor",),
    category="directory",
    search=(
        Searchable("active"),
        Searchable("actor"),
        Searchable("date"),
        Searchable("identifier"),
        Searchable("service-category"),
        Searchable("service-type"),
        Searchable("specialty"),
    ),
    includes=("Schedule:actor",),
    revincludes=("Slot:schedule",),
    has=(
        "Slot:schedule:start",
        "Slot:schedule:status",
    ),
    interactions=REMOVABLE,
    directory=True,
    keeper="actor",
)
