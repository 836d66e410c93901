"""QuestionnaireResponse: what the person answered. What people wrote is free text, all of it.

Its category is the hub's own code in ``meta.tag``, else that of the ServiceRequest it is based on: answers to
one form may tell of anything.

Source: HL7 FHIR R4 QuestionnaireResponse; SDOHCC Coordination Platform; ``views.md`` 9.
"""

from referral_hub.resources.definition import (
    BY_PATIENT,
    BY_SUBJECT,
    REMOVABLE,
    ResourceDefinition,
    Searchable,
)
from referral_hub.resources.lifecycle import Actor, Lifecycle, Move

_AUTHOR: frozenset[Actor] = frozenset({"requester"})

LIFECYCLE = Lifecycle(
    initial=frozenset({"in-progress", "completed", "amended", "stopped"}),
    table=(
        Move("in-progress", "completed", _AUTHOR),
        Move("in-progress", "stopped", _AUTHOR),
        Move("in-progress", "entered-in-error", _AUTHOR),
        Move("stopped", "in-progress", _AUTHOR),
        Move("stopped", "entered-in-error", _AUTHOR),
        Move("completed", "amended", _AUTHOR),
        Move("completed", "entered-in-error", _AUTHOR),
        Move("amended", "entered-in-error", _AUTHOR),
    ),
    live=frozenset({"in-progress", "stopped"}),
    terminal=frozenset({"entered-in-error"}),
)
"""Answers that were complete are amended, never taken up again: others may have acted on them."""

DEFINITION = ResourceDefinition(
    type_name="QuestionnaireResponse",
    subject=("subject",),
    based_on=("basedOn",),
    coded_by=("meta.tag",),
    inherits=True,
    opened=True,
    status_element="status",
    date_elements=("authored",),
    search=(
        Searchable("patient"),
        Searchable("subject"),
        Searchable("status"),
        Searchable("authored"),
        Searchable("author", "own"),
        Searchable("based-on", "own"),
        Searchable("encounter", "own"),
        Searchable("identifier", "own"),
        Searchable("part-of", "own"),
        Searchable("questionnaire", "own"),
        Searchable("source", "own"),
    ),
    includes=("QuestionnaireResponse:patient", "QuestionnaireResponse:questionnaire"),
    chains=(*BY_PATIENT, *BY_SUBJECT),
    interactions=REMOVABLE,
    lifecycle=LIFECYCLE,
    version_aware=True,
)
