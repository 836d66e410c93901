"""AuditEvent: rendered from the audit rows, never stored twice, never for partners.

Source: HL7 FHIR R4 AuditEvent; IHE BALP; ``engine.md`` 3.
"""

from referral_hub.resources.definition import ResourceDefinition, Searchable

DEFINITION = ResourceDefinition(
    type_name="AuditEvent",
    category="own",
    search=(
        Searchable("date", "own"),
        Searchable("patient", "own"),
    ),
    interactions=frozenset({"read", "search-type"}),
)
