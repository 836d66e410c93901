"""What of a Task its recipient reads at each state.

What lives here: the allow-lists N, F, K and H of ``views.md`` 1, and the no-name referral. What does not:
what the author reads of the recipient's part (``access.redact_requester``), which list applies
(``access.views``), writing back (``access.writeback``).

``basedOn``, ``partOf``, ``groupIdentifier`` and ``relevantHistory`` are in no list: they would tell of
sibling referrals and of who else is involved. Before the full view ``code`` holds what kind of Task it is
(HL7's and the hub's task codes), never a code of the need itself.

Source: ``views.md`` 1, 2, 4 and 9.
"""

from collections.abc import Mapping
from typing import Any

from referral_hub.access.redact_rules import (
    ANY_VALUE,
    VALUES,
    absent,
    absent_primitive,
    concept,
    concepts,
    keep,
    local_reference,
    note,
    reference,
    references,
    text,
    very,
)
from referral_hub.access.redact_table import Reading, Table, copied, meta
from referral_hub.access.task_parts import (
    identifier_type,
    is_note_of,
    is_owners_identifier,
)
from referral_hub.fhir.canonical import PLACER, TASK_CODE, V2_0203
from referral_hub.resources.task import (
    CLOSED_BY_SENDER,
    HANDLING_CODES,
    HANDLING_CONDITION,
    INPUT_TYPE,
    STATUS_REASON,
    TASK_CODES,
)

_PLACER = {"coding": [{"system": V2_0203, "code": "PLAC"}]}
_TASK_CODE_SYSTEMS = frozenset({TASK_CODE, TASK_CODES})

_Found = list[dict[str, Any]] | None


def placer_identifier(identifier: Any) -> dict[str, Any] | None:
    """Gives the hub's number of a referral (type PLAC) without who assigned it; None for any other.

    A number of the sender's own would name the sender by its system.
    """
    if identifier_type(identifier) != "PLAC" or identifier.get("system") != PLACER:
        return None
    return _placed(identifier)


def _placed(identifier: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: identifier[name] for name in ("use", "system", "value") if name in identifier}
    shown["type"] = _PLACER
    return shown


def _identifiers(value: Any, reading: Reading) -> _Found:
    shown = []
    for identifier in value if isinstance(value, list) else ():
        placed = placer_identifier(identifier)
        if placed is not None:
            shown.append(placed)
        elif identifier_type(identifier) == "FILL" and is_owners_identifier(identifier, reading.view.reader):
            shown.append(identifier)
    return shown or None


def _reason(value: Any, reading: Reading) -> dict[str, Any] | None:
    return value if "statusReason" in reading.view.own else _codes_only(value, reading)


def _business_status(value: Any, reading: Reading) -> dict[str, Any] | None:
    return value if "businessStatus" in reading.view.own else _codes_only(value, reading)


def _codes_only(value: Any, reading: Reading) -> dict[str, Any] | None:
    shown = concept(value, reading)
    if shown is not None:
        shown.pop("text", None)
    return shown or None


def _kind_of_task(value: Any, reading: Reading) -> dict[str, Any] | None:
    found = value.get("coding") if isinstance(value, dict) else None
    stay = [
        {"system": item["system"], "code": item["code"]}
        for item in (found if isinstance(found, list) else ())
        if isinstance(item, dict) and item.get("system") in _TASK_CODE_SYSTEMS and "code" in item
    ]
    return {"coding": stay} if stay else None


def _execution_period(value: Any, reading: Reading) -> Any:
    return value if "executionPeriod" in reading.view.own else None


def _owner(value: Any, reading: Reading) -> dict[str, Any]:
    return reference(value, reading) or {"reference": reading.myself}


def _restriction(value: Any, reading: Reading) -> dict[str, Any] | None:
    period = value.get("period") if isinstance(value, dict) and "modifierExtension" not in value else None
    if not isinstance(period, dict):
        return None
    stays = {name: period[name] for name in ("start", "end") if name in period}
    return {"period": stays} if stays else None


def _focus(value: Any, reading: Reading) -> dict[str, Any] | None:
    """Leads to the request: for the hub's organisation to the copy, where the original lies elsewhere."""
    copy = {"reference": reading.view.request} if reading.view.request else None
    return local_reference(value, reading) or copy


def _for(value: Any, reading: Reading) -> dict[str, Any] | None:
    copy = {"reference": reading.view.person} if reading.view.request else None
    return local_reference(value, reading) or copy


def _outputs(value: Any, reading: Reading) -> Any:
    return value if "output" in reading.view.own else None


def _own_notes(value: Any, reading: Reading) -> _Found:
    reader = reading.view.reader
    return [item for item in value if is_note_of(item, reader)] or None if isinstance(value, list) else None


def _all_notes(value: Any, reading: Reading) -> _Found:
    shown = []
    for item in value if isinstance(value, list) else ():
        stays = item if is_note_of(item, reading.view.reader) else note(item, reading)
        if stays:
            shown.append(stays)
    return shown or None


# Inputs: the conditions of handling belong to the notice, the rest has the category of the service.


