"""From a published profile to rows.

What lives here: the pure reading of the snapshot of one constraint StructureDefinition into the shape of
:mod:`referral_hub.fhir.profile_tables`: only what it asks beyond R4's own definition of the type. What does
not: files and packages (the scripts), extensions (:mod:`referral_hub.fhir.extension_rows`).

Source: FHIR R4 ``profiling.html#slicing``, ``elementdefinition.html``.
"""

import re
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from referral_hub.fhir.element_tables import (
    PROFILED_TYPES,
    UNBOUNDED,
    ElementRow,
    Invariant,
    is_known,
    is_primitive,
    part_table,
)
from referral_hub.fhir.invariants import BY_HAND
from referral_hub.fhir.profile_tables import Demand, Mark, ProfileTable, Slice
from referral_hub.fhir.structure_rows import CORE, type_of

Element = dict[str, Any]
_SLICE_NAME = re.compile(r":[^.]+")
_EVERYTHING = ElementRow(name="", types=(), max=UNBOUNDED)


def is_profile(structure: dict[str, Any]) -> bool:
    """Says whether a StructureDefinition is a profile with a snapshot, of a type that has no name of its own."""
    return (
        structure.get("derivation") == "constraint"
        and structure["type"] != "Extension"
        and structure["id"] not in PROFILED_TYPES
        and "snapshot" in structure
    )


def demanded_bindings(demand: Demand) -> Iterator[str]:
    """Gives the value sets that a profile binds elements to."""
    yield from filter(None, (demand.binding, demand.preferred))
    for inner in (*demand.children, *(one.demand for one in demand.slices)):
        yield from demanded_bindings(inner)
    for one in demand.slices:
        for mark in one.marks:
            yield from demanded_bindings(mark.demand)


class UnreadableProfile(Exception):
    """A profile asks for something that the tables cannot hold; the text says where."""


def profile_table_of(structure: dict[str, Any], types_of: dict[str, str]) -> ProfileTable:
    """Gives what a profile asks beyond R4.

    Args:
        structure: a StructureDefinition with ``derivation`` constraint and its snapshot.
        types_of: the resource types of further profiles by their URL, for references to them.

    Raises:
        UnreadableProfile: it cannot be held in the tables.
    """
    reading = _Reading(structure["snapshot"]["element"], types_of)
    demand = reading.root(structure["type"])
    return ProfileTable(structure["type"], demand, structure.get("version", ""))


