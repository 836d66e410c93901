"""What is taken over from a partner's own Task, and what is left behind.

What lives here: an allow-list of elements and the shape each may have. What does not: which moves follow
(``outbound.partner_status``), fetching (``outbound.polling``), validation and consent (the write path).

A partner's Task is text from outside. Only what the owner of a referral may write is looked at, codes keep
their system and code alone, and a reference is kept where it leads to the partner's registered base or to
this hub; one relative to the partner's server is written out in full, since here it would mean something
else.

Source: ``views.md`` 3 and 6; ``referral-loop.md`` Part C 8 (absolute and relative references).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from referral_hub.access.task_parts import identifier_type, is_note_of, is_owners_identifier
from referral_hub.access.writeback import same
from referral_hub.fhir.canonical import V2_0203
from referral_hub.fhir.elements import code_in, codings, reference_text
from referral_hub.fhir.references import is_under, parse, written
from referral_hub.resources.task import BUSINESS_STATUS, OUTPUT_TYPE, STATUS_REASON

_CODED = ("valueCode", "valueCoding", "valueCodeableConcept")
HUB_OUTPUTS: Mapping[str, tuple[str, ...]] = {
    "handling-confirmed": _CODED,
    "attendance": _CODED,
    "next-date": ("valueDate",),
    "needs-more": ("valueBoolean",),
    "recall-answer": _CODED,
}
"""The outputs of the hub's own types, with the forms a value may have."""
_ONE_EACH = frozenset({"attendance", "next-date", "needs-more", "recall-answer"})


@dataclass(frozen=True, slots=True)
class Taken:
    """What a partner's Task says, in the hub's terms. Empty where it says nothing the hub takes."""

    status: str
    reason_code: str = ""
    reason_text: str = ""
    step: str = ""
    outputs: tuple[dict[str, Any], ...] = ()
    notes: tuple[dict[str, Any], ...] = ()
    fillers: tuple[dict[str, Any], ...] = ()
    period: dict[str, Any] | None = None


def taken_from(task: Mapping[str, Any], *, base: str, kept_bases: Collection[str]) -> Taken:
    """Gives what is taken over from a partner's Task.

    Args:
        task: the decoded Task as the partner's server answered; anything may be in it.
        base: the FHIR base URL it came from.
        kept_bases: the bases a reference may lead to.

    >>> taken_from({"status": "accepted", "description": "left behind"}, base="", kept_bases=()).status
    'accepted'
    """
    reason = task.get("statusReason")
    return Taken(
        status=_text(task.get("status")),
        reason_code=code_in(reason, STATUS_REASON),
        reason_text=_text(reason.get("text")) if isinstance(reason, dict) else "",
        step=code_in(task.get("businessStatus"), BUSINESS_STATUS),
        outputs=tuple(
            found
            for entry in _list(task, "output")
            if (found := _output(entry, base, kept_bases)) is not None
        ),
        notes=tuple(found for entry in _list(task, "note") if (found := _note(entry)) is not None),
        fillers=tuple(found for entry in _list(task, "identifier") if (found := _filler(entry)) is not None),
        period=_period(task.get("executionPeriod")),
    )


def with_parts(shown: Mapping[str, Any], taken: Taken, *, owner: str) -> dict[str, Any]:
    """Gives the owner's view of the hub's Task with the partner's outputs, notes, number and period put in.

    Nothing that is there is taken away, but a newer answer of the same kind replaces the older.

    Args:
        shown: the owner's view; it is not altered.
        taken: what the partner's Task says.
        owner: the partner's organisation id.
    """
    body = dict(shown)
    outputs = _merged_outputs(_list(shown, "output"), taken.outputs)
    if outputs:
        body["output"] = outputs
    told = {_text(note.get("text")) for note in _list(shown, "note") if is_note_of(note, owner)}
    fresh = [note for note in taken.notes if note["text"] not in told]
    if fresh:
        body["note"] = [*_list(shown, "note"), *fresh]
    if taken.fillers:
        others = [one for one in _list(shown, "identifier") if not is_owners_identifier(one, owner)]
        body["identifier"] = [*others, *taken.fillers]
    if taken.period:
        body["executionPeriod"] = taken.period
    return body


def _merged_outputs(before: list[Any], taken: tuple[dict[str, Any], ...]) -> list[Any]:
    """Puts the partner's outputs in; doing it twice is the same as once."""
    last = {code: entry for entry in taken if (code := _kind(entry)) in _ONE_EACH}
    said = [entry for entry in taken if last.get(_kind(entry), entry) is entry]
    fresh = [entry for entry in said if not any(same(entry, other) for other in before)]
    replaced = {_kind(entry) for entry in fresh} & _ONE_EACH
    return [*(entry for entry in before if _kind(entry) not in replaced), *fresh]


def _kind(output: Any) -> str:
    return code_in(_part(output, "type"), OUTPUT_TYPE)


def _output(entry: Any, base: str, kept_bases: Collection[str]) -> dict[str, Any] | None:
    if not isinstance(entry, dict) or "modifierExtension" in entry:
        return None
    code = code_in(entry.get("type"), OUTPUT_TYPE)
    if code:
        for name in HUB_OUTPUTS.get(code, ()):
            value = _value(name, entry.get(name))
            if code == "recall-answer" and name == "valueCodeableConcept" and value is not None:
                value = _concept(entry.get(name))  # the law that demands keeping it stands in its text
            if value is not None:
                return {"type": {"coding": [{"system": OUTPUT_TYPE, "code": code}]}, name: value}
        return None
    kind = _concept(entry.get("type"))
    reference = _led(reference_text(entry.get("valueReference")), base, kept_bases)
    return {"type": kind, "valueReference": {"reference": reference}} if kind and reference else None


def _value(name: str, value: Any) -> Any:
    if name == "valueBoolean":
        return value if isinstance(value, bool) else None
    if name in ("valueDate", "valueCode"):
        return _text(value) or None
    found = [{"system": system, "code": code} for system, code in codings(value) if system]
    if not found:
        return None
    return found[0] if name == "valueCoding" else {"coding": found}


def _concept(value: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    coded = [{"system": system, "code": code} for system, code in codings(value) if system]
    if coded:
        found["coding"] = coded
    if text := _text(_part(value, "text")):
        found["text"] = text
    return found


def _led(text: str, base: str, kept_bases: Collection[str]) -> str:
    try:
        found = parse(text)
    except ValueError:
        return ""
    if found.kind == "relative":
        return f"{base}/{written(found.type, found.id)}" if is_under(base, kept_bases) else ""
    return text if found.kind == "absolute" and is_under(found.base, kept_bases) else ""


def _note(entry: Any) -> dict[str, Any] | None:
    text = _text(_part(entry, "text"))
    if not text:
        return None
    time = _text(_part(entry, "time"))
    return {"time": time, "text": text} if time else {"text": text}


def _filler(entry: Any) -> dict[str, Any] | None:
    if identifier_type(entry) != "FILL" or not _text(entry.get("value")):
        return None
    shown = {"type": {"coding": [{"system": V2_0203, "code": "FILL"}]}}
    return shown | {name: text for name in ("system", "value") if (text := _text(entry.get(name)))}


def _period(value: Any) -> dict[str, Any] | None:
    return {name: text for name in ("start", "end") if (text := _text(_part(value, name)))} or None


def _part(node: Any, name: str) -> Any:
    return node.get(name) if isinstance(node, dict) else None


def _list(node: Mapping[str, Any], name: str) -> list[Any]:
    found = node.get(name)
    return found if isinstance(found, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