def code_of(value: Any, system: str) -> str:
    """Gives the first code of a system in a CodeableConcept or Coding; quicker than asking for all."""
    found = value.get("coding", [value]) if isinstance(value, dict) else None
    for item in found if isinstance(found, list) else ():
        if isinstance(item, dict) and item.get("system") == system and isinstance(item.get("code"), str):
            return str(item["code"])
    return ""


_CONDITION_TYPE = {"coding": [{"system": INPUT_TYPE, "code": "handling-condition"}]}
_CONDITIONS_SHOWN: Mapping[str, Mapping[str, dict[str, Any]]] = {
    "valueCode": {code: {"type": _CONDITION_TYPE, "valueCode": code} for code in HANDLING_CODES},
    "valueCoding": {
        code: {"type": _CONDITION_TYPE, "valueCoding": {"system": HANDLING_CONDITION, "code": code}}
        for code in HANDLING_CODES
    },
    "valueCodeableConcept": {
        code: {
            "type": _CONDITION_TYPE,
            "valueCodeableConcept": {"coding": [{"system": HANDLING_CONDITION, "code": code}]},
        }
        for code in HANDLING_CODES
    },
}


def condition(entry: Any) -> dict[str, Any] | None:
    """Gives an input as it stands in the notice: a condition of handling, in codes; None for any other."""
    if not isinstance(entry, dict) or "modifierExtension" in entry:
        return None
    if code_of(entry.get("type"), INPUT_TYPE) != "handling-condition":
        return None
    for name, shown in _CONDITIONS_SHOWN.items():
        value = entry.get(name)
        if value is not None:
            code = value if name == "valueCode" else code_of(value, HANDLING_CONDITION)
            return shown.get(code) if isinstance(code, str) else None
    return None


def _conditions(value: Any, reading: Reading) -> _Found:
    return (
        [stays for entry in value if (stays := condition(entry))] or None if isinstance(value, list) else None
    )


_INPUT = Table({"type": concept, **ANY_VALUE}, required={"type": absent}, one_of=(VALUES,))


def _inputs(value: Any, reading: Reading) -> _Found:
    shown = []
    for entry in value if isinstance(value, list) else ():
        if isinstance(entry, dict):
            stays = condition(entry) or _INPUT.apply(entry, reading)
            if stays:
                shown.append(stays)
    return shown or None


# The lists.


def _asked_by(shown: dict[str, Any], original: Mapping[str, Any], reading: Reading) -> None:
    if reading.view.requester:
        shown["requester"] = {"reference": reading.view.requester}


def _closed(shown: dict[str, Any], original: Mapping[str, Any], reading: Reading) -> None:
    _asked_by(shown, original, reading)
    if "status" not in reading.view.own:
        shown["statusReason"] = {"coding": [{"system": STATUS_REASON, "code": CLOSED_BY_SENDER}]}


_REQUIRED = {"status": absent_primitive, "intent": absent_primitive}

_CARD_RULES = {
    "identifier": _identifiers,
    "status": keep,
    "statusReason": _reason,
    "businessStatus": _business_status,
    "intent": keep,
    "priority": keep,
    "code": _kind_of_task,
    "executionPeriod": _execution_period,
    "authoredOn": keep,
    "lastModified": keep,
    "owner": _owner,
    "restriction": _restriction,
    "input": _conditions,
    "output": _outputs,
    "note": _own_notes,
}
_NOTICE_RULES = {**_CARD_RULES, "focus": _focus, "for": _for}
_FULL_RULES = {
    **_NOTICE_RULES,
    "code": concept,
    "description": text,
    "encounter": reference,
    "performerType": concepts,
    "location": very(reference),
    "reasonCode": concept,
    "reasonReference": reference,
    "insurance": references,
    "input": _inputs,
    "note": _all_notes,
}

CARD = Table(_CARD_RULES, required=_REQUIRED, finish=_asked_by)
HISTORY = Table(
    {name: rule for name, rule in _CARD_RULES.items() if name != "businessStatus"},
    required=_REQUIRED,
    finish=_closed,
)
NOTICE = Table(_NOTICE_RULES, required=_REQUIRED, finish=_asked_by)
FULL = Table(_FULL_RULES, required=_REQUIRED, finish=_asked_by)


def task_notice(task: Mapping[str, Any], reading: Reading) -> dict[str, Any]:
    """Gives N: what kind of thing is asked, how urgent, on which conditions; nothing that says who she is."""
    return copied(task, NOTICE, reading)


def task_full(task: Mapping[str, Any], reading: Reading) -> dict[str, Any]:
    """Gives F: the notice, and what has the category of the service where the release names that."""
    return copied(task, FULL if reading.content else NOTICE, reading)


def task_card(task: Mapping[str, Any], reading: Reading) -> dict[str, Any]:
    """Gives K: the notice without whom and what it is about."""
    return copied(task, CARD, reading)


def task_history(task: Mapping[str, Any], reading: Reading) -> dict[str, Any]:
    """Gives H: the card of a closed referral; why it was closed only where the reader closed it itself."""
    return copied(task, HISTORY, reading)


def task_recall(task: Mapping[str, Any], reading: Reading) -> dict[str, Any]:
    """Gives a recall Task whole to its owner, with the labels of every copy."""
    return {**task, "meta": meta(task.get("meta"))}
