"""Contained resources.

What lives here: the rules dom-2 to dom-5, and that a contained resource has an id of its own. What does
not: the contained resources themselves, which are checked like any resource.

Source: FHIR R4 ``references.html#contained``, ``domainresource.html``.
"""

from collections.abc import Iterator
from typing import Any

from referral_hub.fhir.element_tables import is_a
from referral_hub.fhir.fhirpath.nodes import Node, descendants, resource_node
from referral_hub.fhir.validation_run import Json, Path, Run


def check(value: Json, path: Path, run: Run) -> None:
    """Checks the contained resources of a resource."""
    contained = value.get("contained")
    if not isinstance(contained, list) or value is not run.root:
        return
    named: set[str] = set()
    used: set[str] | None = None
    for position, item in enumerate(contained):
        if not isinstance(item, dict):
            continue
        place: Path = (path, "contained", position)
        _check_one(item, place, run)
        name = item.get("id")
        if not isinstance(name, str):
            run.add("required", "A contained resource needs an id to be referred to.", (place, "id", -1))
            continue
        if name in named:
            run.add("structure", "Two contained resources have this id.", (place, "id", -1))
        named.add(name)
        used = _local_links(value) if used is None else used
        if name not in used and "" not in _local_links(item):
            run.add("invariant", "dom-3: Nothing in the resource refers to this contained resource.", place)


def _check_one(item: Json, place: Path, run: Run) -> None:
    if "contained" in item:
        text = "dom-2: A contained resource must not contain resources itself."
        run.add("invariant", text, (place, "contained", -1))
    meta = item.get("meta")
    if not isinstance(meta, dict):
        return
    for key in ("versionId", "lastUpdated"):
        if key in meta:
            text = f"dom-4: A contained resource has no {key}."
            run.add("invariant", text, ((place, "meta", -1), key, -1))
    if "security" in meta:
        text = "dom-5: A contained resource has no security label."
        run.add("invariant", text, ((place, "meta", -1), "security", -1))


def _local_links(resource: Json) -> set[str]:
    """Gives the ids that links like ``#id`` inside a resource lead to; the empty text stands for ``#``."""
    found = {text[1:] for text in _references(resource) if text.startswith("#")}
    node = resource_node(resource)
    if node is not None and _may_hold_more(resource, found):
        found.update(_typed_links(node))
    return found


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "reference" and isinstance(item, str):
                yield item
            elif isinstance(item, dict | list):
                yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)


def _may_hold_more(resource: Json, found: set[str]) -> bool:
    """Says whether a contained resource is not referred to yet: then canonical URLs must be looked at."""
    contained = resource.get("contained")
    items = contained if isinstance(contained, list) else [resource]
    return any(isinstance(item, dict) and str(item.get("id")) not in found for item in items)


def _typed_links(node: Node) -> Iterator[str]:
    for item in descendants(node):
        if isinstance(item.value, str) and item.value.startswith("#") and is_a(item.type_name, "uri"):
            yield item.value[1:]
