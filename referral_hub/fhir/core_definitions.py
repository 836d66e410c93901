"""R4's own definitions, written from the tables this hub checks with.

What lives here: a StructureDefinition for each type asked for and for every data type below it, a ValueSet for each
required binding in them, a CodeSystem for each system of those. What does not: the tables
(:mod:`.element_tables`, :mod:`.code_tables`), the hub's own definitions (:mod:`.artifacts`).

They say what this hub enforces: elements, cardinalities, types, targets, required bindings, rules. The words of the
specification are not in them; every one names where HL7 publishes the whole.

Source: the package ``hl7.fhir.r4.core#4.0.1``, CC0-1.0; FHIR R4 ``structuredefinition.html``.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from referral_hub.fhir.canonical import CANONICAL
from referral_hub.fhir.code_tables import code_system, value_set
from referral_hub.fhir.element_tables import (
    PROFILED_TYPES,
    UNBOUNDED,
    ElementRow,
    Invariant,
    base_of,
    is_primitive,
    part_table,
    type_entry,
)

CORE = "http://hl7.org/fhir"
VERSION = "4.0.1"
PUBLISHED_ON = "2019-11-01T09:29:23+11:00"

Definition = dict[str, Any]


def core_definitions(types: Iterable[str]) -> Iterator[Definition]:
    """Gives the definitions of these types and of everything they are made of.

    Args:
        types: names of resource or data types.

    Returns:
        decoded resources: StructureDefinitions first, then ValueSets, then CodeSystems; each url once.

    >>> [found["id"] for found in core_definitions(["Period"])][:3]
    ['Period', 'Element', 'Extension']
    """
    named: dict[str, None] = {}
    bound: dict[str, None] = {}
    waiting = list(types)
    while waiting:
        name = waiting.pop(0)
        if name in named or name in PROFILED_TYPES or is_primitive(name):
            continue
        named[name] = None
        waiting.extend(_made_of(name))
        bound.update(dict.fromkeys(_bindings(name)))
    systems: dict[str, None] = {}
    value_sets = []
    for url in sorted(bound):
        found = value_set(url)
        if found is not None and found.codes and url.startswith(f"{CORE}/"):
            value_sets.append(_value_set(url, found.codes))
            systems.update(dict.fromkeys(found.codes))
    yield from (structure_definition(name) for name in named)
    yield from value_sets
    for url in sorted(systems):
        codes = code_system(url)
        if codes is not None and not url.startswith(CANONICAL):
            yield _code_system(url, codes.codes, codes.version, ignores_case=codes.ignores_case)


def structure_definition(name: str) -> Definition:
    """Gives the StructureDefinition of one R4 type.

    Raises:
        KeyError: R4 has no such type, or it is a primitive one.

    >>> period = structure_definition("Period")
    >>> period["url"], [found["path"] for found in period["snapshot"]["element"]][-1]
    ('http://hl7.org/fhir/StructureDefinition/Period', 'Period.end')
    """
    entry = type_entry(name)
    base = base_of(name)
    return {
        "resourceType": "StructureDefinition",
        "id": name,
        **_head(f"{CORE}/StructureDefinition/{name}", name),
        "fhirVersion": VERSION,
        "kind": entry.kind,
        "abstract": entry.abstract,
        "type": name,
        **(
            {"baseDefinition": f"{CORE}/StructureDefinition/{base}", "derivation": "specialization"}
            if base
            else {}
        ),
        "snapshot": {"element": list(_elements(name, name))},
    }


def _head(url: str, name: str) -> Definition:
    return {
        "url": url,
        "version": VERSION,
        "name": name,
        "status": "active",
        "experimental": False,
        "date": PUBLISHED_ON,
        "publisher": "HL7 International",
        "description": f"What this hub checks of {name}. The definition in full is published by HL7 at {url}",
    }


def _made_of(name: str) -> Iterator[str]:
    base = base_of(name)
    if base:
        yield base
    for part in type_entry(name).parts.values():
        for row in part.elements:
            yield from (kind for kind in row.types if "." not in kind)


def _bindings(name: str) -> Iterator[str]:
    for part in type_entry(name).parts.values():
        yield from (row.binding for row in part.elements if row.binding)


def _elements(part: str, path: str) -> Iterator[Definition]:
    """Gives the elements of a type or of a part of it, in the order of the standard."""
    if "." not in part:
        yield _element(path, 0, UNBOUNDED, part_table(part).invariants)
    for row in part_table(part).elements:
        here = f"{path}.{row.name}{'[x]' if row.choice else ''}"
        inside = row.types[0] if row.types == (f"{part}.{row.name}",) else ""
        rules = (*row.invariants, *(part_table(inside).invariants if inside else ()))
        element = _element(here, row.min, row.max, rules)
        element.update(_typed(row, inside))
        if row.binding:
            element["binding"] = {"strength": "required", "valueSet": f"{row.binding}|{VERSION}"}
        if row.modifier:
            element["isModifier"] = True
            element["isModifierReason"] = "It changes what the rest means."
        if row.summary:
            element["isSummary"] = True
        yield element
        if inside:
            yield from _elements(inside, here)


def _element(path: str, least: int, most: int, rules: Iterable[Invariant]) -> Definition:
    span = {"min": least, "max": "*" if most == UNBOUNDED else str(most)}
    found: Definition = {"id": path, "path": path, "short": path, "definition": path, **span}
    found["base"] = {"path": path, **span}
    constraints = [
        {"key": rule.key, "severity": rule.severity, "human": rule.human, "expression": rule.expression}
        for rule in rules
    ]
    if constraints:
        found["constraint"] = constraints
    return found


def _typed(row: ElementRow, inside: str) -> Definition:
    if inside:
        return {"type": [{"code": part_table(inside).base}]}
    if "." in row.types[0]:
        return {"contentReference": f"#{row.types[0]}"}
    return {"type": [_type(kind, row.targets) for kind in row.types]}


def _type(kind: str, targets: tuple[str, ...]) -> Definition:
    found: Definition = {"code": PROFILED_TYPES.get(kind, kind)}
    if kind in PROFILED_TYPES:
        found["profile"] = [f"{CORE}/StructureDefinition/{kind}"]
    if kind in ("Reference", "canonical") and targets:
        found["targetProfile"] = [f"{CORE}/StructureDefinition/{target}" for target in targets]
    return found


def _value_set(url: str, codes: Mapping[str, Iterable[str]]) -> Definition:
    public_id = url.rpartition("/")[2]
    include = [
        {"system": system, "concept": [{"code": code} for code in listed]} for system, listed in codes.items()
    ]
    head = _head(url, _camel(public_id))
    return {"resourceType": "ValueSet", "id": public_id, **head, "compose": {"include": include}}


def _code_system(url: str, codes: tuple[str, ...], version: str, *, ignores_case: bool) -> Definition:
    public_id = url.rpartition("/")[2]
    return {
        "resourceType": "CodeSystem",
        "id": public_id,
        **_head(url, _camel(public_id)),
        **({"version": version} if version else {}),
        "caseSensitive": not ignores_case,
        "content": "complete",
        "count": len(codes),
        "concept": [{"code": code} for code in codes],
    }


def _camel(public_id: str) -> str:
    words = "".join(word[:1].upper() + word[1:] for word in public_id.replace(".", "-").split("-"))
    return words if words[:1].isalpha() else f"V{words}"
