"""Small words for API tests of the interactions: Bundles, patches, links."""

from collections.abc import Iterator
from typing import Any

from tests.world import Caller, parsed

UNKNOWN = "00000000-0000-4000-8000-000000000000"
Json = dict[str, Any]


def bundle(kind: str, *entries: Json) -> Json:
    """Gives a Bundle that asks for something."""
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def entry(method: str, url: str, resource: Json | None = None, full_url: str = "", **request: str) -> Json:
    """Gives one entry; the named rest are further parts of ``request``."""
    found: Json = {"request": {"method": method, "url": url, **request}}
    if full_url:
        found["fullUrl"] = full_url
    if resource is not None:
        found["resource"] = resource
    return found


def urn(number: int) -> str:
    """Gives a urn:uuid."""
    return f"urn:uuid:00000000-0000-4000-8000-{number:012}"


def operation(kind: str, path: str, **parts: Json) -> Json:
    """Gives one operation of a FHIRPath Patch."""
    told = [{"name": "type", "valueCode": kind}, {"name": "path", "valueString": path}]
    return {"name": "operation", "part": [*told, *({"name": name, **part} for name, part in parts.items())]}


def path_patch(*operations: Json) -> Json:
    """Gives a FHIRPath Patch."""
    return {"resourceType": "Parameters", "parameter": list(operations)}


def link(page: Json, relation: str = "next") -> str:
    """Gives the address of a link below the FHIR base; empty where there is none."""
    found = {one["relation"]: one["url"] for one in page["link"]}
    return str(found.get(relation, "")).rpartition("/fhir")[2]


def pages(caller: Caller, path: str) -> Iterator[Json]:
    """Walks the pages that begin at an address; fails the test where they do not end."""
    for _ in range(100):
        if not path:
            return
        answer = caller.get(path)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        page = parsed(answer)
        yield page
        path = link(page)
    raise AssertionError("a hundred pages, and no end")


def resources(page: Json) -> list[Json]:
    """Gives the resources of a page."""
    return [one["resource"] for one in page.get("entry", []) if "resource" in one]


def statuses(answer: Any) -> list[str]:
    """Gives the three digits of each entry's status."""
    found = parsed(answer)
    assert "entry" in found, found
    return [one["response"]["status"][:3] for one in found["entry"]]
