"""Demands: the check of what a profile asks of one element, and of everything in it.

What lives here: :func:`demand_check`, which turns a row of the tables of profiles into a function: counts, types,
targets, fixed values and patterns, codes, lengths, rules, groups. What does not: the tables
(:mod:`referral_hub.fhir.profile_tables`) and who belongs to a group (:mod:`referral_hub.fhir.slicing_rules`).

Like the checks of R4 itself these are closures over all they need. They are asked of values that may be broken:
what has not even the right shape was noted before and is passed over here.

Source: FHIR R4 ``profiling.html``, ``elementdefinition.html``.
"""

from collections.abc import Callable, Iterator
from typing import Any

from referral_hub.fhir import invariants, reference_rules
from referral_hub.fhir.element_tables import PROFILED_TYPES, UNBOUNDED, is_primitive, json_name, part_table
from referral_hub.fhir.profile_rows import is_known_part
from referral_hub.fhir.profile_tables import Demand, Slice
from referral_hub.fhir.slicing_rules import Belongs, Follows, is_bound, membership
from referral_hub.fhir.validation_run import Json, Path, Run, Spelling
from referral_hub.fhir.value_matching import holds_pattern, is_same

Check = Callable[[Any, Any, Path, str, Run], None]
"""Checks one value: it, the object of its id and extensions (for a primitive), its place, its FHIR type."""

Item = tuple[Any, Any, Path, str]
Fields = Callable[[Json, Path, Run], None]


def demand_check(demand: Demand, told: str, types: tuple[str, ...], follows: Follows) -> Check:
    """Gives the check of one value for all that a profile asks of it.

    Args:
        demand: what is asked.
        told: the name of the profile, for sentences.
        types: the FHIR types the value may have here.
        follows: asks for another profile.
    """
    of_type = _type_test(demand) if demand.types else None
    possible = " or ".join(demand.types)
    checks = [
        *_target_checks(demand, told),
        *_value_checks(demand, told),
        *_code_checks(demand, told),
        *_rule_checks(demand, types),
        *_profile_checks(demand, told, follows),
    ]
    children = {
        kind: [_field(child, told, kind, follows) for child in demand.children]
        for kind in demand.types or types
    }
    if not any(children.values()):
        children = {}

    def check(value: Any, sibling: Any, path: Path, kind: str, run: Run) -> None:
        if of_type is not None and not of_type(value, kind):
            run.add("structure", f"{told}: here only {possible} is possible.", path)
            return
        for one in checks:
            one(value, sibling, path, kind, run)
        if children:
            inner = value if type(value) is dict else sibling if type(sibling) is dict else None
            if inner is not None:
                for field in children.get(_named(kind, inner), ()):
                    field(inner, path, run)

    return check


def _named(kind: str, value: Json) -> str:
    return str(value.get("resourceType")) if kind == "Resource" else kind


# ---- single values ----


def _type_test(demand: Demand) -> Callable[[Any, str], bool]:
    allowed = {PROFILED_TYPES.get(name, name) for name in demand.types} | set(demand.types)

    def of_type(value: Any, kind: str) -> bool:
        found = _named(kind, value) if isinstance(value, dict) else kind
        return found in allowed or PROFILED_TYPES.get(found, found) in allowed

    return of_type


def _target_checks(demand: Demand, told: str) -> Iterator[Check]:
    if demand.targets:
        targets, leads = demand.targets, " or ".join(demand.targets)

        def to_target(value: Any, sibling: Any, path: Path, kind: str, run: Run) -> None:
            if isinstance(value, dict) and reference_rules.leads_elsewhere(value, targets, run):
                run.add("value", f"{told}: a reference here leads to {leads}.", (path, "reference", -1))

        yield to_target


