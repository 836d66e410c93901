"""ConceptMap: which code of one system stands for which of another. Published with the hub, never written.

Source: HL7 FHIR R4 ConceptMap.
"""

from referral_hub.resources.published import published_type

DEFINITION = published_type(
    "ConceptMap",
    "dependson",
    "other",
    "product",
    "source",
    "source-code",
    "source-system",
    "source-uri",
    "target",
    "target-code",
    "target-system",
    "target-uri",
)
