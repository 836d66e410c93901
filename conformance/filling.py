"""Resources with nearly every element filled, so that a view has something to leave out.

What lives here: making such a resource of any R4 type, from the element tables and a seed. What does not:
what the hub does with it (``conformance.stories``). Everybody in it is invented.

Source: FHIR R4 4.0.1, as compiled into ``referral_hub/fhir/definitions``.

    >>> made = Filler(1, {"Patient": ["Patient/p1"]}).resource("Condition", subject={"reference": "Patient/p1"})
    >>> made["resourceType"], made["subject"], len(made) > 15
    ('Condition', {'reference': 'Patient/p1'}, True)
"""

import random
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from referral_hub.fhir import code_tables
from referral_hub.fhir.canonical import CANONICAL
from referral_hub.fhir.element_tables import UNBOUNDED, ElementRow, is_primitive, json_name, part_table
from referral_hub.fhir.validator import validate

Json = dict[str, Any]

UCUM = "http://unitsofmeasure.org"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
OWN_EXTENSION = f"{CANONICAL}/StructureDefinition/kept-by-the-author"
"""An extension of the hub's own base; its definition is in no validator's hands."""

DEEPEST = 5
"""Levels below the resource that are filled; deeper ones have what is required."""

_HEAD = frozenset({"id", "meta", "implicitRules", "contained", "text", "extension", "modifierExtension"})
_NEVER = frozenset({"id", "extension", "modifierExtension", "contentReference"})
_NARRATIVE = {
    "status": "generated",
    "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p>written by <b>hand</b></p></div>',
}

_PRIMITIVES: Mapping[str, Sequence[Any]] = {
    "base64Binary": ("c2VjcmV0IHRleHQ=",),
    "boolean": (True, False),
    "canonical": ("http://definitions.referral-hub.example/Questionnaire/intake|1.0",),
    "code": ("some-code",),
    "date": ("2026-11-20", "2026-11", "2026"),
    "dateTime": ("2026-11-20", "2026-11", "2026-11-20T10:00:00Z", "2026-11-20T10:00:00.123456789+01:00"),
    "decimal": (Decimal("1.50"), Decimal("100.000000000000000001"), Decimal("0.25"), 7),
    "id": ("a-1.B",),
    "instant": ("2026-11-20T10:00:00.5Z", "2026-11-20T12:00:00+02:00"),
    "integer": (0, 3, -2),
    "markdown": ("*secret* text", "secret\n\n- list"),
    "oid": ("urn:oid:2.16.840.1.113883.3.72",),
    "positiveInt": (1, 4),
    "string": ("secret words", "Sự thật – «bí mật»", 'with "quotes" and \\ signs'),
    "time": ("09:30:00", "23:59:59"),
    "unsignedInt": (0, 5),
    "uri": ("urn:uuid:2f0a3f4c-6a3c-4c55-9a0e-0f3b0f7d5a11", "https://secret.referral-hub.example/thing"),
    "url": ("https://secret.referral-hub.example/place",),
    "uuid": ("urn:uuid:2f0a3f4c-6a3c-4c55-9a0e-0f3b0f7d5a11",),
}


def _quantity(value: Any, code: str) -> Json:
    return {"value": value, "unit": code, "system": UCUM, "code": code}


_SAMPLES: Mapping[str, Callable[[], Json]] = {
    "Age": lambda: _quantity(34, "a"),
    "Attachment": lambda: {
        "contentType": "text/plain",
        "language": "vi",
        "data": "c2VjcmV0",
        "size": 6,
        "title": "secret letter",
        "creation": "2026-11-19",
    },
    "Count": lambda: _quantity(2, "1"),
    "Distance": lambda: _quantity(Decimal("1.20"), "km"),
    "Duration": lambda: _quantity(3, "d"),
    "Expression": lambda: {"language": "text/fhirpath", "expression": "true", "description": "secret"},
    "Identifier": lambda: {
        "use": "secondary",
        "type": {"text": "secret file"},
        "system": "https://secret.referral-hub.example/file",
        "value": "F-17",
        "period": {"start": "2026-01-01"},
        "assigner": {"display": "secret office"},
    },
    "Money": lambda: {"value": Decimal("12.50"), "currency": "EUR"},
    "Period": lambda: {"start": "2026-11-01", "end": "2026-11-30T12:00:00Z"},
    "Quantity": lambda: {"comparator": "<", **_quantity(Decimal("37.10"), "Cel")},
    "Range": lambda: {"low": _quantity(1, "mg"), "high": _quantity(Decimal("2.0"), "mg")},
    "SampledData": lambda: {
        "origin": _quantity(0, "mV"),
        "period": Decimal("2.5"),
        "dimensions": 1,
        "data": "1 2 E U",
    },
    "SimpleQuantity": lambda: _quantity(5, "mL"),
    "Timing": lambda: {
        "event": ["2026-11-20T10:00:00Z"],
        "repeat": {"frequency": 1, "period": Decimal("2.0"), "periodUnit": "d", "dayOfWeek": ["mon"]},
        "code": {"text": "secret rhythm"},
    },
}


