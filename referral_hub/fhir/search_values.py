"""Taking out of a resource what a search finds it by.

What lives here: one function per search parameter, put together once from the parameter's places, that gives
the index values of a resource. What does not: the places (:mod:`.search_paths`), the values that one element
gives (:mod:`.element_values`), and rows (``exchange``, ``store``).

The functions take resources that the validator has passed. They read a few keys each; no FHIRPath is
evaluated while a request waits.

Source: FHIR R4 ``search.html`` (sections for each parameter type).
"""

from collections.abc import Callable, Mapping
from typing import Any

from referral_hub.fhir.element_values import READERS, Read, each, single
from referral_hub.fhir.index_values import IndexValue, TokenValue
from referral_hub.fhir.search_parameters import SearchParameter
from referral_hub.fhir.search_paths import NotUnderstood, Place, Step, places

Extractor = Callable[[Mapping[str, Any]], list[IndexValue]]


def compile_extractor(parameter: SearchParameter) -> Extractor:
    """Makes the function that gives a resource's values for one search parameter.

    Call it when the hub starts, never while a request waits. The function gives each value once, in the
    order of the resource; it gives none for an element that is absent.

    Raises:
        NotUnderstood: the expression says more than search parameters may here, or no place of it has a type
            that fits the parameter's type.

    The function made raises InvalidResource (422 on the wire) for a date or reference that cannot be read,
    with its place; nothing of such a resource is indexed.

    Source: FHIR R4 ``search.html#ptypes``.

    >>> from referral_hub.fhir.search_parameters import official
    >>> status = compile_extractor(official("Task")["status"])
    >>> status({"resourceType": "Task", "status": "requested"})
    [TokenValue(system='http://hl7.org/fhir/task-status', code='requested')]
    """
    found = places(parameter.expression)
    if found[0].is_truth:
        return _truth(found)
    visits = []
    for place in found:
        make = READERS[parameter.type].get(place.type)
        if make is not None:
            visits.append(_reach(place.steps, make(place)))
    if not visits:
        raise NotUnderstood(f"{parameter.code}: no value of type {parameter.type} at {parameter.expression}")
    first, *others = visits

    def extract(resource: Mapping[str, Any]) -> list[IndexValue]:
        values: list[IndexValue] = []
        first(resource, values)
        for visit in others:
            visit(resource, values)
        return list(dict.fromkeys(values)) if len(values) > 1 else values

    return extract


# ---- walking down ----


def _reach(steps: tuple[Step, ...], emit: Read) -> Read:
    for step in reversed(steps):
        if step.where is not None:
            emit = _only(step.where, emit)
        emit = each(step.key, emit) if step.many else single(step.key, emit)
    return emit


def _only(where: tuple[str, str], then: Read) -> Read:
    key, text = where

    def visit(node: Any, found: list[IndexValue]) -> None:
        if node.get(key) == text:
            then(node, found)

    return visit


def _truth(found: tuple[Place, ...]) -> Extractor:
    """Gives the extractor that says whether anything other than false stands at one of the places."""
    keys = [place.steps[-1].key for place in found]

    def extract(resource: Mapping[str, Any]) -> list[IndexValue]:
        is_there = any(resource.get(key) not in (None, False) for key in keys)
        return [TokenValue("", "true" if is_there else "false")]

    return extract
