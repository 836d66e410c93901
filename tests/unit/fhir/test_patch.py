"""JSON Patch: RFC 6902 whole, on exact JSON."""

import copy
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_hub.errors import MalformedContent, PatchFailed
from referral_hub.fhir.json_codec import decode, encode
from referral_hub.fhir.patch import MOST_OPERATIONS, apply, equal, read


def patched(document: dict[str, Any], *operations: dict[str, Any]) -> dict[str, Any]:
    return apply(document, read(json.dumps(operations).encode()))


def op(name: str, path: str, value: Any = ..., source: str | None = None) -> dict[str, Any]:
    told: dict[str, Any] = {"op": name, "path": path}
    if value is not ...:
        told["value"] = value
    if source is not None:
        told["from"] = source
    return told


@pytest.mark.parametrize(
    ("before", "operation", "after"),
    [
        ({"a": 1}, op("add", "/b", 2), {"a": 1, "b": 2}),
        ({"a": 1}, op("add", "/a", 2), {"a": 2}),
        ({"a": [1, 3]}, op("add", "/a/1", 2), {"a": [1, 2, 3]}),
        ({"a": [1, 3]}, op("add", "/a/0", 0), {"a": [0, 1, 3]}),
        ({"a": [1]}, op("add", "/a/1", 2), {"a": [1, 2]}),
        ({"a": [1]}, op("add", "/a/-", [2]), {"a": [1, [2]]}),
        ({"a": {"b": {}}}, op("add", "/a/b/c", None), {"a": {"b": {"c": None}}}),
        ({"a": 1}, op("add", "", {"b": 2}), {"b": 2}),
        ({"a": 1}, op("add", "/", 2), {"a": 1, "": 2}),
        ({"a": 1, "b": 2}, op("remove", "/b"), {"a": 1}),
        ({"a": [1, 2, 3]}, op("remove", "/a/1"), {"a": [1, 3]}),
        ({"a": {"b": 1, "c": 2}}, op("remove", "/a/b"), {"a": {"c": 2}}),
        ({"a": 1}, op("replace", "/a", {"b": []}), {"a": {"b": []}}),
        ({"a": [1, 2]}, op("replace", "/a/1", 3), {"a": [1, 3]}),
        ({"a": 1}, op("replace", "", {"b": 2}), {"b": 2}),
        ({"a": None}, op("replace", "/a", 1), {"a": 1}),
        ({"a": {"x": 1}, "b": {}}, op("move", "/b/y", source="/a/x"), {"a": {}, "b": {"y": 1}}),
        ({"a": [1, 2, 3]}, op("move", "/a/2", source="/a/0"), {"a": [2, 3, 1]}),
        ({"a": 1}, op("move", "/a", source="/a"), {"a": 1}),
        ({"a": {"x": [1]}}, op("copy", "/b", source="/a/x"), {"a": {"x": [1]}, "b": [1]}),
        ({"a": [1]}, op("copy", "/a/-", source="/a/0"), {"a": [1, 1]}),
        ({"a": {"b": [1, "x", None, True]}}, op("test", "/a", {"b": [1, "x", None, True]}), None),
        ({"a/b": 1, "m~n": 2, "~1": 3}, op("test", "/a~1b", 1), None),
        ({"a/b": 1, "m~n": 2, "~1": 3}, op("test", "/m~0n", 2), None),
        ({"a/b": 1, "m~n": 2, "~1": 3}, op("test", "/~01", 3), None),
        ({"0": "key, not index"}, op("test", "/0", "key, not index"), None),
        ({"a": 1}, {**op("add", "/b", 2), "note": "unknown members are ignored"}, {"a": 1, "b": 2}),
    ],
)
def test_each_operation(
    before: dict[str, Any], operation: dict[str, Any], after: dict[str, Any] | None
) -> None:
    untouched = copy.deepcopy(before)
    assert patched(before, operation) == (untouched if after is None else after)
    assert before == untouched


@pytest.mark.parametrize(
    ("document", "operation", "expression"),
    [
        ({}, op("remove", "/a"), "Task.a"),
        ({}, op("replace", "/a", 1), "Task.a"),
        ({}, op("add", "/a/b", 1), "Task.a"),
        ({"a": 1}, op("add", "/a/b", 1), "Task.a"),
        ({"a": [1]}, op("add", "/a/2", 1), "Task.a[2]"),
        ({"a": [1]}, op("add", "/a/01", 1), "Task.a"),
        ({"a": [1]}, op("add", "/a/x", 1), "Task.a.x"),
        ({"a": [1]}, op("remove", "/a/1"), "Task.a[1]"),
        ({"a": [1]}, op("remove", "/a/-"), "Task.a"),
        ({"a": [1]}, op("replace", "/a/-", 1), "Task.a"),
        ({"a": [{"b": 1}]}, op("test", "/a/0/b", 2), "Task.a[0].b"),
        ({"a": 1}, op("test", "/a", True), "Task.a"),
        ({"a": 1}, op("test", "/a", "1"), "Task.a"),
        ({"a": None}, op("test", "/b", None), "Task.b"),
        ({"a": {"b": 1}}, op("move", "/a/b/c", source="/a"), "Task.a.b.c"),
        ({"a": 1}, op("move", "/b", source="/c"), "Task.c"),
        ({"a": 1}, op("copy", "/b", source="/c/d"), "Task.c"),
        ({"a": 1}, op("remove", ""), "Task"),
        ({}, op("remove", "/Maria Lopez/x"), "Task"),
    ],
)
def test_what_cannot_be_done_names_its_place_and_changes_nothing(
    document: dict[str, Any], operation: dict[str, Any], expression: str
) -> None:
    document = {"resourceType": "Task", **document}
    before = copy.deepcopy(document)
    with pytest.raises(PatchFailed) as refusal:
        patched(document, op("add", "/z", 1), operation)
    assert refusal.value.expression == expression
    assert "Operation 2" in refusal.value.text
    assert document == before


