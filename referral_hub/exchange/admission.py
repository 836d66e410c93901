"""The checks a write passes that are no decision about consent: lifecycle, reasons, hub rules of a type.

What lives here: functions that give issues or raise; they read tables declared in ``resources``. What does
not: scope, visibility and consent (``exchange.gate``), FHIR's own rules (``fhir.validator``).

Source: ``referral-loop.md`` Part B, ``views.md`` 5 and 9, ``practice.md`` 6.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from referral_hub.errors import IllegalMove
from referral_hub.exchange.stamping import business_status_of
from referral_hub.fhir.canonical import INTERPRETER_REQUIRED, structure
from referral_hub.fhir.elements import code_in, coded_value, codings
from referral_hub.fhir.outcome import Issue
from referral_hub.resources.definition import ResourceDefinition
from referral_hub.resources.lifecycle import Actor
from referral_hub.resources.task import (
    BUSINESS_STATUS,
    HANDLING_CODES,
    INPUT_TYPE,
    OUTPUT_TYPE,
    STATUS_REASON,
)

NO_SERVICE_NEEDED = "no-service-needed"
_REASON_TEXT = frozenset({"rejected", "cancelled", "on-hold", "failed"})
_NO_NAME_EXTENSIONS = frozenset({structure("no-name-referral"), structure("age-group"), INTERPRETER_REQUIRED})
_FREE_TEXT_KEYS = frozenset(
    {"text", "display", "description", "note", "patientInstruction", "valueString", "valueMarkdown"}
)


@dataclass(frozen=True, slots=True)
class StatusChange:
    """How the status of one resource is about to change, and who changes it."""

    before: str
    after: str
    business_before: str
    business_after: str
    actors: frozenset[Actor]


def check_initial(definition: ResourceDefinition, body: dict[str, Any]) -> None:
    """Refuses a first version in a status the type does not start in.

    Raises:
        IllegalMove: 422 on the wire, naming the statuses that are possible.
    """
    if definition.lifecycle is None:
        return
    status = body.get(definition.status_element)
    if status not in definition.lifecycle.initial:
        raise IllegalMove(
            f"A new {definition.type_name} starts as {_either(sorted(definition.lifecycle.initial))}.",
            f"{definition.type_name}.{definition.status_element}",
        )


def check_move(definition: ResourceDefinition, body: dict[str, Any], change: StatusChange) -> None:
    """Refuses a move the table does not know for these actors, and a negative move without its reason.

    Raises:
        IllegalMove: 422 on the wire; the text says which moves are possible from here for this caller.
    """
    table = definition.lifecycle
    if table is None:
        return
    where = f"{definition.type_name}.{definition.status_element}"
    if change.before == change.after:
        _check_step(definition, change)
        return
    edge = table.move(change.before, change.after, change.actors)
    if edge is None:
        possible = table.moves(change.before, change.actors)
        if not possible:
            raise IllegalMove("From here this caller cannot move it. A new one can be made.", where)
        raise IllegalMove(f"From here this caller can move it to {_either(possible)}.", where)
    if definition.type_name != "Task":
        return
    if edge.reasons:
        reason = code_in(body.get("statusReason"), STATUS_REASON)
        if reason not in edge.reasons:
            raise IllegalMove(
                f"This move needs a reason: statusReason with a coding of {STATUS_REASON}, "
                f"{_either(sorted(edge.reasons))}.",
                "Task.statusReason",
            )
    if change.after in _REASON_TEXT:
        text = (
            body.get("statusReason", {}).get("text") if isinstance(body.get("statusReason"), dict) else None
        )
        if not isinstance(text, str) or not text.strip():
            raise IllegalMove(
                "This move needs a reason in words: statusReason.text.", "Task.statusReason.text"
            )
    kept = change.business_after == change.business_before
    if (
        change.business_after
        and not kept
        and change.business_after not in edge.business
        and "hub" not in change.actors
    ):
        raise IllegalMove(_business_text(tuple(sorted(edge.business))), "Task.businessStatus")


def _check_step(definition: ResourceDefinition, change: StatusChange) -> None:
    table = definition.lifecycle
    if table is None or definition.type_name != "Task" or change.business_before == change.business_after:
        return
    if table.step(change.after, change.business_before, change.business_after, change.actors) is None:
        possible = table.steps_for(change.after, change.business_before, change.actors)
        raise IllegalMove(_business_text(possible), "Task.businessStatus")


def _business_text(possible: tuple[str, ...]) -> str:
    if not possible:
        return "No finer step (businessStatus) can be set here by this caller."
    return f"The finer step (businessStatus, a coding of {BUSINESS_STATUS}) can be {_either(possible)} here."


def _either(words: tuple[str, ...] | list[str]) -> str:
    words = list(words)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def cleared_business_status(before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Tells whether a status moved while the finer step of the old status was carried along unchanged."""
    return (
        before.get("status") != after.get("status")
        and bool(business_status_of(after))
        and business_status_of(before) == business_status_of(after)
    )


