"""Goal: what the person wants to reach, with dates.

Source: HL7 FHIR R4 Goal; SDOHCC Goal (category, achievement-status, lifecycle-status, target-date).
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
_WAITING = ("proposed", "planned", "accepted")
_LIVE = (*_WAITING, "active", "on-hold")
_ENDED = ("completed", "cancelled", "rejected")

LIFECYCLE = Lifecycle(
    initial=frozenset({*_LIVE, *_ENDED}),
    table=(
        Move("proposed", "planned", _AUTHOR),
        Move("proposed", "accepted", _AUTHOR),
        Move("planned", "accepted", _AUTHOR),
        *(Move(waiting, "active", _AUTHOR) for waiting in _WAITING),
        *(Move(waiting, "rejected", _AUTHOR) for waiting in _WAITING),
        Move("active", "on-hold", _AUTHOR),
        Move("on-hold", "active", _AUTHOR),
        Move("active", "completed", _AUTHOR),
        Move("on-hold", "completed", _AUTHOR),
        *(Move(live, "cancelled", _AUTHOR) for live in _LIVE),
        *(Move(status, "entered-in-error", _AUTHOR) for status in (*_LIVE, *_ENDED)),
    ),
    live=frozenset(_LIVE),
    terminal=frozenset({*_ENDED, "entered-in-error"}),
)
"""A goal that ended stays as it ended: she sets a new one."""

DEFINITION = ResourceDefinition(
    type_name="Goal",
    subject=("subject",),
    subject_named=True,
    coded_by=("category", "description", "meta.tag"),
    opened=True,
    status_element="lifecycleStatus",
    date_elements=("startDate", "statusDate"),
    search=(
        Searchable("patient"),
        Searchable("subject"),
        Searchable("category"),
        Searchable("lifecycle-status"),
        Searchable("achievement-status"),
        Searchable("start-date"),
        Searchable("target-date"),
        Searchable("identifier", "own"),
    ),
    includes=("Goal:patient", "Goal:subject"),
    chains=(*BY_PATIENT, *BY_SUBJECT),
    interactions=REMOVABLE,
    lifecycle=LIFECYCLE,
    version_aware=True,
)
