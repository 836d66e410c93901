"""Paths that come from outside: the simple part of FHIRPath that a patch may use.

What lives here: :func:`where`, which reads a path, and what it may use. What does not: the places it leads to
(:mod:`referral_hub.fhir.places`), FHIRPath that computes values (:mod:`referral_hub.fhir.fhirpath`).

A path may use names, indexes and a few functions that choose; never patterns, which can be made to run for ever, nor
functions and variables that wander.

Source: FHIR R4 ``fhirpatch.html`` (simple subset), ``fhirpath.html``; FHIRPath 2.0.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

from referral_hub.fhir.element_tables import is_known
from referral_hub.fhir.fhirpath.compiler import Expression, NotSupported, Scope, compile_tree
from referral_hub.fhir.fhirpath.functions import is_of_type
from referral_hub.fhir.fhirpath.grammar import (
    BadExpression,
    Binary,
    Call,
    Literal,
    Member,
    This,
    Tree,
    TypeQuestion,
    Variable,
    parse,
    type_name_of,
)
from referral_hub.fhir.fhirpath.nodes import Node
from referral_hub.fhir.fhirpath.operators import truth
from referral_hub.fhir.places import MOST_STEPS, Budget, NotAPath, Place

LONGEST = 500
"""The most characters of a path."""
DEEPEST = 20
"""How many brackets of a path may be open at once."""

_CHOOSING = frozenset({"first", "last", "single", "tail", "skip", "take", "[]"})
_ASKING = frozenset(
    {"where", "exists", "empty", "not", "ofType", "as", "is", "startsWith", "endsWith", "contains", "count"}
    | {"hasValue", "extension", "lower", "upper", "all"}
    | _CHOOSING
)

Walk = Callable[[Place], Iterable[Place]]
"""Gives what a path leads to from a place, one after the other: an index passes no more than it needs."""


@dataclass(frozen=True, slots=True)
class Where:
    """A path ready to be walked. Where it ends with a name, ``holder`` leads to what has it, and ``last`` is it."""

    walk: Walk
    holder: "Where | None" = None
    last: str = ""

    def places(self, resource: dict[str, Any], budget: Budget | None = None) -> list[Place]:
        """Gives the elements the path leads to.

        Raises:
            NotAPath: it passes more elements than the budget allows.
        """
        return list(self.walk(Place(Node(resource, str(resource.get("resourceType"))), budget or Budget())))


@lru_cache(maxsize=256)
def where(path: str) -> Where:
    """Gives a path ready to be walked.

    Raises:
        NotAPath: it cannot be read, or uses what a patch may not.

    >>> [place.node.value for place in where("Task.note.where(text = 'b').text").places(
    ...     {"resourceType": "Task", "note": [{"text": "a"}, {"text": "b"}]})]
    ['b']
    """
    opened = deepest = 0
    for letter in path:
        opened += (letter in "([") - (letter in ")]")
        deepest = max(deepest, opened)
    if len(path) > LONGEST or deepest > DEEPEST:
        raise NotAPath(f"A path has at most {LONGEST} characters and {DEEPEST} brackets inside one another.")
    try:
        return _where(parse(path))
    except (BadExpression, NotSupported, TypeError, RecursionError):
        raise NotAPath(
            "The path cannot be read: names, indexes, where(…), first(), ofType(…) and the like."
        ) from None


def _where(tree: Tree) -> Where:
    match tree:
        case This():
            return Where(lambda place: [place])
        case Member(source, name):
            return _member(source, name)
        case Call(source, "where", (criteria,)):
            return _filtered(_where(source), _question(criteria))
        case Call(source, "extension", (Literal(value),)) if isinstance(value, str):
            found = _member(source, "extension")
            return Where(lambda place: (one for one in found.walk(place) if _url(one) == value))
        case Call(source, "ofType" | "as", (kind,)):
            return _typed(_where(source), type_name_of(kind))
        case TypeQuestion("as", source, type_name):
            return _typed(_where(source), type_name)
        case Call(source, name, arguments) if name in _CHOOSING:
            return _chosen(_where(source), name, arguments)
        case _:
            raise NotAPath(
                "The path may use names, indexes and functions that choose, nothing that computes."
            )


def _member(source: Tree, name: str) -> Where:
    if isinstance(source, This) and is_known(name):
        # A path may begin with the type of the resource.
        return Where(lambda place: [place] if place.node.type_name == name else [])
    before = _where(source)
    return Where(
        lambda place: (child for one in before.walk(place) for child in one.children(name)), before, name
    )


def _filtered(before: Where, question: Expression) -> Where:
    def holds(place: Place) -> bool:
        scope = Scope(place.node, None, None)
        return truth(question.step([place.node], scope)) is True

    return Where(lambda place: (one for one in before.walk(place) if holds(one)))


def _typed(before: Where, type_name: str) -> Where:
    return Where(lambda place: (one for one in before.walk(place) if is_of_type(one.node, type_name)))


def _chosen(before: Where, name: str, arguments: tuple[Tree, ...]) -> Where:
    number = 0
    if arguments:
        match arguments:
            case (Literal(value),) if type(value) is int:
                number = min(value, MOST_STEPS)
            case _:
                raise NotAPath("An index in a path is a whole number.")
    elif name in ("skip", "take", "[]"):
        raise NotAPath("An index in a path is a whole number.")
    choose: dict[str, Callable[[Iterable[Place]], Iterable[Place]]] = {
        "first": lambda found: islice(found, 1),
        "last": lambda found: list(found)[-1:],
        "single": _single,
        "tail": lambda found: islice(found, 1, None),
        "skip": lambda found: islice(found, number, None),
        "take": lambda found: islice(found, number),
        "[]": lambda found: islice(found, number, number + 1),
    }
    return Where(lambda place: choose[name](before.walk(place)))


def _single(found: Iterable[Place]) -> Iterable[Place]:
    one = list(islice(found, 2))
    return one if len(one) == 1 else []


def _question(tree: Tree) -> Expression:
    _check_harmless(tree)
    return Expression("", compile_tree(tree))


def _check_harmless(tree: Tree) -> None:
    """Refuses what could run long or look beyond the element."""
    match tree:
        case Call(source, name, arguments):
            if name not in _ASKING:
                raise NotAPath("The path uses a function that a patch may not use.")
            _check_harmless(source)
            for argument in arguments:
                _check_harmless(argument)
        case Binary(_, left, right):
            _check_harmless(left)
            _check_harmless(right)
        case Member(source, _) | TypeQuestion(_, source, _):
            _check_harmless(source)
        case Variable():
            # From the context of every element the whole list could be walked again, and so on.
            raise NotAPath("The path uses a variable that a patch may not use.")
        case _:
            return


def _url(place: Place) -> Any:
    return place.node.value.get("url") if isinstance(place.node.value, dict) else None
