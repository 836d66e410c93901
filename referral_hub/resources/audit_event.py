"""AuditEvent: rendered from the audit rows, never stored twice, never for partners.

Source: HL7 FHIR R4 AuditEvent; ``engine.md`` 3.
"""

from referral_hub.resources.definition import READ_ONLY, ResourceDefinition, Searchable

DEFINITION = ResourceDefinition(
    type_name="AuditEvent",
    search=(
        Searchable("date", "own"),
        Searchable("entity", "own"),
        Searchable("patient", "own"),
    ),
    interactions=READ_ONLY,
)
