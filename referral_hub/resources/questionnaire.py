"""Questionnaire: the questions of a form, published for every partner. Part of the directory.

Source: HL7 FHIR R4 Questionnaire; SDOHCC Coordination Platform (Questionnaire: url, version).
"""

from referral_hub.resources.definition import REMOVABLE, ResourceDefinition, Searchable

DEFINITION = ResourceDefinition(
    type_name="Questionnaire",
    category="directory",
    status_element="status",
    search=(
        Searchable("url"),
        Searchable("version"),
        Searchable("status"),
        Searchable("name"),
        Searchable("title"),
        Searchable("code"),
        Searchable("context"),
        Searchable("context-quantity"),
        Searchable("context-type"),
        Searchable("date"),
        Searchable("definition"),
        Searchable("description"),
        Searchable("effective"),
        Searchable("identifier"),
        Searchable("jurisdiction"),
        Searchable("publisher"),
        Searchable("subject-type"),
        Searchable("context-type-quantity"),
        Searchable("context-type-value"),
    ),
    interactions=REMOVABLE,
    directory=True,
)
