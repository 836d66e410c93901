"""Resources that many checks look at: made once, or fresh, of whatever type the server lets us write.

What lives here: choosing a type by the server's claims, and making one. What does not: the data
(``conformance.invented``).
"""

from collections.abc import Iterable

from conformance.doors import Resource
from conformance.invented import ABOUT_A_PERSON, patient, service_request
from conformance.lab import Lab
from conformance.results import Omitted


def person(lab: Lab) -> Resource:
    """Gives an invented person, made once."""
    lab.claims.need("Patient", "create")
    return lab.once("person", lambda: lab.kept(patient(f"Zq{lab.run}Plover")))


def person_reference(lab: Lab) -> str:
    """Gives the reference of the invented person."""
    return f"Patient/{person(lab)['id']}"


def draft(lab: Lab, type_name: str) -> Resource:
    """Gives a resource of a type that has not been created yet."""
    if type_name == "Patient":
        return patient(f"Zq{lab.run}Dunlin")
    made = ABOUT_A_PERSON[type_name](person_reference(lab))
    if type_name == "Task":
        made |= _request_behind(lab)
    return made


def _request_behind(lab: Lab) -> Resource:
    """Gives what a Task refers to beside the person, as far as the server lets us write it."""
    found: Resource = {}
    if lab.claims.has("ServiceRequest", "create"):
        request = lab.once("request-behind", lambda: lab.kept(service_request(person_reference(lab))))
        found["focus"] = {"reference": f"ServiceRequest/{request['id']}"}
    configured = lab.target.clients.get("author")
    if configured and configured.organization:
        found["requester"] = {"reference": f"Organization/{configured.organization}"}
    return found


def type_with(lab: Lab, *interactions: str, among: Iterable[str] = ("Patient", *ABOUT_A_PERSON)) -> str:
    """Gives the first type for which the server claims all these interactions; else the check is omitted."""
    for name in among:
        if lab.claims.has(name, *interactions):
            return name
    raise Omitted(f"The server does not claim {' and '.join(interactions)} of any type known here.")


def made(lab: Lab, *interactions: str) -> Resource:
    """Gives a fresh resource of a type with all these interactions."""
    return lab.kept(draft(lab, type_with(lab, "create", *interactions)))


def address(resource: Resource) -> str:
    """Gives the address of a resource below the base.

    >>> address({"resourceType": "Patient", "id": "1"})
    '/Patient/1'
    """
    return f"/{resource['resourceType']}/{resource['id']}"


def changed(resource: Resource) -> Resource:
    """Gives a resource with one harmless element changed."""
    if resource["resourceType"] == "Patient":
        return {**resource, "birthDate": "1991-07-16"}
    text = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">changed</div>'}
    plain = {"Task": {"priority": "asap"}, "Observation": {"effectiveDateTime": "2024-02-02"}}
    return {**resource, **plain.get(resource["resourceType"], {"text": text})}


def without(resource: Resource, *names: str) -> Resource:
    """Gives a resource without some of its elements."""
    return {name: value for name, value in resource.items() if name not in names}
