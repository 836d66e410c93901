"""Resources of every stored type with a value for every declared search parameter, put straight into a hub.

What lives here: making them by the tables of R4, several of each type, each value in several spellings; and writing
them past validation, with the columns the store decides on. What does not: what a search should find in them
(``tests.oracle``). Everything in them is invented.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from referral_hub.access.rows import ReferralAccess
from referral_hub.app import RandomIds, clock
from referral_hub.exchange.building import Draft
from referral_hub.exchange.columns import columns_of
from referral_hub.exchange.indexing import parameters
from referral_hub.exchange.interactions import hub_write
from referral_hub.fhir import json_codec
from referral_hub.fhir.code_tables import value_set
from referral_hub.fhir.element_tables import type_entry
from referral_hub.fhir.element_values import READERS
from referral_hub.fhir.elements import at_path
from referral_hub.fhir.search_paths import Place, bases, places, places_below
from referral_hub.resources.catalog import DEFINITIONS
from tests.world import World

VARIANTS = 7
CATEGORY = "health"
UCUM = "http://unitsofmeasure.org"
WORDS = ("Ánna Lind", "anna lindgren", r"House, North|Two $5 \ end", "two  blanks", "ANNA LIND", "Zoë", "x1y")
DATES = ("1990", "1990-05", "1990-05-17", "2026-11-24", "1990-05-18", "2026-11", "2026")
TIMES = (
    "2026-11-24T10:00:00Z",
    "2026-11-24T23:30:00-02:00",
    "2026-11-24T10:00:00.125Z",
    "2025-01-01T00:00:00Z",
)
PERIODS = (
    {"start": "2026-01-01", "end": "2026-03-31"},
    {"start": "2026-02-01T00:00:00Z"},
    {"end": "2026-06"},
    {"start": "2026-11-24", "end": "2026-11-24"},
    {"start": "2026", "end": "2026"},
    {"start": "2026-11-24T10:00:00Z", "end": "2026-11-24T11:00:00Z"},
    {"start": "1990-05-17", "end": "1990-05-18"},
)
TIMINGS = (
    {"event": ["2026-11-24T10:00:00Z", "2026-12-01"]},
    {"repeat": {"boundsPeriod": {"start": "2026-01-01", "end": "2026-03-31"}}},
)
URIS = (
    "http://q.example/a/b",
    "http://q.example/a",
    "http://q.example/a/b/c",
    "urn:oid:1.2.3",
    "http://q.example/ab",
    "http://q.example/a/",
    "http://r.example/a",
)
AMOUNTS = (
    {"value": 5.4, "unit": "milligram", "system": UCUM, "code": "mg"},
    {"value": 5.40, "unit": "mg"},
    {"value": 120, "system": UCUM, "code": "mm[Hg]"},
    {"value": 37, "comparator": "<", "unit": "Cel", "system": UCUM, "code": "Cel"},
    {"value": 0, "code": "mg", "system": UCUM},
    {"value": -2.5, "unit": "milligram", "system": UCUM, "code": "mg"},
    {"value": 37, "comparator": ">=", "unit": "Cel"},
)
NUMBERS = (0.5, 2, 0, 100, -3, 0.25, 1000000)
_CLOSED = frozenset({"date", "dateTime", "instant"})


@dataclass
class Corpus:
    """What was written: bodies by type and id, and who wrote them."""

    author: str
    bodies: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)


def value_of(place: Place, kind: str, variant: int, targets: dict[str, list[str]]) -> Any:
    """Gives a value of the type that stands at a place; None where this variant has none."""
    return _value(place, place.type, kind, variant, targets)


def _value(place: Place, kind: str, parameter: str, v: int, targets: dict[str, list[str]]) -> Any:  # noqa: C901 - a table
    match kind:
        case "code":
            known = value_set(place.row.binding) if place.row is not None and place.row.binding else None
            codes = sorted({code for codes in known.codes.values() for code in codes}) if known else []
            return codes[v % len(codes)] if codes else f"code-{v % 3}"
        case "CodeableConcept":
            codings = [
                [{"system": "urn:s:a", "code": f"c{v % 2}"}],
                [{"system": "urn:s:b", "code": "c1"}, {"code": "c0"}],
                [{"code": "b|r, s"}],
                [{"system": "urn:s:a", "code": "c0"}, {"system": "urn:s:a", "code": "c2"}],
            ]
            return {"text": "in words"} if v == 5 else {"coding": codings[v % 4]}
        case "Coding":
            return {"code": "c1"} if v % 3 == 2 else {"system": f"urn:s:{'ab'[v % 2]}", "code": f"c{v % 3}"}
        case "Identifier":
            return {"value": "N-1"} if v == 4 else {"system": f"urn:id:{v % 2}", "value": f"N-{v // 2}"}
        case "ContactPoint":
            return {"system": "phone", "value": f"+00 555 010{v % 3}"}
        case "boolean":
            return v % 2 == 0
        case "string" | "markdown":
            return WORDS[v % len(WORDS)]
        case "HumanName":
            return [
                {"family": "Lark", "given": ["Ánna", "Maria"]},
                {"text": "Maria Lindgren"},
                {"family": "O'Brien", "prefix": ["Dr."]},
                {"given": ["anna"]},
            ][v % 4]
        case "Address":
            return [
                {"line": ["7 Hidden Lane"], "city": "Nörth", "state": "North", "country": "XX"},
                {"city": "Northwood", "state": "South"},
                {"text": "At the river", "state": "NORTH"},
            ][v % 3]
        case "uri" | "url" | "canonical":
            return "http://q.example/a|1" if kind == "canonical" and v == 5 else URIS[v % len(URIS)]
        case "date":
            return DATES[v % len(DATES)]
        case "dateTime":
            return (*DATES, *TIMES)[(v * 3) % (len(DATES) + len(TIMES))]
        case "instant":
            return TIMES[v % len(TIMES)]
        case "Period":
            return PERIODS[v % len(PERIODS)]
        case "Timing":
            return TIMINGS[v % len(TIMINGS)]
        case "decimal" | "integer" | "positiveInt":
            return NUMBERS[v % len(NUMBERS)]
        case "Quantity" | "SimpleQuantity" | "Age" | "Duration":
            return AMOUNTS[v % len(AMOUNTS)]
        case "Range":
            return [{"low": AMOUNTS[0]}, {"low": AMOUNTS[5], "high": AMOUNTS[0]}, {"high": AMOUNTS[2]}][v % 3]
        case "Money":
            return {"value": 5 + v, "currency": "EUR"}
        case "Reference":
            return _reference(place, v, targets)
        case _:
            return None


def _reference(place: Place, v: int, targets: dict[str, list[str]]) -> dict[str, Any] | None:
    possible = [place.target] if place.target else list(place.row.targets if place.row else ())
    kinds = [kind for kind in possible if kind in targets] or (
        list(targets) if not possible or "Resource" in possible else []
    )
    if not kinds:
        return {"reference": f"{possible[0]}/{possible[0].lower()}-{v % 2}"} if possible else None
    kind = kinds[v % len(kinds)]
    if v == 4:
        return {"identifier": {"system": "urn:ref", "value": "R-1"}, "type": kind}
    if v == 5:
        return {"reference": f"https://ehr.example/fhir/{kind}/far-1"}
    known = targets[kind]
    return {"reference": f"{kind}/{known[v % len(known)]}"}


def put(resource: dict[str, Any], place: Place, value: Any) -> bool:
    """Sets a value at a place, unless something else of the same choice stands there."""
    stems = _choices(resource["resourceType"])
    node = resource
    for step in place.steps[:-1]:
        if _is_taken(node, step.key, stems):
            return False
        below = node.setdefault(step.key, [{}] if step.many else {})
        node = below[0] if step.many else below
        if step.where is not None and node.setdefault(*step.where) != step.where[1]:
            return False
    last = place.steps[-1]
    if last.key in node or _is_taken(node, last.key, stems):
        return False
    if last.where is not None:
        value = {**value, last.where[0]: last.where[1]}
    node[last.key] = [value] if last.many else value
    return True


@cache
def _choices(type_name: str) -> frozenset[str]:
    rows = (row for part in type_entry(type_name).parts.values() for row in part.elements)
    return frozenset({row.name for row in rows if row.choice} | {"value"})


def _is_taken(node: dict[str, Any], key: str, stems: frozenset[str]) -> bool:
    mine = [stem for stem in stems if key.startswith(stem) and key[len(stem) :][:1].isupper()]
    return any(other != key and other.startswith(stem) for stem in mine for other in node)


def _spots(type_name: str) -> list[tuple[str, list[Place]]]:
    """Gives each declared parameter with the places where its values stand."""
    found = []
    for code, (_, parameter) in parameters(type_name).items():
        if parameter.type == "composite":
            below = [
                replace(place, steps=(*base.steps, *place.steps))
                for base in bases(parameter.expression)
                for part in parameter.components
                for place in places_below(base, part.expression)
                if place.type in READERS[part.type]
            ]
            found.append((code, below))
        else:
            spots = [place for place in places(parameter.expression) if place.type in READERS[parameter.type]]
            found.append((code, spots))
    return found


def _may_be_her(place: Place) -> bool:
    if place.target not in ("", "Patient"):
        return False
    return place.row is None or not place.row.targets or "Patient" in place.row.targets


def bodies_of(
    type_name: str, person: str, targets: dict[str, list[str]], always: dict[tuple[str, str], str]
) -> Iterator[dict[str, Any]]:
    """Gives resources of a type: one with nothing, then some in which every parameter has a value somewhere.

    ``always``: by type and element, what a reference leads to in each of them.
    """
    yield {"resourceType": type_name}
    spots = _spots(type_name)
    subjects = {element.partition(".")[0] for element in DEFINITIONS[type_name].subject}
    silent = {code for code, _ in spots}
    for variant in range(VARIANTS + len(spots)):
        made: dict[str, Any] = {"resourceType": type_name}
        turned = spots[variant * 3 % len(spots) :] + spots[: variant * 3 % len(spots)] if spots else []
        if variant >= VARIANTS:
            # What had no room so far gets a resource in which it comes first.
            first = spots[variant - VARIANTS]
            if first[0] not in silent:
                continue
            turned = [first, *(spot for spot in spots if spot[0] in ("patient", "subject"))]
        for code, at in turned:
            ways = at[variant % len(at) :] + at[: variant % len(at)] if at else []
            if parameters(type_name)[code][1].type != "composite":
                ways = ways[:1] if variant else ways
            for place in ways:
                value = value_of(place, code, variant, targets)
                if place.steps[0].key in subjects and place.type == "Reference":
                    value = {"reference": person} if _may_be_her(place) else value
                elif (type_name, place.steps[0].key) in always:
                    value = {"reference": always[type_name, place.steps[0].key]}
                if value is not None and put(made, place, value):
                    silent.discard(code)
        yield made


def fill(
    world: World, corpus: Corpus, type_name: str, person: str, reader: str, targets: dict[str, list[str]]
) -> None:
    """Writes the resources of a type as their author's, of her where the type tells of persons."""
    found = corpus.bodies.setdefault(type_name, {})
    definition = DEFINITIONS[type_name]

    def decide(draft: Draft) -> bool:
        her = draft.working.resource("Patient", person.partition("/")[2])
        assert her is not None
        always = {
            ("Task", "owner"): f"Organization/{reader}",
            ("Task", "requester"): f"Organization/{corpus.author}",
            ("Consent", "organization"): f"Organization/{corpus.author}",
        }
        for body in bodies_of(type_name, person, targets, always):
            row_id, public_id = RandomIds().row_id(clock()), RandomIds().public_id()
            whole = json_codec.decode_object(json.dumps(body).encode())
            columns, _ = columns_of(definition, whole, {}, own_row=row_id, author_kind="clinic")
            about = (
                definition.opened
                and not columns.directory
                and type_name != "Patient"
                and any(
                    value == {"reference": person}
                    for element in definition.subject
                    for value in at_path(body, element)
                )
            )
            columns = replace(
                columns,
                person=row_id if type_name == "Patient" else her.row_id if about else None,
                category=CATEGORY if about else columns.category,
                confidentiality="R",
                sensitivities=(),
                never_release=columns.never_release and type_name in ("Provenance", "AuditEvent"),
            )
            draft.create(whole, columns, row_id=row_id, public_id=public_id, author=corpus.author)
            if about and type_name in ("Task", "ServiceRequest"):
                draft.open(
                    ReferralAccess(
                        row_id,
                        reader,
                        her.row_id,
                        row_id if type_name == "ServiceRequest" else None,
                        "full",
                        accepted=True,
                    )
                )
            found[public_id] = body
        return True

    assert hub_write(world.parts.hub, decide)
