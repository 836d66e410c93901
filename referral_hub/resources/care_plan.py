"""CarePlan: what was agreed, in three stages and aftercare. Category plan.

Source: HL7 FHIR R4 CarePlan; ``views.md`` 9.
"""

from referral_hub.resources.definition import REMOVABLE, ResourceDefinition, Searchable

DEFINITION = ResourceDefinition(
    type_name="CarePlan",
    subject=("subject",),
    status_element="status",
    date_elements=("period",),
    search=(
        Searchable("category"),
        Searchable("date"),
        Searchable("intent"),
        Searchable("patient"),
        Searchable("status"),
        Searchable("subject"),
        Searchable("based-on", "own"),
        Searchable("identifier", "own"),
    ),
    interactions=REMOVABLE,
    version_aware=True,
)
