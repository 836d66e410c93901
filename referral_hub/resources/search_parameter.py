"""SearchParameter: one way to search a type. Published with the hub, never written.

Source: HL7 FHIR R4 SearchParameter.
"""

from referral_hub.resources.published import published_type

DEFINITION = published_type(
    "SearchParameter",
    "base",
    "code",
    "component",
    "derived-from",
    "target",
    "type",
    without=("title", "identifier"),
)
