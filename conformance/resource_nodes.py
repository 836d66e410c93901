"""A resource as a list of places: every property with what the tables of R4 say about it.

What lives here: :class:`Node` and the walk. What does not: what is done to a place (``conformance.faults``).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from referral_hub.fhir.element_tables import UNBOUNDED, ElementRow, index, is_primitive, properties

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Node:
    """One property of an object in a resource: where it stands, what it may be, and how to name it."""

    owner: Json
    key: str
    row: ElementRow
    kind: str
    owner_kind: str
    path: str

    @property
    def value(self) -> Any:
        """Gives what stands there."""
        return self.owner[self.key]

    @property
    def required(self) -> bool:
        """Says whether R4 demands the element."""
        return self.row.min > 0

    def primitives(self) -> list[Any]:
        """Gives the values as a list, whether it is one or may repeat."""
        return self.value if isinstance(self.value, list) else [self.value]

    def put(self, value: Any) -> None:
        """Writes a value, as the only one of a list where the element repeats."""
        self.owner[self.key] = [value] if self.row.max == UNBOUNDED else value


def nodes(resource: Json) -> Iterator[Node]:
    """Gives every property of a resource that the tables know, the resources inside it included."""
    name = resource.get("resourceType")
    if isinstance(name, str) and name in index().resource_types:
        yield from _nodes(resource, name, name)


def _nodes(owner: Json, kind: str, path: str) -> Iterator[Node]:
    known = properties(kind)
    for key, value in owner.items():
        found = known.get(key)
        if found is None:
            continue
        place = f"{path}.{key}"
        yield Node(owner, key, found.row, found.type_name, kind, place)
        for item in value if isinstance(value, list) else [value]:
            if not isinstance(item, dict):
                continue
            if found.type_name == "Resource":
                inner = item.get("resourceType")
                if isinstance(inner, str) and inner in index().resource_types:
                    yield from _nodes(item, inner, place)
            elif not is_primitive(found.type_name):
                yield from _nodes(item, found.type_name, place)
