"""Changing and removing: update, versions in conflict, patch, delete, and their conditional forms."""

import json
import secrets

from conformance.doors import JSON_PATCH, Resource
from conformance.invented import FILE_SYSTEM, patient
from conformance.lab import UNKNOWN_ID, Lab
from conformance.registry import check
from conformance.results import Omitted, expect
from conformance.samples import address, changed, draft, made, type_with, without

_REMOVED = ("Task", "CarePlan", "Observation", "Patient")
"""Types of which a draft or an unused one may be deleted, the likeliest first."""


@check("rest.update.version", "R4-UPDATE-1")
def update_makes_a_version(lab: Lab) -> None:
    """An update is 200 and makes a new version, which is then read."""
    first = made(lab, "update")
    wanted = changed(first)
    lab.author.update(wanted).must_be(200)
    found = lab.author.get(address(first)).must_be(200).resource
    expect(found["meta"]["versionId"] != first["meta"]["versionId"], "The version is the old one.")
    expect(
        without(found, "meta", "text") == without(wanted, "meta", "text"), "The content is not what was sent."
    )


@check("rest.update.other-id", "R4-UPDATE-2")
def update_with_another_id(lab: Lab) -> None:
    """An update whose body has another id than the address is 400."""
    it = made(lab, "update")
    answer = lab.author.ask(
        "PUT", address(it), {**it, "id": UNKNOWN_ID}, If_Match=f'W/"{it["meta"]["versionId"]}"'
    )
    answer.must_be(400)


@check("rest.update.no-id", "R4-UPDATE-3")
def update_without_an_id(lab: Lab) -> None:
    """An update whose body has no id is 400."""
    it = made(lab, "update")
    answer = lab.author.ask("PUT", address(it), without(it, "id"), If_Match=f'W/"{it["meta"]["versionId"]}"')
    answer.must_be(400)


@check("rest.update.unknown", "R4-UPDATE-4")
def update_of_what_is_not_there(lab: Lab) -> None:
    """An update of an id that does not exist is 405 where clients may not choose ids."""
    name = type_with(lab, "create", "update")
    if lab.claims.types[name].get("updateCreate"):
        raise Omitted("The server says that clients choose ids (updateCreate).")
    body = {**draft(lab, name), "id": f"conformance-{lab.run}"}
    lab.created(lab.author.ask("PUT", address(body), body)).must_be(404, 405)


@check("rest.update.update-create", "R4-UPDATE-5")
def update_as_create(lab: Lab) -> None:
    """An update of an id that does not exist creates it with 201 where the server says so."""
    name = type_with(lab, "create", "update")
    if not lab.claims.types[name].get("updateCreate"):
        raise Omitted("The server does not claim updateCreate.")
    body = {**draft(lab, name), "id": f"conformance-{secrets.token_hex(4)}"}
    lab.created(lab.author.ask("PUT", address(body), body)).must_be(201)
    lab.author.get(address(body)).must_be(200)


@check("rest.update.meta", "R4-UPDATE-6")
def update_sets_meta(lab: Lab) -> None:
    """Version and time of the last change are the server's after an update too."""
    it = changed(made(lab, "update"))
    sent = {**it, "meta": {**it["meta"], "lastUpdated": "2001-01-01T00:00:00Z"}}
    lab.author.update(sent).must_be(200)
    found = lab.author.get(address(it)).must_be(200).resource["meta"]
    expect(not found["lastUpdated"].startswith("2001"), "lastUpdated is the body's.")


def _version_aware(lab: Lab) -> Resource:
    for name in ("Task", "Observation", "Condition", "Patient"):
        if lab.claims.has(name, "create", "update") and _said(lab, name) == "versioned-update":
            return lab.kept(draft(lab, name))
    raise Omitted("The server claims versioned-update of no type known here.")


def _said(lab: Lab, name: str) -> str:
    return str(lab.claims.types[name].get("versioning", ""))


@check("rest.update.stale", "R4-UPDATE-7")
def update_of_a_stale_version(lab: Lab) -> None:
    """An update with the version of an earlier one in If-Match is 412 and changes nothing."""
    first = _version_aware(lab)
    second = lab.author.update(changed(first)).must_be(200)
    lab.author.update(first).must_be(412)
    now = lab.author.get(address(first)).must_be(200)
    expect(now.headers.get("ETag") == second.headers.get("ETag"), "The refused update changed something.")


@check("rest.update.match", "R4-UPDATE-8")
def update_of_the_current_version(lab: Lab) -> None:
    """An update with the current version in If-Match is 200."""
    lab.author.update(changed(_version_aware(lab))).must_be(200)


@check("rest.update.no-match-header", "R4-UPDATE-9")
def update_without_a_version(lab: Lab) -> None:
    """Where the server demands If-Match, an update without it is refused and changes nothing."""
    first = _version_aware(lab)
    lab.author.ask("PUT", address(first), changed(first)).must_be(400, 412, 428)
    now = lab.author.get(address(first)).must_be(200).resource
    expect(now["meta"]["versionId"] == first["meta"]["versionId"], "The refused update changed something.")


