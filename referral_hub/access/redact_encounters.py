"""What stays of how the work with a person goes: Encounter, Goal, Flag, Device of hers, MeasureReport about her.

What lives here: their allow-lists. What does not: how to read them, and who gets them
(``access.redact_granted``), a device of an organisation (``access.redact_directory``).

When and where somebody met her is V. A goal's notes are in no list, as a plan's: her own words are her
organisation's only. Who is counted together in a report is in no list.

Source: ``views.md`` 4 and 9; ``practice.md`` 8, 12 and 13; FHIR R4 of each type.
"""

from collections.abc import Mapping
from typing import Any

from referral_hub.access.redact_rules import (
    absent,
    absent_primitive,
    choice,
    coding,
    concept,
    concepts,
    groups,
    keep,
    masked,
    notes,
    plain,
    reference,
    references,
    text,
    very,
)
from referral_hub.access.redact_table import Reading, Table

# Encounter

_PARTICIPANT = Table(
    {"type": concepts, "period": very(plain), "individual": reference},
    one_of=(frozenset({"type", "individual"}),),
)
_DIAGNOSIS = Table({"condition": reference, "use": concept, "rank": keep}, required={"condition": None})
_LOCATION = Table({"location": reference, "status": keep, "period": plain}, required={"location": None})

ENCOUNTER = Table(
    {
        "status": keep,
        "class": coding,
        "type": concepts,
        "serviceType": concept,
        "priority": concept,
        "subject": reference,
        "episodeOfCare": references,
        "basedOn": references,
        "participant": groups(_PARTICIPANT),
        "appointment": references,
        "period": very(plain),
        "length": very(plain),
        "reasonCode": concepts,
        "reasonReference": references,
        "diagnosis": groups(_DIAGNOSIS),
        "location": very(groups(_LOCATION)),
        "serviceProvider": very(reference),
        "partOf": reference,
    },
    required={"status": absent_primitive, "class": absent},
)

# Goal


def _whole_target(shown: dict[str, Any], original: Mapping[str, Any], reading: Reading) -> None:
    """Keeps gol-1: what is to be reached stays only where what is measured stays."""
    if "measure" not in shown:
        for name in [name for name in shown if name.startswith("detail")]:
            del shown[name]


_TARGET = Table(
    {
        "measure": concept,
        **choice(
            "detail", Quantity=plain, Range=plain, CodeableConcept=concept, String=text, Boolean=keep,
            Integer=keep, Ratio=plain,
        ),
        **choice("due", Date=keep, Duration=plain),
    },
    finish=_whole_target,
)  # fmt: skip


GOAL = Table(
    {
        "lifecycleStatus": keep,
        "achievementStatus": concept,
        "category": concepts,
        "priority": concept,
        "description": concept,
        "subject": reference,
        **choice("start", Date=keep, CodeableConcept=concept),
        "target": groups(_TARGET),
        "statusDate": keep,
        "statusReason": text,
        "expressedBy": reference,
        "addresses": references,
        "outcomeCode": concepts,
        "outcomeReference": references,
    },
    required={"lifecycleStatus": absent_primitive, "description": absent, "subject": masked},
)

# Flag

FLAG = Table(
    {
        "status": keep,
        "category": concepts,
        "code": concept,
        "subject": reference,
        "period": plain,
        "encounter": reference,
        "author": reference,
    },
    required={"status": absent_primitive, "code": absent, "subject": masked},
)

# Device of a person

DEVICE = Table(
    {
        "status": keep,
        "statusReason": concepts,
        "manufacturer": text,
        "manufactureDate": keep,
        "expirationDate": keep,
        "modelNumber": text,
        "type": concept,
        "patient": reference,
        "owner": reference,
        "location": very(reference),
        "note": notes,
        "safety": concepts,
    }
)

# MeasureReport about one person


def _as_it_is(place: tuple[str, Any], reading: Reading) -> dict[str, Any]:
    """Fills a required code that tells nothing: which kind of report it is, for R4 lets nothing stand in."""
    return {place[0]: place[1]}


_POPULATION = Table({"code": concept, "count": keep})
_COUNTED = Table(
    {"code": concept, "population": groups(_POPULATION), "measureScore": plain},
)

MEASURE_REPORT = Table(
    {
        "status": keep,
        "type": keep,
        "measure": text,
        "subject": reference,
        "date": keep,
        "reporter": reference,
        "period": plain,
        "improvementNotation": concept,
        "group": groups(_COUNTED),
        "evaluatedResource": references,
    },
    required={
        "status": absent_primitive,
        "type": _as_it_is,
        "measure": absent_primitive,
        "period": absent,
    },
)
