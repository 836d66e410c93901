"""StructureDefinition: what a type, a profile or an extension is. Published with the hub, never written.

Source: HL7 FHIR R4 StructureDefinition.
"""

from referral_hub.resources.published import published_type

DEFINITION = published_type(
    "StructureDefinition",
    "abstract",
    "base",
    "derivation",
    "experimental",
    "ext-context",
    "keyword",
    "kind",
    "type",
    "valueset",
)
