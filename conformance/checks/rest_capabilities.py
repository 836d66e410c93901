"""The CapabilityStatement: well formed, and true."""

from typing import Any

from conformance.doors import Answer
from conformance.lab import Lab
from conformance.registry import check
from conformance.results import Omitted, advise, expect
from conformance.samples import person

_STATUSES = ("draft", "active", "retired", "unknown")


def _statement(lab: Lab) -> tuple[Answer, dict[str, Any]]:
    answer = lab.anonymous.get("/metadata")
    if answer.http_status in (401, 403):
        answer = lab.author.get("/metadata")
    return answer.must_be(200), answer.resource


@check("rest.capabilities.there", "R4-CAP-1")
def there(lab: Lab) -> None:
    """GET [base]/metadata gives a CapabilityStatement."""
    _, found = _statement(lab)
    expect(found["resourceType"] == "CapabilityStatement", f"metadata is a {found['resourceType']}.")


@check("rest.capabilities.open", "R4-CAP-2")
def open_to_all(lab: Lab) -> None:
    """The CapabilityStatement can be read before there is a token."""
    lab.anonymous.get("/metadata").must_be(200)


@check("rest.capabilities.whole", "R4-CAP-3")
def whole(lab: Lab) -> None:
    """The CapabilityStatement has every element that must be there, with codes of the required lists."""
    _, found = _statement(lab)
    for name in ("status", "date", "kind", "fhirVersion", "format"):
        expect(found.get(name), f"CapabilityStatement.{name} is missing.")
    expect(found["status"] in _STATUSES, f"status is {found['status']}.")
    expect(found["kind"] in ("instance", "capability", "requirements"), f"kind is {found['kind']}.")
    for rest in found.get("rest", []):
        expect(rest.get("mode") in ("server", "client"), "rest.mode is missing or unknown.")
        for one in rest.get("resource", []):
            expect(one.get("type"), "a rest.resource has no type.")
            for param in one.get("searchParam", []):
                expect(
                    param.get("name") and param.get("type"),
                    f"a searchParam of {one['type']} lacks name or type.",
                )
            for operation in one.get("operation", []):
                told = operation.get("name") and operation.get("definition")
                expect(told, f"an operation of {one['type']} lacks name or definition.")


@check("rest.capabilities.version", "R4-CAP-4")
def version(lab: Lab) -> None:
    """The server says that it speaks FHIR 4.0.1."""
    _, found = _statement(lab)
    expect(found.get("fhirVersion") == "4.0.1", f"fhirVersion is {found.get('fhirVersion')}.")


@check("rest.capabilities.rules", "R4-CAP-5")
def rules(lab: Lab) -> None:
    """The invariants of CapabilityStatement hold: something is described, nothing is declared twice."""
    _, found = _statement(lab)
    expect(any(found.get(name) for name in ("rest", "messaging", "document")), "cpb-1: nothing is described.")
    described = found.get("description") or found.get("software") or found.get("implementation")
    expect(described, "cpb-2: none of description, software and implementation is there.")
    if found.get("kind") == "instance":
        expect(found.get("implementation"), "cpb-15: an instance needs its implementation.")
    for rest in found.get("rest", []):
        types = [one.get("type") for one in rest.get("resource", [])]
        expect(len(types) == len(set(types)), "cpb-9: a type is declared twice.")
        for one in rest.get("resource", []):
            names = [param.get("name") for param in one.get("searchParam", [])]
            expect(
                len(names) == len(set(names)), f"cpb-12: a search parameter of {one['type']} is there twice."
            )


@check("rest.capabilities.read", "R4-CAP-6")
def all_can_be_read(lab: Lab) -> None:
    """Each type for which read is claimed answers a read of an unknown id like one."""
    claims = lab.fresh_claims()
    for name in claims.types:
        if claims.has(name, "read"):
            answer = lab.author.get(f"/{name}/00000000-0000-4000-8000-000000000000")
            expect(answer.http_status in (403, 404, 410), f"read of {name} is claimed: {answer.line}")
            expect(
                answer.http_status != 404 or "issue" in answer.resource, f"{answer.line} without an outcome"
            )


@check("rest.capabilities.search", "R4-CAP-7")
def all_can_be_searched(lab: Lab) -> None:
    """Each type for which search is claimed answers a search."""
    claims = lab.fresh_claims()
    named = [name for name in claims.types if claims.has(name, "search-type")]
    if not named:
        raise Omitted("The server claims no search.")
    for name in named:
        answer = lab.author.get(f"/{name}?_count=1")
        if answer.http_status == 400 and "patient" in claims.parameters(
            name
        ):  # it wants a person to be named
            answer = lab.author.get(f"/{name}?_count=1&patient=Patient/{person(lab)['id']}")
        expect(
            answer.http_status in (200, 403), f"search of {name} is claimed: {answer.line} {answer.reason}"
        )
        if answer.http_status == 200:
            expect(answer.resource.get("type") == "searchset", f"{answer.line} gave no searchset.")


@check("rest.capabilities.unclaimed", "R4-CAP-8")
def unclaimed_is_not_there(lab: Lab) -> None:
    """A type that is not declared, or none of FHIR, is 404 and says why."""
    answer = lab.author.get("/NoSuchType/1").must_be(404)
    advise(answer.resource.get("resourceType") == "OperationOutcome", "404 without an OperationOutcome.")


@check("rest.capabilities.security", "R4-CAP-9")
def security(lab: Lab) -> None:
    """A server that asks for a token says so in its CapabilityStatement."""
    claims = lab.fresh_claims()
    name = next((one for one in claims.types if claims.has(one, "search-type")), None)
    if name is None or lab.anonymous.get(f"/{name}?_count=1").http_status != 401:
        raise Omitted("The server does not ask for a token.")
    expect(claims.rest.get("security", {}).get("service"), "rest.security.service says nothing.")
