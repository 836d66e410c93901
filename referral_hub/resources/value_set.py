"""ValueSet: which codes an element may have. Published with the hub, never written.

Source: HL7 FHIR R4 ValueSet.
"""

from referral_hub.resources.published import published_type

DEFINITION = published_type(
    "ValueSet",
    "code",
    "expansion",
    "reference",
)
