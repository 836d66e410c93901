"""From published value sets and code systems to rows.

What lives here: the pure reading of CodeSystems and the expansion of ValueSets into the shape of
:mod:`referral_hub.fhir.code_tables`. What does not: files and packages (the scripts), and judging a code.

Source: FHIR R4 ``valueset.html#compositions``, ``codesystem.html``.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from referral_hub.fhir.code_tables import CodeSystem, ValueSet

Json = dict[str, Any]
Codes = dict[str, set[str]]


def code_system_of(system: Json, *, with_displays: bool = False) -> CodeSystem:
    """Gives the codes of a CodeSystem.

    Args:
        system: a CodeSystem whose content is complete.
        with_displays: also the words that may stand beside each code.
    """
    concepts = list(_concepts(system.get("concept", [])))
    return CodeSystem(
        codes=tuple(dict.fromkeys(concept["code"] for concept in concepts)),
        version=system.get("version", ""),
        ignores_case=system.get("caseSensitive") is False,
        displays={c["code"]: _displays(c) for c in concepts} if with_displays else {},
    )


def is_whole(system: Json | None) -> bool:
    """Says whether a CodeSystem holds all its codes."""
    return system is not None and system.get("content") == "complete"


def value_set_of(url: str, value_sets: Mapping[str, Json], systems: Mapping[str, Json]) -> ValueSet:
    """Gives the codes of a value set; one that needs codes nobody has at hand is marked as open.

    Args:
        url: its canonical URL.
        value_sets: published ValueSets by URL.
        systems: published CodeSystems by URL.
    """
    expanded = _expand(url, value_sets, systems)
    if expanded is None:
        return ValueSet(is_open=True)
    return ValueSet(codes={system: tuple(sorted(codes)) for system, codes in sorted(expanded.items())})


def _concepts(concepts: list[Json]) -> Iterator[Json]:
    for concept in concepts:
        yield concept
        yield from _concepts(concept.get("concept", []))


def _displays(concept: Json) -> tuple[str, ...]:
    further = [one["value"] for one in concept.get("designation", ()) if "value" in one]
    return tuple(dict.fromkeys([*([concept["display"]] if "display" in concept else []), *further]))


def _expand(url: str, value_sets: Mapping[str, Json], systems: Mapping[str, Json]) -> Codes | None:
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


def _included(include: Json, value_sets: Mapping[str, Json], systems: Mapping[str, Json]) -> Codes | None:
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


def _of_system(include: Json, systems: Mapping[str, Json]) -> Codes | None:
    system = include["system"]
    if "concept" in include:
        return {system: {concept["code"] for concept in include["concept"]}}
    if "filter" in include or not is_whole(systems.get(system)):
        return None
    return {system: {concept["code"] for concept in _concepts(systems[system].get("concept", []))}}
