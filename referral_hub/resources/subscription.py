"""Subscription: where an organisation's software wants to be told of what changes. Its author's alone.

Source: HL7 FHIR R4 Subscription; Subscriptions R5 Backport IG 1.1.0.
"""

from referral_hub.resources.definition import REMOVABLE, ResourceDefinition, Searchable

DEFINITION = ResourceDefinition(
    type_name="Subscription",
    category="own",
    status_element="status",
    search=(
        Searchable("criteria", "own"),
        Searchable("payload", "own"),
        Searchable("status", "own"),
        Searchable("type", "own"),
        Searchable("url", "own"),
    ),
    interactions=REMOVABLE | {"patch"},
)
