"""Makes the tables of the hub's own profiles, extensions, codes and value sets from their generated JSON.

    python scripts/compile_own_definitions.py            # write referral_hub/fhir/definitions/hub_*.json
    python scripts/compile_own_definitions.py --check    # write nothing, exit 1 where a table would differ

The sources are FSH under ``profiles/``; ``make profiles`` runs SUSHI and then this. It needs no network and no
package: what R4 says comes from the tables that ``scripts/compile_definitions.py`` made.
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from referral_hub.fhir import canonical
from referral_hub.fhir.artifacts import artifact_files
from referral_hub.fhir.code_tables import code_system, value_set
from referral_hub.fhir.extension_rows import bindings_of, extension_row_of, is_extension
from referral_hub.fhir.profile_rows import demanded_bindings, is_profile, profile_table_of
from referral_hub.fhir.value_set_rows import code_system_of, is_whole, value_set_of

TARGET = Path(__file__).resolve().parent.parent / "referral_hub" / "fhir" / "definitions"

Resource = dict[str, Any]
_GROWING = frozenset({canonical.code_system("purpose")})


def main(arguments: list[str]) -> int:
    """Writes or checks the tables; gives the exit status."""
    made = tables(json.loads(path.read_bytes()) for path in artifact_files())
    if "--check" in arguments:
        different = [n for n, content in made.items() if _there(TARGET / n) != content]
        for name in different:
            print(f"own definitions: differs from profiles/generated: {name}", file=sys.stderr)
        return 1 if different else 0
    for name, content in made.items():
        (TARGET / name).write_bytes(content)
        print(f"{name}: {len(content):,} bytes")
    return 0


def tables(resources: Iterable[Resource]) -> dict[str, bytes]:
    """Gives the content of every table by its name.

    Raises:
        UnreadableProfile: a profile asks for something that the tables cannot hold.
    """
    found = [r for r in resources if "url" in r]
    structures = [r for r in found if r["resourceType"] == "StructureDefinition"]
    systems = {r["url"]: r for r in found if r["resourceType"] == "CodeSystem" and _is_closed(r)}
    value_sets = {r["url"]: r for r in found if r["resourceType"] == "ValueSet"}
    extensions = {s["url"]: extension_row_of(s) for s in structures if is_extension(s)}
    types_of = {s["url"]: s["type"] for s in structures}
    profiles = {s["url"]: profile_table_of(s, types_of) for s in structures if is_profile(s)}
    needed = {url for row in extensions.values() for url in bindings_of(row)}
    needed |= {url for table in profiles.values() for url in demanded_bindings(table.demand)}
    needed |= value_sets.keys()
    all_systems = _with_core(systems, value_sets.values())
    return {
        "hub_profiles.json": _lines(profiles),
        "hub_extensions.json": _lines(extensions),
        "hub_code_systems.json": _lines(
            {url: code_system_of(system, with_displays=True) for url, system in systems.items()}
        ),
        "hub_value_sets.json": _lines(
            {
                url: value_set_of(url, value_sets, all_systems)
                for url in needed
                if url in value_sets or value_set(url) is None
            }
        ),
    }


def _is_closed(system: Resource) -> bool:
    """Says whether no other code of a system can exist; a network registers further purposes with its clients."""
    return is_whole(system) and system["url"] not in _GROWING


def _with_core(systems: dict[str, Resource], value_sets: Iterable[Resource]) -> dict[str, Resource]:
    """Gives the code systems with those of R4 that whole value sets are made of."""
    found = dict(systems)
    for one in value_sets:
        for include in one.get("compose", {}).get("include", ()):
            url = include.get("system", "")
            known = code_system(url) if url not in found else None
            if known is not None:
                concepts = [{"code": code} for code in known.codes]
                found[url] = {"url": url, "content": "complete", "concept": concepts}
    return found


def _there(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def _lines(rows: dict[str, Any]) -> bytes:
    # One definition stands on one line, so that a difference can be read.
    made = [json.dumps(key).encode() + b":" + msgspec.json.encode(rows[key]) for key in sorted(rows)]
    return b"{\n" + b",\n".join(made) + b"\n}\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
