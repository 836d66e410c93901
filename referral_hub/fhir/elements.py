"""Small looks into decoded FHIR JSON: codes, references, extensions, dotted paths.

What lives here: reading, never changing. What does not: validation (``fhir.validator``), index values
(``fhir.search_values``). Every function takes JSON that may be malformed and then finds nothing.
"""

from collections.abc import Iterator
from typing import Any


def at_path(node: Any, path: str) -> Iterator[Any]:
    """Gives every value under a dotted path, going through lists.

    >>> list(at_path({"participant": [{"actor": {"reference": "Patient/1"}}]}, "participant.actor.reference"))
    ['Patient/1']
    """
    head, _, rest = path.partition(".")
    value = node.get(head) if isinstance(node, dict) else None
    for item in value if isinstance(value, list) else (value,):
        if item is None:
            continue
        if rest:
            yield from at_path(item, rest)
        else:
            yield item


def codings(concept: Any) -> Iterator[tuple[str, str]]:
    """Gives (system, code) of a CodeableConcept, a Coding, or a list of either.

    >>> list(codings({"coding": [{"system": "s", "code": "c"}]}))
    [('s', 'c')]
    """
    if isinstance(concept, list):
        for one in concept:
            yield from codings(one)
    elif isinstance(concept, dict):
        if "coding" in concept:
            yield from codings(concept["coding"])
        elif isinstance(concept.get("code"), str):
            system = concept.get("system")
            yield (system if isinstance(system, str) else "", concept["code"])


def code_in(concept: Any, system: str) -> str:
    """Gives the first code of this system, or an empty text.

    >>> code_in([{"coding": [{"system": "s", "code": "c"}]}], "s")
    'c'
    """
    return next((code for found, code in codings(concept) if found == system), "")


def coded_value(entry: Any) -> str:
    """Gives the code of a value[x] that is a code, a Coding or a CodeableConcept; else an empty text."""
    if not isinstance(entry, dict):
        return ""
    if isinstance(entry.get("valueCode"), str):
        return str(entry["valueCode"])
    for element in ("valueCodeableConcept", "valueCoding"):
        found = next(codings(entry.get(element)), None)
        if found:
            return found[1]
    return ""


def reference_text(reference: Any) -> str:
    """Gives ``Reference.reference``, or an empty text where there is none."""
    if isinstance(reference, dict) and isinstance(reference.get("reference"), str):
        return str(reference["reference"])
    return ""


def extension(node: Any, url: str) -> Any:
    """Gives the first extension with this url, or None."""
    return next(extensions(node, url), None)


def extensions(node: Any, url: str) -> Iterator[Any]:
    """Gives every extension of an element with this url."""
    found = node.get("extension") if isinstance(node, dict) else None
    for item in found if isinstance(found, list) else ():
        if isinstance(item, dict) and item.get("url") == url:
            yield item


def text_at(node: Any, path: str) -> str:
    """Gives the first text under a dotted path, or an empty text.

    >>> text_at({"restriction": {"period": {"end": "2026-12-01"}}}, "restriction.period.end")
    '2026-12-01'
    """
    return next((value for value in at_path(node, path) if isinstance(value, str)), "")
