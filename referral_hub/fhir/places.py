"""Places in a resource: its elements with the lists they are in, and how to change what is there.

What lives here: :class:`Place` and :class:`Collection`. What does not: the paths that lead to them
(:mod:`referral_hub.fhir.paths`), the operations of a patch (:mod:`referral_hub.fhir.path_patch`).

Source: FHIR R4 ``json.html`` (primitives and their siblings, repeating elements), ``fhirpatch.html``.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from referral_hub.fhir.element_tables import (
    UNBOUNDED,
    ElementRow,
    is_known,
    is_primitive,
    json_name,
    part_table,
)
from referral_hub.fhir.fhirpath.nodes import Node

MOST_STEPS = 50_000
"""How many elements the paths of one patch may pass: a second at most."""

Item = tuple[Any, Any]
"""One value, and what stands beside it where it is a primitive."""


class NotAPath(Exception):
    """The text is no path that a patch may use."""


@dataclass(slots=True)
class Budget:
    """How many elements may still be passed."""

    left: int = MOST_STEPS

    def spend(self, steps: int) -> None:
        """Takes off what was passed.

        Raises:
            NotAPath: it is more than a patch may pass.
        """
        self.left -= steps
        if self.left < 0:
            raise NotAPath(f"the paths of one patch may pass at most {MOST_STEPS} elements.")


@dataclass(slots=True)
class Collection:
    """The elements of one name in one object: a list, or at most one."""

    holder: dict[str, Any]
    row: ElementRow
    type_name: str
    above: "Place"

    @property
    def key(self) -> str:
        """Gives the JSON name."""
        return json_name(self.row, self.type_name)

    @property
    def repeats(self) -> bool:
        """Tells whether there may be several."""
        return self.row.max == UNBOUNDED or self.row.max > 1

    @property
    def count(self) -> int:
        """Gives how many there are."""
        value, sibling = self.holder.get(self.key), self.holder.get(f"_{self.key}")
        if self.repeats:
            return max(len(one) if isinstance(one, list) else 0 for one in (value, sibling))
        return int(value is not None or sibling is not None)

    def at(self, position: int) -> Item:
        """Gives one value, with what stands beside it."""
        value, sibling = self.holder.get(self.key), self.holder.get(f"_{self.key}")
        return (_of(value, position), _of(sibling, position)) if self.repeats else (value, sibling)

    def insert(self, position: int, item: Item) -> None:
        """Puts a value before another, or at the end; of what does not repeat, in its place."""
        count = self.count
        for key, one in self._sides(item):
            if not self.repeats:
                self._keep(key, one)
            elif one is not None or key in self.holder:
                listed = self._list(key, count)
                listed.insert(position, one)
                self._keep(key, listed)

    def set(self, position: int, item: Item) -> None:
        """Puts one value in the place of another."""
        count = self.count
        for key, one in self._sides(item):
            if not self.repeats:
                self._keep(key, one)
            elif one is not None or key in self.holder:
                listed = self._list(key, count)
                listed[position] = one
                self._keep(key, listed)

    def remove(self, position: int) -> Item:
        """Takes one value out, and gives it."""
        count, item = self.count, self.at(position)
        for key, _ in self._sides(item):
            if not self.repeats:
                self.holder.pop(key, None)
            elif key in self.holder:
                listed = self._list(key, count)
                del listed[position]
                self._keep(key, listed)
        return item

    def _sides(self, item: Item) -> tuple[tuple[str, Any], tuple[str, Any]]:
        return (self.key, item[0]), (f"_{self.key}", item[1])

    def _list(self, key: str, count: int) -> list[Any]:
        """Gives one of the two lists, as long as the longer of them; it is the resource's own."""
        found = self.holder.get(key)
        listed: list[Any] = found if isinstance(found, list) else []
        listed.extend([None] * (count - len(listed)))
        return listed

    def _keep(self, key: str, value: Any) -> None:
        if value is None or (isinstance(value, list) and (not value or not any(map(_is_there, value)))):
            self.holder.pop(key, None)
        else:
            self.holder[key] = value

    def rivals(self) -> list[str]:
        """Gives the other spellings of the same choice that are there."""
        keys = [json_name(self.row, type_name) for type_name in self.row.types]
        return [key for key in keys if key != self.key and (key in self.holder or f"_{key}" in self.holder)]

    def spelled(self, type_name: str) -> "Collection | None":
        """Gives where a value of a type belongs: here, or under another spelling of the same choice."""
        if not self.row.choice or not type_name:
            return self
        kind = _kind(self.row, type_name)
        if kind is None:
            return None
        return self if kind == self.type_name else Collection(self.holder, self.row, kind, self.above)

    def prune(self) -> None:
        """Takes out what is left empty above: an object without anything in it is nothing."""
        place: Place | None = self.above
        while place is not None and place.collection is not None:
            value, sibling = place.collection.at(place.position)
            if value == {} or (value is None and sibling == {}):
                place.collection.remove(place.position)
            elif sibling == {}:
                place.collection.set(place.position, (value, None))
            else:
                return
            place = place.collection.above


