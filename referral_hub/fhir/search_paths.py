"""Where in the JSON of a resource a search parameter looks.

What lives here: turning the FHIRPath expression of a search parameter into places: JSON steps, the type of
what stands there, and the condition it must meet. It is the part of FHIRPath that search parameters use:
plain paths, ``as`` and ``ofType``, ``where(resolve() is T)``, ``where(x='y')``, ``extension('url')``,
unions, and the one ``exists() and … != false``. What does not: reading values at those places
(:mod:`.search_values`), and the parameters themselves (:mod:`.search_parameters`).

Done once, when the hub starts; nothing here runs while a request waits.

Source: FHIR R4 ``search.html``, ``fhirpath.html``; FHIRPath 1.0.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from referral_hub.fhir.element_tables import ElementRow, index, json_name, part_table

_STEP = re.compile(
    r"""\.(?:
        (?:as|ofType)\(\s*(?P<type>[A-Za-z]+)\s*\)
      | where\(\s*resolve\(\)\s+is\s+(?P<target>[A-Za-z]+)\s*\)
      | where\(\s*(?P<key>[a-z][A-Za-z]*)\s*=\s*'(?P<equals>[^']+)'\s*\)
      | extension\('(?P<extension>[^']+)'\)
      | (?P<name>[a-z][A-Za-z0-9]*)(?![A-Za-z0-9(\[])
    )""",
    re.VERBOSE,
)
_CAST = re.compile(r"\(\s*(?P<path>[A-Za-z0-9.]+)\s+as\s+(?P<type>[A-Za-z]+)\s*\)(?P<rest>.*)")
_TRUTH = re.compile(r"(?P<path>[A-Za-z.]+)\.exists\(\)\s+and\s+(?P=path)\s*!=\s*false")
_PART = re.compile(r"(?:[^|']|'[^']*')+")


class NotUnderstood(ValueError):
    """An expression outside the part of FHIRPath that search parameters use here."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step down: the JSON key, whether a list stands there, and a (key, text) its items must have."""

    key: str
    many: bool = False
    where: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """One place in a resource: the steps that lead there and what stands there.

    ``type`` is the FHIR type; ``row`` the element's row in the tables (None for the resource itself);
    ``target`` limits references to those of one type; ``is_truth`` asks only whether something other than
    false is there.
    """

    steps: tuple[Step, ...]
    type: str
    row: ElementRow | None = None
    target: str = ""
    is_truth: bool = False

    @property
    def expression(self) -> str:
        """Gives the place as a dotted path, for messages.

        >>> Place((Step("participant", True), Step("actor")), "Reference").expression
        'participant.actor'
        """
        return ".".join(step.key for step in self.steps)


def places(expression: str) -> tuple[Place, ...]:
    """Gives the places an expression means; a choice element stands for one place per type it may have.

    Raises:
        NotUnderstood: it says more than the part of FHIRPath named above, or names no element of R4.

    >>> [(place.expression, place.type) for place in places("Task.output.value.ofType(Reference)")]
    [('output.valueReference', 'Reference')]
    """
    found: list[Place] = []
    for part in _PART.findall(expression):
        found.extend(_places_of_part(part.strip()))
    if not found:
        raise NotUnderstood(expression)
    return tuple(found)


def bases(expression: str) -> tuple[Place, ...]:
    """Gives the places a composite parameter looks from; here the resource itself is one too.

    Raises:
        NotUnderstood: as for :func:`places`.

    >>> [place.type for place in bases("Observation | Observation.component")]
    ['Observation', 'Observation.component']
    """
    found: list[Place] = []
    for part in _PART.findall(expression):
        name = part.strip()
        found.extend([Place((), name)] if name.isalpha() else _places_of_part(name))
    return tuple(found)


def places_below(base: Place, expression: str) -> tuple[Place, ...]:
    """Gives the places an expression means that starts at an element, as those of composites do.

    Raises:
        NotUnderstood: as for :func:`places`.

    >>> [base] = bases("Observation.component")
    >>> [place.expression for place in places_below(base, "value.as(Quantity)")]
    ['valueQuantity']
    """
    found: list[Place] = []
    for part in _PART.findall(expression):
        # The standard writes value.as(DateTime) in one place; the type is called dateTime.
        below = part.strip().replace("(DateTime)", "(dateTime)")
        found.extend(_steps([Place((), base.type)], f".{below}", 0))
    if not found:
        raise NotUnderstood(expression)
    return tuple(found)


def _places_of_part(part: str) -> list[Place]:
    if truth := _TRUTH.fullmatch(part):
        return [replace(place, is_truth=True) for place in _walk(truth["path"])]
    if cast := _CAST.fullmatch(part):
        part = f"{cast['path']}.as({cast['type']}){cast['rest']}"
    return _walk(part)


def _walk(path: str) -> list[Place]:
    root, _, _ = path.partition(".")
    return _steps([Place((), root)], path, len(root))


def _steps(here: list[Place], path: str, position: int) -> list[Place]:
    while position < len(path):
        step = _STEP.match(path, position)
        if step is None:
            raise NotUnderstood(path)
        here = [below for place in here for below in _follow(place, step)]
        position = step.end()
    if not here or not here[0].steps:
        raise NotUnderstood(path)
    return here


def _follow(place: Place, step: re.Match[str]) -> Iterator[Place]:
    if step["name"]:
        yield from _children(place, step["name"])
    elif step["extension"]:
        for below in _children(place, "extension"):
            yield _where(below, "url", step["extension"])
    elif step["type"]:
        if place.type == step["type"]:
            yield place
    elif step["target"]:
        yield replace(place, target=step["target"])
    else:
        yield _where(place, step["key"], step["equals"])


def _children(place: Place, name: str) -> Iterator[Place]:
    if place.type in index().primitives:
        raise NotUnderstood(f"{place.expression}.{name}")
    try:
        rows = part_table(place.type).elements
    except KeyError:
        raise NotUnderstood(f"{place.type} is no type of R4") from None
    row = next((row for row in rows if row.name == name), None)
    if row is None:
        raise NotUnderstood(f"{place.type} has no element {name}")
    for type_name in row.types:
        step = Step(json_name(row, type_name), row.max != 1)
        yield Place((*place.steps, step), type_name, row)


def _where(place: Place, key: str, text: str) -> Place:
    if not place.steps:
        raise NotUnderstood(f"where({key}=…) at the root")
    *before, last = place.steps
    return replace(place, steps=(*before, replace(last, where=(key, text))))
