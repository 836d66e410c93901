"""From a tree to Python calls.

What lives here: :func:`compile_expression`, which turns the text of an expression into nested Python
functions once, so that asking it again costs no parsing. What does not: the direct looks for common shapes
(:mod:`referral_hub.fhir.fhirpath.shortcuts`).

Source: FHIRPath 2.0 sections 3 to 7.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from referral_hub.fhir.element_tables import is_known
from referral_hub.fhir.fhirpath.comparison import moment, time_of_day
from referral_hub.fhir.fhirpath.functions import FUNCTIONS, Function, is_of_type, of_type
from referral_hub.fhir.fhirpath.grammar import (
    Binary,
    Call,
    Literal,
    Member,
    Moment,
    This,
    Tree,
    TypeQuestion,
    Variable,
    parse,
    type_name_of,
)
from referral_hub.fhir.fhirpath.nodes import Node, children_named
from referral_hub.fhir.fhirpath.operators import (
    CALCULATIONS,
    LOGICAL,
    QUESTIONS,
    Truth,
    Values,
    as_values,
    negated,
    truth,
    union,
)


class NotSupported(ValueError):
    """The expression uses something this compiler does not know; the text names it."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression may look at besides its focus.

    Args:
        context: what the whole expression is asked about (``%context``).
        resource: the resource that holds the context (``%resource``).
        root: that resource, or the one it is contained in (``%rootResource``).
        resolve: finds the resource that a reference means; None where it cannot be found.
        kept: what parts of expressions that mean the same everywhere in this scope came to.
    """

    context: Node
    resource: Node | None
    root: Node | None
    resolve: Callable[[str], Node | None] = lambda reference: None
    kept: "dict[Step, Values]" = field(default_factory=dict, compare=False)


Step = Callable[[Values, Scope], Values]

_CONSTANTS = {
    "ucum": "http://unitsofmeasure.org",
    "sct": "http://snomed.info/sct",
    "loinc": "http://loinc.org",
}


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that is ready to be asked."""

    text: str
    step: Step

    def values(self, scope: Scope) -> Values:
        """Gives the collection the expression selects or computes."""
        return self.step([scope.context], scope)

    def answer(self, scope: Scope) -> Truth:
        """Gives the answer of an expression that is a question; None where it cannot be said."""
        return truth(self.values(scope))


@lru_cache(maxsize=2048)
def compile_expression(text: str) -> Expression:
    """Gives an expression ready to be asked.

    Raises:
        BadExpression: the text is not FHIRPath.
        NotSupported: it uses a function that is not known here.

    >>> patient = Node({"resourceType": "Patient", "name": [{"family": "Example"}]}, "Patient")
    >>> compile_expression("name.family.exists()").answer(Scope(patient, patient, patient))
    True
    """
    return Expression(text, compile_tree(parse(text)))


def compile_tree(tree: Tree) -> Step:
    """Gives the Python function for a tree."""
    step = _compiled(tree)
    return _kept(step) if isinstance(tree, Member | Call) and _starts_at_resource(tree) else step


def _kept(step: Step) -> Step:
    """Looks once for what means the same wherever it is asked in a scope, such as ``%resource.item.linkId``.

    A rule that asks for it beside every element would else take time with the square of the elements.
    """

    def look(focus: Values, scope: Scope) -> Values:
        found = scope.kept.get(step)
        if found is None:
            found = scope.kept[step] = step(focus, scope)
        return found

    return look


def _starts_at_resource(tree: Tree) -> bool:
    """Says whether an expression starts at a resource and depends on nothing that stands around it."""
    match tree:
        case Variable(name):
            return name in ("resource", "rootResource")
        case Member(source, _) | TypeQuestion(_, source, _):
            return _starts_at_resource(source)
        case Call(source, name, arguments):
            inner = name in _WITH_EXPRESSIONS or name in _WITH_TYPE
            return _starts_at_resource(source) and (inner or all(isinstance(a, Literal) for a in arguments))
    return False


def _compiled(tree: Tree) -> Step:
    match tree:
        case Literal(value):
            constant = [] if value is None else [value]
            return lambda focus, scope: constant
        case Moment(text):
            written = time_of_day(text[1:]) if text.startswith("T") else moment(text)
            return lambda focus, scope: [written]
        case This():
            return lambda focus, scope: focus
        case Variable(name):
            return _variable(name)
        case Member(source, name):
            return _member(source, name)
        case TypeQuestion(operator, source, type_name):
            return _type_question(operator, compile_tree(source), type_name)
        case Binary(operator, left, right):
            return _binary(operator, compile_tree(left), compile_tree(right))
        case Call():
            return _call(tree)


def _variable(name: str) -> Step:
    if name in _CONSTANTS:
        constant = [_CONSTANTS[name]]
        return lambda focus, scope: constant
    if name == "context":
        return lambda focus, scope: [scope.context]
    if name == "resource":
        return lambda focus, scope: [] if scope.resource is None else [scope.resource]
    if name == "rootResource":
        return lambda focus, scope: [] if scope.root is None else [scope.root]
    raise NotSupported(f"%{name}")


