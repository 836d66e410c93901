"""Profiles as resources: rules of a StructureDefinition that prose states.

What lives here: that a profile constrains the type of its base, names elements which that type has, asks for no
less than the base, fixes values of a possible type, and sets up what it slices. What does not: the rules that the
standard writes in FHIRPath (:mod:`referral_hub.fhir.invariants`), and what a profile asks of other resources
(:mod:`referral_hub.fhir.profile_rules`).

Only profiles of R4's own types are judged; a base that is itself a profile nobody here has is taken as it is.

Source: FHIR R4 ``profiling.html``, ``structuredefinition.html``, ``elementdefinition.html``.
"""

from collections.abc import Iterator
from typing import Any

from referral_hub.fhir.element_tables import (
    UNBOUNDED,
    ElementRow,
    is_a,
    is_known,
    is_primitive,
    json_name,
    part_table,
)
from referral_hub.fhir.profile_rows import is_known_part
from referral_hub.fhir.profile_tables import profile
from referral_hub.fhir.structure_rows import CORE
from referral_hub.fhir.validation_run import Json, Path, Run

_DIGITS = 10
_SLICED_BY_R4 = frozenset({"extension", "modifierExtension"})


def check(value: Json, path: Path, run: Run) -> None:
    """Checks a StructureDefinition that is a profile of a type of R4."""
    type_name, base = value.get("type"), value.get("baseDefinition")
    if value.get("derivation") != "constraint" or not isinstance(type_name, str) or not isinstance(base, str):
        return
    constrained = _type_of_base(base)
    if constrained not in ("", type_name):
        text = f"A profile is of the type of its base, which is {constrained}."
        run.add("invalid", text, (path, "type", -1))
        return
    if not is_known(type_name) or is_primitive(type_name):
        return
    direct = base == f"{CORE}{type_name}"
    differential = value.get("differential")
    elements: Any = differential.get("element") if isinstance(differential, dict) else None
    if not isinstance(elements, list):
        return
    if type_name == "Extension":
        _check_address(value, elements, path, run)
    sliced: set[str] = set()
    for position, element in enumerate(elements):
        if isinstance(element, dict) and isinstance(element.get("path"), str):
            place: Path = ((path, "differential", -1), "element", position)
            _check_element(element, type_name, place, run, direct=direct)
            if direct:
                _check_slicing(element, sliced, place, run)


def _type_of_base(base: str) -> str:
    name = base.removeprefix(CORE)
    if base.startswith(CORE) and is_known(name):
        return name
    known = profile(base.partition("|")[0])
    return "" if known is None else known.type_name


def _check_element(element: Json, type_name: str, place: Path, run: Run, *, direct: bool) -> None:
    steps = str(element["path"]).split(".")
    if steps[0] != type_name:
        run.add("invalid", f"The paths of a profile of {type_name} start with it.", (place, "path", -1))
        return
    rows = list(_walked(type_name, steps[1:]))
    if len(rows) < len(steps) - 1:
        if _may_be_judged(type_name, steps):
            run.add("not-found", "The type has no element at this path.", (place, "path", -1))
        return
    if rows and direct:
        _check_counts(element, rows[-1], place, run)
        _check_value(element, rows[-1], steps[-1], place, run)


def _walked(type_name: str, steps: list[str]) -> Iterator[ElementRow]:
    """Gives the row of each step of a path, as far as the type has them."""
    types: tuple[str, ...] = (type_name,)
    for step in steps:
        found = next((row for one in types for row in _rows(one) if _is_named(row, step)), None)
        if found is None:
            return
        yield found
        types = found.types


def _rows(type_name: str) -> tuple[ElementRow, ...]:
    table = "Element" if is_primitive(type_name) else type_name
    return part_table(table).elements if is_known_part(table) else ()


def _is_named(row: ElementRow, step: str) -> bool:
    if row.choice:
        return step == f"{row.name}[x]" or step in {json_name(row, kind) for kind in row.types}
    return step == row.name


def _may_be_judged(type_name: str, steps: list[str]) -> bool:
    """Says whether the path does not go through something that may hold anything, or through a bare value."""
    if "contained" in steps or "resource" in steps or steps[-1] == "value":
        return False
    return len(list(_walked(type_name, steps[1:-1]))) == len(steps) - 2


def _check_counts(element: Json, row: ElementRow, place: Path, run: Run) -> None:
    least, most = element.get("min"), element.get("max")
    if type(least) is int and least < row.min and ":" not in str(element.get("id")):
        text = f"A profile asks for no less than its base: at least {row.min}."
        run.add("invalid", text, (place, "min", -1))
    if row.max == UNBOUNDED or not isinstance(most, str):
        return
    if most == "*" or (most.isdigit() and len(most) < _DIGITS and int(most) > row.max):
        run.add("invalid", f"A profile allows no more than its base: {row.max}.", (place, "max", -1))


def _check_value(element: Json, row: ElementRow, step: str, place: Path, run: Run) -> None:
    stated: Any = element.get("type")
    types = (
        [kind.get("code") for kind in stated if isinstance(kind, dict)] if isinstance(stated, list) else []
    )
    further = [kind for kind in types if isinstance(kind, str) and not _is_possible(kind, row)]
    if further:
        text = f"A profile allows no other types than its base: {' or '.join(row.types)}."
        run.add("invalid", text, (place, "type", -1))
    if not types:
        types = [
            kind for kind in row.types if not row.choice or step in (f"{row.name}[x]", json_name(row, kind))
        ]
    spelled = {f"{str(kind)[:1].upper()}{str(kind)[1:]}" for kind in types}
    spelled |= {"Quantity"} if "SimpleQuantity" in spelled else set()
    for key in element:
        word = next((one for one in ("fixed", "pattern") if key.startswith(one)), "")
        if word and key.removeprefix(word) not in spelled and not any("." in str(kind) for kind in types):
            text = f"The value is of another type than the element, which is {' or '.join(map(str, types))}."
            run.add("invalid", text, (place, key, -1))


def _is_possible(kind: str, row: ElementRow) -> bool:
    if kind.startswith("http") or any("." in one or one in ("Resource", "Element") for one in row.types):
        return True
    return any(is_a(kind, one) or is_a(one, kind) for one in row.types) if is_known(kind) else False


def _check_address(value: Json, elements: list[Any], path: Path, run: Run) -> None:
    """An extension says in its url by which address it is known."""
    for position, element in enumerate(elements):
        if isinstance(element, dict) and element.get("path") == "Extension.url" and "fixedUri" in element:
            inside = str(element.get("id")) != "Extension.url"
            if not inside and element["fixedUri"] != value.get("url"):
                place: Path = (((path, "differential", -1), "element", position), "fixedUri", -1)
                run.add("invalid", "The url of an extension is the url of its definition.", place)


def _check_slicing(element: Json, sliced: set[str], place: Path, run: Run) -> None:
    path = str(element["path"])
    if "slicing" in element:
        sliced.add(path)
    name = path.rpartition(".")[2]
    if "sliceName" not in element or "slicing" in element or path in sliced:
        return
    if name in _SLICED_BY_R4 or name.endswith("[x]") or "." not in path:
        return
    run.add("invalid", "The element is not sliced yet: say first how its groups are told apart.", place)
