"""CapabilityStatement: what a server can do; this one, and what is asked of one. Published, never written.

Source: HL7 FHIR R4 CapabilityStatement.
"""

from referral_hub.resources.published import published_type

DEFINITION = published_type(
    "CapabilityStatement",
    "fhirversion",
    "format",
    "guide",
    "mode",
    "resource",
    "resource-profile",
    "security-service",
    "software",
    "supported-profile",
    without=("identifier",),
)