class _Reading:
    """One snapshot, its elements by id and by parent."""

    def __init__(self, elements: list[Element], types_of: dict[str, str]) -> None:
        self.by_id = {element["id"]: element for element in elements}
        self.types_of = types_of
        self.inside: dict[str, list[Element]] = {}
        self.slices: dict[str, list[Element]] = {}
        for element in elements:
            parent, _, last = element["id"].rpartition(".")
            stem, colon, _ = last.partition(":")
            if colon:
                self.slices.setdefault(f"{parent}.{stem}" if parent else stem, []).append(element)
            elif parent:
                self.inside.setdefault(parent, []).append(element)

    def root(self, type_name: str) -> Demand:
        element = next(iter(self.by_id.values()))
        return Demand(
            invariants=_rules(element, _known_rules((type_name,), _EVERYTHING)),
            children=self._children(element["id"], type_name),
        )

    def _children(self, place: str, type_name: str) -> tuple[Demand, ...]:
        table = "Element" if is_primitive(type_name) else type_name
        rows = {row.name: row for row in part_table(table).elements} if is_known_part(table) else {}
        found = []
        for element in self.inside.get(place, ()):
            name = element["path"].rpartition(".")[2].removesuffix("[x]")
            row = rows.get(name)
            if row is None:
                if element["max"] != "0" and name != "value":
                    raise UnreadableProfile(f"{element['id']}: {table} has no such element")
                continue
            demand = self._demand(element, row, row.min)
            if demand != Demand(name=name):
                found.append(demand)
        return tuple(found)

    def _demand(self, element: Element, row: ElementRow, base_min: int) -> Demand:
        types, profiles = _types(element, row), _profiles(element)
        inner = types or row.types
        groups = [self._slice(one, element, row) for one in self.slices.get(element["id"], ())]
        slicing = element.get("slicing", {})
        binding = element.get("binding", {})
        value_set = binding.get("valueSet", "").partition("|")[0]
        strength = binding.get("strength") if value_set not in ("", row.binding) else None
        demand = Demand(
            name=row.name,
            min=element["min"] if element["min"] > base_min else 0,
            max=_most(element, row),
            types=types,
            targets=self._targets(element, row),
            fixed=_beginning(element, "fixed"),
            pattern=_beginning(element, "pattern"),
            binding=value_set if strength == "required" else "",
            preferred=value_set if strength == "extensible" else "",
            longest=element.get("maxLength", 0),
            profiles=() if inner == ("Extension",) else profiles,
            invariants=_rules(element, _known_rules(inner, row)),
            children=self._children(element["id"], inner[0]) if len(inner) == 1 else (),
        )
        return replace(
            demand,
            slices=tuple(replace(one, demand=_beyond(one.demand, demand)) for one in groups),
            closed=bool(groups) and slicing.get("rules") == "closed",
            ordered=bool(groups) and slicing.get("ordered", False),
        )

    def _targets(self, element: Element, row: ElementRow) -> tuple[str, ...]:
        named: list[str] = []
        for kind in element.get("type", ()):
            if kind.get("code") != "Reference":
                continue
            if not kind.get("targetProfile"):
                return ()
            for url in kind["targetProfile"]:
                name = url.removeprefix(CORE) if url.startswith(CORE) else ""
                found = name if name and is_known(name) else self.types_of.get(url.partition("|")[0], "")
                if not found or found == "Resource":
                    return ()
                named.append(found)
        targets = tuple(dict.fromkeys(named))
        return () if set(targets) == set(row.targets) else targets

    # ---- slices ----

    def _slice(self, element: Element, sliced: Element, row: ElementRow) -> Slice:
        demand = self._demand(element, row, 0)
        marks = tuple(
            self._mark(element, rule, demand, row)
            for rule in sliced.get("slicing", {}).get("discriminator", ())
        )
        return Slice(element["sliceName"], marks, demand)

    def _mark(self, element: Element, rule: Element, demand: Demand, row: ElementRow) -> Mark:
        kind, path = rule["type"], rule["path"]
        if path == "url" and demand_is_extension(element, row):
            return Mark("value", ("url",), Demand(name="url", fixed=self._extension_url(element)))
        steps = () if path == "$this" else tuple(path.split("."))
        found = element if not steps else self._inside(element["id"], path)
        if kind == "exists":
            if found is None:
                raise UnreadableProfile(f"{element['id']}: nothing says whether {path} is there")
            return Mark("exists", steps, exists=found["max"] != "0" and found["min"] > 0)
        if found is None:
            raise UnreadableProfile(f"{element['id']}: nothing says what {path} is")
        if kind == "type":
            names = tuple(dict.fromkeys(type_of(found, entry) for entry in found.get("type", ())))
            reached = self._targets(found, _EVERYTHING) if "resolve()" in steps else names
            return Mark("type", steps, Demand(types=reached))
        if kind == "profile":
            return Mark("profile", steps, Demand(profiles=_profiles(found) or _target_profiles(found)))
        telling = demand if not steps else self._telling(found, element, row, steps)
        return Mark("value", steps, _without_counts(telling))

    def _inside(self, place: str, path: str) -> Element | None:
        """Gives the element under a path, also in a group; the one that says a value, where there are several."""
        found = [
            element
            for key, element in self.by_id.items()
            if key.startswith(f"{place}.") and _SLICE_NAME.sub("", key[len(place) + 1 :]) == path
        ]
        saying = (one for one in found if any(key.startswith(("fixed", "pattern")) for key in one))
        return next(saying, found[0] if found else None)

    def _telling(self, found: Element, element: Element, row: ElementRow, steps: tuple[str, ...]) -> Demand:
        """Gives what the looked-at element must be, by what the profile says of it and of what is in it."""
        names = _types(element, row) or row.types
        inner = row
        for position, step in enumerate(steps):
            if len(names) != 1 or step.endswith(")"):
                raise UnreadableProfile(f"{element['id']}: values are not told apart along {step}")
            rows = {one.name: one for one in part_table(names[0]).elements}
            inner = rows[step.removesuffix("[x]")]
            here = self._inside(element["id"], ".".join(steps[: position + 1])) or found
            names = _types(here, inner) or inner.types
        return self._demand(found, inner, 0)

    def _extension_url(self, element: Element) -> str:
        for kind in element.get("type", ()):
            if kind.get("profile"):
                return str(kind["profile"][0]).partition("|")[0]
        fixed = self.by_id.get(f"{element['id']}.url", {}).get("fixedUri")
        if fixed is None:
            raise UnreadableProfile(f"{element['id']}: nothing says which extension it is")
        return str(fixed)


