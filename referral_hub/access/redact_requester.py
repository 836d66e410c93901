"""What the author of a Task reads of the part its recipient wrote: as much as the person allows it to hear.

What lives here: the requester's view, and what a return release opens of it. What does not: what the
recipient reads (``access.redact_task``), which view applies (``access.views``).

Without a return release: status, business status, the code of a reason, and times. With ``outcome``: came
or did not come, next date, needs more. With ``outcome`` and the category of the service: the rest of the
answer.

Source: ``views.md`` 2 and 9 (the return release).
"""

from collections.abc import Mapping
from typing import Any

from referral_hub.access.redact_rules import ANY_VALUE, VALUES, absent, coding, concept, keep, note, plain
from referral_hub.access.redact_table import Reading, Table
from referral_hub.access.redact_task import code_of
from referral_hub.access.task_parts import identifier_type, is_others_note, note_writer
from referral_hub.access.views import OUTCOME
from referral_hub.fhir.canonical import CANONICAL
from referral_hub.resources.task import OUTPUT_TYPE

OUTCOME_OUTPUTS = frozenset({"attendance", "next-date", "needs-more"})
"""What a return release opens by default: came or did not come, next date, needs more."""

_Found = list[dict[str, Any]] | None

_OUTPUT = Table({"type": concept, **ANY_VALUE}, required={"type": absent}, one_of=(VALUES,))
_OUTCOME_VALUES = {
    "attendance": ("valueCode", "valueCoding", "valueCodeableConcept"),
    "next-date": ("valueDate",),
    "needs-more": ("valueBoolean",),
}


def _hub_coding(value: Any, reading: Reading) -> dict[str, Any] | None:
    """Lets a code of the hub's own stay: with any other system an answer could say more than it may."""
    system = value.get("system") if isinstance(value, dict) else None
    return coding(value, reading) if isinstance(system, str) and system.startswith(f"{CANONICAL}/") else None


def _hub_concept(value: Any, reading: Reading) -> dict[str, Any] | None:
    found = value.get("coding") if isinstance(value, dict) else None
    stay = (
        [stays for item in found if (stays := _hub_coding(item, reading))]
        if isinstance(found, list)
        else None
    )
    return {"coding": stay} if stay else None


_IN_CODES = {"valueCode": keep, "valueCoding": _hub_coding, "valueCodeableConcept": _hub_concept}


def _outcome(entry: Mapping[str, Any], reading: Reading) -> dict[str, Any] | None:
    code = code_of(entry.get("type"), OUTPUT_TYPE)
    if code not in OUTCOME_OUTPUTS or "modifierExtension" in entry:
        return None
    for name in _OUTCOME_VALUES[code]:
        stays = _IN_CODES.get(name, keep)(entry.get(name), reading)
        if stays is not None:
            return {"type": {"coding": [{"system": OUTPUT_TYPE, "code": code}]}, name: stays}
    return None


def _answered(value: Any, reading: Reading) -> _Found:
    if OUTCOME not in reading.view.categories:
        return None
    shown = []
    for entry in value if isinstance(value, list) else ():
        stays = _outcome(entry, reading)
        if not stays and reading.content:
            stays = _OUTPUT.apply(entry, reading)
        if stays:
            shown.append(stays)
    return shown or None


def _authors_notes(value: Any, reading: Reading) -> _Found:
    shown = []
    for item in value if isinstance(value, list) else ():
        if not is_others_note(item, reading.view.reader):
            shown.append(item)
        elif reading.content and (stays := note(item, reading)):
            shown.append({"authorReference": {"reference": note_writer(item)}, **stays})
    return shown or None


def _authors_identifiers(value: Any, reading: Reading) -> Any:
    if reading.content:
        return value
    return (
        [item for item in value if identifier_type(item) != "FILL"] or None
        if isinstance(value, list)
        else None
    )


def _told_reason(value: Any, reading: Reading) -> Any:
    return value if "statusReason" in reading.view.own else concept(value, reading)


def _told_business_status(value: Any, reading: Reading) -> Any:
    return value if "businessStatus" in reading.view.own else concept(value, reading)


def _told_period(value: Any, reading: Reading) -> Any:
    return value if "executionPeriod" in reading.view.own else plain(value, reading)


_RECIPIENTS_PART = {
    "identifier": _authors_identifiers,
    "statusReason": _told_reason,
    "businessStatus": _told_business_status,
    "executionPeriod": _told_period,
    "note": _authors_notes,
    "output": _answered,
}


def task_requester(task: Mapping[str, Any], reading: Reading) -> dict[str, Any]:
    """Gives the author its own Task: status, steps, reason code, times; the answer as far as she allows it.

    Everything it wrote itself stands as written. Where something of the recipient's is left out, the copy no
    longer claims a profile: a completed referral without its result would break the claim.
    """
    shown: dict[str, Any] = {}
    for name, value in task.items():
        rule = _RECIPIENTS_PART.get(name)
        stays = value if rule is None else rule(value, reading)
        if stays is not None:
            shown[name] = stays
    claims = task.get("meta")
    if isinstance(claims, dict) and "profile" in claims and shown != task:
        shown["meta"] = {name: value for name, value in claims.items() if name != "profile"}
    return shown
