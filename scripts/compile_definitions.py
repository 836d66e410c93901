"""Makes the tables under ``referral_hub/fhir/definitions/`` from the official R4 package.

    python scripts/compile_definitions.py [path of hl7.fhir.r4.core-4.0.1.tgz]

The tables hold facts only: element paths, cardinalities, types, reference targets, codes, rules, profiles and
search parameters. What the hub defines itself is compiled by ``scripts/compile_own_definitions.py``. The package
is published under CC0-1.0. Running the script again on the same package gives the
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

from referral_hub.fhir.code_tables import CodeSystem
from referral_hub.fhir.element_tables import PROFILED_TYPES, Index
from referral_hub.fhir.extension_rows import bindings_of, extension_row_of, is_extension
from referral_hub.fhir.extension_tables import ExtensionRow
from referral_hub.fhir.profile_rows import UnreadableProfile, demanded_bindings, is_profile, profile_table_of
from referral_hub.fhir.profile_tables import ProfileTable
from referral_hub.fhir.structure_rows import invariant_keys, primitive_of, type_entry_of
from referral_hub.fhir.value_set_rows import code_system_of, is_whole, value_set_of

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
    profiles = _profiles(structures)
    needed = _bindings(types) | {url for row in extensions.values() for url in bindings_of(row)}
    needed |= {url for table in profiles.values() for url in demanded_bindings(table.demand)}
    _write_lines("value_sets.json", {url: value_set_of(url, value_sets, systems) for url in needed})
    _write_lines("code_systems.json", _code_systems(systems))
    _write_lines("extensions.json", extensions)
    _write_lines("profiles.json", profiles)
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


def _code_systems(systems: dict[str, Resource]) -> dict[str, CodeSystem]:
    return {
        url: code_system_of(system)
        for url, system in systems.items()
        if is_whole(system) and url.startswith(OWN_SYSTEMS)
    }


def _bindings(types: dict[str, Any]) -> set[str]:
    rows = [row for entry in types.values() for part in entry.parts.values() for row in part.elements]
    return {row.binding for row in rows if row.binding}


# ---- extensions and profiles ----


def _extensions(structures: list[Resource]) -> dict[str, ExtensionRow]:
    return {s["url"]: extension_row_of(s) for s in structures if is_extension(s) and not s.get("abstract")}


def _profiles(structures: list[Resource]) -> dict[str, ProfileTable]:
    found = {}
    for structure in structures:
        if is_profile(structure):
            try:
                found[structure["url"]] = profile_table_of(structure, {})
            except UnreadableProfile as reason:
                print(f"left out: profile {structure['id']}: {reason}", file=sys.stderr)
    return found


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
