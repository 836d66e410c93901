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
from referral_hub.fhir.index_values import CompositeValue, IndexValue, TokenValue
from referral_hub.fhir.search_parameters import ParameterType, SearchParameter
from referral_hub.fhir.search_paths import NotUnderstood, Place, Step, bases, places, places_below

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
    if parameter.type == "composite":
        visits = [_reach(base.steps, _pair(base, parameter)) for base in bases(parameter.expression)]
    else:
        found = places(parameter.expression)
        if found[0].is_truth:
            return _truth(found)
        visits = _visits(found, parameter.type)
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


def compile_presence(parameter: SearchParameter) -> Callable[[Mapping[str, Any]], bool]:
    """Makes the function that tells whether a resource has the element a parameter is about.

    An element may be there without a value to find it by: a concept in words only, a reference by identifier.

    Source: FHIR R4 ``search.html#modifiers`` (``:missing``).

    >>> from referral_hub.fhir.search_parameters import official
    >>> has_code = compile_presence(official("Task")["code"])
    >>> has_code({"resourceType": "Task", "code": {"text": "in words"}}), has_code({"resourceType": "Task"})
    (True, False)
    """
    visits = [
        _reach(place.steps, _there(place.target))
        for place in places(parameter.expression)
        if place.type in READERS[parameter.type]
    ]

    def present(resource: Mapping[str, Any]) -> bool:
        found: list[IndexValue] = []
        for visit in visits:
            visit(resource, found)
            if found:
                return True
        return False

    return present


_HERE = TokenValue("", "")


def _there(target: str) -> Read:
    def visit(node: Any, found: list[IndexValue]) -> None:
        if not target or node.get("type") == target:
            found.append(_HERE)

    return visit


# ---- walking down ----


def _visits(found: tuple[Place, ...], kind: ParameterType) -> list[Read]:
    readers = READERS[kind]
    return [_reach(place.steps, readers[place.type](place)) for place in found if place.type in readers]


def _pair(base: Place, parameter: SearchParameter) -> Read:
    """Joins each value of the first part with each of the second, in one element."""
    one, two = parameter.components
    firsts = _visits(places_below(base, one.expression), one.type)
    seconds = _visits(places_below(base, two.expression), two.type)
    if one.type != "token" or not firsts or not seconds:
        raise NotUnderstood(f"{parameter.code}: its parts are not a token and a value")

    def visit(node: Any, found: list[IndexValue]) -> None:
        tokens: list[IndexValue] = []
        for read in firsts:
            read(node, tokens)
        if not tokens:
            return
        values: list[IndexValue] = []
        for read in seconds:
            read(node, values)
        found.extend(
            CompositeValue(token, value)
            for token in tokens
            for value in values
            if isinstance(token, TokenValue) and not isinstance(value, CompositeValue)
        )

    return visit


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
