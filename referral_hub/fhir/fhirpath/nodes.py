"""Walking a resource with its types.

What lives here: :class:`Node`, a value of a resource together with the FHIR type it has there, and the
steps from a node to its children. What does not: values that an expression computes; those are plain Python
values.

Nothing here trusts the resource to be well formed: what is not of the expected shape is not there.

Source: FHIR R4 ``fhirpath.html``, FHIRPath 2.0 section 5.8.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from referral_hub.fhir.element_tables import index, is_primitive, json_name, part_table


@dataclass(frozen=True, slots=True)
class Node:
    """An element of a resource.

    Args:
        value: its JSON value; None for a primitive that has extensions only.
        type_name: its FHIR type, or the path of the part it is (``Patient.contact``).
        sibling: id and extensions of a primitive (the object under ``_name``).
    """

    value: Any
    type_name: str
    sibling: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One JSON property that a name in an expression may mean."""

    key: str
    type_name: str
    is_primitive: bool


@cache
def steps(type_name: str) -> dict[str, tuple[Step, ...]]:
    """Gives for every child name of a type the JSON properties it stands for.

    >>> [step.key for step in steps("Patient")["deceased"]]
    ['deceasedBoolean', 'deceasedDateTime']
    """
    table = part_table("Element" if is_primitive(type_name) else type_name)
    return {
        row.name: tuple(Step(json_name(row, kind), kind, is_primitive(kind)) for kind in row.types)
        for row in table.elements
    }


@cache
def steps_by_key(type_name: str) -> dict[str, Step]:
    """Gives the same steps by the JSON property they stand for."""
    return {step.key: step for alternatives in steps(type_name).values() for step in alternatives}


def resource_node(resource: dict[str, Any]) -> Node | None:
    """Gives a resource as a node; None where R4 has no such type."""
    type_name = resource.get("resourceType")
    if isinstance(type_name, str) and type_name in index().resource_types:
        return Node(resource, type_name)
    return None


def children_named(node: Node, name: str) -> Iterator[Node]:
    """Gives the children of a node that have this name."""
    source = _children_source(node)
    if source is not None:
        for step in steps(node.type_name).get(name, ()):
            yield from _children_by(source, step)


def children(node: Node) -> Iterator[Node]:
    """Gives all children of a node, in the order of the resource."""
    source = _children_source(node)
    if source is None:
        return
    known = steps_by_key(node.type_name)
    for key in source:
        # A primitive that has extensions only is found under its sibling's name.
        alone = key.startswith("_") and key[1:] not in source
        step = known.get(key[1:] if alone else key)
        if step is not None:
            yield from _children_by(source, step)


def descendants(node: Node) -> Iterator[Node]:
    """Gives everything below a node, contained resources included."""
    for child in children(node):
        yield child
        yield from descendants(child)


def _children_source(node: Node) -> dict[str, Any] | None:
    if isinstance(node.value, dict):
        return node.value
    return node.sibling


def _children_by(source: dict[str, Any], step: Step) -> Iterator[Node]:
    value = source.get(step.key)
    if step.is_primitive:
        yield from _primitives(value, source.get(f"_{step.key}"), step.type_name)
        return
    for item in value if isinstance(value, list) else (value,):
        if isinstance(item, dict):
            if step.type_name != "Resource":
                yield Node(item, step.type_name)
            elif (resource := resource_node(item)) is not None:
                yield resource


def _primitives(value: Any, sibling: Any, type_name: str) -> Iterator[Node]:
    if not isinstance(value, list) and not isinstance(sibling, list):
        if value is not None or isinstance(sibling, dict):
            yield Node(_scalar(value), type_name, sibling if isinstance(sibling, dict) else None)
        return
    values = value if isinstance(value, list) else []
    siblings = sibling if isinstance(sibling, list) else []
    for position in range(max(len(values), len(siblings))):
        item = _scalar(values[position]) if position < len(values) else None
        extra = siblings[position] if position < len(siblings) else None
        if item is not None or isinstance(extra, dict):
            yield Node(item, type_name, extra if isinstance(extra, dict) else None)


def _scalar(value: Any) -> Any:
    return None if isinstance(value, dict | list) else value
