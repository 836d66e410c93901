"""Bundles: how entries, addresses and links belong together.

What lives here: the rules of a Bundle that the standard states in prose. What does not: the resources in
it, and what a transaction does.

Source: FHIR R4 ``bundle.html``, ``documents.html#content``, ``search.html``.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from referral_hub.fhir.element_tables import index
from referral_hub.fhir.validation_run import Json, Path, Run

_restful = re.compile(r"(https?://.+/)([A-Za-z]+)/[A-Za-z0-9\-.]{1,64}").fullmatch
_is_absolute = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:").match
_WITHOUT_ADDRESS = frozenset({"transaction", "transaction-response", "batch", "batch-response"})
_PAGE_LINKS = frozenset({"first", "previous", "next", "last"})
_WITH_PAGES = frozenset({"searchset", "history"})
_SECTION_LINKS = ("author", "focus", "entry")


def check(value: Json, path: Path, run: Run) -> None:
    """Checks a Bundle."""
    kind = str(value.get("type"))
    entries = value.get("entry")
    listed = [e if isinstance(e, dict) else {} for e in entries] if isinstance(entries, list) else []
    _check_links(value, kind, path, run)
    for position, entry in enumerate(listed):
        _check_address(entry, kind, (path, "entry", position), run)
    further = _OF_KIND.get(kind)
    if further is not None:
        further(value, listed, path, run)


def _check_links(value: Json, kind: str, path: Path, run: Run) -> None:
    links = value.get("link")
    seen: set[str] = set()
    for position, link in enumerate(links if isinstance(links, list) else []):
        relation = link.get("relation") if isinstance(link, dict) else None
        if not isinstance(relation, str):
            continue
        place: Path = ((path, "link", position), "relation", -1)
        if relation in _PAGE_LINKS and kind not in _WITH_PAGES:
            run.add("invalid", "Only a searchset or a history has pages to link to.", place)
        if relation in seen and relation in (_PAGE_LINKS | {"self"}):
            run.add("invalid", "A Bundle has only one link of this relation.", place)
        seen.add(relation)


def _check_address(entry: Json, kind: str, place: Path, run: Run) -> None:
    url, resource = entry.get("fullUrl"), entry.get("resource")
    if url is None:
        if kind not in _WITHOUT_ADDRESS and "_fullUrl" not in entry:
            text = "Except in transactions and batches an entry needs the address of its resource: fullUrl."
            run.add("required", text, (place, "fullUrl", -1))
        return
    if not isinstance(url, str):
        return
    if not _is_absolute(url):
        run.add(
            "value", "The fullUrl must be an absolute URL or a urn:uuid: or urn:oid:.", (place, "fullUrl", -1)
        )
    elif isinstance(resource, dict) and (match := _restful(url)) and match[2] in index().resource_types:
        ending = f"/{resource.get('resourceType')}/{resource.get('id')}"
        if not url.endswith(ending):
            text = "The fullUrl must end with the type and the id of the resource, as a read of it would."
            run.add("invalid", text, (place, "fullUrl", -1))


def _resource(entry: Json) -> Json:
    resource = entry.get("resource")
    return resource if isinstance(resource, dict) else {}


# ---- search results ----


def _check_searchset(bundle: Json, entries: list[Json], path: Path, run: Run) -> None:
    searched = _searched_type(bundle)
    for position, entry in enumerate(entries):
        place: Path = (path, "entry", position)
        resource = _resource(entry)
        if not resource:
            run.add("required", "An entry of a search result has a resource.", (place, "resource", -1))
            continue
        search = entry.get("search")
        mode = search.get("mode") if isinstance(search, dict) else None
        if mode == "outcome" and resource.get("resourceType") != "OperationOutcome":
            run.add("invalid", "The outcome of a search is an OperationOutcome.", (place, "resource", -1))
        if mode == "match" and searched not in (None, resource.get("resourceType")):
            run.add(
                "invalid",
                f"The search was for {searched}: another type is no match.",
                (place, "resource", -1),
            )
        if mode in ("match", "include") and "id" not in resource:
            run.add("required", "A resource that was found has an id.", ((place, "resource", -1), "id", -1))


def _searched_type(bundle: Json) -> str | None:
    """Gives the resource type in the address of the search; None where it names none."""
    for link in _objects(bundle.get("link")):
        url = link.get("url")
        if link.get("relation") == "self" and isinstance(url, str):
            name = url.partition("?")[0].rpartition("/")[2]
            return name if name in index().resource_types else None
    return None


# ---- documents and messages ----


def _check_document(bundle: Json, entries: list[Json], path: Path, run: Run) -> None:
    if not entries:
        run.add("required", "A document starts with its Composition.", (path, "entry", -1))
        return
    _check_found(entries, _composition_links(_resource(entries[0])), path, run)
    reached = _reachable(entries)
    for position in range(len(entries)):
        if position not in reached and _resource(entries[position]):
            text = "Nothing leads from the Composition to this entry, nor from it to the others."
            run.add("invalid", text, (path, "entry", position))


def _check_message(bundle: Json, entries: list[Json], path: Path, run: Run) -> None:
    if not entries:
        run.add("required", "A message starts with its MessageHeader.", (path, "entry", -1))
        return
    header = _resource(entries[0])
    _check_found(entries, _links_under(header, ("focus",), (("focus", -1),)), path, run)


Link = tuple[str, tuple[tuple[str, int], ...]]
"""The text of a reference and the steps to it inside the resource."""


def _composition_links(composition: Json) -> Iterator[Link]:
    yield from _links_under(composition, ("subject", "author", "encounter", "custodian"))
    for name, child in (("attester", "party"), ("event", "detail")):
        for position, item in enumerate(_objects(composition.get(name))):
            yield from _links_under(item, (child,), ((name, position),))
    yield from _section_links(composition, ())


def _section_links(owner: Json, steps: tuple[tuple[str, int], ...]) -> Iterator[Link]:
    for position, section in enumerate(_objects(owner.get("section"))):
        inner = (*steps, ("section", position))
        yield from _links_under(section, _SECTION_LINKS, inner)
        yield from _section_links(section, inner)


def _links_under(
    owner: Json, names: tuple[str, ...], steps: tuple[tuple[str, int], ...] = ()
) -> Iterator[Link]:
    for name in names:
        value = owner.get(name)
        for position, item in enumerate(_objects(value)):
            text = item.get("reference")
            if isinstance(text, str) and not text.startswith("#"):
                yield text, (*steps, (name, position if isinstance(value, list) else -1))


def _objects(value: Any) -> list[Json]:
    if isinstance(value, list):
        return [item if isinstance(item, dict) else {} for item in value]
    return [value] if isinstance(value, dict) else []


def _check_found(entries: list[Json], links: Iterator[Link], path: Path, run: Run) -> None:
    addresses = _addresses(entries)
    for text, steps in links:
        found = addresses.get(_resolved(text, entries[0]), [])
        if len(found) == 1:
            continue
        place: Path = ((path, "entry", 0), "resource", -1)
        for name, position in steps:
            place = (place, name, position)
        if found:
            run.add("invalid", "Several entries have the address this refers to: name the version.", place)
        else:
            run.add("not-found", "What this refers to must be an entry of the same Bundle.", place)


def _addresses(entries: list[Json]) -> dict[str, list[int]]:
    """Gives the positions of entries by their address, with and without the version of the resource."""
    found: dict[str, list[int]] = {}
    for position, entry in enumerate(entries):
        url, meta = entry.get("fullUrl"), _resource(entry).get("meta")
        if isinstance(url, str):
            found.setdefault(url, []).append(position)
            if isinstance(meta, dict) and "versionId" in meta:
                found.setdefault(f"{url}/_history/{meta['versionId']}", []).append(position)
    return found


def _resolved(text: str, entry: Json) -> str:
    """Gives the address a reference means when it stands in this entry."""
    url = entry.get("fullUrl")
    base = _restful(url) if isinstance(url, str) and not _is_absolute(text) else None
    return f"{base[1]}{text}" if base else text


def _reachable(entries: list[Json]) -> set[int]:
    """Gives the positions of the entries that are linked with the first, in either direction."""
    addresses = _addresses(entries)
    neighbours: list[set[int]] = [set() for _ in entries]
    for position, entry in enumerate(entries):
        for text in _texts(_resource(entry)):
            for target in addresses.get(_resolved(text, entry), ()):
                neighbours[position].add(target)
                neighbours[target].add(position)
    reached, waiting = {0}, [0]
    while waiting:
        fresh = neighbours[waiting.pop()] - reached
        reached |= fresh
        waiting.extend(fresh)
    return reached


def _texts(value: Any) -> Iterator[str]:
    """Gives every text in a resource: whatever equals an address may be a link."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


_OF_KIND: dict[str, Callable[[Json, list[Json], Path, Run], None]] = {
    "document": _check_document,
    "message": _check_message,
    "searchset": _check_searchset,
}