def is_known_part(name: str) -> bool:
    """Says whether a type, or a part of one, has elements in the tables.

    >>> is_known_part("Task.input"), is_known_part("Task.nothing")
    (True, False)
    """
    try:
        part_table(name)
    except KeyError:
        return False
    return True


def demand_is_extension(element: Element, row: ElementRow) -> bool:
    """Says whether an element is a slice of extensions."""
    return "Extension" in row.types or any(
        kind.get("code") == "Extension" for kind in element.get("type", ())
    )


def _most(element: Element, row: ElementRow) -> int:
    if element["max"] == "*":
        return UNBOUNDED
    most = int(element["max"])
    return UNBOUNDED if most == row.max else most


def _types(element: Element, row: ElementRow) -> tuple[str, ...]:
    """Gives the types an element may have here, if they are fewer than those of the base."""
    names = tuple(dict.fromkeys(type_of(element, kind) for kind in element.get("type", ())))
    if not names or not row.types or "." in row.types[0]:
        return ()
    written = {PROFILED_TYPES.get(name, name) for name in row.types}
    if set(names) == written or set(names) == set(row.types) or row.types == ("SimpleQuantity",):
        return ()
    return names


def _profiles(element: Element) -> tuple[str, ...]:
    """Gives the profiles one of which the value must follow; none where R4 has its own name for it."""
    found: list[str] = []
    for kind in element.get("type", ()):
        profiles = [url.partition("|")[0] for url in kind.get("profile", ())]
        if not profiles or any(is_known(url.removeprefix(CORE)) for url in profiles):
            return ()
        found.extend(profiles)
    return tuple(found)


def _target_profiles(element: Element) -> tuple[str, ...]:
    return tuple(
        url.partition("|")[0] for kind in element.get("type", ()) for url in kind.get("targetProfile", ())
    )


def _beginning(element: Element, word: str) -> Any:
    return next((value for key, value in element.items() if key.startswith(word)), None)


def _known_rules(types: tuple[str, ...], row: ElementRow) -> frozenset[str]:
    known = set(BY_HAND) | {rule.key for rule in row.invariants}
    for name in types:
        while name:
            if is_primitive(name):
                break
            if not is_known_part(name):
                break
            table = part_table(name)
            known.update(rule.key for rule in table.invariants)
            name = table.base
    return frozenset(known)


def _rules(element: Element, known: frozenset[str]) -> tuple[Invariant, ...]:
    return tuple(
        Invariant(rule["key"], rule["expression"], rule["human"], rule["severity"])
        for rule in element.get("constraint", ())
        if rule["key"] not in known and "expression" in rule
    )


def _beyond(group: Demand, every: Demand) -> Demand:
    """Gives what is asked of a group without what is asked of every value of its element anyway."""
    told = set(every.invariants)
    return replace(
        group,
        types=() if group.types == every.types else group.types,
        targets=() if group.targets == every.targets else group.targets,
        binding="" if group.binding == every.binding else group.binding,
        preferred="" if group.preferred == every.preferred else group.preferred,
        longest=0 if group.longest == every.longest else group.longest,
        fixed=None if group.fixed == every.fixed else group.fixed,
        pattern=None if group.pattern == every.pattern else group.pattern,
        invariants=tuple(rule for rule in group.invariants if rule not in told),
        children=tuple(child for child in group.children if child not in every.children),
    )


def _without_counts(demand: Demand) -> Demand:
    """Gives what a value is told by; how many of it there are belongs to the group."""
    return Demand(
        name=demand.name,
        fixed=demand.fixed,
        pattern=demand.pattern,
        binding=demand.binding if demand.fixed is None and demand.pattern is None else "",
        types=demand.types,
        children=demand.children if demand.fixed is None and demand.pattern is None else (),
    )
