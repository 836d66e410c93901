"""Communication: what was told to whom, by a safe channel.

Source: HL7 FHIR R4 Communication; ``views.md`` 9.
"""

from referral_hub.resources.definition import BY_PATIENT, REMOVABLE, ResourceDefinition, Searchable

DEFINITION = ResourceDefinition(
    type_name="Communication",
    inherits=True,
    opened=True,
    subject=("subject",),
    based_on=("basedOn", "about"),
    status_element="status",
    date_elements=("sent",),
    search=(
        Searchable("category"),
        Searchable("patient"),
        Searchable("sent"),
        Searchable("status"),
        Searchable("subject"),
        Searchable("based-on", "own"),
        Searchable("recipient", "own"),
        Searchable("identifier", "own"),
        Searchable("received"),
        Searchable("encounter", "own"),
        Searchable("medium", "own"),
        Searchable("part-of", "own"),
        Searchable("sender", "own"),
    ),
    chains=BY_PATIENT,
    interactions=REMOVABLE,
)
