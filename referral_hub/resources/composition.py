"""Composition: how a document about the person is put together. What a section says in words stays at home.

Source: HL7 FHIR R4 Composition; ``views.md`` 4 (narrative is made anew from the view).
"""

from referral_hub.resources.definition import REMOVABLE, ResourceDefinition, Searchable
from referral_hub.resources.lifecycle import Actor, Lifecycle, Move

_AUTHOR: frozenset[Actor] = frozenset({"requester"})

LIFECYCLE = Lifecycle(
    initial=frozenset({"preliminary", "final", "amended"}),
    table=(
        Move("preliminary", "final", _AUTHOR),
        Move("final", "amended", _AUTHOR),
        *(Move(status, "entered-in-error", _AUTHOR) for status in ("preliminary", "final", "amended")),
    ),
    live=frozenset({"preliminary"}),
    terminal=frozenset({"entered-in-error"}),
)
"""A document that was final is amended, never taken back to a draft."""

DEFINITION = ResourceDefinition(
    type_name="Composition",
    subject=("subject",),
    coded_by=("category", "type", "meta.tag"),
    opened=True,
    status_element="status",
    date_elements=("date",),
    search=(
        Searchable("patient"),
        Searchable("subject"),
        Searchable("status"),
        Searchable("category"),
        Searchable("type"),
        Searchable("date"),
        Searchable("attester", "own"),
        Searchable("author", "own"),
        Searchable("confidentiality", "own"),
        Searchable("context", "own"),
        Searchable("encounter", "own"),
        Searchable("entry", "own"),
        Searchable("identifier", "own"),
        Searchable("period", "own"),
        Searchable("related-id", "own"),
        Searchable("related-ref", "own"),
        Searchable("section", "own"),
        Searchable("title", "own", identifying=True),
    ),
    includes=("Composition:patient", "Composition:subject", "Composition:entry"),
    interactions=REMOVABLE,
    lifecycle=LIFECYCLE,
    version_aware=True,
)
