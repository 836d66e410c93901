"""Looks into one JSON object.

What lives here: small Python functions that answer one question about an object without making nodes: is an
element there, how many of it, has it this code, is one date before another. What does not: deciding which
expression becomes which look (:mod:`referral_hub.fhir.fhirpath.shortcuts`).
"""

from collections.abc import Callable
from typing import Any, Protocol

from referral_hub.fhir.fhirpath.comparison import TEMPORAL_TYPES, order
from referral_hub.fhir.fhirpath.compiler import Scope
from referral_hub.fhir.fhirpath.nodes import Node, Step, steps
from referral_hub.fhir.fhirpath.operators import Truth

Json = dict[str, Any]


class Surroundings(Protocol):
    """Whoever can say what stands around a value (a validation run)."""

    resource: Json

    def scope(self, value: Json, type_name: str) -> Scope:
        """Gives what an expression may look at when it is asked about this value."""
        ...


Look = Callable[[Json, Surroundings], Truth]
"""Asks an object a question: yes, no, or None where it cannot be said."""

Count = Callable[[Json], int]
"""Counts something in an object."""


def one_primitive(name: str, type_name: str) -> Step | None:
    """Gives the JSON property of a name that is always one kind of primitive; None for other names."""
    found = steps(type_name).get(name, ())
    return found[0] if len(found) == 1 and found[0].is_primitive else None


def keys_of(name: str, type_name: str) -> tuple[str, ...]:
    """Gives the JSON properties that make a name exist; none if the type does not know the name."""
    found: list[str] = []
    for step in steps(type_name).get(name, ()):
        found.append(step.key)
        if step.is_primitive:
            found.append(f"_{step.key}")
    return tuple(found)


def present(keys: tuple[str, ...]) -> Look:
    """Looks whether one of these properties is there."""
    if len(keys) == 1:
        (only,) = keys
        return lambda value, around: only in value
    if len(keys) == 2:
        one, other = keys
        return lambda value, around: one in value or other in value
    wanted = frozenset(keys)
    return lambda value, around: not wanted.isdisjoint(value)


def absent(keys: tuple[str, ...]) -> Look:
    """Looks whether none of these properties is there."""
    if len(keys) == 1:
        (only,) = keys
        return lambda value, around: only not in value
    if len(keys) == 2:
        one, other = keys
        return lambda value, around: one not in value and other not in value
    unwanted = frozenset(keys)
    return lambda value, around: unwanted.isdisjoint(value)


def has_value(key: str) -> Look:
    """Looks whether a primitive has a value and not only extensions."""
    return lambda value, around: value.get(key) is not None


def is_one_of(key: str, texts: frozenset[str], *, negate: bool = False) -> Look:
    """Looks whether a text is one of these."""

    def look(value: Json, around: Surroundings) -> Truth:
        item = value.get(key)
        if isinstance(item, list) and item and not negate:
            return all(isinstance(one, str) and one in texts for one in item)
        return (item in texts) is not negate if isinstance(item, str) else None

    return look


def resource_is_one_of(key: str, texts: frozenset[str], fallback: Look) -> Look:
    """Looks whether a text of the resource around the object is one of these."""

    def look(value: Json, around: Surroundings) -> Truth:
        item = around.resource.get(key)
        return item in texts if isinstance(item, str) else fallback(value, around)

    return look


def _zone(text: str) -> str:
    return "Z" if text[-1] == "Z" else text[-6:]


def ordered(left: Step, right: Step, accept: Callable[[int], bool]) -> Look | None:
    """Looks how two dates of one object follow each other; None if they are no dates."""
    if left.type_name not in TEMPORAL_TYPES or right.type_name not in TEMPORAL_TYPES:
        return None

    def look(value: Json, around: Surroundings) -> Truth:
        one, other = value.get(left.key), value.get(right.key)
        if not isinstance(one, str) or not isinstance(other, str):
            return None
        if len(one) == len(other) and (len(one) <= 10 or _zone(one) == _zone(other)):
            # Written alike, they sort as texts.
            return accept((one > other) - (one < other))
        found = order(Node(one, left.type_name), Node(other, right.type_name))
        return None if found is None else accept(found)

    return look


def counted(name: str, type_name: str) -> Count | None:
    """Counts the objects or values of a name; None if the type does not know it."""
    found = steps(type_name).get(name, ())
    if len(found) != 1:
        return None
    key, sibling = found[0].key, f"_{found[0].key}"

    def count(value: Json) -> int:
        item = value.get(key)
        if item is None:
            item = value.get(sibling)
        return len(item) if isinstance(item, list) else int(item is not None)

    return count


def every(key: str, ask: Look) -> Look:
    """Looks whether every object of a property answers yes."""

    def look(value: Json, around: Surroundings) -> Truth:
        items = value.get(key)
        listed = items if isinstance(items, list) else [items]
        return all(ask(item, around) is True for item in listed if isinstance(item, dict))

    return look
