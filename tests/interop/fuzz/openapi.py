"""Describing a FHIR server as OpenAPI, so that a fuzzer of such descriptions can try it.

What lives here: paths and parameters from a CapabilityStatement. The bodies are described loosely on purpose: what is
no FHIR is what is looked for.
"""

from typing import Any

_TYPES = {
    "number": {"type": "number"},
    "date": {"type": "string"},
    "string": {"type": "string"},
    "token": {"type": "string"},
    "reference": {"type": "string"},
    "composite": {"type": "string"},
    "quantity": {"type": "string"},
    "uri": {"type": "string"},
    "special": {"type": "string"},
}
_RESULTS = (
    "_count",
    "_sort",
    "_summary",
    "_elements",
    "_total",
    "_include",
    "_revinclude",
    "_has",
    "_cursor",
)
_HEADERS = ("If-Match", "If-None-Match", "If-None-Exist", "If-Modified-Since", "Prefer", "Accept")


def described(capability: dict[str, Any], seeds: dict[str, str], types: tuple[str, ...]) -> dict[str, Any]:
    """Gives an OpenAPI document.

    Args:
        capability: a CapabilityStatement.
        seeds: ids that are there, by type.
        types: the types to try.
    """
    paths: dict[str, Any] = {"/": {"post": _operation(body=True)}}
    for resource in capability["rest"][0]["resource"]:
        name = resource["type"]
        if name not in types:
            continue
        search = [_query(one["name"], one["type"]) for one in resource.get("searchParam", ())]
        search += [_query(one, "string") for one in _RESULTS]
        at = [_id(seeds.get(name, "00000000-0000-4000-8000-000000000000"))]
        paths[f"/{name}"] = {"get": _operation(search), "post": _operation(body=True)}
        paths[f"/{name}/{{id}}"] = {
            "get": _operation(at),
            "put": _operation(at, body=True),
            "patch": _operation(at, body=True, media="application/json-patch+json"),
            "delete": _operation(at),
        }
        paths[f"/{name}/{{id}}/_history"] = {"get": _operation([*at, _query("_since", "date")])}
        paths[f"/{name}/$validate"] = {"post": _operation(body=True)}
    return {
        "openapi": "3.0.3",
        "info": {"title": "a FHIR server", "version": "1"},
        "paths": paths,
    }


def _operation(
    parameters: list[dict[str, Any]] | None = None,
    *,
    body: bool = False,
    media: str = "application/fhir+json",
) -> dict[str, Any]:
    headers = [{"name": one, "in": "header", "schema": {"type": "string"}} for one in _HEADERS]
    found: dict[str, Any] = {
        "parameters": [*(parameters or ()), *headers],
        "responses": {"default": {"description": "any"}},
    }
    if body:
        found["requestBody"] = {"required": True, "content": {media: {"schema": {}}}}
    return found


def _query(name: str, kind: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": _TYPES.get(kind, {"type": "string"})}


def _id(seed: str) -> dict[str, Any]:
    schema = {"type": "string", "anyOf": [{"enum": [seed]}, {"pattern": "^[A-Za-z0-9.-]{1,64}$"}, {}]}
    return {"name": "id", "in": "path", "required": True, "schema": schema}
