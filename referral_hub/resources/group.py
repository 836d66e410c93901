"""Group: who belongs together, in its author's own files. It never leaves: membership alone tells too much.

Source: HL7 FHIR R4 Group; SDOHCC Coordination Platform (characteristic, member); ``practice.md`` 8.
"""

from referral_hub.resources.definition import REMOVABLE, ResourceDefinition, Searchable

DEFINITION = ResourceDefinition(
    type_name="Group",
    category="own",
    search=(
        Searchable("actual", "own"),
        Searchable("characteristic", "own"),
        Searchable("code", "own"),
        Searchable("exclude", "own"),
        Searchable("identifier", "own"),
        Searchable("managing-entity", "own"),
        Searchable("member", "own"),
        Searchable("type", "own"),
        Searchable("value", "own"),
        Searchable("characteristic-value", "own"),
    ),
    includes=("Group:member",),
    interactions=REMOVABLE,
)
