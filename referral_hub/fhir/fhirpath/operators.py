"""Operators on collections.

What lives here: ``=``, ``in``, ``|``, ``and``, arithmetic and their like, each with the empty collection
taken as "not known". What does not: comparing two single values
(:mod:`referral_hub.fhir.fhirpath.comparison`).

Source: FHIRPath 2.0 section 6.
"""

from collections.abc import Callable
from decimal import Decimal, DivisionByZero, InvalidOperation
from typing import Any

from referral_hub.fhir.fhirpath.comparison import equal, identity, order, plain
from referral_hub.fhir.fhirpath.nodes import Node

Values = list[Any]
Truth = bool | None


def truth(values: Values) -> Truth:
    """Gives a collection as yes, no or not known: one value that is no boolean counts as yes.

    >>> truth([]), truth([False]), truth(["text"]), truth([True, True])
    (None, False, True, None)
    """
    if len(values) != 1:
        return None
    item = values[0]
    value = item.value if isinstance(item, Node) else item
    return value if isinstance(value, bool) else True


def as_values(answer: Truth) -> Values:
    """Gives yes, no or not known as a collection."""
    return [] if answer is None else [answer]


def both(left: Truth, right: Truth) -> Truth:
    """``and``: no as soon as one is no, yes if both are yes."""
    if left is False or right is False:
        return False
    return True if left and right else None


def either(left: Truth, right: Truth) -> Truth:
    """``or``: yes as soon as one is yes, no if both are no."""
    if left or right:
        return True
    return False if left is False and right is False else None


def one_of(left: Truth, right: Truth) -> Truth:
    """``xor``: yes if exactly one is yes."""
    return None if left is None or right is None else left is not right


def follows(left: Truth, right: Truth) -> Truth:
    """``implies``: no only if the left is yes and the right is no."""
    if left is False or right:
        return True
    return right if left else None


def negated(answer: Truth) -> Truth:
    """``not()``: yes for no, no for yes."""
    return None if answer is None else not answer


def are_equal(left: Values, right: Values) -> Truth:
    """``=``: the same values in the same order; not known where one side is empty."""
    if not left or not right:
        return None
    if len(left) != len(right):
        return False
    answer: Truth = True
    for one, other in zip(left, right, strict=True):
        answer = both(answer, equal(one, other))
    return answer


def is_in(left: Values, right: Values) -> Truth:
    """``in``: what is on the left is among what is on the right."""
    if not left:
        return None
    answer: Truth = True
    for one in left:
        answer = both(answer, _among(one, right))
    return answer


def _among(one: Any, values: Values) -> Truth:
    if any(equal(one, item) for item in values):
        return True
    return None if plain(one) is None else False


def union(left: Values, right: Values) -> Values:
    """``|``: the values of both sides, each once.

    >>> union(["a", "b"], ["b", "c"])
    ['a', 'b', 'c']
    """
    return list({identity(item): item for item in [*left, *right]}.values())


def joined(left: Values, right: Values) -> Values:
    """``&``: two texts as one, where nothing counts as the empty text."""
    texts = [plain(item) for side in (left, right) for item in side]
    return ["".join(text for text in texts if isinstance(text, str))]


def compared(accept: Callable[[int], bool]) -> Callable[[Values, Values], Truth]:
    """Gives ``<`` and its like: two single values whose order is accepted."""

    def compare(left: Values, right: Values) -> Truth:
        if len(left) != 1 or len(right) != 1:
            return None
        found = order(left[0], right[0])
        return None if found is None else accept(found)

    return compare


def _arithmetic(operate: Callable[[Any, Any], Any]) -> Callable[[Values, Values], Values]:
    def calculate(left: Values, right: Values) -> Values:
        numbers = [plain(item) for side in (left, right) for item in side]
        if len(left) != 1 or len(right) != 1 or not all(_is_number(number) for number in numbers):
            return []
        try:
            return [operate(numbers[0], numbers[1])]
        except (DivisionByZero, InvalidOperation, ZeroDivisionError):
            return []

    return calculate


def _plus(left: Values, right: Values) -> Values:
    if len(left) == 1 and len(right) == 1:
        texts = plain(left[0]), plain(right[0])
        if isinstance(texts[0], str) and isinstance(texts[1], str):
            return [texts[0] + texts[1]]
    return _arithmetic(lambda one, other: one + other)(left, right)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


LOGICAL: dict[str, Callable[[Truth, Truth], Truth]] = {
    "and": both,
    "or": either,
    "xor": one_of,
    "implies": follows,
}
"""Operators on two answers."""

QUESTIONS: dict[str, Callable[[Values, Values], Truth]] = {
    "=": are_equal,
    "!=": lambda left, right: negated(are_equal(left, right)),
    "<": compared(lambda order: order < 0),
    "<=": compared(lambda order: order <= 0),
    ">": compared(lambda order: order > 0),
    ">=": compared(lambda order: order >= 0),
    "in": is_in,
    "contains": lambda left, right: is_in(right, left),
}
"""Operators on two collections that give an answer."""

CALCULATIONS: dict[str, Callable[[Values, Values], Values]] = {
    "|": union,
    "&": joined,
    "+": _plus,
    "-": _arithmetic(lambda one, other: one - other),
    "*": _arithmetic(lambda one, other: one * other),
    "/": _arithmetic(lambda one, other: Decimal(one) / Decimal(other)),
    "div": _arithmetic(lambda one, other: int(Decimal(one) / Decimal(other))),
    "mod": _arithmetic(lambda one, other: one - other * int(Decimal(one) / Decimal(other))),
}
"""Operators on two collections that give a collection."""
