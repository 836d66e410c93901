"""What the published types have in common: they come with the hub, and are read and never written.

What lives here: the search parameters every definition has, and what may be done with one. What does not: the
declarations (one module per type), the definitions themselves (``exchange.published``).

Source: HL7 FHIR R4 ``canonicalresource`` pattern (url, version, name, status).
"""

from referral_hub.resources.definition import Interaction, ResourceDefinition, Searchable

READABLE: frozenset[Interaction] = frozenset({"read", "search-type"})

_OF_EVERY_DEFINITION = (
    "url",
    "version",
    "name",
    "status",
    "title",
    "date",
    "description",
    "publisher",
    "identifier",
    "jurisdiction",
    "context",
    "context-quantity",
    "context-type",
    "context-type-quantity",
    "context-type-value",
)


def published_type(
    type_name: str, *own: str, without: tuple[str, ...] = (), includes: tuple[str, ...] = ()
) -> ResourceDefinition:
    """Gives the declaration of a type of definitions.

    Args:
        type_name: the FHIR type.
        own: search parameters of this type alone.
        without: parameters of every definition that R4 does not give this type.
        includes: what a search may bring along.

    >>> [one.code for one in published_type("ValueSet", "reference").search][:2]
    ['url', 'version']
    """
    codes = (*(code for code in _OF_EVERY_DEFINITION if code not in without), *own)
    return ResourceDefinition(
        type_name=type_name,
        category="directory",
        search=tuple(Searchable(code) for code in codes),
        includes=includes,
        interactions=READABLE,
        published=True,
    )
