"""Provenance: who made which move, read by its author only.

Source: HL7 FHIR R4 Provenance; ``views.md`` 9.
"""

from referral_hub.resources.definition import WRITABLE, ResourceDefinition, Searchable

DEFINITION = ResourceDefinition(
    type_name="Provenance",
    category="own",
    subject=("target",),
    search=(
        Searchable("target", "own"),
        Searchable("recorded", "own"),
        Searchable("agent", "own"),
        Searchable("patient", "own"),
        Searchable("agent-role", "own"),
        Searchable("agent-type", "own"),
        Searchable("entity", "own"),
        Searchable("location", "own"),
        Searchable("signature-type", "own"),
        Searchable("when", "own"),
    ),
    interactions=WRITABLE,
)
