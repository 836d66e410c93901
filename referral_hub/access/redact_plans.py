"""What stays of plans and of who works on them when: CarePlan, CareTeam, EpisodeOfCare, Appointment.

What lives here: their allow-lists. What does not: how to read them, and who gets them
(``access.redact_granted``).

A plan's description and notes are in no list: her own words are her organisation's only. When and where she
will be is V.

Source: ``views.md`` 4 and 9; ``consent.md`` F-18, S-23; FHIR R4 of each type.
"""

from collections.abc import Mapping
from typing import Any

from referral_hub.access.redact_rules import (
    absent_primitive,
    choice,
    concept,
    concepts,
    group,
    groups,
    keep,
    masked,
    masked_reference,
    notes,
    plain,
    reference,
    references,
    text,
    unknown,
    very,
)
from referral_hub.access.redact_table import Reading, Table

# CarePlan, CareTeam, EpisodeOfCare

_DETAIL = Table(
    {
        "kind": keep,
        "code": concept,
        "reasonCode": concepts,
        "reasonReference": references,
        "goal": references,
        "status": keep,
        "statusReason": concept,
        "doNotPerform": keep,
        **choice("scheduled", Timing=plain, Period=plain, String=text),
        "location": very(reference),
        "performer": references,
        **choice("product", CodeableConcept=concept, Reference=reference),
        "dailyAmount": plain,
        "quantity": plain,
        "description": text,
    },
    required={"status": absent_primitive},
)
_ACTIVITY = Table(
    {
        "outcomeCodeableConcept": concepts,
        "outcomeReference": references,
        "progress": notes,
        "reference": reference,
        "detail": group(_DETAIL),
    },
    one_of=(frozenset({"reference", "detail", "outcomeCodeableConcept", "outcomeReference", "progress"}),),
)

CARE_PLAN = Table(
    {
        "status": keep,
        "intent": keep,
        "category": concepts,
        "title": text,
        "subject": reference,
        "encounter": reference,
        "period": plain,
        "created": keep,
        "author": reference,
        "contributor": references,
        "careTeam": references,
        "addresses": references,
        "supportingInfo": references,
        "goal": references,
        "activity": groups(_ACTIVITY),
    },
    required={"status": absent_primitive, "intent": absent_primitive, "subject": masked},
)

_MEMBER = Table({"role": concepts, "member": reference, "period": plain}, one_of=(frozenset({"member"}),))

CARE_TEAM = Table(
    {
        "status": keep,
        "category": concepts,
        "name": text,
        "subject": reference,
        "encounter": reference,
        "period": plain,
        "participant": groups(_MEMBER),
        "reasonCode": concepts,
        "reasonReference": references,
        "managingOrganization": references,
        "note": notes,
    }
)

_STATUS_SPAN = Table({"status": keep, "period": plain}, required={"status": None, "period": None})
_DIAGNOSIS = Table({"condition": reference, "role": concept, "rank": keep}, required={"condition": None})

EPISODE_OF_CARE = Table(
    {
        "status": keep,
        "statusHistory": groups(_STATUS_SPAN),
        "type": concepts,
        "diagnosis": groups(_DIAGNOSIS),
        "patient": reference,
        "managingOrganization": reference,
        "period": plain,
        "referralRequest": references,
        "careManager": reference,
        "team": references,
    },
    required={"status": absent_primitive, "patient": masked},
)

# Appointment: when and where she will be is V.

_PARTICIPANT = Table(
    {"type": concepts, "actor": reference, "required": keep, "status": keep, "period": very(plain)},
    required={"status": absent_primitive},
    one_of=(frozenset({"actor"}),),
)
_WITHOUT_TIME = frozenset({"proposed", "cancelled", "waitlist"})


def _finish_appointment(shown: dict[str, Any], original: Mapping[str, Any], reading: Reading) -> None:
    """Keeps app-1 to app-3: somebody takes part, and a booked appointment has a time, known or not."""
    if "participant" not in shown:
        found = original.get("participant")
        first = found[0] if isinstance(found, list) and found and isinstance(found[0], dict) else {}
        stands_in: dict[str, Any] = {"actor": masked_reference(first.get("actor"), reading)}
        if isinstance(first.get("status"), str):
            stands_in["status"] = first["status"]
        else:
            stands_in["_status"] = unknown()
        shown["participant"] = [stands_in]
    if "start" not in shown and shown.get("status") not in _WITHOUT_TIME:
        shown["_start"] = unknown()
        shown["_end"] = unknown()


APPOINTMENT = Table(
    {
        "status": keep,
        "cancelationReason": concept,
        "serviceCategory": concepts,
        "serviceType": concepts,
        "specialty": concepts,
        "appointmentType": concept,
        "reasonCode": concepts,
        "reasonReference": references,
        "priority": keep,
        "description": text,
        "supportingInformation": references,
        "start": very(keep),
        "end": very(keep),
        "minutesDuration": keep,
        "slot": very(references),
        "created": keep,
        "comment": text,
        "patientInstruction": text,
        "basedOn": references,
        "participant": groups(_PARTICIPANT),
        "requestedPeriod": very(plain),
    },
    required={"status": absent_primitive},
    finish=_finish_appointment,
)
