"""Objects: which properties they may have, and what each of them must be.

What lives here: :class:`ObjectRule`, the check of one FHIR type, made from the tables once and kept. What
does not: how single fields are checked (:mod:`referral_hub.fhir.field_rules`), rules across fields
(:mod:`referral_hub.fhir.invariants`, :mod:`referral_hub.fhir.datatype_rules`).

Why closures: a resource is checked by Python functions that already hold all they need; for a good value
they make no text and no path. A rule is compiled when the first value of its type arrives.
"""

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from referral_hub.fhir import primitives
from referral_hub.fhir.primitives import Check
from referral_hub.fhir.validation_run import Json, Path, Run

Field = Callable[[Any, Json, Path, Run], None]
"""Checks one property: its value, the object it stands in, the place of that object."""

ObjectCheck = Callable[[Any, Path, Run], None]
"""Checks one JSON value that must be an object: the value, its place."""

CrossCheck = Callable[[Json, Path, Run], None]
"""Checks a whole object whose properties have been checked."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a primitive should have been, for the sentence about it.

    Args:
        type_name: its FHIR type.
        codes: the only codes possible; empty where any are.
        written: how it is written, where that is not what its type alone says.
    """

    type_name: str
    codes: tuple[str, ...] = ()
    written: str = ""


class Shape:
    """What the check of an object type is made from.

    Args:
        name: the FHIR type, for sentences.
        simple: the checks of properties that are a single primitive value.
        expected: what they should be, for sentences.
        fields: the checks of all other properties.
        required: properties that must be there, one tuple of spellings for each.
        cross: the checks across properties.
    """

    __slots__ = ("cross", "expected", "fields", "name", "required", "simple")

    def __init__(self, name: str) -> None:
        self.name = name
        self.simple: dict[str, Check] = {}
        self.expected: dict[str, Expectation] = {}
        self.fields: dict[str, Field] = {}
        self.required: list[tuple[str, tuple[str, ...]]] = []
        self.cross: list[CrossCheck] = []


class ObjectRule:
    """The check of one type; compiled when first used.

    Args:
        name: the FHIR type or the path of a part.
        build: gives the shape, when it is needed.
    """

    __slots__ = ("_build", "check", "name")

    def __init__(self, name: str, build: Callable[[], Shape]) -> None:
        self.name = name
        self._build = build
        self.check: ObjectCheck = self._compile_and_check

    def _compile_and_check(self, value: Any, path: Path, run: Run) -> None:
        self.check = object_check(self._build())
        self.check(value, path, run)


def object_check(shape: Shape) -> ObjectCheck:
    """Gives the check for a shape."""
    find_simple = shape.simple.get
    find_field = shape.fields.get
    always = frozenset(keys[0] for _, keys in shape.required if len(keys) == 1)
    choices = tuple(frozenset(keys) for _, keys in shape.required if len(keys) > 1)
    cross = tuple(shape.cross)

    def check(value: Any, path: Path, run: Run) -> None:
        if type(value) is not dict or not value:
            report_no_object(value, shape.name, path, run)
            return
        for key, item in value.items():
            test = find_simple(key)
            if test is not None:
                try:
                    if test(item):
                        continue
                except TypeError:
                    pass
                report_value(item, shape.expected[key], (path, key, -1), run)
                continue
            field = find_field(key)
            if field is None:
                report_unknown(key, shape, path, run)
            else:
                field(item, value, path, run)
        if (always and not always <= value.keys()) or (
            choices and any(keys.isdisjoint(value) for keys in choices)
        ):
            report_missing(value, shape, path, run)
        if len(value) == 1 and "id" in value:
            run.add("invariant", f"ele-1: {_NOTHING_BUT_ID}", path)
        for rule in cross:
            rule(value, path, run)

    return check


_NOTHING_BUT_ID = "An element needs a value or children; an id alone says nothing."


def report_no_object(value: Any, name: str, path: Path, run: Run) -> None:
    """Notes that something other than an object with properties stands where an object belongs."""
    if isinstance(value, dict):
        run.add(
            "structure",
            f"An object is empty: leave the element out, or give the {name} its properties.",
            path,
        )
    elif isinstance(value, list):
        run.add(
            "structure",
            f"A list stands where one object ({name}) belongs: this element does not repeat.",
            path,
        )
    else:
        run.add("structure", f"{_json_kind(value)} stands where an object ({name}) belongs.", path)


def is_filled_list(value: Any, path: Path, key: str, run: Run) -> bool:
    """Says whether a list with something in it stands in a field that may repeat; notes it if not."""
    if type(value) is list and value:
        return True
    if value == []:
        run.add("structure", "The list is empty: leave the element out.", (path, key, -1))
    else:
        run.add(
            "structure",
            "A list belongs here: this element may repeat, so JSON writes it in [ ].",
            (path, key, -1),
        )
    return False


def report_unknown(key: str, shape: Shape, path: Path, run: Run) -> None:
    """Notes a property that the type does not have."""
    known = [name for name in (*shape.simple, *shape.fields) if not name.startswith("_")]
    # Looking for similar names takes time, so it is done for the first problems only.
    near = get_close_matches(key, known, n=3) if len(key) <= 64 and len(run.issues) < 20 else []
    hint = f"did you mean {' or '.join(near)}?" if near else f"possible are {', '.join(sorted(known))}."
    place: Path = (path, key, -1) if key.isidentifier() and len(key) <= 64 else path
    run.add("structure", f"{shape.name} has no such element: {hint}", place)


def report_missing(value: Json, shape: Shape, path: Path, run: Run) -> None:
    """Notes every property that must be there and is not."""
    for name, keys in shape.required:
        if not any(key in value or f"_{key}" in value for key in keys):
            spelled = (
                f" (as {' or '.join(keys[:4])}{' ...' if len(keys) > 4 else ''})" if len(keys) > 1 else ""
            )
            run.add("required", f"{shape.name} needs {name}{spelled}, which is missing.", (path, name, -1))


def report_value(value: Any, expectation: Expectation, path: Path, run: Run) -> None:
    """Notes a primitive that is not written as its type demands; never what stands there."""
    type_name = expectation.type_name
    write = f"write {expectation.written or primitives.EXPECTED[type_name]}."
    if value is None:
        run.add("structure", "null is not allowed here: leave the element out.", path)
    elif isinstance(value, dict | list):
        run.add("structure", f"{_json_kind(value)} stands where a single value belongs: {write}", path)
    elif not primitives.has_json_type(value, type_name):
        run.add("structure", f"{_json_kind(value)} stands where a {type_name} belongs: {write}", path)
    elif value == "":
        run.add("value", "The text is empty: leave the element out.", path)
    elif expectation.codes:
        run.add("code-invalid", f"This code is not possible here: {_possible(expectation.codes)}.", path)
    else:
        run.add("value", f"This is no valid {type_name}: {write}", path)


_MOST_CODES = 20


def _possible(codes: tuple[str, ...]) -> str:
    if len(codes) > _MOST_CODES:
        return f"possible are {len(codes)} codes, such as {', '.join(codes[:_MOST_CODES])}"
    return f"possible are {', '.join(codes)}" if len(codes) > 1 else f"possible is only {codes[0]}"


def _json_kind(value: Any) -> str:
    if isinstance(value, bool):
        return "A boolean"
    if isinstance(value, dict):
        return "An object"
    if isinstance(value, list):
        return "A list"
    if value is None:
        return "null"
    return "A text" if isinstance(value, str) else "A number"
