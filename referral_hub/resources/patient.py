"""Patient: the person, under the name she chose.

Source: HL7 FHIR R4 Patient; ``views.md`` 1 and 9.
"""

from referral_hub.resources.definition import REMOVABLE, ResourceDefinition, Searchable

DEFINITION = ResourceDefinition(
    type_name="Patient",
    category="identity",
    opened=True,
    search=(
        Searchable("birthdate", "own", identifying=True),
        Searchable("family", "own", identifying=True),
        Searchable("gender", "own"),
        Searchable("given", "own", identifying=True),
        Searchable("identifier", "own", identifying=True),
        Searchable("name", "own", identifying=True),
        Searchable("active", "own"),
        Searchable("language", "own"),
    ),
    has=(
        "Task:patient:status",
        "Task:patient:business-status",
        "Task:patient:owner",
        "ServiceRequest:patient:category",
        "ServiceRequest:patient:status",
        "Condition:patient:category",
        "Condition:patient:code",
        "Consent:patient:status",
    ),
    revincludes=(
        "Task:patient",
        "ServiceRequest:patient",
        "Condition:patient",
        "Consent:patient",
        "CarePlan:patient",
        "RelatedPerson:patient",
        "Provenance:target",
    ),
    interactions=REMOVABLE,
)
