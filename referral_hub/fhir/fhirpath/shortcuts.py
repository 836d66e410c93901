"""From the common shapes of a rule to direct looks.

What lives here: for ``a.exists()``, ``a.empty()``, ``a = 'text'``, ``a in ('x' | 'y')``, ``a.count() > 1``,
``start <= end`` and ``a.all(...)``, and their combinations with ``and``, ``or``, ``xor``, ``implies`` and
``not()``, the choice of the Python functions that look into the JSON object itself. What does not: all
other shapes; they fall back on the compiled expression, also in the midst of a combination.

Why: a rule is asked of every object of its type, and nearly all rules have these shapes.
"""

from collections.abc import Callable

from referral_hub.fhir.element_tables import is_primitive
from referral_hub.fhir.fhirpath import looks
from referral_hub.fhir.fhirpath.compiler import compile_tree
from referral_hub.fhir.fhirpath.grammar import Binary, Call, Literal, Member, This, Tree, Variable, parse
from referral_hub.fhir.fhirpath.looks import Count, Json, Look, Surroundings
from referral_hub.fhir.fhirpath.nodes import steps
from referral_hub.fhir.fhirpath.operators import LOGICAL, Truth, negated, truth

_ORDERS: dict[str, Callable[[int], bool]] = {
    "<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
    ">": lambda order: order > 0,
    ">=": lambda order: order >= 0,
}


def compile_test(expression: str, type_name: str) -> Look:
    """Gives the test for an expression that is asked of JSON objects of one type.

    Raises:
        BadExpression, NotSupported: as :func:`referral_hub.fhir.fhirpath.compiler.compile_expression`.
    """
    return _test(parse(expression), type_name)


def _test(tree: Tree, type_name: str) -> Look:
    return _shortcut(tree, type_name) or _fallback(tree, type_name)


def _fallback(tree: Tree, type_name: str) -> Look:
    step = compile_tree(tree)

    def test(value: Json, around: Surroundings) -> Truth:
        scope = around.scope(value, type_name)
        return truth(step([scope.context], scope))

    return test


def _shortcut(tree: Tree, type_name: str) -> Look | None:
    if isinstance(tree, Binary):
        if tree.operator in LOGICAL:
            return _logical(tree.operator, _test(tree.left, type_name), _test(tree.right, type_name))
        return _comparison(tree, type_name)
    return _call(tree, type_name) if isinstance(tree, Call) else None


# ---- functions ----


def _call(call: Call, type_name: str) -> Look | None:
    match call:
        case Call(Member(This(), name), "exists", ()):
            keys = looks.keys_of(name, type_name)
            return looks.present(keys) if keys else None
        case Call(Member(This(), name), "empty", ()):
            keys = looks.keys_of(name, type_name)
            return looks.absent(keys) if keys else None
        case Call(Member(This(), name), "hasValue", ()):
            step = looks.one_primitive(name, type_name)
            return looks.has_value(step.key) if step else None
        case Call(Member(This(), name), "all", (criteria,)):
            return _every(name, criteria, type_name)
        case Call(source, "not", ()):
            inner = _shortcut(source, type_name)
            return _not(inner) if inner else None
    return None


def _every(name: str, criteria: Tree, type_name: str) -> Look | None:
    found = steps(type_name).get(name, ())
    if len(found) != 1 or is_primitive(found[0].type_name) or found[0].type_name == "Resource":
        return None
    return looks.every(found[0].key, _test(criteria, found[0].type_name))


# ---- comparisons ----


def _comparison(tree: Binary, type_name: str) -> Look | None:
    if tree.operator in ("=", "!="):
        return _equality(tree, type_name)
    if tree.operator == "in":
        return _membership(tree, type_name)
    accept = _ORDERS.get(tree.operator)
    return _ordered(tree, accept, type_name) if accept else None


def _equality(tree: Binary, type_name: str) -> Look | None:
    match tree:
        case Binary(operator, Member(This(), name), Literal(str() as text)):
            step = looks.one_primitive(name, type_name)
            return looks.is_one_of(step.key, frozenset({text}), negate=operator == "!=") if step else None
        case Binary("=", Member(Variable("resource"), name), Literal(str() as text)):
            return looks.resource_is_one_of(name, frozenset({text}), _fallback(tree, type_name))
        case Binary(operator, Call(_, "exists", _) as left, right):
            one, other = _shortcut(left, type_name), _shortcut(right, type_name)
            if one is None or other is None:
                return None
            return _same(one, other) if operator == "=" else _not(_same(one, other))
    return None


def _membership(tree: Binary, type_name: str) -> Look | None:
    texts = _texts(tree.right)
    match tree.left:
        case Member(This(), name) if texts:
            step = looks.one_primitive(name, type_name)
            return looks.is_one_of(step.key, frozenset(texts)) if step else None
    return None


def _texts(tree: Tree) -> list[str]:
    """Gives the texts of ``('x' | 'y')``; none for anything else."""
    match tree:
        case Literal(str() as text):
            return [text]
        case Binary("|", left, right):
            one, other = _texts(left), _texts(right)
            return one + other if one and other else []
    return []


def _ordered(tree: Binary, accept: Callable[[int], bool], type_name: str) -> Look | None:
    match tree:
        case Binary(_, Member(This(), one), Member(This(), other)):
            left, right = looks.one_primitive(one, type_name), looks.one_primitive(other, type_name)
            return looks.ordered(left, right, accept) if left and right else None
    left_count, right_count = _count(tree.left, type_name), _count(tree.right, type_name)
    if left_count is None or right_count is None:
        return None

    def test(value: Json, around: Surroundings) -> Truth:
        one, other = left_count(value), right_count(value)
        return accept((one > other) - (one < other))

    return test


def _count(tree: Tree, type_name: str) -> Count | None:
    match tree:
        case Literal(int() as number):
            return lambda value: number
        case Call(Member(This(), name), "count", ()):
            return looks.counted(name, type_name)
        case Binary("+", left, right):
            one, other = _count(left, type_name), _count(right, type_name)
            return _sum(one, other) if one and other else None
    return None


def _sum(one: Count, other: Count) -> Count:
    return lambda value: one(value) + other(value)


# ---- combinations ----


def _logical(operator: str, left: Look, right: Look) -> Look:
    if operator == "and":
        return _and(left, right)
    if operator == "or":
        return _or(left, right)
    if operator == "implies":
        return _implies(left, right)
    combine = LOGICAL[operator]
    return lambda value, around: combine(left(value, around), right(value, around))


def _and(left: Look, right: Look) -> Look:
    def test(value: Json, around: Surroundings) -> Truth:
        answer = left(value, around)
        if answer is False:
            return False
        other = right(value, around)
        return other if answer or other is False else None

    return test


def _or(left: Look, right: Look) -> Look:
    def test(value: Json, around: Surroundings) -> Truth:
        answer = left(value, around)
        if answer:
            return True
        other = right(value, around)
        return other if other or answer is False else None

    return test


def _implies(left: Look, right: Look) -> Look:
    def test(value: Json, around: Surroundings) -> Truth:
        answer = left(value, around)
        if answer is False:
            return True
        other = right(value, around)
        return other if answer or other else None

    return test


def _same(left: Look, right: Look) -> Look:
    def test(value: Json, around: Surroundings) -> Truth:
        one, other = left(value, around), right(value, around)
        return None if one is None or other is None else one is other

    return test


def _not(inner: Look) -> Look:
    return lambda value, around: negated(inner(value, around))
