"""RelatedPerson: somebody close to the person; a guardian, a child. Category family.

Source: HL7 FHIR R4 RelatedPerson; ``practice.md`` 8.
"""

from referral_hub.resources.definition import REMOVABLE, ResourceDefinition, Searchable

DEFINITION = ResourceDefinition(
    type_name="RelatedPerson",
    subject=("patient",),
    search=(
        Searchable("patient"),
        Searchable("identifier", "own", identifying=True),
        Searchable("name", "own", identifying=True),
    ),
    interactions=REMOVABLE,
)
