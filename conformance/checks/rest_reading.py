"""Reading: read, vread, conditional read, HEAD."""

import re
from email.utils import parsedate_to_datetime

from conformance.lab import UNKNOWN_ID, Lab
from conformance.registry import check
from conformance.results import Omitted, expect
from conformance.samples import address, changed, made, person, type_with

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


@check("rest.read.id", "R4-READ-1")
def read_gives_the_id(lab: Lab) -> None:
    """A read gives the resource, with the id it was asked by."""
    it = person(lab)
    found = lab.author.get(address(it)).must_be(200).resource
    expect(found["resourceType"] == "Patient", f"It is a {found['resourceType']}.")
    expect(found.get("id") == it["id"], f"Its id is {found.get('id')}.")
    expect(_ID.fullmatch(it["id"]), "Its id is none of FHIR's.")


@check("rest.read.meta", "R4-READ-2")
def read_gives_meta(lab: Lab) -> None:
    """What is read has meta.versionId and meta.lastUpdated."""
    meta = lab.author.get(address(person(lab))).must_be(200).resource.get("meta", {})
    expect(_ID.fullmatch(str(meta.get("versionId", ""))), f"versionId is {meta.get('versionId')}.")
    expect(_INSTANT.fullmatch(str(meta.get("lastUpdated", ""))), f"lastUpdated is {meta.get('lastUpdated')}.")


@check("rest.read.etag", "R4-READ-3")
def read_gives_an_etag(lab: Lab) -> None:
    """A read has an ETag and Last-Modified."""
    answer = lab.author.get(address(person(lab))).must_be(200)
    expect(answer.headers.get("ETag"), "There is no ETag.")
    expect(answer.headers.get("Last-Modified"), "There is no Last-Modified.")


@check("rest.read.etag-is-the-version", "R4-READ-4")
def etag_is_the_version(lab: Lab) -> None:
    """An ETag, where there is one, is weak and holds the version id."""
    answer = lab.author.get(address(person(lab))).must_be(200)
    etag = answer.headers.get("ETag")
    if etag is None:
        raise Omitted("The server gives no ETag.")
    wanted = f'W/"{answer.resource["meta"]["versionId"]}"'
    expect(etag == wanted, f"The ETag is {etag}, the version makes {wanted}.")


@check("rest.read.last-modified", "R4-READ-5")
def last_modified_is_last_updated(lab: Lab) -> None:
    """Last-Modified, where it is given, is the second of meta.lastUpdated."""
    answer = lab.author.get(address(person(lab))).must_be(200)
    told = answer.headers.get("Last-Modified")
    if told is None:
        raise Omitted("The server gives no Last-Modified.")
    moment = parsedate_to_datetime(told).strftime("%Y-%m-%dT%H:%M:%S")
    updated = answer.resource["meta"]["lastUpdated"]
    if updated.endswith(("Z", "+00:00")):
        expect(updated.startswith(moment), f"Last-Modified is {told}, lastUpdated {updated}.")


@check("rest.read.unknown", "R4-READ-6")
def unknown_id(lab: Lab) -> None:
    """A read of an id that does not exist is 404."""
    type_name = type_with(lab, "read")
    lab.author.get(f"/{type_name}/{UNKNOWN_ID}").must_be(404)


@check("rest.read.outcome", "R4-OUT-1")
def refusal_has_an_outcome(lab: Lab) -> None:
    """A refusal says why in an OperationOutcome with severity and code."""
    type_name = type_with(lab, "read")
    found = lab.author.get(f"/{type_name}/{UNKNOWN_ID}").must_be(404).resource
    expect(found["resourceType"] == "OperationOutcome", f"It is a {found['resourceType']}.")
    expect(found.get("issue"), "It has no issue.")
    for issue in found["issue"]:
        expect(issue.get("severity") and issue.get("code"), "An issue lacks severity or code.")