class Filler:
    """Fills resources: the same seed and places give the same resource.

    Args:
        seed: chooses between types of a choice, codes of a value set, targets of a reference.
        places: for each type the ``Type/id`` texts that references may lead to. A reference to any other
            type is a logical one (identifier and display).
    """

    def __init__(self, seed: int, places: Mapping[str, Sequence[str]]) -> None:
        self._random = random.Random(seed)  # noqa: S311  nothing secret is drawn
        self._places = places

    def resource(self, type_name: str, **fixed: Any) -> Json:
        """Gives a valid resource of a type.

        Args:
            type_name: an R4 resource type.
            fixed: elements as they shall be; None leaves one out. Other spellings of the same choice go.
        """
        made: Json = {"resourceType": type_name}
        if any(row.name == "text" for row in part_table(type_name).elements):
            made["text"] = dict(_NARRATIVE)
            made["extension"] = [{"url": OWN_EXTENSION, "valueString": "secret"}]
        chosen = {name: value for name, value in fixed.items() if value is not None}
        for row in part_table(type_name).elements:
            spelled = {json_name(row, kind) for kind in row.types}
            if row.name in _HEAD or spelled & fixed.keys():
                continue
            made.update(self._element(row, 0))
        made.update(chosen)
        _repair(made, frozenset(chosen), self._random)
        return made

    def _element(self, row: ElementRow, level: int) -> Json:
        if level >= DEEPEST and not row.min:
            return {}
        kind = self._random.choice(row.types)
        if kind in ("Resource", "Extension", "xhtml"):
            return {}
        name = json_name(row, kind)
        many = row.max == UNBOUNDED
        found = [self._value(row, kind, level) for _ in range(2 if many and level < 2 else 1)]
        filled: Json = {name: found if many else found[0]}
        if is_primitive(kind) and not many and self._random.random() < 0.2:
            filled[f"_{name}"] = {"extension": [{"url": OWN_EXTENSION, "valueCode": "beside"}]}
        return filled

    def _value(self, row: ElementRow, kind: str, level: int) -> Any:
        if is_primitive(kind):
            return self._primitive(row, kind)
        if kind == "Reference":
            return self._reference(row)
        if kind in ("CodeableConcept", "Coding"):
            return self._coded(row, kind)
        if kind in _SAMPLES:
            return _SAMPLES[kind]()
        made: Json = {}
        for inner in part_table(kind).elements:
            if inner.name not in _NEVER:
                made.update(self._element(inner, level + 1))
        if self._random.random() < 0.3:
            made["extension"] = [{"url": OWN_EXTENSION, "valueBoolean": True}]
        return made

    def _primitive(self, row: ElementRow, kind: str) -> Any:
        if row.binding and kind in ("code", "uri", "string"):
            codes = code_tables.codes_of(row.binding)
            if codes:
                return self._random.choice(sorted(codes))
            return "text/plain"
        if kind == "code" and row.name == "language":
            return "vi"
        return self._random.choice(_PRIMITIVES[kind])

    def _coded(self, row: ElementRow, kind: str) -> Json:
        bound = code_tables.concepts_of(row.binding) if row.binding else None
        if bound:
            system, code = self._random.choice(sorted(bound))
            coding: Json = {"system": system, "code": code}
        elif row.name in ("language", "communication"):
            coding = {"system": "urn:ietf:bcp:47", "code": "vi"}
        else:
            system, code = self._random.choice(((LOINC, "8302-2"), (SNOMED, "386661006")))
            coding = {"system": system, "code": code, "userSelected": True}
        if kind == "Coding":
            return coding
        return {"coding": [coding], "text": "secret words"}

    def _reference(self, row: ElementRow) -> Json:
        possible = [
            text
            for target, texts in self._places.items()
            if not row.targets or target in row.targets
            for text in texts
        ]
        if possible:
            return {"reference": self._random.choice(possible), "display": "secret name"}
        return {
            "identifier": {"system": "urn:ietf:rfc:3986", "value": "urn:uuid:0"},
            "display": "secret name",
        }


_STEP = re.compile(r"([A-Za-z_]+)(?:\[(\d+)\])?")


def _repair(resource: Json, kept: frozenset[str], chance: random.Random) -> None:
    """Leaves out what breaks a rule across elements, until the resource is valid: as little as possible."""
    while problems := validate(resource):
        if not any(
            _without(resource, problem.expression, kept, chance, most=len(problems)) for problem in problems
        ):
            told = "; ".join(f"{problem.expression}: {problem.text}" for problem in problems)
            raise ValueError(f"a {resource['resourceType']} could not be filled: {told}")


def _without(
    resource: Json, expression: str, kept: frozenset[str], chance: random.Random, *, most: int
) -> bool:
    """Takes away one part of what an issue names, or the thing itself, where that leaves fewer issues."""
    steps: list[str | int] = []
    for name, position in _STEP.findall(expression)[1:]:
        steps += [name, int(position)] if position else [name]
    for depth in range(len(steps), -1, -1):
        if depth and steps[0] in kept:
            return False
        node = _at(resource, steps[:depth])
        for key in chance.sample(list(node), len(node)) if isinstance(node, dict) else ():
            if key == "resourceType" or key not in node or (node is resource and key in kept):
                continue
            both = {name: node.pop(name) for name in (key, f"_{key}") if name in node}
            if len(validate(resource)) < most:
                return True
            node.update(both)
    return False


def _at(node: Any, steps: Sequence[str | int]) -> Any:
    for step in steps:
        if isinstance(step, int):
            node = node[step] if isinstance(node, list) and step < len(node) else None
        else:
            node = node.get(step) if isinstance(node, dict) else None
    return node