def _member(source: Tree, name: str) -> Step:
    inner = compile_tree(source)

    def step(focus: Values, scope: Scope) -> Values:
        return [
            child
            for item in inner(focus, scope)
            if isinstance(item, Node)
            for child in children_named(item, name)
        ]

    if not isinstance(source, This) or not is_known(name):
        return step

    # An expression may start with the name of the type it is asked about: `Appointment.status`.
    def step_from_type(focus: Values, scope: Scope) -> Values:
        named = [item for item in focus if is_of_type(item, name)]
        return named or step(focus, scope)

    return step_from_type


def _type_question(operator: str, source: Step, type_name: str) -> Step:
    if operator == "as":
        return lambda focus, scope: of_type(source(focus, scope), type_name)

    def step(focus: Values, scope: Scope) -> Values:
        values = source(focus, scope)
        return [is_of_type(values[0], type_name)] if len(values) == 1 else []

    return step


def _binary(operator: str, left: Step, right: Step) -> Step:
    if operator in LOGICAL:
        return _logical(operator, left, right)
    if operator in QUESTIONS:
        question = QUESTIONS[operator]
        return lambda focus, scope: as_values(question(left(focus, scope), right(focus, scope)))
    if operator in CALCULATIONS:
        calculation = CALCULATIONS[operator]
        return lambda focus, scope: calculation(left(focus, scope), right(focus, scope))
    raise NotSupported(operator)


_SETTLES: dict[str, tuple[bool, bool]] = {"and": (False, False), "or": (True, True), "implies": (False, True)}
"""By operator: the left answer that settles it whatever the right one is, and what the answer then is."""


def _logical(operator: str, left: Step, right: Step) -> Step:
    logical = LOGICAL[operator]
    settling, settled = _SETTLES.get(operator, (None, None))

    def step(focus: Values, scope: Scope) -> Values:
        one = truth(left(focus, scope))
        if one is settling and settled is not None:
            return [settled]
        return as_values(logical(one, truth(right(focus, scope))))

    return step


# ---- functions that ask an expression of every item ----

Question = Callable[[Any, Scope], Truth]


def _question(step: Step) -> Question:
    return lambda item, scope: truth(step([item], scope))


def _exists(source: Step, criteria: Step | None = None) -> Step:
    if criteria is None:
        return lambda focus, scope: [bool(source(focus, scope))]
    ask = _question(criteria)
    return lambda focus, scope: [any(ask(item, scope) for item in source(focus, scope))]


def _all(source: Step, criteria: Step) -> Step:
    ask = _question(criteria)
    return lambda focus, scope: [all(ask(item, scope) for item in source(focus, scope))]


def _where(source: Step, criteria: Step) -> Step:
    ask = _question(criteria)
    return lambda focus, scope: [item for item in source(focus, scope) if ask(item, scope)]


def _select(source: Step, projection: Step) -> Step:
    return lambda focus, scope: [
        found for item in source(focus, scope) for found in projection([item], scope)
    ]


def _repeat(source: Step, projection: Step) -> Step:
    def step(focus: Values, scope: Scope) -> Values:
        found: Values = []
        fresh = source(focus, scope)
        while fresh:
            fresh = [new for item in fresh for new in projection([item], scope)]
            fresh = union(found, fresh)[len(found) :]
            found = [*found, *fresh]
        return found

    return step


def _iif(source: Step, condition: Step, then: Step, otherwise: Step | None = None) -> Step:
    def step(focus: Values, scope: Scope) -> Values:
        values = source(focus, scope)
        if truth(condition(values, scope)):
            return then(values, scope)
        return otherwise(values, scope) if otherwise else []

    return step


_WITH_EXPRESSIONS: dict[str, Callable[..., Step]] = {
    "all": _all,
    "exists": _exists,
    "iif": _iif,
    "repeat": _repeat,
    "select": _select,
    "where": _where,
}
_WITH_TYPE = frozenset({"is", "as", "ofType"})


def _call(call: Call) -> Step:
    source = compile_tree(call.source)
    if call.name in _WITH_TYPE and len(call.arguments) == 1:
        operator = "is" if call.name == "is" else "as"
        return _type_question(operator, source, type_name_of(call.arguments[0]))
    arguments = [compile_tree(argument) for argument in call.arguments]
    if call.name in _WITH_EXPRESSIONS:
        return _WITH_EXPRESSIONS[call.name](source, *arguments)
    if call.name == "resolve":
        return _resolve(source)
    if call.name == "not":
        return lambda focus, scope: as_values(negated(truth(source(focus, scope))))
    function = FUNCTIONS.get(call.name)
    if function is None:
        raise NotSupported(f"{call.name}()")
    return _plain_call(source, function, arguments)


def _plain_call(source: Step, function: Function, arguments: list[Step]) -> Step:
    if not arguments:
        return lambda focus, scope: function(source(focus, scope))
    return lambda focus, scope: function(
        source(focus, scope), *(argument(focus, scope) for argument in arguments)
    )


def _resolve(source: Step) -> Step:
    def step(focus: Values, scope: Scope) -> Values:
        found = []
        for item in source(focus, scope):
            value = item.value if isinstance(item, Node) else item
            reference = value.get("reference") if isinstance(value, dict) else value
            target = scope.resolve(reference) if isinstance(reference, str) else None
            if target is not None:
                found.append(target)
        return found

    return step
