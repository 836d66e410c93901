"""RelatedPerson: somebody close to the person; a guardian, a child. Category family.

Source: HL7 FHIR R4 RelatedPerson; ``practice.md`` 8.
"""

from referral_hub.resources.definition import BY_PATIENT, REMOVABLE, ResourceDefinition, Searchable

DEFINITION = ResourceDefinition(
    type_name="RelatedPerson",
    category="family",
    opened=True,
    subject=("patient",),
    subject_named=True,
    search=(
        Searchable("patient"),
        Searchable("identifier", "own", identifying=True),
        Searchable("name", "own", identifying=True),
        Searchable("active"),
        Searchable("relationship", "own"),
    ),
    chains=BY_PATIENT,
    interactions=REMOVABLE,
)