@check("rest.read.no-trace", "R4-OUT-2")
def no_internals(lab: Lab) -> None:
    """A refusal shows nothing of the inside: no stack, no statement, no path."""
    inside = re.compile(r'Traceback|\bat [\w.$]+\([\w]+\.java|File "/|SELECT .* FROM|/usr/|/home/')
    for asked in ("/Patient/%00", "/Patient?_count=x'--", "/Patient/..%2f..%2fetc", "/Patient/a%20b"):
        answer = lab.author.get(asked)
        expect(answer.http_status < 500, f"{answer.line}: the server broke.")
        expect(not inside.search(answer.text), f"{answer.line} shows its inside.")


@check("rest.read.if-none-match", "R4-READ-7")
def if_none_match(lab: Lab) -> None:
    """If-None-Match with the version at hand is 304 and empty; with another it is the resource."""
    it = person(lab)
    _needs_conditional_read(lab, "not-match")
    etag = lab.author.get(address(it)).must_be(200).headers.get("ETag", "")
    answer = lab.author.get(address(it), If_None_Match=etag).must_be(304)
    expect(not answer.body, "304 came with a body.")
    lab.author.get(address(it), If_None_Match='W/"another"').must_be(200)


@check("rest.read.if-modified-since", "R4-READ-8")
def if_modified_since(lab: Lab) -> None:
    """If-Modified-Since the last change is 304; since an earlier time it is the resource."""
    it = person(lab)
    _needs_conditional_read(lab, "modified-since")
    told = lab.author.get(address(it)).must_be(200).headers.get("Last-Modified", "")
    lab.author.get(address(it), If_Modified_Since=told).must_be(304)
    lab.author.get(address(it), If_Modified_Since="Mon, 01 Jan 2001 00:00:00 GMT").must_be(200)


def _needs_conditional_read(lab: Lab, kind: str) -> None:
    said = lab.claims.types.get("Patient", {}).get("conditionalRead", "not-supported")
    if said not in (kind, "full-support"):
        raise Omitted(f"The server says conditionalRead {said} of Patient.")


@check("rest.read.head", "R4-READ-9")
def head(lab: Lab) -> None:
    """HEAD, where it is answered, has the status and headers of GET and no body."""
    it = person(lab)
    answer = lab.author.ask("HEAD", address(it))
    if answer.http_status in (405, 501):
        raise Omitted("The server does not answer HEAD.")
    answer.must_be(200)
    expect(not answer.body, "HEAD came with a body.")
    expect(
        answer.headers.get("ETag") == lab.author.get(address(it)).headers.get("ETag"), "The ETag is another."
    )


@check("rest.vread.version", "R4-VREAD-1")
def vread_gives_the_version(lab: Lab) -> None:
    """A vread gives the version that was asked for, also after a later one."""
    first = made(lab, "update", "vread")
    second = lab.author.update(changed(first)).must_be(200, 201)
    found = lab.author.get(f"{address(first)}/_history/{first['meta']['versionId']}").must_be(200).resource
    expect(found["meta"]["versionId"] == first["meta"]["versionId"], "It is another version.")
    expect(found == first, "The earlier version is not what it was.")
    expect(second.http_status == 200, f"{second.line}: an update of what exists is 200.")


@check("rest.vread.unknown", "R4-VREAD-2")
def vread_of_an_unknown_version(lab: Lab) -> None:
    """A vread of a version that does not exist is 404."""
    lab.claims.need("Patient", "vread")
    lab.author.get(f"{address(person(lab))}/_history/nosuchversion").must_be(404)


@check("rest.read.summary", "R4-READ-10")
def summary_of_a_read(lab: Lab) -> None:
    """A read with _elements, where it is honoured, marks the answer as a part."""
    it = person(lab)
    found = lab.author.get(f"{address(it)}?_elements=gender").must_be(200).resource
    if "name" in found:
        raise Omitted("The server does not honour _elements of a read.")
    tags = [tag.get("code") for tag in found.get("meta", {}).get("tag", [])]
    expect("SUBSETTED" in tags, "The part is not marked as SUBSETTED.")