@dataclass(slots=True)
class Place:
    """One element: the list it is in and where; the resource itself is in none."""

    node: Node
    budget: Budget
    collection: Collection | None = None
    position: int = 0

    def child(self, name: str, type_name: str) -> Collection | None:
        """Gives the elements of a name, as they are spelled for a value of a type; None where there is no such name.

        A choice is named without its type (``value``), with ``[x]``, or as JSON spells it (``valueQuantity``).
        """
        for row in _rows(self.node.type_name):
            kind = _named(row, name, type_name)
            if kind is not None:
                return Collection(self._object(), row, kind, self)
        return None

    def children(self, name: str) -> Iterator["Place"]:
        """Gives the elements of a name that are there."""
        holder = self.node.value if isinstance(self.node.value, dict) else self.node.sibling
        if not isinstance(holder, dict):
            return
        for row in _rows(self.node.type_name):
            if row.name != name:
                continue
            for type_name in row.types:
                collection = Collection(holder, row, type_name, self)
                for position in range(collection.count):
                    self.budget.spend(1)
                    yield Place(_node(*collection.at(position), type_name), self.budget, collection, position)

    def _object(self) -> dict[str, Any]:
        """Gives the object that children are put into; beside a primitive it is made where it is missing."""
        if isinstance(self.node.value, dict):
            return self.node.value
        sibling = self.node.sibling
        if not isinstance(sibling, dict):
            sibling = {}
            if self.collection is not None:
                self.collection.set(self.position, (self.node.value, sibling))
        return sibling


def put(
    made: dict[str, Any],
    type_name: str,
    name: str,
    value_type: str,
    item: Callable[[str], Item],
) -> bool:
    """Adds a part to an object that is being made; False where its type has no element of that name.

    Args:
        made: the object.
        type_name: its type, or the path of the part it is.
        name: the name of the element.
        value_type: the type the value says it has; empty for a part.
        item: gives the value for the type the element has.
    """
    collection = Place(Node(made, type_name), Budget()).child(name, value_type)
    if collection is None:
        return False
    count = collection.count
    if count and not collection.repeats:
        return False
    collection.insert(count, item(collection.type_name))
    return True


def copied(value: Any) -> Any:
    """Gives a copy of decoded JSON; numbers and texts, which never change, are shared."""
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    if isinstance(value, list):
        return [copied(item) for item in value]
    return value


def _of(listed: Any, position: int) -> Any:
    return listed[position] if isinstance(listed, list) and position < len(listed) else None


def _is_there(value: Any) -> bool:
    return value is not None


def _rows(type_name: str) -> tuple[ElementRow, ...]:
    name = "Element" if is_primitive(type_name) else type_name
    return part_table(name).elements if is_known(name.partition(".")[0]) else ()


def _named(row: ElementRow, name: str, type_name: str) -> str | None:
    """Gives the type an element has under a name for a value of a type, or None."""
    if not row.choice:
        return row.types[0] if row.name == name and row.types else None
    if name.removesuffix("[x]") == row.name:
        return _kind(row, type_name)
    return next((kind for kind in row.types if json_name(row, kind) == name), None)


def _kind(row: ElementRow, type_name: str) -> str | None:
    """Gives which of the types of a choice a value says it has; it says so with a capital letter."""
    if not type_name:
        return row.types[0] if len(row.types) == 1 else None
    return next((kind for kind in row.types if json_name(row, kind) == f"{row.name}{type_name}"), None)


def _node(value: Any, sibling: Any, type_name: str) -> Node:
    if type_name == "Resource" and isinstance(value, dict):
        return Node(value, str(value.get("resourceType")))
    return Node(value, type_name, sibling if isinstance(sibling, dict) else None)
