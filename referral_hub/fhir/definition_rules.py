"""Definitions that others build on: rules of ValueSet, ConceptMap and SearchParameter that prose states.

What lives here: systems of value sets, codes of maps, expressions and components of search parameters. What does
not: CodeSystems (:mod:`referral_hub.fhir.code_system_rules`), StructureDefinitions
(:mod:`referral_hub.fhir.structure_definition_rules`), Questionnaires (:mod:`referral_hub.fhir.questionnaire_rules`).

Source: FHIR R4 ``valueset.html``, ``conceptmap.html``, ``searchparameter.html``.
"""

import re
from collections.abc import Iterator
from typing import Any

from referral_hub.fhir.code_tables import code_system, defined_codes
from referral_hub.fhir.fhirpath.grammar import BadExpression, parse
from referral_hub.fhir.validation_run import Json, Path, Run

_is_absolute = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:").match
_VALUE_SETS = ("http://hl7.org/fhir/ValueSet/", "http://terminology.hl7.org/ValueSet/")
_EXPRESSION = "http://hl7.org/fhir/StructureDefinition/cqf-expression"
_PARAMETER = "http://hl7.org/fhir/tools/StructureDefinition/valueset-parameter"
_VARIABLES = frozenset({"resource", "rootResource", "context", "ucum", "sct", "loinc"})
_VARIABLE = re.compile(r"%([A-Za-z_][A-Za-z0-9_\-]*|`[^`]*`|'[^']*')")
_TEXT = re.compile(r"(?<!%)'(?:[^'\\]|\\.)*'")
_FEWEST_COMPONENTS = 2
_LONGEST_READ = 5_000


def value_set(value: Json, path: Path, run: Run) -> None:
    """Checks that what a ValueSet is made of are code systems, by absolute URIs."""
    compose = value.get("compose")
    if not isinstance(compose, dict):
        return
    _check_variables(value, path, run)
    for name in ("include", "exclude"):
        for item, place in _listed(compose, name, (path, "compose", -1)):
            system = item.get("system")
            if not isinstance(system, str):
                continue
            if not _is_absolute(system):
                text = "The system a value set is made of must be an absolute URI."
                run.add("value", text, (place, "system", -1))
            elif system.startswith(_VALUE_SETS):
                text = "The system names a value set: name the code system, or the value set as valueSet."
                run.add("value", text, (place, "system", -1))


def _check_variables(value: Json, path: Path, run: Run) -> None:
    """An expression of a value set can use only the variables of FHIRPath and the parameters it declares."""
    declared = set(_VARIABLES)
    for extension, _ in _listed(value, "extension", path):
        if extension.get("url") == _PARAMETER:
            declared.update(
                str(part.get("valueCode"))
                for part, _ in _listed(extension, "extension", path)
                if part.get("url") == "name"
            )
    for expression in _expressions(value.get("compose")):
        used = {name.strip("`'") for name in _VARIABLE.findall(_TEXT.sub("''", expression))}
        if any(name not in declared and not name.startswith(("vs-", "ext-")) for name in used):
            text = "An expression uses a variable that neither FHIR nor this value set defines."
            run.add("not-found", text, (path, "compose", -1))
            return


def _expressions(value: Any) -> Iterator[str]:
    """Gives the FHIRPath of every extension inside a value set that holds an expression for an element."""
    if isinstance(value, dict):
        held = value.get("valueExpression")
        if value.get("url") == _EXPRESSION and isinstance(held, dict):
            text = held.get("expression")
            if held.get("language") == "text/fhirpath" and isinstance(text, str):
                yield text[:_LONGEST_READ]
        for item in value.values():
            if isinstance(item, dict | list):
                yield from _expressions(item)
    elif isinstance(value, list):
        for item in value:
            yield from _expressions(item)


def concept_map(value: Json, path: Path, run: Run) -> None:
    """Checks that the codes of a ConceptMap are codes of its systems, where those are known whole."""
    for group, place in _listed(value, "group", path):
        source = _codes(group, "source", "sourceVersion")
        target = _codes(group, "target", "targetVersion")
        for element, here in _listed(group, "element", place):
            _check_code(element, source, here, run)
            for one, there in _listed(element, "target", here):
                _check_code(one, target, there, run)


def _codes(group: Json, name: str, version: str) -> frozenset[str] | None:
    system = group.get(name)
    known = code_system(system) if isinstance(system, str) else None
    if known is None or known.ignores_case or group.get(version, known.version) != known.version:
        return None
    return defined_codes(str(system))


def _check_code(element: Json, codes: frozenset[str] | None, place: Path, run: Run) -> None:
    code = element.get("code")
    if codes is not None and isinstance(code, str) and code not in codes:
        run.add("code-invalid", "The system of this group has no such code.", (place, "code", -1))


def search_parameter(value: Json, path: Path, run: Run) -> None:
    """Checks that the expression of a SearchParameter can be read, and that a composite has its components."""
    expression = value.get("expression")
    if isinstance(expression, str) and not _is_readable(expression):
        run.add("value", "This expression is no FHIRPath.", (path, "expression", -1))
    if value.get("type") == "composite":
        components = value.get("component")
        if not isinstance(components, list) or len(components) < _FEWEST_COMPONENTS:
            text = "A composite is made of two components or more."
            run.add("required", text, (path, "component", -1))
    for component, place in _listed(value, "component", path):
        inner = component.get("expression")
        if isinstance(inner, str) and not _is_readable(inner):
            run.add("value", "This expression is no FHIRPath.", (place, "expression", -1))


def _is_readable(expression: str) -> bool:
    if len(expression) > _LONGEST_READ:
        return True  # nobody writes such a thing; reading it would only cost time
    try:
        parse(expression)
    except (BadExpression, RecursionError):
        return False
    return True


def _listed(owner: Json, name: str, path: Path) -> Iterator[tuple[Json, Path]]:
    """Gives the objects of a list under a name, with their places."""
    held: Any = owner.get(name)
    for position, item in enumerate(held if isinstance(held, list) else ()):
        if isinstance(item, dict):
            yield item, (path, name, position)
