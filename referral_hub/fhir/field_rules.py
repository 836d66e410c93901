"""Fields: how each property of an object is checked.

What lives here: the checks of nested objects, of choices and of resources inside resources, and
:func:`type_rule`, which puts all checks of a type together from the tables. What does not: single values
(:mod:`referral_hub.fhir.primitive_fields`), the tables (:mod:`referral_hub.fhir.element_tables`), and what a
check says across fields.

Source: FHIR R4 ``json.html``, ``elementdefinition.html``.
"""

from functools import cache, partial
from typing import Any

from referral_hub.fhir import (
    code_tables,
    datatype_rules,
    invariants,
    narrative_rules,
    primitive_fields,
    profile_rules,
    reference_rules,
)
from referral_hub.fhir.element_tables import (
    UNBOUNDED,
    ElementRow,
    index,
    is_primitive,
    json_name,
    part_table,
)
from referral_hub.fhir.object_rules import (
    CrossCheck,
    Expectation,
    Field,
    ObjectCheck,
    ObjectRule,
    Shape,
    is_filled_list,
    report_no_object,
)
from referral_hub.fhir.validation_run import Json, Path, Run, Spelling


@cache
def type_rule(name: str) -> ObjectRule:
    """Gives the check of a type (``Patient``, ``HumanName``) or of a part of a type (``Patient.contact``)."""
    return ObjectRule(name, partial(_shape, name))


def _shape(name: str) -> Shape:
    shape = Shape(name)
    if name in index().resource_types:
        shape.simple["resourceType"] = frozenset({name}).__contains__
        shape.expected["resourceType"] = Expectation("code", (name,))
    for row in part_table(name).elements:
        _add_row(shape, row)
    shape.cross = [*datatype_rules.cross_checks(name), *invariants.cross_checks(name)]
    canonicals = tuple(
        json_name(row, "canonical") for row in part_table(name).elements if "canonical" in row.types
    )
    if canonicals:
        shape.cross.append(reference_rules.canonicals_check(canonicals))
    return shape


def _add_row(shape: Shape, row: ElementRow) -> None:
    spellings = tuple(json_name(row, type_name) for type_name in row.types)
    if row.min:
        shape.required.append((row.name, spellings))
    for type_name, spelled in zip(row.types, spellings, strict=True):
        key = Spelling(spelled, row.name) if row.choice else spelled
        if type_name == "xhtml":
            shape.fields[key] = narrative_rules.div
        elif is_primitive(type_name):
            _add_primitive(shape, row, type_name, key, spellings)
        else:
            shape.fields[key] = _choice(_object_field(row, type_name, key), key, spellings)


# ---- primitives ----


def _add_primitive(
    shape: Shape, row: ElementRow, type_name: str, key: str, spellings: tuple[str, ...]
) -> None:
    check, expectation = primitive_fields.check_of(shape.name, row, type_name)
    asked = tuple(rule for rule in row.invariants if rule.key not in invariants.BY_HAND)
    element = type_rule("Element")
    if row.name == "id" and type_name == "string":
        shape.fields[key] = primitive_fields.element_id
        return
    if row.max == UNBOUNDED:
        shape.fields[key] = primitive_fields.repeated(key, check, expectation)
        shape.fields[f"_{key}"] = primitive_fields.repeated_sibling(key, element)
        return
    if len(spellings) > 1 or asked:
        field = primitive_fields.single(key, check, expectation, asked)
        shape.fields[key] = _choice(field, key, spellings)
    else:
        shape.simple[key] = check
        shape.expected[key] = expectation
    if row.name == "id" or (shape.name, row.name) == ("Extension", "url"):
        return  # attributes in XML: nothing can stand beside them
    sibling = primitive_fields.sibling(key, element, needs_value=bool(expectation.codes))
    shape.fields[f"_{key}"] = _choice(sibling, key, spellings)


# ---- objects ----


def _object_field(row: ElementRow, type_name: str, key: str) -> Field:
    check = _object_check(row, type_name)
    asked = invariants.element_checks(row.invariants, type_name)
    if asked:
        check = _and_asked(check, asked)
    if row.max == UNBOUNDED:
        return _object_list(key, check)

    def field(value: Any, owner: Json, path: Path, run: Run) -> None:
        check(value, (path, key, -1), run)

    return field


def _object_list(key: str, check: ObjectCheck) -> Field:
    def field(value: Any, owner: Json, path: Path, run: Run) -> None:
        if type(value) is list and value:
            for position, item in enumerate(value):
                check(item, (path, key, position), run)
        else:
            is_filled_list(value, path, key, run)

    return field


def _object_check(row: ElementRow, type_name: str) -> ObjectCheck:
    if type_name == "Resource":
        return partial(_resource_inside, is_contained=row.name == "contained")
    if type_name == "Reference":
        return reference_rules.reference_check(type_rule("Reference"), row.targets)
    rule = type_rule(type_name)
    if type_name == "CodeableConcept" and row.binding:
        concepts = code_tables.concepts_of(row.binding)
        if concepts is not None:
            return _and_asked(rule_check(rule), [datatype_rules.bound_concept(concepts)])
    if type_name == "CodeableConcept" and row.widest_binding == datatype_rules.ANY_LANGUAGE:
        return _and_asked(rule_check(rule), [datatype_rules.language])
    return rule_check(rule)


def rule_check(rule: ObjectRule) -> ObjectCheck:
    """Gives a check that stays right when the rule is compiled later."""

    def check(value: Any, path: Path, run: Run) -> None:
        rule.check(value, path, run)

    return check


def _and_asked(check: ObjectCheck, asked: list[CrossCheck]) -> ObjectCheck:
    def both(value: Any, path: Path, run: Run) -> None:
        check(value, path, run)
        if isinstance(value, dict):
            for rule in asked:
                rule(value, path, run)

    return both


def _choice(field: Field, key: str, spellings: tuple[str, ...]) -> Field:
    """Lets an element that may have one of several types be there in one of them only."""
    if len(spellings) == 1:
        return field
    group = frozenset(spellings) | frozenset(f"_{spelling}" for spelling in spellings)

    def choice(value: Any, owner: Json, path: Path, run: Run) -> None:
        present = dict.fromkeys(name.removeprefix("_") for name in owner if name in group)
        if len(present) > 1 and key != next(iter(present)):
            others = " and ".join(present)
            run.add("structure", f"Only one of these may be there: {others}.", (path, key, -1))
        field(value, owner, path, run)

    return choice


# ---- resources inside resources ----


def _resource_inside(value: Any, path: Path, run: Run, *, is_contained: bool) -> None:
    check = resource_check(value, path, run)
    if check is not None:
        with run.inside(value, is_contained=is_contained):
            check(value, path, run)
            profile_rules.check_claims(value, path, run)


def resource_check(value: Any, path: Path, run: Run) -> ObjectCheck | None:
    """Gives the check for the type a resource says it is of; None, with a note, if R4 has no such type."""
    if not isinstance(value, dict) or not value:
        report_no_object(value, "resource", path, run)
        return None
    name = value.get("resourceType")
    if isinstance(name, str) and name in index().resource_types:
        return type_rule(name).check
    place: Path = (path, "resourceType", -1)
    if name is None:
        run.add("required", "A resource says of which type it is in resourceType, which is missing.", place)
    elif not isinstance(name, str):
        run.add("structure", "The resourceType must be text.", place)
    else:
        run.add(
            "not-supported", "R4 has no resource of this type; type names start with a capital letter.", place
        )
    return None
