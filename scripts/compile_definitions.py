"""Makes the tables under ``referral_hub/fhir/definitions/`` from the official R4 package.

    python scripts/compile_definitions.py [path of hl7.fhir.r4.core-4.0.1.tgz]

The tables hold facts only: element paths, cardinalities, types, reference targets, codes, rules and search
parameters. The package is published under CC0-1.0. Running the script again on the same package gives the
same bytes. One type, code system or value set stands on one line, so that a difference can be read.
"""

import json
import re
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from referral_hub.fhir.code_tables import CodeSystem, ValueSet
from referral_hub.fhir.element_tables import PROFILED_TYPES, Index
from referral_hub.fhir.extension_tables import ExtensionRow
from referral_hub.fhir.structure_rows import invariant_keys, primitive_of, targets_of, type_entry_of

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT.parent / "shared" / "fhir" / "hl7.fhir.r4.core-4.0.1.tgz"
TARGET = ROOT / "referral_hub" / "fhir" / "definitions"
# Code systems of these owners are complete in the package; of others it holds a copy of some age.
OWN_SYSTEMS = ("http://hl7.org/fhir/", "http://terminology.hl7.org/")

_NEARLY_ALL_TYPES = 140

Resource = dict[str, Any]


def main(package: Path) -> None:
    """Reads the package and writes all tables."""
    resources = list(_resources(package))
    structures = [r for r in resources if r["resourceType"] == "StructureDefinition"]
    systems = _by_url(resources, "CodeSystem")
    value_sets = _by_url(resources, "ValueSet")
    types = _types(structures)
    TARGET.mkdir(exist_ok=True)
    _write_lines("structures.json", types)
    extensions = _extensions(structures)
    needed = _bindings(types) | {url for row in extensions.values() for url in _extension_bindings(row)}
    _write_lines("value_sets.json", {url: _value_set(url, value_sets, systems) for url in needed})
    _write_lines("code_systems.json", _code_systems(systems))
    _write_lines("extensions.json", extensions)
    _write_lines("search_parameters.json", _search_parameters(resources, types))
    _write("index.json", _encode(_index(structures, types)) + b"\n")


def _resources(package: Path) -> Iterator[Resource]:
    with tarfile.open(package) as archive:
        for member in archive:
            name = member.name.removeprefix("package/")
            if member.isfile() and re.fullmatch(r"[A-Z][A-Za-z]+-[^/]+\.json", name):
                content = archive.extractfile(member)
                if content is not None:
                    yield json.load(content)


def _by_url(resources: list[Resource], resource_type: str) -> dict[str, Resource]:
    return {r["url"]: r for r in resources if r["resourceType"] == resource_type and "url" in r}


def _is_type(structure: Resource) -> bool:
    if structure["kind"] == "logical":
        return False
    return structure.get("derivation") != "constraint" or structure["id"] in PROFILED_TYPES


def _types(structures: list[Resource]) -> dict[str, Any]:
    by_url = {s["url"]: s for s in structures}
    found = {}
    for structure in structures:
        if _is_type(structure) and structure["kind"] != "primitive-type":
            base = by_url.get(structure.get("baseDefinition", ""))
            inherited = invariant_keys(base) if base else frozenset()
            found[structure["id"]] = type_entry_of(structure, inherited)
    return found


def _index(structures: list[Resource], types: dict[str, Any]) -> Index:
    return Index(
        package="hl7.fhir.r4.core#4.0.1",
        licence="CC0-1.0",
        resource_types=frozenset(n for n, t in types.items() if t.kind == "resource" and not t.abstract),
        primitives={
            s["id"]: primitive_of(s)
            for s in sorted(structures, key=lambda s: str(s["id"]))
            if s["kind"] == "primitive-type"
        },
    )


# ---- codes ----


def _concepts(concepts: list[Resource]) -> Iterator[str]:
    for concept in concepts:
        yield concept["code"]
        yield from _concepts(concept.get("concept", []))


def _is_whole(system: Resource | None) -> bool:
    return system is not None and system.get("content") == "complete"


def _code_systems(systems: dict[str, Resource]) -> dict[str, CodeSystem]:
    return {
        url: CodeSystem(
            codes=tuple(dict.fromkeys(_concepts(system.get("concept", [])))),
            version=system.get("version", ""),
            ignores_case=system.get("caseSensitive") is False,
        )
        for url, system in systems.items()
        if _is_whole(system) and url.startswith(OWN_SYSTEMS)
    }


def _bindings(types: dict[str, Any]) -> set[str]:
    rows = [row for entry in types.values() for part in entry.parts.values() for row in part.elements]
    return {row.binding for row in rows if row.binding}


def _extension_bindings(row: ExtensionRow) -> Iterator[str]:
    if row.binding:
        yield row.binding
    for inner in row.nested.values():
        yield from _extension_bindings(inner)


def _value_set(url: str, value_sets: dict[str, Resource], systems: dict[str, Resource]) -> ValueSet:
    """Gives the codes of a value set; one that needs codes from outside the package is marked as open."""
    expanded = _expand(url, value_sets, systems)
    if expanded is None:
        return ValueSet(is_open=True)
    return ValueSet(codes={system: tuple(sorted(codes)) for system, codes in sorted(expanded.items())})


Codes = dict[str, set[str]]


