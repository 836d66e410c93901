"""Encounter: one meeting of the person with somebody who helps. When and where is V.

Source: HL7 FHIR R4 Encounter; ``views.md`` 4 and 9 (as an Appointment: the category of what it is based on).
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
_PRESENT = ("arrived", "triaged", "in-progress", "onleave")

LIFECYCLE = Lifecycle(
    initial=frozenset({"planned", *_PRESENT, "finished", "cancelled", "unknown"}),
    table=(
        *(Move("planned", present, _AUTHOR) for present in _PRESENT),
        Move("planned", "finished", _AUTHOR),
        Move("planned", "cancelled", _AUTHOR),
        *(
            Move(before, after, _AUTHOR)
            for place, before in enumerate(_PRESENT)
            for after in _PRESENT[place + 1 :]
        ),
        Move("onleave", "in-progress", _AUTHOR),
        *(Move(present, end, _AUTHOR) for present in _PRESENT for end in ("finished", "cancelled")),
        *(Move("unknown", known, _AUTHOR) for known in ("planned", *_PRESENT, "finished", "cancelled")),
        *(
            Move(status, "entered-in-error", _AUTHOR)
            for status in ("planned", *_PRESENT, "finished", "cancelled", "unknown")
        ),
    ),
    live=frozenset({"planned", *_PRESENT, "unknown"}),
    terminal=frozenset({"finished", "cancelled", "entered-in-error"}),
)
"""What was planned may happen, and only what happened ends; often it is written down afterwards, as finished."""

DEFINITION = ResourceDefinition(
    type_name="Encounter",
    subject=("subject",),
    subject_named=True,
    based_on=("basedOn",),
    coded_by=("type", "serviceType", "meta.tag"),
    inherits=True,
    opened=True,
    status_element="status",
    date_elements=("period",),
    search=(
        Searchable("patient"),
        Searchable("subject"),
        Searchable("status"),
        Searchable("class"),
        Searchable("type"),
        Searchable("reason-code"),
        Searchable("participant-type"),
        Searchable("length", "own"),
        Searchable("date", "own"),
        Searchable("location", "own"),
        Searchable("location-period", "own"),
        Searchable("appointment", "own"),
        Searchable("based-on", "own"),
        Searchable("diagnosis", "own"),
        Searchable("episode-of-care", "own"),
        Searchable("identifier", "own"),
        Searchable("part-of", "own"),
        Searchable("participant", "own"),
        Searchable("practitioner", "own"),
        Searchable("reason-reference", "own"),
        Searchable("service-provider", "own"),
        Searchable("special-arrangement", "own"),
    ),
    includes=("Encounter:patient", "Encounter:subject", "Encounter:based-on", "Encounter:appointment"),
    chains=(*BY_PATIENT, *BY_SUBJECT),
    interactions=REMOVABLE,
    lifecycle=LIFECYCLE,
)
