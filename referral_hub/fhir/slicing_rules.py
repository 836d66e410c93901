"""Which group of a sliced element does a value belong to?

What lives here: the marks by which the groups of a profile are told apart: values, patterns, codes of a value
set, types, presence, and profiles. What does not: how many members a group has and what each must be
(:mod:`referral_hub.fhir.profile_rules`).

Source: FHIR R4 ``profiling.html#discriminator``.
"""

from collections.abc import Callable, Iterator
from typing import Any

from referral_hub.fhir import code_tables
from referral_hub.fhir.element_tables import PROFILED_TYPES, index
from referral_hub.fhir.profile_tables import Demand, Mark
from referral_hub.fhir.validation_run import Run
from referral_hub.fhir.value_matching import holds_pattern, is_same

Belongs = Callable[[Any, str, Run], bool]
"""Asks whether a value, of a FHIR type, is a member of a group."""

Follows = Callable[[str, Any, Run], bool]
"""Asks whether a resource follows the profile of a URL."""


def membership(marks: tuple[Mark, ...], follows: Follows) -> Belongs:
    """Gives the test for the members of one group.

    Args:
        marks: what all its members have; without marks nobody belongs to it.
        follows: asks for the profile of a resource, for groups that are told apart by profiles.
    """
    tests = [_test(mark, follows) for mark in marks]
    if not tests:
        return lambda value, type_name, run: False
    if len(tests) == 1:
        return tests[0]
    return lambda value, type_name, run: all(test(value, type_name, run) for test in tests)


def _test(mark: Mark, follows: Follows) -> Belongs:
    path = mark.path
    if mark.kind == "exists":
        return lambda value, type_name, run: any(True for _ in reached(value, path, run)) is mark.exists
    if mark.kind == "type":
        return _type_test(path, mark.demand.types)
    if mark.kind == "profile":
        urls = mark.demand.profiles
        return lambda value, type_name, run: any(
            follows(url, one, run) for one in reached(value, path, run) for url in urls
        )
    fits = fitting(mark.demand)
    if not path:
        return lambda value, type_name, run: fits(value)
    if len(path) == 1 and not path[0].endswith(")"):
        step = path[0]

        def at_step(value: Any, type_name: str, run: Run) -> bool:
            found = value.get(step) if type(value) is dict else None
            return any(map(fits, found)) if type(found) is list else found is not None and fits(found)

        return at_step
    return lambda value, type_name, run: any(fits(one) for one in reached(value, path, run))


def _type_test(path: tuple[str, ...], types: tuple[str, ...]) -> Belongs:
    names = {PROFILED_TYPES.get(name, name) for name in types} | set(types)
    if not path:
        return lambda value, type_name, run: _own_type(value, type_name) in names
    if path[-1] != "resolve()":
        return lambda value, type_name, run: False
    inner = path[:-1]

    def leads_there(value: Any, type_name: str, run: Run) -> bool:
        return any(_target(one, run) in names for one in reached(value, inner, run))

    return leads_there


def _own_type(value: Any, type_name: str) -> str:
    if type_name == "Resource" and isinstance(value, dict):
        return str(value.get("resourceType"))
    return PROFILED_TYPES.get(type_name, type_name)


def _target(value: Any, run: Run) -> str:
    """Gives the resource type that a Reference leads to, as far as that can be seen."""
    text = value.get("reference") if isinstance(value, dict) else None
    if not isinstance(text, str):
        stated = value.get("type") if isinstance(value, dict) else None
        return stated if isinstance(stated, str) else ""
    inside = run.find(text)
    if inside is not None:
        return str(inside.get("resourceType"))
    return next((part for part in reversed(text.split("/")) if part in index().resource_types), "")


def reached(value: Any, path: tuple[str, ...], run: Run) -> Iterator[Any]:
    """Gives everything under some steps, going through lists; ``resolve()`` goes to what a Reference means."""
    if not path:
        yield value
        return
    step, rest = path[0], path[1:]
    if not isinstance(value, dict):
        return
    found: Any
    if step == "resolve()":
        text = value.get("reference")
        found = run.find(text) if isinstance(text, str) else None
    elif step.startswith("extension("):
        url = step[len("extension(") : -1].strip("'\"")
        held = value.get("extension")
        found = (
            [e for e in held if isinstance(e, dict) and e.get("url") == url]
            if isinstance(held, list)
            else None
        )
    else:
        found = value.get(step)
        if found is None:
            found = next((item for key, item in value.items() if _spells(key, step)), None)
    for item in found if isinstance(found, list) else (found,):
        if item is not None:
            yield from reached(item, rest, run)


def _spells(key: str, step: str) -> bool:
    return key.startswith(step) and key[len(step) : len(step) + 1].isupper()


def fitting(demand: Demand) -> Callable[[Any], bool]:
    """Gives the test whether a value is what a group is told by: a value, a pattern, a code, or parts of it."""
    if demand.fixed is not None:
        return lambda value: is_same(value, demand.fixed)
    if demand.pattern is not None:
        return _coded(demand.pattern) or (lambda value: holds_pattern(value, demand.pattern))
    parts = [(child.name, fitting(child)) for child in demand.children if _tells(child)]
    if parts:
        return lambda value: (
            isinstance(value, dict)
            and all(any(fits(item) for item in _listed(value.get(name))) for name, fits in parts)
        )
    if demand.binding:
        return lambda value: is_bound(value, demand.binding) is not False
    return lambda value: True


def _coded(pattern: Any) -> Callable[[Any], bool] | None:
    """Gives a quick test for the pattern of one code, by which most groups are told apart."""
    match pattern:
        case {"coding": [{"system": str() as system, "code": str() as code, **rest}], **others} if (
            not rest and not others
        ):
            pass
        case _:
            return None

    def fits(value: Any) -> bool:
        codings = value.get("coding") if type(value) is dict else None
        if type(codings) is list:
            for one in codings:
                if type(one) is dict and one.get("code") == code and one.get("system") == system:
                    return True
        return False

    return fits


def _tells(demand: Demand) -> bool:
    return (
        demand.fixed is not None
        or demand.pattern is not None
        or bool(demand.binding)
        or any(map(_tells, demand.children))
    )


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def is_bound(value: Any, value_set: str) -> bool | None:
    """Says whether a code, Coding, CodeableConcept or Quantity is from a value set; None where nobody knows."""
    if isinstance(value, str):
        codes = code_tables.codes_of(value_set)
        return None if codes is None else value in codes
    concepts = code_tables.concepts_of(value_set)
    if concepts is None:
        return None
    if not isinstance(value, dict):
        return False
    codings = value.get("coding") if "coding" in value or "system" not in value else [value]
    return any(
        isinstance(system := item.get("system"), str)
        and isinstance(code := item.get("code"), str)
        and (system, code) in concepts
        for item in (codings if isinstance(codings, list) else ())
        if isinstance(item, dict)
    )
