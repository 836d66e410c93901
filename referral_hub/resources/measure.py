"""Measure: what is counted and how, published for every partner. Part of the directory.

Source: HL7 FHIR R4 Measure.
"""

from referral_hub.resources.definition import REMOVABLE, ResourceDefinition, Searchable

DEFINITION = ResourceDefinition(
    type_name="Measure",
    category="directory",
    status_element="status",
    search=(
        Searchable("url"),
        Searchable("version"),
        Searchable("status"),
        Searchable("name"),
        Searchable("title"),
        Searchable("composed-of"),
        Searchable("context"),
        Searchable("context-quantity"),
        Searchable("context-type"),
        Searchable("date"),
        Searchable("depends-on"),
        Searchable("derived-from"),
        Searchable("description"),
        Searchable("effective"),
        Searchable("identifier"),
        Searchable("jurisdiction"),
        Searchable("predecessor"),
        Searchable("publisher"),
        Searchable("successor"),
        Searchable("topic"),
        Searchable("context-type-quantity"),
        Searchable("context-type-value"),
    ),
    interactions=REMOVABLE,
    directory=True,
)
