"""The functions of FHIRPath that are asked of a whole collection.

What lives here: one Python function each, given the collection and the values of the arguments. What does
not: functions that ask an expression of every item (``where``, ``all``, ``select`` ...): those are compiled
in :mod:`referral_hub.fhir.fhirpath.compiler`.

Source: FHIRPath 2.0 section 5; FHIR R4 ``fhirpath.html#functions``.
"""

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from referral_hub.fhir import narrative
from referral_hub.fhir.element_tables import is_a, is_known, is_primitive
from referral_hub.fhir.fhirpath.comparison import equal, identity, plain
from referral_hub.fhir.fhirpath.nodes import Node, children, children_named, descendants
from referral_hub.fhir.fhirpath.operators import Truth, Values, as_values, negated, truth, union

Function = Callable[..., Values]

_SYSTEM_TYPES: dict[str, tuple[str, ...]] = {
    "Boolean": ("boolean",),
    "String": ("string", "uri", "xhtml"),
    "Integer": ("integer",),
    "Decimal": ("decimal",),
    "Date": ("date",),
    "DateTime": ("dateTime", "instant"),
    "Time": ("time",),
}
_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "Boolean": (bool,),
    "String": (str,),
    "Integer": (int,),
    "Decimal": (Decimal,),
}


def is_of_type(item: Any, type_name: str) -> bool:
    """Says whether a value is of a type, FHIR's own or one of FHIRPath's ``System`` types.

    >>> is_of_type(Node(5, "positiveInt"), "integer"), is_of_type(Node(True, "boolean"), "Boolean")
    (True, True)
    """
    if not isinstance(item, Node):
        expected = _PYTHON_TYPES.get(type_name[0].upper() + type_name[1:], ())
        return isinstance(item, expected) and (bool in expected or not isinstance(item, bool))
    if type_name in _SYSTEM_TYPES:
        return any(is_a(item.type_name, name) for name in _SYSTEM_TYPES[type_name])
    return is_known(type_name) and is_a(item.type_name, type_name)


def of_type(values: Values, type_name: str) -> Values:
    """Gives the values of one type."""
    return [item for item in values if is_of_type(item, type_name)]


def _text(values: Values) -> str | None:
    if len(values) != 1:
        return None
    item = values[0]
    value = item.value if isinstance(item, Node) else item
    return value if isinstance(value, str) else None


def _on_text(operate: Callable[[str, str], Any]) -> Function:
    def function(values: Values, argument: Values) -> Values:
        text, other = _text(values), _text(argument)
        return [] if text is None or other is None else [operate(text, other)]

    return function


@lru_cache(maxsize=512)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.DOTALL)


def _matches(text: str, pattern: str) -> bool:
    return _pattern(pattern).search(text) is not None


def _replace_matches(values: Values, pattern: Values, replacement: Values) -> Values:
    text, expression, other = _text(values), _text(pattern), _text(replacement)
    if text is None or expression is None or other is None:
        return []
    return [_pattern(expression).sub(re.sub(r"\$([0-9]+)", r"\\\1", other), text)]


def _replace(values: Values, pattern: Values, replacement: Values) -> Values:
    text, old, new = _text(values), _text(pattern), _text(replacement)
    return [] if text is None or old is None or new is None else [text.replace(old, new)]


def _substring(values: Values, start: Values, length: Values | None = None) -> Values:
    text = _text(values)
    begin = plain(start[0]) if len(start) == 1 else None
    if text is None or not isinstance(begin, int) or not 0 <= begin < len(text):
        return []
    count = plain(length[0]) if length else None
    return [text[begin : begin + count] if isinstance(count, int) else text[begin:]]


def _to_number(make: Callable[[str], Any]) -> Function:
    def function(values: Values) -> Values:
        if len(values) != 1:
            return []
        value = plain(values[0])
        if isinstance(value, bool):
            return [make(str(int(value)))]
        if not isinstance(value, str | int | Decimal):
            return []
        try:
            return [make(str(value))]
        except (ValueError, InvalidOperation):
            return []

    return function