# --- the Task's own rules ------------------------------------------------------------------------------


def conditions_of(task: dict[str, Any]) -> tuple[str, ...]:
    """Gives the handling conditions the sender asks the owner to confirm (``views.md`` 9)."""
    return tuple(
        code
        for entry in task.get("input") or ()
        if isinstance(entry, dict) and code_in(entry.get("type"), INPUT_TYPE) == "handling-condition"
        for code in (coded_value(entry),)
        if code
    )


def confirmed_of(task: dict[str, Any]) -> frozenset[str]:
    """Gives the handling conditions the owner confirmed."""
    return frozenset(
        coded_value(entry)
        for entry in task.get("output") or ()
        if isinstance(entry, dict) and code_in(entry.get("type"), OUTPUT_TYPE) == "handling-confirmed"
    )


def asks_immediate_identity(task: dict[str, Any]) -> bool:
    """Tells whether the sender asked to release identity before acceptance."""
    return any(
        isinstance(entry, dict)
        and code_in(entry.get("type"), INPUT_TYPE) == "identity-release"
        and coded_value(entry) == "immediate"
        for entry in task.get("input") or ()
    )


def task_issues(task: dict[str, Any], change: StatusChange) -> list[Issue]:
    """Gives what is wrong with a Task for the status it moves to."""
    issues: list[Issue] = []
    unknown = [code for code in conditions_of(task) if code not in HANDLING_CODES]
    if unknown:
        issues.append(
            Issue(
                "error",
                "business-rule",
                f"A handling condition is one of {', '.join(HANDLING_CODES)}.",
                "Task.input",
            )
        )
    moved = change.before != change.after
    if moved and change.after == "accepted":
        missing = [code for code in conditions_of(task) if code not in confirmed_of(task)]
        if missing:
            issues.append(
                Issue(
                    "error",
                    "business-rule",
                    "Before accepting, confirm each handling condition by one output of type handling-confirmed: "
                    + ", ".join(missing)
                    + ".",
                    "Task.output",
                )
            )
    if moved and change.after == "completed":
        results = [
            entry
            for entry in task.get("output") or ()
            if isinstance(entry, dict) and code_in(entry.get("type"), OUTPUT_TYPE) != "handling-confirmed"
        ]
        if not results and code_in(task.get("statusReason"), STATUS_REASON) != NO_SERVICE_NEEDED:
            issues.append(
                Issue(
                    "error",
                    "business-rule",
                    "A completed referral tells at least one output, or the reason no-service-needed.",
                    "Task.output",
                )
            )
    return issues


# --- the no-name referral --------------------------------------------------------------------------------


def no_name_patient_issues(patient: dict[str, Any]) -> list[Issue]:
    """Gives every element a Patient of a no-name referral may not have (``views.md`` 9)."""
    issues = [
        Issue("error", "business-rule", _NO_NAME_TEXT, f"Patient.{element}")
        for element in patient
        if element not in ("resourceType", "id", "meta", "extension")
    ]
    for index, extension in enumerate(patient.get("extension") or ()):
        if not isinstance(extension, dict) or extension.get("url") not in _NO_NAME_EXTENSIONS:
            issues.append(Issue("error", "business-rule", _NO_NAME_TEXT, f"Patient.extension[{index}]"))
    return issues


_NO_NAME_TEXT = (
    "A no-name referral has a Patient with nothing but adult or child, and interpreter or not. "
    "Once she gives a permission, make a new referral."
)


def free_text_issues(body: dict[str, Any], type_name: str) -> list[Issue]:
    """Gives every free text in a Task or ServiceRequest of a no-name referral."""
    return [
        Issue("error", "business-rule", "A no-name referral carries no free text; use codes.", path)
        for path in _free_text(body, type_name)
        # A reason in words on a negative move is demanded there and tells nothing about the person.
        if path != "Task.statusReason.text"
    ]


def _free_text(node: Any, path: str) -> Iterator[str]:
    if isinstance(node, list):
        for index, item in enumerate(node):
            yield from _free_text(item, f"{path}[{index}]")
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in _FREE_TEXT_KEYS and value:
                yield f"{path}.{key}"
            elif isinstance(value, (dict, list)):
                yield from _free_text(value, f"{path}.{key}")


def has_code(body: dict[str, Any], element: str, system: str, code: str) -> bool:
    """Tells whether an element carries this code.

    >>> has_code({"code": {"coding": [{"system": "s", "code": "c"}]}}, "code", "s", "c")
    True
    """
    return any(pair == (system, code) for pair in codings(body.get(element)))