@pytest.mark.parametrize("value", [1, [1], "x", None])
def test_the_result_is_an_object(value: Any) -> None:
    with pytest.raises(PatchFailed, match="one JSON object"):
        patched({"a": 1}, op("replace", "", value))


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'[{"op":"add","path":"/a"}]',
        b'[{"op":"test","path":"/a"}]',
        b'[{"op":"replace","path":"/a"}]',
        b'[{"op":"move","path":"/a"}]',
        b'[{"op":"copy","path":"/a","from":7}]',
        b'[{"op":"spring","path":"/a"}]',
        b'[{"path":"/a"}]',
        b'[{"op":["add"],"path":"/a","value":1}]',
        b'[{"op":"remove"}]',
        b'[{"op":"remove","path":"a"}]',
        b'[{"op":"remove","path":"/a~2b"}]',
        b'[{"op":"remove","path":"/a~"}]',
        b'["remove"]',
        b'[{"op":"remove","op":"test","path":"/a","value":1}]',
        b"[",
        b'[{"op":"remove","path":"' + b"/a" * 65 + b'"}]',
    ],
)
def test_what_is_no_patch_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedContent):
        read(body)


def test_too_many_operations_are_refused() -> None:
    body = encode([{"op": "test", "path": "", "value": {}}] * (MOST_OPERATIONS + 1))
    with pytest.raises(MalformedContent, match=str(MOST_OPERATIONS)):
        read(body)


def test_numbers_keep_their_digits_and_compare_by_value() -> None:
    document = decode(b'{"a":1.50,"b":1E2,"c":[0.10]}')
    operations = read(
        b'[{"op":"test","path":"/a","value":1.5},{"op":"test","path":"/b","value":100},'
        b'{"op":"copy","from":"/a","path":"/d"},{"op":"add","path":"/c/-","value":2.00}]'
    )
    assert encode(apply(document, operations)) == b'{"a":1.50,"b":1E2,"c":[0.10,2.00],"d":1.50}'


def test_repeated_copy_does_not_grow_without_end() -> None:
    rounds = [("/b", "/a"), ("/a/c", "/b"), ("/a/d", "/b")] * 25
    doubling = [op("add", "/a", {"x": 1})] + [op("copy", to, source=source) for to, source in rounds]
    with pytest.raises(PatchFailed, match="more than"):
        patched({}, *doubling)
    deep = [op("add", "/a", {"x": 1})] + [op("copy", to, source=source) for to, source in rounds[:2] * 70]
    with pytest.raises(PatchFailed, match="levels deep"):
        patched({}, *deep)
    wide = [op("add", "/a", [1] * 10)] + [op("copy", "/a/-", source="/a") for _ in range(40)]
    with pytest.raises(PatchFailed, match="more than"):
        patched({}, *wide)
    flat = [op("add", "/a", {"x": [1] * 1000})] + [op("copy", f"/k{n}", source="/a") for n in range(300)]
    with pytest.raises(PatchFailed, match="more than"):
        patched({}, *flat)


# ---- laws ----

VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-9, 9),
        st.decimals(-9, 9, places=2),
        st.text(max_size=3),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text(max_size=3), VALUES, min_size=1, max_size=4)


def pointers(value: Any, path: str = "") -> list[str]:
    found = [path]
    items: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        items = [(key.replace("~", "~0").replace("/", "~1"), child) for key, child in value.items()]
    elif isinstance(value, list):
        items = list(enumerate(value))
    for key, child in items:
        found += pointers(child, f"{path}/{key}")
    return found


@given(OBJECTS, st.data())
def test_remove_takes_back_what_add_put_in(document: dict[str, Any], data: st.DataObject) -> None:
    path = data.draw(st.sampled_from([p for p in pointers(document) if p]))
    before = copy.deepcopy(document)
    value = apply(document, read(encode([{"op": "copy", "from": path, "path": "/taken out"}])))["taken out"]
    without = apply(document, read(encode([op("remove", path)])))
    assert pointers(without) != pointers(document) or len(pointers(value)) == 1
    again = apply(without, read(encode([op("add", path, value)])))
    assert equal(again, before)
    assert equal(document, before)


@given(OBJECTS, st.data())
def test_test_holds_for_what_is_there(document: dict[str, Any], data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(pointers(document)))
    there = document
    copied = apply({"in": document, "out": 0}, read(encode([op("copy", "/out", source=f"/in{path}")])))["out"]
    assert equal(apply(there, read(encode([op("test", path, copied)]))), document)


@given(VALUES, VALUES)
def test_equality_is_that_of_json(left: Any, right: Any) -> None:
    assert equal(left, left)
    assert equal(left, right) == equal(right, left)
    tagged = [json.dumps(tag(value), sort_keys=True) for value in (left, right)]
    assert equal(left, right) == (tagged[0] == tagged[1])


def tag(value: Any) -> Any:
    """Writes a value so that plain text comparison is JSON equality."""
    match value:
        case bool() | None:
            return ["word", value]
        case int() | Decimal():
            return ["number", str(Decimal(value).normalize() + 0)]
        case str():
            return ["text", value]
        case list():
            return [tag(item) for item in value]
        case _:
            return {key: tag(item) for key, item in value.items()}
