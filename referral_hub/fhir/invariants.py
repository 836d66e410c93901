"""The standard's own rules, ready to be asked.

What lives here: which rules of the tables are asked by compiled FHIRPath, which are asked by hand-written
Python because they look around a whole resource, and the corrections to expressions that were published
wrong. What does not: FHIRPath (:mod:`referral_hub.fhir.fhirpath`) and the hand-written rules themselves.

A rule holds only if its expression gives true. Where it cannot be said (times of unequal precision,
quantities in different units) it does not hold, as in HL7's own validator.

Source: FHIR R4 ``conformance-rules.html#constraints``,
``elementdefinition-definitions.html#ElementDefinition.constraint``.
"""

from collections.abc import Iterator

from referral_hub.fhir.element_tables import Invariant, all_part_names, part_table
from referral_hub.fhir.fhirpath.compiler import NotSupported, compile_expression
from referral_hub.fhir.fhirpath.nodes import Node
from referral_hub.fhir.fhirpath.shortcuts import compile_test
from referral_hub.fhir.object_rules import CrossCheck
from referral_hub.fhir.validation_run import Json, Path, Run

BY_HAND = {
    "ele-1": "object_rules: asked of every object and every primitive",
    "ext-1": "datatype_rules: asked of every Extension",
    "ref-1": "reference_rules: asked of every Reference",
    "dom-2": "contained_rules",
    "dom-3": "contained_rules",
    "dom-4": "contained_rules",
    "dom-5": "contained_rules",
    "txt-1": "narrative",
    "txt-2": "narrative",
}
"""Rules that are not compiled, and where they are checked instead."""

CORRECTIONS = {
    # `contains` gives nothing for an entry without fullUrl, and `not()` of nothing is nothing.
    "bdl-8": "fullUrl.empty() or fullUrl.contains('/_history/').not()",
    # The sentence of the rule says "more than one".
    "que-12": "enableWhen.count() >= 2 implies enableBehavior.exists()",
    # Without a probability there is nothing to be at most 100.
    "ras-2": "probability.empty() or ((probability is decimal) implies ((probability as decimal) <= 100))",
}
"""Expressions that R4 published wrong, by rule, as HL7 later corrected them."""

# `matches` finds its pattern anywhere in a text; these rules mean the whole text.
_ANCHORED = frozenset({"eld-19", "eld-20"})
_NAME_RULE = "name.matches('[A-Z]([A-Za-z0-9_]){0,254}')"


def expression_of(invariant: Invariant) -> str:
    """Gives the expression that is asked, corrected where the published one is wrong."""
    if invariant.expression == _NAME_RULE:
        return f"name.empty() or {_anchored(_NAME_RULE)}"
    if invariant.key in _ANCHORED:
        return _anchored(invariant.expression)
    return CORRECTIONS.get(invariant.key, invariant.expression)


def _anchored(expression: str) -> str:
    """Makes the pattern at the end of an expression one for the whole text."""
    return expression.replace("matches('", "matches('^").removesuffix("')") + "$')"


def invariants_of(type_name: str) -> Iterator[Invariant]:
    """Gives the rules of a type and of everything it is made from, as far as they are compiled."""
    while type_name:
        table = part_table(type_name)
        yield from (rule for rule in table.invariants if rule.key not in BY_HAND)
        type_name = table.base


def cross_checks(type_name: str) -> list[CrossCheck]:
    """Gives the checks for all compiled rules of a type, in the order of the standard."""
    return [_check(invariant, type_name) for invariant in invariants_of(type_name)]


def element_checks(invariants: tuple[Invariant, ...], type_name: str) -> list[CrossCheck]:
    """Gives the checks for rules that stand on one element only, asked of each of its objects."""
    return [_check(invariant, type_name) for invariant in invariants if invariant.key not in BY_HAND]


def value_holds(invariant: Invariant, value: object, type_name: str) -> bool:
    """Asks a rule that stands on a primitive element of one value."""
    node = Node(value, type_name)
    scope = Run({}, {}).scope({}, "Element")
    return compile_expression(expression_of(invariant)).step([node], scope) == [True]


def uncovered() -> list[tuple[str, str, str]]:
    """Gives every rule of the tables that cannot be compiled: type, rule, reason. There should be none."""
    found = []
    for name in all_part_names():
        table = part_table(name)
        on_elements = [rule for row in table.elements for rule in row.invariants]
        for rule in (*table.invariants, *on_elements):
            try:
                compile_expression(expression_of(rule))
            except NotSupported as reason:
                found.append((name, rule.key, str(reason)))
    return found


def _check(invariant: Invariant, type_name: str) -> CrossCheck:
    test = compile_test(expression_of(invariant), type_name)
    text = f"{invariant.key}: {invariant.human}"
    if invariant.severity == "warning":

        def advise(value: Json, path: Path, run: Run) -> None:
            if run.with_warnings and test(value, run) is not True:
                run.add("invariant", text, path, "warning")

        return advise

    def demand(value: Json, path: Path, run: Run) -> None:
        if test(value, run) is not True:
            run.add("invariant", text, path)

    return demand
