"""Changes of bodies and requests that the faults are made of.

What lives here: plain functions on a body or a request. What does not: when they happen
(``conformance.faulty.bending``), which check they belong to.
"""

import itertools
import json
from typing import Any

from conformance.faulty.proxy import Asked

Body = dict[str, Any]
_number = itertools.count(1)


def with_(**changed: Any) -> Any:
    """Gives a change that sets some elements."""
    return lambda found: {**found, **changed}


def profiles_gone(found: Body) -> None:
    """Takes the profiles from a CapabilityStatement."""
    for one in found["rest"][0]["resource"]:
        one.pop("supportedProfile", None)


def other_id(found: Body) -> None:
    """Gives a resource another id."""
    found["id"] = "another"


def meta(**changed: Any) -> Any:
    """Gives a change that sets elements of meta."""

    def change(found: Body) -> None:
        found.setdefault("meta", {}).update(changed)

    return change


def unlike(name: str) -> Any:
    """Gives a change that is another each time."""

    def change(found: Body) -> None:
        found[name] = f"2001-01-01T00:00:{next(_number) % 60:02}Z"

    return change


def security_gone(found: Body) -> None:
    """Takes the security from a CapabilityStatement."""
    for one in found.get("rest", []):
        one.pop("security", None)


def twice(found: Body) -> None:
    """Declares the first type of a CapabilityStatement twice."""
    resources = found["rest"][0]["resource"]
    resources.append(resources[0])


def interaction_gone(found: Body) -> None:
    """Takes batch and transaction from a CapabilityStatement."""
    found["rest"][0].pop("interaction", None)


def of_task(name: str, value: str) -> Any:
    """Gives a change of one element of Task in a CapabilityStatement."""

    def change(found: Body) -> None:
        for one in found["rest"][0]["resource"]:
            if one["type"] == "Task":
                one[name] = value

    return change


def patched_value(found: Body) -> None:
    """Changes an element that nobody asked to change."""
    found["intent"] = "plan"


def link(relation: str, url: str) -> Any:
    """Gives a change that sets a link of a Bundle, or takes it away."""

    def change(found: Body) -> None:
        kept = [one for one in found.get("link", []) if one.get("relation") != relation]
        found["link"] = [*kept, {"relation": relation, "url": url}] if url else kept

    return change


def repaired(asked: Asked) -> Asked:
    """Gives a request whose bad code is a good one."""
    return Asked(asked.method, asked.path, asked.headers, asked.body.replace(b"banana", b"female"))


def without_test(asked: Asked) -> Asked:
    """Gives a JSON Patch without its first operation."""
    return Asked(asked.method, asked.path, asked.headers, json.dumps(json.loads(asked.body)[1:]).encode())


def other_accept(asked: Asked) -> Asked:
    """Gives a request that takes JSON."""
    return asked.with_header("accept", "application/fhir+json")


def current_read(asked: Asked) -> Asked:
    """Gives a read of the current version."""
    return Asked(asked.method, asked.path.partition("/_history")[0], asked.headers, asked.body)
