"""Binary: the bytes of a document; seen as the DocumentReference that names it is seen.

Source: HL7 FHIR R4 Binary (``securityContext``).
"""

from referral_hub.resources.definition import REMOVABLE, ResourceDefinition

DEFINITION = ResourceDefinition(
    type_name="Binary",
    inherits=True,
    opened=True,
    subject=("securityContext",),
    interactions=REMOVABLE,
)
