"""CodeSystem: codes and what they mean. Published with the hub, never written.

Source: HL7 FHIR R4 CodeSystem.
"""

from referral_hub.resources.published import published_type

DEFINITION = published_type(
    "CodeSystem",
    "code",
    "content-mode",
    "language",
    "supplements",
    "system",
)
