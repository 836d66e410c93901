"""A part of a resource: what ``_summary`` and ``_elements`` leave of it.

What lives here: which elements stay, by the tables of R4, and the mark SUBSETTED. What does not: who may see the
resource at all (``exchange.gate``: a part is made of what the reader was given, so it never shows more).

Source: FHIR R4 ``search.html#summary``, ``search.html#elements``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from referral_hub.fhir.element_tables import ElementRow, json_name, part_table
from referral_hub.fhir.elements import codings
from referral_hub.fhir.references import iter_references
from referral_hub.fhir.search_query import Summary

OBSERVATION_VALUE = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"

PART_ONLY = "This body is a part of the resource (SUBSETTED). Read it whole and send it back whole."

_ALWAYS = frozenset({"resourceType", "id", "meta"})
_SUBSETTED = {"system": OBSERVATION_VALUE, "code": "SUBSETTED"}


@dataclass(frozen=True, slots=True)
class Part:
    """What part of a resource is asked for: a summary, or elements by name."""

    summary: Summary | None = None
    elements: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Tells whether nothing is left out."""
        return self.summary in (None, "false", "count") and not self.elements


def shortened(resource: Mapping[str, Any], part: Part) -> dict[str, Any]:
    """Gives a part of a resource, tagged SUBSETTED, with everything R4 demands of it and what changes its meaning.

    Args:
        resource: decoded JSON, as its reader may have it; it is not altered.
        part: what of it.

    Source: FHIR R4 ``search.html#summary`` (mandatory elements stay), ``search.html#elements``.

    >>> task = {"resourceType": "Task", "id": "t", "status": "draft", "intent": "order", "note": [{"text": "x"}]}
    >>> sorted(shortened(task, Part(elements=("priority",))))
    ['id', 'intent', 'meta', 'resourceType', 'status']
    """
    type_name = str(resource["resourceType"])
    kept = _kept(type_name, part)
    found = {key: value for key, value in resource.items() if key.removeprefix("_") in kept}
    if part.summary == "true":
        found = {key: _inside(type_name, key, value) for key, value in found.items()}
    if "contained" in resource and any(
        str(element.get("reference", "")).startswith("#") for _, element in iter_references(found)
    ):
        found["contained"] = resource["contained"]
    meta = dict(resource.get("meta") or {})
    meta["tag"] = [tag for tag in meta.get("tag", ()) if tag.get("code") != "SUBSETTED"] + [_SUBSETTED]
    return {
        "resourceType": type_name,
        **({"id": found["id"]} if "id" in found else {}),
        **found,
        "meta": meta,
    }


def is_subsetted(resource: Mapping[str, Any]) -> bool:
    """Tells whether a body says that it is a part of a resource: such a one is not written back.

    >>> is_subsetted(shortened({"resourceType": "Task"}, Part("true"))), is_subsetted({"resourceType": "Task"})
    (True, False)
    """
    meta = resource.get("meta")
    tags = meta.get("tag") if isinstance(meta, dict) else None
    return (OBSERVATION_VALUE, "SUBSETTED") in codings(tags)


@lru_cache(maxsize=1024)
def _kept(type_name: str, part: Part) -> frozenset[str]:
    names = set(_ALWAYS)
    for row in part_table(type_name).elements:
        if row.min or row.modifier or _stays(row, part):
            names.update(json_name(row, kind) for kind in row.types)
    return frozenset(names)


def _stays(row: ElementRow, part: Part) -> bool:
    match part.summary:
        case "true":
            return row.summary
        case "data":
            return row.name != "text"
        case "text":
            return row.name == "text"
        case _:
            return row.name in part.elements


def _inside(type_name: str, key: str, value: Any) -> Any:
    """Takes out of a nested part what is no summary; data types stay whole."""
    nested = _parts(type_name).get(key)
    if nested is None:
        return value
    if isinstance(value, list):
        return [_of_part(nested, item) for item in value]
    return _of_part(nested, value)


def _of_part(name: str, value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    kept = _kept_inside(name)
    return {k: _inside(name, k, v) for k, v in value.items() if k.removeprefix("_") in kept}


@lru_cache(maxsize=1024)
def _kept_inside(name: str) -> frozenset[str]:
    rows = [row for row in part_table(name).elements if row.summary or row.min or row.modifier]
    return frozenset(json_name(row, kind) for row in rows for kind in row.types) | {"id"}


@lru_cache(maxsize=1024)
def _parts(name: str) -> dict[str, str]:
    return {
        json_name(row, kind): kind for row in part_table(name).elements for kind in row.types if "." in kind
    }
