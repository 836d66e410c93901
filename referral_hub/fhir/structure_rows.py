"""From a published StructureDefinition to rows.

What lives here: the pure reading of one StructureDefinition with a snapshot into the shape of
:mod:`referral_hub.fhir.element_tables`. What does not: files and packages
(``scripts/compile_definitions.py``).

Source: FHIR R4 ``structuredefinition.html``, ``elementdefinition.html``.
"""

from typing import Any

from referral_hub.fhir.element_tables import (
    UNBOUNDED,
    ElementRow,
    Invariant,
    Kind,
    PartTable,
    Primitive,
    TypeEntry,
)

CORE = "http://hl7.org/fhir/StructureDefinition/"
_SYSTEM = "http://hl7.org/fhirpath/System."
_FHIR_TYPE = f"{CORE}structuredefinition-fhir-type"
_REGEX = f"{CORE}regex"
_WIDEST_BINDING = "http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet"
# The standard's own example of a DeviceMetric leads there, and HL7's validator takes it.
_FURTHER_TARGETS = {"DeviceMetric.parent": ("DeviceDefinition",)}
# ele-1 and ext-1 are published on every single element; the validator asks them of every object by itself.
_EVERYWHERE = frozenset({"ele-1", "ext-1"})


def type_entry_of(structure: dict[str, Any], inherited: frozenset[str] = frozenset()) -> TypeEntry:
    """Gives the rows of one StructureDefinition.

    Args:
        structure: a StructureDefinition of a resource or a complex type, with its snapshot.
        inherited: the keys of the rules its base already has; they are not repeated.

    Returns:
        one part per object that can appear in JSON: the type itself first, then its nested parts.
    """
    root = structure["type"]
    elements = structure["snapshot"]["element"]
    name = structure["id"] if structure.get("derivation") == "constraint" else root
    paths = {element["path"] for element in elements if _is_part(element, root)}
    parts: dict[str, PartTable] = {}
    for element in elements:
        if element["path"] not in paths:
            continue
        is_root = element["path"] == root
        rows = tuple(
            _row(child, paths)
            for child in elements
            if child["path"].rpartition(".")[0] == element["path"] and child["max"] != "0"
        )
        base = _base(structure) if is_root else element["type"][0]["code"]
        known = _EVERYWHERE | inherited if is_root else _EVERYWHERE
        parts[element["path"].replace(root, name, 1)] = PartTable(base, rows, _invariants(element, known))
    kind: Kind = structure["kind"]
    return TypeEntry(kind, parts, structure.get("abstract", False))


def primitive_of(structure: dict[str, Any]) -> Primitive:
    """Gives what a primitive type is made from and the pattern that the standard publishes for it."""
    value = next(e for e in structure["snapshot"]["element"] if e["path"].endswith(".value"))
    pattern = next(
        (x["valueString"] for x in value["type"][0].get("extension", []) if x["url"] == _REGEX), ""
    )
    return Primitive(_base(structure), pattern)


def invariant_keys(structure: dict[str, Any]) -> frozenset[str]:
    """Gives the names of the rules a type has at its root, those of its own base included."""
    return frozenset(rule["key"] for rule in structure["snapshot"]["element"][0].get("constraint", []))


def _is_part(element: dict[str, Any], root: str) -> bool:
    if element["path"] == root:
        return True
    return [kind["code"] for kind in element.get("type", [])] in (["Element"], ["BackboneElement"])


def _base(structure: dict[str, Any]) -> str:
    return str(structure.get("baseDefinition", "")).removeprefix(CORE)


def _row(element: dict[str, Any], parts: set[str]) -> ElementRow:
    path = element["path"]
    name = path.rpartition(".")[2]
    choice = name.endswith("[x]")
    binding = element.get("binding", {})
    return ElementRow(
        name=name.removesuffix("[x]"),
        types=_types(element, parts),
        min=element["min"],
        max=UNBOUNDED if element["max"] == "*" else int(element["max"]),
        choice=choice,
        summary=element.get("isSummary", False),
        modifier=element.get("isModifier", False),
        targets=targets_of(element),
        binding=_without_version(binding["valueSet"]) if binding.get("strength") == "required" else "",
        widest_binding=_widest(binding),
        # A nested part carries its rules itself.
        invariants=() if path in parts else _invariants(element, _EVERYWHERE),
    )


def _types(element: dict[str, Any], parts: set[str]) -> tuple[str, ...]:
    if element["path"] in parts:
        return (element["path"],)
    if "contentReference" in element:
        return (element["contentReference"].partition("#")[2],)
    names: list[str] = []
    for kind in element["type"]:
        profiles = kind.get("profile", [])
        name = profiles[0].removeprefix(CORE) if len(profiles) == 1 else type_of(element, kind)
        if name not in names:
            names.append(name)
    return tuple(names)


def type_of(element: dict[str, Any], kind: dict[str, Any]) -> str:
    """Gives the FHIR type that one entry of ``ElementDefinition.type`` names.

    Some definitions name a type of FHIRPath and tell the FHIR type beside it.
    """
    code = str(kind["code"])
    if not code.startswith(_SYSTEM):
        return code
    if element.get("base", {}).get("path") == "Resource.id":
        return "id"
    stated = [x["valueUrl"] for x in kind.get("extension", []) if x["url"] == _FHIR_TYPE]
    return stated[0] if stated else "string"


def targets_of(element: dict[str, Any]) -> tuple[str, ...]:
    """Gives the resource types that the Reference of an element may lead to; empty for any."""
    named = [
        profile.removeprefix(CORE)
        for kind in element.get("type", [])
        if kind["code"] == "Reference"
        for profile in kind.get("targetProfile", [])
    ]
    named.extend(_FURTHER_TARGETS.get(element["path"], ()))
    return () if "Resource" in named else tuple(dict.fromkeys(named))


def _widest(binding: dict[str, Any]) -> str:
    found = [x.get("valueCanonical", "") for x in binding.get("extension", []) if x["url"] == _WIDEST_BINDING]
    return _without_version(found[0]) if found else ""


def _without_version(canonical: str) -> str:
    return canonical.partition("|")[0]


def _invariants(element: dict[str, Any], known: frozenset[str]) -> tuple[Invariant, ...]:
    return tuple(
        Invariant(rule["key"], rule["expression"], rule["human"], rule["severity"])
        for rule in element.get("constraint", [])
        if rule["key"] not in known and "expression" in rule
    )