def _expand(url: str, value_sets: dict[str, Resource], systems: dict[str, Resource]) -> Codes | None:
    compose = value_sets.get(url.partition("|")[0], {}).get("compose")
    if compose is None:
        return None
    total: Codes = {}
    for include in compose["include"]:
        codes = _included(include, value_sets, systems)
        if codes is None:
            return None
        for system, found in codes.items():
            total.setdefault(system, set()).update(found)
    for exclude in compose.get("exclude", []):
        codes = _included(exclude, value_sets, systems)
        if codes is None:
            return None
        for system, found in codes.items():
            total.get(system, set()).difference_update(found)
    return total


def _included(
    include: Resource, value_sets: dict[str, Resource], systems: dict[str, Resource]
) -> Codes | None:
    parts: list[Codes | None] = [_expand(url, value_sets, systems) for url in include.get("valueSet", [])]
    if "system" in include:
        parts.append(_of_system(include, systems))
    if not parts or any(part is None for part in parts):
        return None
    known = [part for part in parts if part is not None]
    # Several conditions in one include hold together.
    return {
        system: set.intersection(*(part.get(system, set()) for part in known))
        for system in known[0]
        if all(system in part for part in known)
    }


def _of_system(include: Resource, systems: dict[str, Resource]) -> Codes | None:
    system = include["system"]
    if "concept" in include:
        return {system: {concept["code"] for concept in include["concept"]}}
    if "filter" in include or not _is_whole(systems.get(system)):
        return None
    return {system: set(_concepts(systems[system].get("concept", [])))}


# ---- extensions ----


def _extensions(structures: list[Resource]) -> dict[str, ExtensionRow]:
    return {
        s["url"]: _extension(s)
        for s in structures
        if s["type"] == "Extension" and s.get("derivation") == "constraint" and not s.get("abstract")
    }


def _extension(structure: Resource) -> ExtensionRow:
    elements = {element["id"]: element for element in structure["snapshot"]["element"]}
    return msgspec.structs.replace(
        _extension_row(elements, "Extension"),
        contexts=tuple(context["expression"] for context in structure.get("context", [])),
        modifier=bool(elements["Extension"].get("isModifier")),
    )


def _extension_row(elements: dict[str, Resource], place: str) -> ExtensionRow:
    """Gives what may stand in an extension, and in the extensions it is made of."""
    value = elements.get(f"{place}.value[x]", {"max": "0"})
    binding = value.get("binding", {})
    own = value["max"] != "0"
    slices = [e for key, e in elements.items() if re.fullmatch(rf"{re.escape(place)}\.extension:[^.:]+", key)]
    return ExtensionRow(
        types=tuple(dict.fromkeys(kind["code"] for kind in value.get("type", []))) if own else (),
        targets=targets_of(value) if own else (),
        binding=binding["valueSet"].partition("|")[0]
        if own and binding.get("strength") == "required"
        else "",
        min=elements[place]["min"] if place != "Extension" else 0,
        repeats=elements[place]["max"] == "*" if place != "Extension" else False,
        nested={elements[f"{e['id']}.url"]["fixedUri"]: _extension_row(elements, e["id"]) for e in slices},
    )


# ---- search parameters ----


def _search_parameters(resources: list[Resource], types: dict[str, Any]) -> dict[str, list[Resource]]:
    found: dict[str, list[Resource]] = {}
    for parameter in resources:
        if parameter["resourceType"] != "SearchParameter":
            continue
        for base in parameter.get("base", []):
            found.setdefault(base, []).append(_search_parameter(parameter, base))
    for rows in found.values():
        rows.sort(key=lambda row: (row["code"], row["url"]))
    return {base: found[base] for base in sorted(found) if base in types}


def _search_parameter(parameter: Resource, base: str) -> Resource:
    row: Resource = {key: parameter[key] for key in ("code", "type", "url") if key in parameter}
    expression = " | ".join(_alternatives(parameter.get("expression", ""), base))
    if expression:
        row["expression"] = expression
    if "target" in parameter:
        # A parameter that lists (nearly) every type of R4 accepts any.
        row["target"] = ["Resource"] if len(parameter["target"]) > _NEARLY_ALL_TYPES else parameter["target"]
    if "component" in parameter:
        row["component"] = [
            {key: part[key] for key in ("definition", "expression")} for part in parameter["component"]
        ]
    return row


def _alternatives(expression: str, base: str) -> list[str]:
    """Gives those alternatives of a shared expression that start at this type."""
    alternatives = _split(expression)
    own = [a for a in alternatives if re.match(rf"[(\s]*{base}\b", a)]
    return own or alternatives


def _split(expression: str) -> list[str]:
    parts, depth, start, quoted = [], 0, 0, False
    for position, character in enumerate(expression):
        quoted ^= character == "'"
        depth += 0 if quoted else {"(": 1, ")": -1}.get(character, 0)
        if character == "|" and depth == 0 and not quoted:
            parts.append(expression[start:position].strip())
            start = position + 1
    parts.append(expression[start:].strip())
    return [part for part in parts if part]


# ---- writing ----


def _encode(value: Any) -> bytes:
    return msgspec.json.encode(value, order="deterministic")


def _write_lines(name: str, rows: dict[str, Any]) -> None:
    lines = [json.dumps(key).encode() + b":" + _encode_row(rows[key]) for key in sorted(rows)]
    _write(name, b"{\n" + b",\n".join(lines) + b"\n}\n")


def _encode_row(row: Any) -> bytes:
    # The parts of a type keep the order of the standard.
    return msgspec.json.encode(row)


def _write(name: str, content: bytes) -> None:
    (TARGET / name).write_bytes(content)
    sys.stdout.write(f"{name}: {len(content):,} bytes\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PACKAGE)
