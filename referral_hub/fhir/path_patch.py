"""FHIRPath Patch: a Parameters resource that says in FHIRPath what to change in another one.

What lives here: reading such a Parameters and applying its operations, whole or not at all. What does not: finding
the places a path names (:mod:`referral_hub.fhir.paths`), JSON Patch (:mod:`referral_hub.fhir.patch`), which
elements a caller may change (``access`` and ``exchange``), and whether the result is valid (the validator).

Source: FHIR R4 ``fhirpatch.html``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from referral_hub.errors import InvalidResource, PatchFailed
from referral_hub.fhir.outcome import Issue
from referral_hub.fhir.patch import LARGEST_RESULT, MOST_OPERATIONS
from referral_hub.fhir.paths import Where, where
from referral_hub.fhir.places import Budget, Collection, NotAPath, Place, copied, put

Name = Literal["add", "insert", "delete", "replace", "move"]
_NAMES = ("add", "insert", "delete", "replace", "move")
_NEEDS: dict[str, tuple[str, ...]] = {
    "add": ("name", "value"),
    "insert": ("index", "value"),
    "delete": (),
    "replace": ("value",),
    "move": ("source", "destination"),
}


@dataclass(frozen=True, slots=True)
class Value:
    """A value as Parameters carry one: its type where it says one, the value, and what stands beside a primitive."""

    type_name: str
    plain: Any
    sibling: Any = None
    parts: tuple[tuple[str, "Value"], ...] = ()


_NOTHING = Value("", None)


@dataclass(frozen=True, slots=True)
class Operation:
    """One change: number from 1, name, the places a path leads to, and what the operation needs."""

    number: int
    name: Name
    path: str
    places: Where
    element: str = ""
    value: Value = _NOTHING
    index: int = 0
    source: int = 0
    destination: int = 0


def read(parameters: dict[str, Any]) -> tuple[Operation, ...]:
    """Reads a FHIRPath Patch.

    Raises:
        InvalidResource: one issue for each operation that lacks a part, or whose path cannot be read. 422.

    >>> [operation.name for operation in read({"resourceType": "Parameters", "parameter": [{"name": "operation",
    ...     "part": [{"name": "type", "valueCode": "delete"}, {"name": "path", "valueString": "Task.note"}]}]})]
    ['delete']
    """
    listed = parameters.get("parameter", [])
    if parameters.get("resourceType") != "Parameters" or not isinstance(listed, list):
        text = "A FHIRPath Patch is a Parameters resource with a parameter named operation for each change."
        raise InvalidResource([Issue("error", "structure", text, "Parameters")])
    if len(listed) > MOST_OPERATIONS:
        raise InvalidResource(
            [
                Issue(
                    "error",
                    "too-costly",
                    f"A patch may hold at most {MOST_OPERATIONS} operations.",
                    "Parameters",
                )
            ]
        )
    operations: list[Operation] = []
    issues: list[Issue] = []
    for position, told in enumerate(listed):
        try:
            operations.append(_operation(position + 1, told))
        except _Unreadable as problem:
            issues.append(Issue("error", "value", str(problem), f"Parameters.parameter[{position}]"))
    if issues:
        raise InvalidResource(issues)
    return tuple(operations)


def apply(document: dict[str, Any], operations: Sequence[Operation]) -> dict[str, Any]:
    """Gives the resource as it is after the patch; the resource given is not altered.

    Raises:
        PatchFailed: a path leads nowhere, or to several elements where one is needed, or what is added is there
            already or fits nowhere; the text names the operation. Nothing is changed then. 422 on the wire.

    >>> patch = read({"resourceType": "Parameters", "parameter": [{"name": "operation", "part": [
    ...     {"name": "type", "valueCode": "replace"}, {"name": "path", "valueString": "Task.status"},
    ...     {"name": "value", "valueCode": "accepted"}]}]})
    >>> apply({"resourceType": "Task", "status": "requested"}, patch)
    {'resourceType': 'Task', 'status': 'accepted'}
    """
    result: dict[str, Any] = copied(document)
    budget = Budget()
    for operation in operations:
        try:
            _APPLY[operation.name](result, operation, budget)
        except (_CannotBeDone, NotAPath) as problem:
            raise PatchFailed(
                f"Operation {operation.number} ({operation.name}) cannot be done: {problem}",
                operation.path[:200],
            ) from None
    if _size(result) > LARGEST_RESULT:
        raise PatchFailed(f"The patched resource would hold more than {LARGEST_RESULT} values.")
    return result


class _Unreadable(Exception):
    """An operation lacks a part, or a part cannot be read."""


class _CannotBeDone(Exception):
    """An operation does not fit the resource."""


# --- reading -------------------------------------------------------------------------------------------------


def _operation(number: int, told: Any) -> Operation:
    if not isinstance(told, dict) or told.get("name") != "operation":
        raise _Unreadable("Each parameter is named operation, and its parts say what to do.")
    parts: dict[str, dict[str, Any]] = {}
    listed = told.get("part")
    for part in listed if isinstance(listed, list) else ():
        name = part.get("name") if isinstance(part, dict) else None
        if not isinstance(name, str) or name in parts:
            raise _Unreadable("Each part has a name, and no two the same.")
        parts[name] = part
    name = _text(parts, "type")
    if name not in _NAMES:
        raise _Unreadable(f"The part type is one of {', '.join(_NAMES)}.")
    missing = [need for need in _NEEDS[name] if need not in parts]
    if missing:
        raise _Unreadable(f"The operation {name} needs the part {missing[0]}.")
    path = _text(parts, "path")
    try:
        places = where(path)
    except NotAPath as problem:
        raise _Unreadable(str(problem)) from None
    return Operation(
        number,
        name,  # type: ignore[arg-type]
        path,
        places,
        element=_text(parts, "name") if name == "add" else "",
        value=_value(parts["value"]) if "value" in _NEEDS[name] else _NOTHING,
        index=_whole(parts, "index") if name == "insert" else 0,
        source=_whole(parts, "source") if name == "move" else 0,
        destination=_whole(parts, "destination") if name == "move" else 0,
    )


def _text(parts: dict[str, dict[str, Any]], name: str) -> str:
    part = parts.get(name, {})
    found = next((value for key, value in part.items() if key.startswith("value")), None)
    if not isinstance(found, str) or not found:
        raise _Unreadable(f"The operation needs the part {name}, a text.")
    return found


def _whole(parts: dict[str, dict[str, Any]], name: str) -> int:
    found = next((value for key, value in parts[name].items() if key.startswith("value")), None)
    if type(found) is not int or found < 0:
        raise _Unreadable(f"The part {name} is a whole number from 0.")
    return found


def _value(part: dict[str, Any]) -> Value:
    if "resource" in part:
        return Value("Resource", part["resource"])
    keys = {key.removeprefix("_") for key in part if key.removeprefix("_").startswith("value")}
    nested = part.get("part")
    if nested is not None and not keys:
        if not isinstance(nested, list) or not nested:
            raise _Unreadable("The parts of a value are a list.")
        parts = []
        for one in nested:
            if not isinstance(one, dict) or not isinstance(one.get("name"), str):
                raise _Unreadable("Each part of a value has the name of an element.")
            parts.append((one["name"], _value(one)))
        return Value("", None, parts=tuple(parts))
    if len(keys) != 1 or nested is not None:
        raise _Unreadable("A value is one value[x], a resource, or parts.")
    key = keys.pop()
    type_name = key.removeprefix("value")
    return Value(type_name, part.get(key), part.get(f"_{key}"))


# --- applying ------------------------------------------------------------------------------------------------


def _one(document: dict[str, Any], operation: Operation, budget: Budget) -> Place:
    found = operation.places.places(document, budget)
    if not found:
        raise _CannotBeDone("the path leads to nothing.")
    if len(found) > 1:
        raise _CannotBeDone("the path leads to several elements; it must lead to one.")
    return found[0]


def _add(document: dict[str, Any], operation: Operation, budget: Budget) -> None:
    holder = _one(document, operation, budget)
    collection = holder.child(operation.element, operation.value.type_name)
    if collection is None:
        raise _CannotBeDone(_NO_ELEMENT)
    if not collection.repeats and (collection.count or collection.rivals()):
        raise _CannotBeDone("the element is there already; replace it.")
    collection.insert(collection.count, _made(collection.type_name, operation.value))


def _insert(document: dict[str, Any], operation: Operation, budget: Budget) -> None:
    collection = _collection(document, operation, budget)
    if operation.index > collection.count:
        raise _CannotBeDone("the index is beyond the end of the list.")
    if not collection.repeats and collection.count:
        raise _CannotBeDone("the element is no list, and it is there already.")
    collection.insert(operation.index, _made(collection.type_name, operation.value))


def _delete(document: dict[str, Any], operation: Operation, budget: Budget) -> None:
    found = operation.places.places(document, budget)
    if len(found) > 1:
        raise _CannotBeDone("the path leads to several elements; only one at a time can be deleted.")
    for place in found:
        if place.collection is None:
            raise _CannotBeDone("a resource is not deleted by a patch.")
        place.collection.remove(place.position)
        place.collection.prune()


def _replace(document: dict[str, Any], operation: Operation, budget: Budget) -> None:
    place = _one(document, operation, budget)
    if place.collection is None:
        raise _CannotBeDone("a resource is replaced by an update, not by a patch.")
    collection = place.collection
    spelling = collection.spelled(operation.value.type_name)
    if spelling is None:
        raise _CannotBeDone("the element cannot have a value of this type.")
    item = _made(spelling.type_name, operation.value)
    if spelling is collection:
        collection.set(place.position, item)
    else:
        collection.remove(place.position)
        spelling.insert(0, item)


def _move(document: dict[str, Any], operation: Operation, budget: Budget) -> None:
    collection = _collection(document, operation, budget)
    if max(operation.source, operation.destination) >= collection.count:
        raise _CannotBeDone(f"the list has {collection.count} elements, counted from 0.")
    collection.insert(operation.destination, collection.remove(operation.source))


_APPLY = {"add": _add, "insert": _insert, "delete": _delete, "replace": _replace, "move": _move}


_NO_ELEMENT = "there is no element of this name that takes such a value."


def _collection(document: dict[str, Any], operation: Operation, budget: Budget) -> Collection:
    """Gives the list a path names, which may be empty: its holder must be one element."""
    if operation.places.holder is None:
        raise _CannotBeDone("the path must end with the name of a list.")
    holders = operation.places.holder.places(document, budget)
    if len(holders) != 1:
        raise _CannotBeDone("the path must lead to one list.")
    found = holders[0].child(operation.places.last, operation.value.type_name)
    if found is None:
        raise _CannotBeDone(_NO_ELEMENT)
    return found


def _made(type_name: str, value: Value) -> tuple[Any, Any]:
    """Gives the JSON of a value, with what stands beside a primitive."""
    if not value.parts:
        if value.plain is None and value.sibling is None:
            raise _CannotBeDone("the value is empty.")
        return copied(value.plain), copied(value.sibling)
    made: dict[str, Any] = {}
    for name, part in value.parts:
        if not put(made, type_name, name, part.type_name, partial(_made_of, part)):
            raise _CannotBeDone("the value has a part that there is no element for.")
    return made, None


def _made_of(value: Value, type_name: str) -> tuple[Any, Any]:
    return _made(type_name, value)


def _size(value: Any) -> int:
    """Counts the values of a resource, without recursion."""
    counted, waiting = 0, [value]
    while waiting and counted <= LARGEST_RESULT:
        one = waiting.pop()
        counted += 1
        if isinstance(one, dict):
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
    return counted