def _to_string(values: Values) -> Values:
    if len(values) != 1:
        return []
    item = values[0]
    value = item.value if isinstance(item, Node) else item
    if isinstance(value, bool):
        return ["true" if value else "false"]
    return [str(value)] if isinstance(value, str | int | Decimal) else []


def _distinct(values: Values) -> Values:
    return union(values, [])


def _subset(values: Values, other: Values) -> bool:
    return all(any(equal(item, candidate) for candidate in other) for item in values)


def _has_value(values: Values) -> bool:
    if len(values) != 1:
        return False
    item = values[0]
    return not isinstance(item, Node) or (is_primitive(item.type_name) and item.value is not None)


def _extensions(values: Values, url: Values) -> Values:
    wanted = _text(url)
    found = [e for item in values if isinstance(item, Node) for e in children_named(item, "extension")]
    return [extension for extension in found if extension.value.get("url") == wanted]


def _every(values: Values, answer: Truth) -> bool:
    return all(truth([item]) is answer for item in values)


def _some(values: Values, answer: Truth) -> bool:
    return any(truth([item]) is answer for item in values)


def _nodes(walk: Callable[[Node], Any]) -> Function:
    return lambda values: [found for item in values if isinstance(item, Node) for found in walk(item)]


def _at(values: Values, position: Values) -> Values:
    index = plain(position[0]) if len(position) == 1 else None
    return [values[index]] if isinstance(index, int) and 0 <= index < len(values) else []


def _html_checks(values: Values) -> Values:
    text = _text(values)
    return [text is not None and narrative.problem(text) is None]


def _length(values: Values) -> Values:
    text = _text(values)
    return [] if text is None else [len(text)]


def _count(values: Values) -> int:
    return len(values)


FUNCTIONS: dict[str, Function] = {
    "[]": _at,
    "allFalse": lambda values: [_every(values, False)],  # noqa: FBT003 - the answer looked for
    "allTrue": lambda values: [_every(values, True)],  # noqa: FBT003 - the answer looked for
    "anyFalse": lambda values: [_some(values, False)],  # noqa: FBT003 - the answer looked for
    "anyTrue": lambda values: [_some(values, True)],  # noqa: FBT003 - the answer looked for
    "children": _nodes(children),
    "combine": lambda values, other: [*values, *other],
    "contains": _on_text(lambda text, part: part in text),
    "count": lambda values: [_count(values)],
    "descendants": _nodes(descendants),
    "distinct": _distinct,
    "empty": lambda values: [not values],
    "endsWith": _on_text(str.endswith),
    "exclude": lambda values, other: [item for item in values if not _subset([item], other)],
    "extension": _extensions,
    "first": lambda values: values[:1],
    "getValue": lambda values: [plain(values[0])] if _has_value(values) else [],
    "hasValue": lambda values: [_has_value(values)],
    "htmlChecks": _html_checks,
    "indexOf": _on_text(str.find),
    "intersect": lambda values, other: [item for item in _distinct(values) if _subset([item], other)],
    "isDistinct": lambda values: [len({identity(item) for item in values}) == len(values)],
    "last": lambda values: values[-1:],
    "length": _length,
    "lower": lambda values: [text.lower() for text in [_text(values)] if text is not None],
    "matches": _on_text(_matches),
    "not": lambda values: as_values(negated(truth(values))),
    "replace": _replace,
    "replaceMatches": _replace_matches,
    "single": lambda values: values if len(values) == 1 else [],
    "skip": lambda values, count: values[max(_whole(count), 0) :],
    "startsWith": _on_text(str.startswith),
    "subsetOf": lambda values, other: [_subset(values, other)],
    "substring": _substring,
    "supersetOf": lambda values, other: [_subset(other, values)],
    "tail": lambda values: values[1:],
    "take": lambda values, count: values[: max(_whole(count), 0)],
    "toDecimal": _to_number(Decimal),
    "toInteger": _to_number(int),
    "toString": _to_string,
    "trace": lambda values, *_: values,
    "union": union,
    "upper": lambda values: [text.upper() for text in [_text(values)] if text is not None],
}
"""Every function by its name; ``[]`` is the indexer."""


def _whole(values: Values) -> int:
    count = plain(values[0]) if len(values) == 1 else 0
    return count if isinstance(count, int) else 0
