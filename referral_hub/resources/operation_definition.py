"""OperationDefinition: what an operation takes and gives. Published with the hub, never written.

Source: HL7 FHIR R4 OperationDefinition.
"""

from referral_hub.resources.published import published_type

DEFINITION = published_type(
    "OperationDefinition",
    "base",
    "code",
    "input-profile",
    "instance",
    "kind",
    "output-profile",
    "system",
    "type",
    without=("identifier",),
)
