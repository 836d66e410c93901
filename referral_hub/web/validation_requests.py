"""Reading what $validate is asked, and writing its answer.

What lives here: the body as the resource itself or as Parameters, ``mode`` and ``profile`` from the address or from
the Parameters, and the OperationOutcome with the place of each issue in both of FHIR's forms. What does not: any
rule (``exchange.validating``).

Source: FHIR R4 ``resource-operation-validate.html``, ``operations.html#request``.
"""

from collections.abc import Iterable
from typing import Any

from referral_hub.errors import InvalidParameter, InvalidResource, TooMany
from referral_hub.exchange.validating import MODES, Question
from referral_hub.fhir import json_codec
from referral_hub.fhir.element_tables import index
from referral_hub.fhir.outcome import Issue, operation_outcome
from referral_hub.web.forms import sent_resource
from referral_hub.web.negotiation import BodySizes
from referral_hub.web.wire import Asked

_LARGE = frozenset({"Binary", "DocumentReference"})
# Judging a large definition takes seconds, and nothing of it is kept.
_MOST_JUDGED = 1_048_576
MOST_ELEMENTS = 5_000
"""Elements of definitions that are judged at once; R4's largest has some 600, and ten times as many take a second."""
_PARTS = frozenset({"resource", "mode", "profile"})


def question_of(asked: Asked, type_name: str, sizes: BodySizes) -> Question:
    """Gives what is asked about a resource.

    Raises:
        InvalidParameter: ``mode`` is none of create, update, delete (400).
        TooLarge: more than a megabyte, save a document (413).
        TooMany: definitions of more elements than are judged at once (422).
        InvalidResource: the body is XML that is not FHIR XML; it holds the problems.
    """
    mode, profile = asked.argument("mode") or "", asked.argument("profile") or ""
    resource = None
    if asked.content_length:
        most = sizes.binary if type_name in _LARGE else min(sizes.resource, _MOST_JUDGED)
        resource = sent_resource(asked, sizes, most)
        given = _parts(resource) if resource.get("resourceType") == "Parameters" else None
        if given is not None and (type_name != "Parameters" or "resource" in given):
            resource = given.get("resource")
            mode = given.get("mode", mode)
            profile = given.get("profile", profile)
    if mode not in MODES:
        raise InvalidParameter(
            "mode", "The mode is create, update or delete; without one it is judged in general."
        )
    if resource is not None and _elements(resource) > MOST_ELEMENTS:
        raise TooMany(
            f"At most {MOST_ELEMENTS} elements of definitions are judged at once: send them in parts."
        )
    return Question(resource, mode, profile)


def _elements(resource: dict[str, Any]) -> int:
    """Counts the elements of definitions in a resource, at any depth: each is judged by many rules."""
    found, waiting = 0, [resource]
    while waiting:
        for name, value in waiting.pop().items():
            inside = value if isinstance(value, list) else [value]
            if name == "element":
                found += len(inside)
            waiting.extend(one for one in inside if isinstance(one, dict))
    return found


def _parts(parameters: dict[str, Any]) -> dict[str, Any]:
    """Gives the parts of the operation by name: resource, mode, profile."""
    found: dict[str, Any] = {}
    listed = parameters.get("parameter")
    for item in listed if isinstance(listed, list) else ():
        name = item.get("name") if isinstance(item, dict) else None
        if name not in _PARTS:
            continue
        held = item.get("resource") if name == "resource" else _value(item)
        if isinstance(held, dict if name == "resource" else str):
            found[name] = held
    return found


def _value(item: dict[str, Any]) -> Any:
    return next((value for key, value in item.items() if key.startswith("value")), None)


def is_type(type_name: str) -> bool:
    """Says whether R4 has a resource type of this name: any of them can be judged, also those not stored."""
    return type_name in index().resource_types


def outcome_of(issues: Iterable[Issue]) -> bytes:
    """Gives the OperationOutcome of a judgement; ``location`` repeats the place for clients that read only that."""
    outcome = operation_outcome(issues)
    for issue in outcome["issue"]:
        if "expression" in issue:
            issue["location"] = issue["expression"]
    return json_codec.encode(outcome)


def problems_of(refused: InvalidResource) -> bytes:
    """Gives the same for a body that was not even FHIR XML."""
    return outcome_of(refused.issues)