@check("rest.update.invalid", "R4-UPDATE-10")
def update_with_an_invalid_body(lab: Lab) -> None:
    """An update with an invalid body is 400 or 422 and changes nothing."""
    lab.claims.need("Patient", "create", "update")
    it = lab.once("update-invalid", lambda: lab.kept(patient(f"Zq{lab.run}Linnet")))
    lab.author.update({**it, "gender": "banana"}).must_be(400, 422)
    found = lab.author.get(address(it)).must_be(200).resource
    expect(found["meta"]["versionId"] == it["meta"]["versionId"], "There is a new version all the same.")


def _conditional(lab: Lab, claim: str, value: str) -> tuple[dict[str, object], str]:
    lab.claims.need("Patient", "create", "update")
    said = lab.claims.types["Patient"].get(claim)
    if said in (None, False, "not-supported"):
        raise Omitted(f"The server does not claim {claim} of Patient.")
    body = patient(f"Zq{lab.run}Godwit", identifier=[{"system": FILE_SYSTEM, "value": value}])
    return body, f"/Patient?identifier={FILE_SYSTEM}|{value}"


@check("rest.conditional-update.one", "R4-COND-4")
def conditional_update_with_one_match(lab: Lab) -> None:
    """A conditional update with one match updates it."""
    body, address_ = _conditional(lab, "conditionalUpdate", f"cu-one-{secrets.token_hex(4)}")
    first = lab.kept(body)
    lab.author.ask("PUT", address_, {**body, "gender": "other"}).must_be(200)
    expect(lab.author.get(address(first)).resource["gender"] == "other", "It was not updated.")


@check("rest.conditional-update.none", "R4-COND-5")
def conditional_update_without_a_match(lab: Lab) -> None:
    """A conditional update without a match and without an id creates."""
    body, address_ = _conditional(lab, "conditionalUpdate", f"cu-none-{secrets.token_hex(4)}")
    lab.created(lab.author.ask("PUT", address_, body)).must_be(201)


@check("rest.conditional-update.many", "R4-COND-6")
def conditional_update_with_several_matches(lab: Lab) -> None:
    """A conditional update with several matches is 412."""
    body, address_ = _conditional(lab, "conditionalUpdate", f"cu-many-{secrets.token_hex(4)}")
    for _ in range(2):
        lab.kept(body)
    lab.author.ask("PUT", address_, body).must_be(412)


def _to_delete(lab: Lab, value: str) -> tuple[Resource, str]:
    for name in ("Task", "CarePlan", "Patient"):
        said = lab.claims.types.get(name, {}).get("conditionalDelete", "not-supported")
        if lab.claims.has(name, "create", "delete") and said != "not-supported":
            body = {**draft(lab, name), "identifier": [{"system": FILE_SYSTEM, "value": value}]}
            return body, f"/{name}?identifier={FILE_SYSTEM}|{value}"
    raise Omitted("The server claims conditionalDelete of no type known here.")


@check("rest.conditional-delete.one", "R4-COND-7")
def conditional_delete_with_one_match(lab: Lab) -> None:
    """A conditional delete with one match deletes it."""
    body, address_ = _to_delete(lab, f"cd-one-{secrets.token_hex(4)}")
    first = lab.kept(body)
    lab.author.ask("DELETE", address_, If_Match=_current(first)).must_be(200, 202, 204)
    lab.author.get(address(first)).must_be(404, 410)


@check("rest.conditional-delete.many", "R4-COND-8")
def conditional_delete_with_several_matches(lab: Lab) -> None:
    """A conditional delete with several matches is 412 where the server deletes one at a time."""
    body, address_ = _to_delete(lab, f"cd-many-{secrets.token_hex(4)}")
    if lab.claims.types[str(body["resourceType"])].get("conditionalDelete") != "single":
        raise Omitted("The server deletes several at a time.")
    for _ in range(2):
        lab.kept(body)
    lab.author.ask("DELETE", address_).must_be(412)


# --- patch -------------------------------------------------------------------------------------------------


def _patched(lab: Lab, media_type: str) -> Resource:
    formats = lab.claims.statement.get("patchFormat", [])
    name = type_with(lab, "create", "patch", among=("Task", "Patient", "Observation"))
    if media_type not in formats:
        raise Omitted(f"The server does not claim patches as {media_type}.")
    return lab.kept(draft(lab, name))


def _current(resource: Resource) -> str:
    return f'W/"{resource["meta"]["versionId"]}"'


def _change(resource: Resource, value: str) -> tuple[str, str]:
    name = "priority" if resource["resourceType"] == "Task" else "language"
    return name, value if name == "language" else "asap"


