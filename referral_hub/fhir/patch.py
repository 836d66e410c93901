"""JSON Patch: a list of small changes to one resource.

What lives here: reading a patch and applying it to decoded JSON, whole or not at all. What does not: which
elements a caller may change (``access`` and ``exchange``), and whether the result is a valid resource (the
validator).

Its own implementation, because exactness matters: what a patch does not name keeps its digits, ``test``
compares numbers by value (``1.50`` equals ``1.5``) and never takes ``true`` for ``1``.

Source: RFC 6902 (JSON Patch); RFC 6901 (JSON Pointer); FHIR R4 ``http.html#patch``.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from referral_hub.errors import MalformedContent, PatchFailed
from referral_hub.fhir import json_codec

MEDIA_TYPE = "application/json-patch+json"

MOST_OPERATIONS = 500
"""The most operations one patch may hold."""
LARGEST_RESULT = 200_000
"""The most values (objects, lists, texts, numbers) of a patched resource; ``copy`` can double it fast."""

_NAMES = frozenset(("add", "remove", "replace", "move", "copy", "test"))
_WITH_VALUE = frozenset(("add", "replace", "test"))
_WITH_FROM = frozenset(("move", "copy"))
_INDEX = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)
_ESCAPED = re.compile(r"~(?![01])")
_ELEMENT = re.compile(r"_?[A-Za-z][A-Za-z0-9]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Operation:
    """One change: number from 1, name, the place (a pointer cut into parts), where from, the value."""

    number: int
    name: str
    path: tuple[str, ...]
    source: tuple[str, ...] = ()
    value: Any = None


def read(data: bytes) -> tuple[Operation, ...]:
    """Reads the body of a PATCH.

    Raises:
        MalformedContent: not JSON, not a list of operations, or an operation lacks a part. 400 on the wire.

    Source: RFC 6902 sections 3 and 4.

    >>> read(b'[{"op":"replace","path":"/status","value":"accepted"}]')[0].path
    ('status',)
    """
    listed = json_codec.decode(data)
    if not isinstance(listed, list):
        raise MalformedContent("A JSON Patch is a list of operations.")
    if len(listed) > MOST_OPERATIONS:
        raise MalformedContent(f"A patch may hold at most {MOST_OPERATIONS} operations.")
    return tuple(_operation(number, told) for number, told in enumerate(listed, 1))


def apply(document: dict[str, Any], operations: Sequence[Operation]) -> dict[str, Any]:
    """Gives the resource as it is after the patch; the resource given is not altered.

    Unchanged parts are shared between the two, so neither may be changed in place afterwards.

    Raises:
        PatchFailed: a place is not there, a ``test`` does not hold, or the result is no object or too
        large; the
            text names the operation, ``expression`` the place. Nothing is changed then. 422 on the wire.

    Source: RFC 6902 sections 4 and 5.

    >>> apply({"status": "requested"}, read(b'[{"op":"replace","path":"/status","value":"accepted"}]'))
    {'status': 'accepted'}
    """
    root = str(document.get("resourceType", ""))
    result: Any = document
    for operation in operations:
        try:
            result = _applied(result, operation)
        except _NoSuchPlace as missing:
            raise PatchFailed(
                f"Operation {operation.number} ({operation.name}) cannot be done: {missing}",
                _expression(root, missing.path),
            ) from None
    if not isinstance(result, dict):
        raise PatchFailed("The patch leaves no object; a resource is one JSON object.")
    _check_size(result)
    return result


def equal(left: Any, right: Any) -> bool:
    """Says whether two JSON values are the same: numbers by value, objects in any order, lists in order.

    Source: RFC 6902 section 4.6.

    >>> equal({"value": Decimal("1.50")}, {"value": Decimal("1.5")}), equal(1, True)
    (True, False)
    """
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, (int, Decimal)) and isinstance(right, (int, Decimal)):
        return left == right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equal(value, right[key]) for key, value in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    return type(left) is type(right) and bool(left == right)


class _NoSuchPlace(Exception):
    """A pointer leads nowhere, or a test does not hold."""

    def __init__(self, text: str, path: tuple[str, ...]) -> None:
        super().__init__(text)
        self.path = path


def _operation(number: int, told: Any) -> Operation:
    if not isinstance(told, dict):
        raise MalformedContent(f"Operation {number} of the patch is not an object.")
    name = told.get("op")
    if not isinstance(name, str) or name not in _NAMES:
        raise MalformedContent(
            f"Operation {number} has no known op: possible are {', '.join(sorted(_NAMES))}."
        )
    if name in _WITH_VALUE and "value" not in told:
        raise MalformedContent(f"Operation {number} ({name}) needs a value.")
    source = _pointer(number, "from", told.get("from")) if name in _WITH_FROM else ()
    return Operation(number, name, _pointer(number, "path", told.get("path")), source, told.get("value"))


def _pointer(number: int, member: str, text: Any) -> tuple[str, ...]:
    """Cuts a JSON Pointer into its parts. Source: RFC 6901 sections 3 and 4."""
    if not isinstance(text, str):
        raise MalformedContent(f"Operation {number} of the patch needs a {member}.")
    if text == "":
        return ()
    if text[0] != "/" or _ESCAPED.search(text):
        raise MalformedContent(
            f"The {member} of operation {number} is no JSON Pointer: start with /, write ~ as ~0 and / as ~1."
        )
    parts = text[1:].split("/")
    if len(parts) > json_codec.LEVELS:
        raise MalformedContent(f"The {member} of operation {number} has more than {json_codec.LEVELS} parts.")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in parts)


def _applied(document: Any, operation: Operation) -> Any:
    path, source = operation.path, operation.source
    match operation.name:
        case "add":
            return _put(document, path, 0, operation.value, is_new=True)
        case "replace":
            return _put(document, path, 0, operation.value, is_new=False)
        case "remove":
            return _removed(document, path, 0)
        case "copy":
            return _put(document, path, 0, _value_at(document, source), is_new=True)
        case "move":
            value = _value_at(document, source)
            if path == source:
                return document
            if path[: len(source)] == source:
                raise _NoSuchPlace("a value cannot be moved into itself.", path)
            return _put(_removed(document, source, 0), path, 0, value, is_new=True)
        case _:
            if not equal(_value_at(document, path), operation.value):
                raise _NoSuchPlace("the value there is another one.", path)
            return document


def _value_at(document: Any, path: tuple[str, ...]) -> Any:
    for depth in range(len(path)):
        document = document[_key(document, path, depth)]
    return document


def _key(node: Any, path: tuple[str, ...], depth: int) -> Any:
    """Gives the key or index that this part of the pointer names in the node, which must exist."""
    part = path[depth]
    if isinstance(node, dict) and part in node:
        return part
    if isinstance(node, list) and _INDEX.fullmatch(part) and int(part) < len(node):
        return int(part)
    raise _NoSuchPlace("there is nothing at that place.", path[: depth + 1])


def _put(node: Any, path: tuple[str, ...], depth: int, value: Any, *, is_new: bool) -> Any:
    """Gives the node with a value at the place; without ``is_new`` the place must exist already."""
    if depth == len(path):
        return value
    if depth < len(path) - 1:
        key = _key(node, path, depth)
        changed = node.copy()
        changed[key] = _put(node[key], path, depth + 1, value, is_new=is_new)
        return changed
    if not is_new:
        changed = node.copy() if isinstance(node, (dict, list)) else node
        changed[_key(node, path, depth)] = value
        return changed
    if isinstance(node, dict):
        return {**node, path[depth]: value}
    if isinstance(node, list):
        return _inserted(node, path, value)
    raise _NoSuchPlace("there is no object or list to add to.", path[:depth])


def _inserted(items: list[Any], path: tuple[str, ...], value: Any) -> list[Any]:
    part = path[-1]
    if part == "-":
        return [*items, value]
    if not _INDEX.fullmatch(part) or int(part) > len(items):
        raise _NoSuchPlace(f"the list has places 0 to {len(items)}, and - for its end.", path)
    return [*items[: int(part)], value, *items[int(part) :]]


def _removed(node: Any, path: tuple[str, ...], depth: int) -> Any:
    if depth == len(path):
        raise _NoSuchPlace("the whole resource cannot be removed by a patch.", path)
    key = _key(node, path, depth)
    changed = node.copy()
    if depth == len(path) - 1:
        del changed[key]
    else:
        changed[key] = _removed(node[key], path, depth + 1)
    return changed


def _check_size(result: dict[str, Any]) -> None:
    """Refuses what grew beyond all measure; stops counting there, so that it costs little."""
    layer: list[Any] = [result]
    counted = 0
    for _ in range(json_codec.LEVELS + 1):
        following: list[Any] = []
        for value in layer:
            if isinstance(value, dict):
                following.extend(value.values())
            elif isinstance(value, list):
                following.extend(value)
            if counted + len(following) > LARGEST_RESULT:
                raise PatchFailed(f"The patched resource would hold more than {LARGEST_RESULT} values.")
        counted += len(following)
        layer = following
        if not layer:
            return
    raise PatchFailed(f"The patched resource would be nested more than {json_codec.LEVELS} levels deep.")


def _expression(root: str, path: tuple[str, ...]) -> str:
    """Writes the place as a FHIR path, as far as its parts can be element names."""
    written = root
    for part in path:
        if _INDEX.fullmatch(part):
            written += f"[{part}]"
        elif _ELEMENT.fullmatch(part):
            written += f".{part}" if written else part
        else:
            break
    return written