def _value_checks(demand: Demand, told: str) -> Iterator[Check]:
    if demand.fixed is not None:
        fixed, shown = demand.fixed, _shown(demand.fixed)

        def as_fixed(value: Any, sibling: Any, path: Path, kind: str, run: Run) -> None:
            if not is_same(value, fixed):
                run.add("value", f"{told}: here only {shown} is possible.", path)

        yield as_fixed
    if demand.pattern is not None:
        pattern, named = demand.pattern, _shown(demand.pattern)

        def as_pattern(value: Any, sibling: Any, path: Path, kind: str, run: Run) -> None:
            if not holds_pattern(value, pattern):
                run.add("value", f"{told}: this must hold {named}.", path)

        yield as_pattern
    if demand.longest:
        most = demand.longest

        def not_too_long(value: Any, sibling: Any, path: Path, kind: str, run: Run) -> None:
            if isinstance(value, str) and len(value) > most:
                run.add("too-long", f"{told}: at most {most} characters are possible here.", path)

        yield not_too_long


def _code_checks(demand: Demand, told: str) -> Iterator[Check]:
    if demand.binding:
        bound = demand.binding

        def in_set(value: Any, sibling: Any, path: Path, kind: str, run: Run) -> None:
            if value is not None and is_bound(value, bound) is False:
                run.add("code-invalid", f"{told}: a code from the value set {bound} is needed.", path)

        yield in_set
    if demand.preferred:
        wished = demand.preferred

        def should_be_in_set(value: Any, sibling: Any, path: Path, kind: str, run: Run) -> None:
            if run.with_warnings and value is not None and is_bound(value, wished) is False:
                text = f"{told}: a code from the value set {wished} is expected, where one fits."
                run.add("code-invalid", text, path, "warning")

        yield should_be_in_set


def _rule_checks(demand: Demand, types: tuple[str, ...]) -> Iterator[Check]:
    if not demand.invariants:
        return
    rules = demand.invariants
    by_type = {
        kind: invariants.element_checks(rules, kind)
        for kind in demand.types or types
        if not is_primitive(kind)
    }

    def by_rules(value: Any, sibling: Any, path: Path, kind: str, run: Run) -> None:
        if isinstance(value, dict):
            for rule in by_type.get(kind, ()):
                rule(value, path, run)
        elif value is not None and is_primitive(kind):
            for one in rules:
                if one.severity == "error" and not invariants.value_holds(one, value, kind):
                    run.add("invariant", f"{one.key}: {one.human}", path)

    yield by_rules


def _profile_checks(demand: Demand, told: str, follows: Follows) -> Iterator[Check]:
    if demand.profiles:
        urls = demand.profiles

        def as_profiled(value: Any, sibling: Any, path: Path, kind: str, run: Run) -> None:
            if isinstance(value, dict) and not any(follows(url, value, run) for url in urls):
                run.add("structure", f"{told}: this must follow the profile {' or '.join(urls)}.", path)

        yield as_profiled


def _shown(wanted: Any) -> str:
    """Gives the codes and texts of a fixed value for a sentence; they come from the profile, not from a person."""
    if isinstance(wanted, dict):
        return " ".join(_shown(item) for key, item in wanted.items() if key != "display")
    if isinstance(wanted, list):
        return " and ".join(map(_shown, wanted))
    return str(wanted).lower() if isinstance(wanted, bool) else str(wanted)


# ---- elements of an object ----


def _field(demand: Demand, told: str, owner_type: str, follows: Follows) -> Fields:
    """Gives the check of one element of an object: how often it is there, and what each value is."""
    spellings, types, repeats = _spellings(demand.name, owner_type)
    check = demand_check(demand, told, types, follows)
    least, most, name = demand.min, demand.max, demand.name
    groups = _grouping(demand, told, types, follows) if demand.slices else None

    only, beside = (spellings[0][0], f"_{spellings[0][0]}") if len(spellings) == 1 else ("", "")

    def field(owner: Json, path: Path, run: Run) -> None:
        if only and only not in owner and beside not in owner:
            items: list[Item] = []
            if not least and groups is None:
                return
        else:
            items = list(_items(owner, spellings, path, repeats=repeats))
        if len(items) < least:
            text = f"{told} needs {'at least ' if least > 1 else ''}{_counted(least)} {name} here."
            run.add("required", text, (path, name, -1))
        elif most != UNBOUNDED and len(items) > most:
            text = f"{told} has {'no' if most == 0 else f'at most {_counted(most)}'} {name} here."
            run.add("structure", text, items[most][2])
            if most == 0:
                return
        for value, sibling, place, kind in items:
            check(value, sibling, place, kind, run)
        if groups is not None:
            groups(items, path, run)

    return field