@check("rest.patch.json", "R4-PATCH-1")
def json_patch(lab: Lab) -> None:
    """A JSON Patch changes what it names and nothing else."""
    it = _patched(lab, JSON_PATCH)
    name, value = _change(it, "vi")
    body = json.dumps([{"op": "add", "path": f"/{name}", "value": value}])
    lab.author.ask("PATCH", address(it), body, content_type=JSON_PATCH, If_Match=_current(it)).must_be(200)
    found = lab.author.get(address(it)).must_be(200).resource
    expect(
        without(found, "meta", "text") == without({**it, name: value}, "meta", "text"),
        "The outcome is another.",
    )


@check("rest.patch.test", "R4-PATCH-2")
def json_patch_with_a_failing_test(lab: Lab) -> None:
    """A JSON Patch whose test does not hold is refused and changes nothing."""
    it = _patched(lab, JSON_PATCH)
    name, value = _change(it, "vi")
    body = json.dumps(
        [
            {"op": "test", "path": "/resourceType", "value": "Basic"},
            {"op": "add", "path": f"/{name}", "value": value},
        ]
    )
    lab.author.ask(
        "PATCH", address(it), body, content_type=JSON_PATCH, If_Match=_current(it)
    ).must_be_refused()
    expect(name not in lab.author.get(address(it)).resource, "It was changed all the same.")


@check("rest.patch.malformed", "R4-PATCH-3")
def json_patch_that_is_none(lab: Lab) -> None:
    """A body that is no JSON Patch is refused."""
    it = _patched(lab, JSON_PATCH)
    for body in ("{", '{"op": "add"}', '[{"op": "banana", "path": "/x"}]'):
        answer = lab.author.ask("PATCH", address(it), body, content_type=JSON_PATCH, If_Match=_current(it))
        answer.must_be_refused()


@check("rest.patch.stale", "R4-PATCH-4")
def patch_of_a_stale_version(lab: Lab) -> None:
    """A patch with an earlier version in If-Match is 412."""
    it = _patched(lab, JSON_PATCH)
    name, value = _change(it, "vi")
    body = json.dumps([{"op": "add", "path": f"/{name}", "value": value}])
    answer = lab.author.ask("PATCH", address(it), body, content_type=JSON_PATCH, If_Match='W/"nosuchversion"')
    answer.must_be(412)


@check("rest.patch.unknown", "R4-PATCH-5")
def patch_of_what_is_not_there(lab: Lab) -> None:
    """A patch of an id that does not exist is 404."""
    it = _patched(lab, JSON_PATCH)
    body = json.dumps([{"op": "add", "path": "/language", "value": "vi"}])
    place = f"/{it['resourceType']}/{UNKNOWN_ID}"
    lab.author.ask("PATCH", place, body, content_type=JSON_PATCH, If_Match='W/"1"').must_be(404)


@check("rest.patch.fhirpath", "R4-PATCH-6")
def fhirpath_patch(lab: Lab) -> None:
    """A FHIRPath Patch changes what it names."""
    it = _patched(lab, "application/fhir+json")
    name, value = _change(it, "vi")
    parts = [
        {"name": "type", "valueCode": "add"},
        {"name": "path", "valueString": it["resourceType"]},
        {"name": "name", "valueString": name},
        {"name": "value", "valueCode": value},
    ]
    body = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}
    lab.author.ask("PATCH", address(it), body, If_Match=_current(it)).must_be(200)
    expect(lab.author.get(address(it)).resource.get(name) == value, "It was not changed.")


# --- delete ------------------------------------------------------------------------------------------------


@check("rest.delete.gone", "R4-DELETE-1")
def delete_removes(lab: Lab) -> None:
    """After a delete (200, 202 or 204) a read is 404 or 410, and a search does not find it."""
    it = _deletable(lab)
    lab.author.ask("DELETE", address(it), If_Match=_current(it)).must_be(200, 202, 204)
    lab.author.get(address(it)).must_be(404, 410)
    if lab.claims.has(it["resourceType"], "search-type"):
        found = lab.author.get(f"/{it['resourceType']}?_id={it['id']}").must_be(200).resource
        expect(not found.get("entry"), "A search still finds it.")


@check("rest.delete.version", "R4-DELETE-2")
def deleted_versions_stay(lab: Lab) -> None:
    """What was read before a delete can be read by its version, or is told to be gone."""
    it = _deletable(lab, "vread")
    lab.author.ask("DELETE", address(it), If_Match=_current(it)).must_be(200, 202, 204)
    lab.author.get(f"{address(it)}/_history/{it['meta']['versionId']}").must_be(200, 404, 410)


@check("rest.delete.unknown", "R4-DELETE-3")
def delete_of_what_is_not_there(lab: Lab) -> None:
    """A delete of an id that does not exist is 200, 204 or 404."""
    name = type_with(lab, "delete", among=_REMOVED)
    lab.author.ask("DELETE", f"/{name}/conformance-none-{lab.run}").must_be(200, 204, 404)


def _deletable(lab: Lab, *more: str) -> Resource:
    name = type_with(lab, "create", "delete", *more, among=_REMOVED)
    return lab.kept(draft(lab, name))
