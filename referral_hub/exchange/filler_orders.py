"""What the hub asks of a recipient in its own name: the filler order and the Task that carries it.

What lives here: building both from what the source asked, pure. What does not: when it is done
(``exchange.hosting``), what the recipient reads of them (``access``).

The filler order says the same as the original, in the hub's name. Of a shelter's request no free text is carried
over: its words are very restricted, and in an order of the hub nobody could tell any more whose they are.

Source: SDOHCC ``refer-1`` (filler-order, ``basedOn``, ``partOf``); ``views.md`` 4 and 6; BSeR and 360X (FILL).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from referral_hub.access.categories import category_of, service_category_coding
from referral_hub.fhir.canonical import CANONICAL, TASK_CODE, V2_0203
from referral_hub.fhir.dates import instant
from referral_hub.fhir.elements import code_in, reference_text
from referral_hub.resources.task import INPUT_TYPE

FILLER = f"{CANONICAL}/filler"
"""System of the number the hub gives an order it made for somebody else's request (type FILL)."""
REQUISITION = f"{CANONICAL}/requisition"
"""System of the number that one request and everything made for it share; in no view of a recipient."""

_CARRIED = (
    "category",
    "priority",
    "code",
    "orderDetail",
    "quantityQuantity",
    "quantityRatio",
    "quantityRange",
    "occurrenceDateTime",
    "occurrencePeriod",
    "occurrenceTiming",
    "asNeededBoolean",
    "asNeededCodeableConcept",
    "performerType",
    "reasonCode",
    "bodySite",
    "note",
    "patientInstruction",
)
_FREE_TEXT = frozenset({"text", "display", "note", "patientInstruction", "extension"})


@dataclass(frozen=True, slots=True)
class Order:
    """Who asks whom for whom: public ids, and when.

    ``original`` is the source's ServiceRequest here, ``parent`` its Task. ``number`` is the hub's own (FILL).
    ``in_words`` says whether free text is carried over.
    """

    hub: str
    recipient: str
    person: str
    original: str
    parent: str
    number: str
    at_us: int
    in_words: bool


def can_be_passed_on(request: Mapping[str, Any]) -> bool:
    """Says whether a request can be said again: nothing in it changes the meaning of the rest unseen.

    >>> can_be_passed_on({"status": "active"}), can_be_passed_on({"status": "revoked"})
    (True, False)
    """
    hidden = "implicitRules" in request or _has_modifier(request)
    return request.get("status") == "active" and request.get("doNotPerform") is not True and not hidden


def filler_order(request: Mapping[str, Any], order: Order, beside: Iterable[str]) -> dict[str, Any]:
    """Gives the ServiceRequest that the hub authors for a source's request.

    Args:
        request: the source's request as it is stored here.
        order: who asks whom for whom.
        beside: ``Type/id`` of what goes with it.
    """
    carried: dict[str, Any] = {}
    for name in _CARRIED:
        if name in request:
            value = request[name] if order.in_words else _without_words(name, request[name])
            if value not in (None, [], {}):
                carried[name] = value
    if "code" not in carried:
        carried["code"] = {"coding": [service_category_coding(category_of(request))]}
    found = {
        "resourceType": "ServiceRequest",
        "identifier": [filler_number(order.number)],
        "basedOn": [{"reference": f"ServiceRequest/{order.original}"}],
        "requisition": request.get("requisition") or {"system": REQUISITION, "value": order.original},
        "status": "active",
        "intent": "filler-order",
        **carried,
        "subject": {"reference": f"Patient/{order.person}"},
        "authoredOn": instant(order.at_us),
        "requester": {"reference": f"Organization/{order.hub}"},
        "performer": [{"reference": f"Organization/{order.recipient}"}],
    }
    for name in ("reasonReference", "supportingInfo"):
        here = [one for one in request.get(name) or () if _is_here(reference_text(one))]
        if name == "supportingInfo":
            known = {reference_text(one) for one in here}
            here += [{"reference": text} for text in beside if text not in known]
        if here:
            found[name] = [{"reference": reference_text(one)} for one in here]
    return found


def onward_task(parent: Mapping[str, Any], order: Order, focus: str) -> dict[str, Any]:
    """Gives the Task that the hub authors for a recipient.

    Args:
        parent: the source's Task as it is stored here.
        order: who asks whom for whom.
        focus: id of the filler order.
    """
    found: dict[str, Any] = {
        "resourceType": "Task",
        "partOf": [{"reference": f"Task/{order.parent}"}],
        "status": "requested",
        "intent": "order",
        "code": {"coding": [{"system": TASK_CODE, "code": "fulfill"}]},
        "focus": {"reference": f"ServiceRequest/{focus}"},
        "for": {"reference": f"Patient/{order.person}"},
        "authoredOn": instant(order.at_us),
        "lastModified": instant(order.at_us),
        "requester": {"reference": f"Organization/{order.hub}"},
        "owner": {"reference": f"Organization/{order.recipient}"},
    }
    if "priority" in parent:
        found["priority"] = parent["priority"]
    restriction = parent.get("restriction")
    period = restriction.get("period") if isinstance(restriction, dict) else None
    if period:
        found["restriction"] = {"period": period}
    conditions = conditions_asked(parent)
    if conditions:
        found["input"] = conditions
    return found


def conditions_asked(task: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Gives the inputs of the hub's own types: how to handle it, when to name her, who stays responsible."""
    return [
        one
        for one in task.get("input") or ()
        if isinstance(one, dict) and code_in(one.get("type"), INPUT_TYPE) and "valueReference" not in one
    ]


def filler_number(number: str) -> dict[str, Any]:
    """Gives the hub's number of an order it made for a source (FILL)."""
    return {
        "type": {"coding": [{"system": V2_0203, "code": "FILL"}]},
        "system": FILLER,
        "value": number,
    }


def _is_here(text: str) -> bool:
    return bool(text) and "://" not in text and not text.startswith(("#", "urn:"))


def _has_modifier(value: Any) -> bool:
    if isinstance(value, list):
        return any(_has_modifier(one) for one in value)
    return isinstance(value, dict) and (
        "modifierExtension" in value or any(_has_modifier(one) for one in value.values())
    )


def _without_words(name: str, value: Any) -> Any:
    """Gives an element in codes only; None where nothing stays."""
    if name in _FREE_TEXT:
        return None
    if isinstance(value, list):
        return [kept for one in value if (kept := _without_words("", one)) not in (None, {}, [])]
    if not isinstance(value, dict):
        return value
    found = {key: _without_words(key, one) for key, one in value.items()}
    return {key: one for key, one in found.items() if one not in (None, {}, [])}