def _counted(number: int) -> str:
    return {1: "one", 2: "two", 3: "three"}.get(number, str(number))


def _spellings(name: str, owner_type: str) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...], bool]:
    """Gives the JSON names an element may have in an object of a type, with the types they say."""
    table = "Element" if is_primitive(owner_type) else owner_type
    if is_known_part(table):
        for row in part_table(table).elements:
            if row.name == name:
                keys = tuple(
                    (Spelling(json_name(row, kind), name) if row.choice else json_name(row, kind), kind)
                    for kind in row.types
                )
                return keys, row.types, row.max == UNBOUNDED
    return ((name, "Element"),), ("Element",), False


def _items(
    owner: Json, spellings: tuple[tuple[str, str], ...], path: Path, *, repeats: bool
) -> Iterator[Item]:
    """Gives every value of an element with what stands beside it, its place and its type."""
    for key, kind in spellings:
        value, sibling = owner.get(key), owner.get(f"_{key}")
        if value is None and sibling is None:
            continue
        if not repeats:
            yield value, sibling, (path, key, -1), kind
            continue
        values = value if isinstance(value, list) else []
        beside = sibling if isinstance(sibling, list) else []
        for position in range(max(len(values), len(beside))):
            yield (
                values[position] if position < len(values) else None,
                beside[position] if position < len(beside) else None,
                (path, key, position),
                kind,
            )


# ---- groups ----

Groups = Callable[[list[Item], Path, Run], None]


def _grouping(demand: Demand, told: str, types: tuple[str, ...], follows: Follows) -> Groups:
    """Gives the check of the groups of one sliced element."""
    groups = [_group(one, told, types, follows) for one in demand.slices]
    names = ", ".join(one.name for one in demand.slices)
    element, closed, ordered = demand.name, demand.closed, demand.ordered

    def check(items: list[Item], path: Path, run: Run) -> None:
        counts = [0] * len(groups)
        latest = 0
        for value, sibling, place, kind in items:
            mine = next((n for n, (belongs, _) in enumerate(groups) if belongs(value, kind, run)), None)
            if mine is None:
                if closed:
                    run.add("structure", f"{told}: here only these kinds are possible: {names}.", place)
                continue
            if ordered and mine < latest:
                run.add("structure", f"{told}: the kinds come in this order: {names}.", place)
            latest = max(latest, mine)
            counts[mine] += 1
            groups[mine][1](value, sibling, place, kind, run)
        for one, count in zip(demand.slices, counts, strict=True):
            _check_count(one, count, element, told, path, run)

    return check


def _group(one: Slice, told: str, types: tuple[str, ...], follows: Follows) -> tuple[Belongs, Check]:
    return membership(one.marks, follows), demand_check(one.demand, told, types, follows)


def _check_count(one: Slice, count: int, element: str, told: str, path: Path, run: Run) -> None:
    least, most = one.demand.min, one.demand.max
    if count < least:
        text = f"{told} needs {'at least ' if least > 1 else ''}{_counted(least)} {element} of the kind {one.name}."
        run.add("required", text, (path, element, -1))
    elif most != UNBOUNDED and count > most:
        text = f"{told} has {'no' if most == 0 else f'at most {_counted(most)}'} {element} of the kind {one.name}."
        run.add("structure", text, (path, element, -1))
