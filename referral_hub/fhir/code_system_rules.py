"""Code systems: properties and counts that fit together.

What lives here: that a concept only has properties which the CodeSystem declares or FHIR knows, with values of
the declared type; that the count is right; what makes a supplement. What does not: the rules the standard writes
in FHIRPath, and judging codes by a code system (:mod:`referral_hub.fhir.datatype_rules`).

Source: FHIR R4 ``codesystem-definitions.html#CodeSystem.concept.property.code``,
``codesystem.html#properties``.
"""

from collections.abc import Iterator
from typing import Any

from referral_hub.fhir.validation_run import Json, Path, Run

_SPELLINGS = {
    "Coding": "valueCoding",
    "boolean": "valueBoolean",
    "code": "valueCode",
    "dateTime": "valueDateTime",
    "decimal": "valueDecimal",
    "integer": "valueInteger",
    "string": "valueString",
}

_KNOWN_TO_FHIR = frozenset(
    [
        "inactive",
        "deprecated",
        "notSelectable",
        "parent",
        "child",
        "status",
        "deprecationDate",
        "retirementDate",
        "effectiveDate",
        "partOf",
        "synonym",
        "comment",
        "itemWeight",
    ]
)
"""Properties that every CodeSystem may use without declaring them (the code system concept-properties)."""


def check(value: Json, path: Path, run: Run) -> None:
    """Checks the properties of a CodeSystem and of its concepts."""
    _check_kind(value, path, run)
    declared: dict[str, str] = {}
    for position, item in enumerate(_objects(value.get("property"))):
        code = item.get("code")
        if isinstance(code, str):
            if code in declared:
                text = "Two properties have this code: each is declared once."
                run.add("invalid", text, ((path, "property", position), "code", -1))
            declared[code] = str(item.get("type"))
    for concept, place in _concepts(value, path):
        for position, item in enumerate(_objects(concept.get("property"))):
            _check_property(item, declared, (place, "property", position), run)


def _check_kind(value: Json, path: Path, run: Run) -> None:
    content, count = value.get("content"), value.get("count")
    if content == "supplement" and "supplements" not in value:
        text = "A supplement says which CodeSystem it supplements."
        run.add("required", text, (path, "supplements", -1))
    elif content != "supplement" and "supplements" in value:
        text = "What supplements another CodeSystem has the content supplement."
        run.add("invalid", text, (path, "content", -1))
    if content == "complete" and type(count) is int and "concept" in value:
        there = sum(1 for _ in _concepts(value, path))
        if there != count:
            text = f"The CodeSystem is complete with {there} concepts; count says something else."
            run.add("invalid", text, (path, "count", -1))


def _check_property(item: Json, declared: dict[str, str], place: Path, run: Run) -> None:
    code = item.get("code")
    if not isinstance(code, str):
        return
    if code not in declared:
        if code in _KNOWN_TO_FHIR:
            return
        run.add("invalid", "The CodeSystem declares no property of this code.", (place, "code", -1))
        return
    spelling = _SPELLINGS.get(declared[code])
    if spelling is not None and any(key.startswith("value") and key != spelling for key in item):
        run.add("invalid", f"The property is declared with another type: write {spelling}.", place)


def _concepts(owner: Json, path: Path) -> Iterator[tuple[Json, Path]]:
    for position, concept in enumerate(_objects(owner.get("concept"))):
        place: Path = (path, "concept", position)
        yield concept, place
        yield from _concepts(concept, place)


def _objects(value: Any) -> list[Json]:
    return [item if isinstance(item, dict) else {} for item in value] if isinstance(value, list) else []
