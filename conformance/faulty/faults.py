"""One fault for each check: the smallest thing that must make it fail.

What lives here: the table by the name of the check, for REST, search and SDOHCC, and the way to a check's fault. What
does not: how a server is bent (``conformance.faulty.bending``), and running it (``python -m conformance.faulty``).
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from conformance.faulty import bending as b
from conformance.faulty import changes as c
from conformance.faulty.async_faults import ASYNC_FAULTS
from conformance.faulty.gate_faults import GATE_FAULTS, gate_open, hidden_order
from conformance.faulty.proxy import Asked, Fault
from conformance.lab import Lab

_GET = b.on("GET")
_BASE = b.on("POST", r"^/fhir/?$")
_METADATA = b.on("GET", "/metadata")
_TAKEN = b.status(201, b.on("POST", status="4.."))
_LATE = "Mon, 01 Jan 2001 00:00:00 GMT"
_NEW_BODY = "the id is another"
_DROPPED = b.body("the first match is missing", b.first_gone, b.on("GET", r"\?"))


def _statement(what: str, change: Any) -> Fault:
    return b.body(what, change, _METADATA)


def _refused_but_stored() -> Fault:
    """Gives the fault of a refusal after the work was done."""
    repaired = b.before("the bad code is repaired", b.on(body="banana"), c.repaired)
    refused = b.status(422, b.on(body="banana"))
    return b.both(refused, repaired)


def _as_batch() -> Fault:
    one = b.before(
        "a transaction is a batch",
        b.on("POST", body='"transaction"'),
        lambda asked: Asked(
            asked.method, asked.path, asked.headers, asked.body.replace(b'"transaction"', b'"batch"')
        ),
    )
    return b.both(b.instead(422, {"resourceType": "OperationOutcome", "issue": []}, _BASE), one)


_PLAIN: Mapping[str, Fault] = {
    "rest.batch.order": b.body("the entries are turned round", b.turned, _BASE),
    "rest.batch.apart": b.body(
        "one failure fails all", b.each_entry(lambda one: one["response"].update(status="400")), _BASE
    ),
    "rest.batch.outcome": b.body(
        "no outcome", b.each_entry(lambda one: one["response"].pop("outcome", None)), _BASE
    ),
    "rest.transaction.references": b.body(
        "references stay",
        lambda found: {**found, "subject": {"reference": "urn:uuid:x"}},
        b.on("GET", "/Observation/"),
    ),
    "rest.transaction.whole": _as_batch(),
    "rest.transaction.outcome": b.body("no outcome", lambda _: {"resourceType": "Basic"}, _BASE),
    "rest.transaction.conditional": b.body(
        "it creates again", b.each_entry(lambda one: one["response"].update(status="201")), _BASE
    ),
    "rest.transaction.*": b.status(200, _BASE),
    "rest.capabilities.there": _statement("another type", lambda found: {**found, "resourceType": "Basic"}),
    "rest.capabilities.open": b.status(401, _METADATA),
    "rest.capabilities.whole": _statement("no date", lambda found: found.pop("date") and None),
    "rest.capabilities.version": _statement(
        "another version", lambda found: {**found, "fhirVersion": "5.0.0"}
    ),
    "rest.capabilities.rules": _statement("a type twice", c.twice),
    "rest.capabilities.read": b.status(405, b.on("GET", "0000-4000-8000")),
    "rest.capabilities.search": b.status(404, b.on("GET", r"\?_count")),
    "rest.capabilities.unclaimed": b.status(200, b.on("GET", "NoSuchType")),
    "rest.capabilities.security": _statement("no security", c.security_gone),
    "rest.create.status": b.status(200, b.on("POST")),
    "rest.create.location": b.header("Location", None, b.on("POST")),
    "rest.create.id": b.header("Location", "Patient/conformance-own-id/_history/1", b.on("POST")),
    "rest.create.meta": b.body("the body's version", c.meta(versionId="mine"), _GET),
    "rest.create.etag": b.header("ETag", None, b.on("POST")),
    "rest.create.faithful": b.body("telecom is lost", lambda found: found.pop("telecom", 1) and None, _GET),
    "rest.create.refusal-stores-nothing": _refused_but_stored(),
    "rest.create.*": _TAKEN,
    "rest.prefer.representation": b.empty(b.on("POST")),
    "rest.prefer.*": b.without_header("prefer", b.on("POST")),
    "rest.conditional-create.none": b.status(200, b.on("POST")),
    "rest.conditional-create.*": b.without_header("if-none-exist"),
    "rest.formats.json": b.header("Content-Type", "application/json", _GET),
    "rest.formats.charset": b.text("Ærø", "?r?", _GET),
    "rest.formats.generic": b.header("Content-Type", "text/html", _GET),
    "rest.formats.parameter": b.without_parameter("_format"),
    "rest.formats.unacceptable": b.before("Accept is not looked at", _GET, c.other_accept),
    "rest.formats.unsupported": b.status(400, b.on("POST")),
    "rest.formats.pretty": b.text("female", "male", b.on("GET", "_pretty")),
    "rest.formats.decimal": b.text("37.10", "37.1", _GET),
    "rest.formats.extension": b.text('"_given"', '"_other"', _GET),
    "rest.binary": b.header("Content-Type", "application/fhir+json", _GET),
    "rest.formats.xml.doctype": _TAKEN,
    "rest.formats.xml.create": b.text("Avocet", "Other", _GET),
    "rest.formats.xml.*": b.both(
        b.header("Content-Type", "application/fhir+json", _GET),
        b.both(b.without_parameter("_format"), b.before("Accept is not looked at", _GET, c.other_accept)),
    ),
    "rest.history.instance": b.body("the oldest first", b.turned, _GET),
    "rest.history.entries": b.body(
        "no request", b.each_entry(lambda one: one.pop("request", None)), b.on("GET", "_history")
    ),
    "rest.history.unknown": b.status(200, _GET),
    "rest.history.since": b.without_parameter("_since"),
    "rest.history.count": b.without_parameter("_count"),
    "rest.history.*": b.body(
        "a searchset", lambda found: {**found, "type": "searchset"}, b.on("GET", "_history")
    ),
    "rest.read.id": b.body(_NEW_BODY, c.other_id, _GET),
    "rest.read.meta": b.body("no version", lambda found: found["meta"].pop("versionId") and None, _GET),
    "rest.read.etag": b.header("ETag", None, _GET),
    "rest.read.etag-is-the-version": b.header("ETag", 'W/"another"', _GET),
    "rest.read.last-modified": b.header("Last-Modified", _LATE, _GET),
    "rest.read.unknown": b.status(200, _GET),
    "rest.read.outcome": b.body("no outcome", lambda _: {"resourceType": "Basic"}, _GET),
    "rest.read.no-trace": b.text("}", "}Traceback (most recent call last)", _GET),
    "rest.read.if-none-match": b.without_header("if-none-match"),
    "rest.read.if-modified-since": b.without_header("if-modified-since"),
    "rest.read.head": b.header("ETag", 'W/"another"', b.on("HEAD")),
    "rest.read.summary": b.body("not marked", b.unmarked, _GET),
    "rest.vread.version": b.before("the newest version comes", b.on("GET", "_history/"), c.current_read),
    "rest.vread.unknown": b.status(200, _GET),
    "rest.update.version": b.body("the content is another", c.unlike("implicitRules"), _GET),
    "rest.update.meta": b.body("the body's time", c.meta(lastUpdated="2001-01-01T00:00:00Z"), _GET),
    "rest.update.stale": b.any_version(b.on("PUT")),
    "rest.update.match": b.status(412, b.on("PUT")),
    "rest.update.no-match-header": b.any_version(b.on("PUT")),
    "rest.update.update-create": b.status(405, b.on("PUT")),
    "rest.update.invalid": _refused_but_stored(),
    "rest.update.*": b.status(200, b.on("PUT", status="4..")),
    "rest.conditional-update.one": b.not_done(200, b.on("PUT")),
    "rest.conditional-update.*": b.status(200, b.on("PUT")),
    "rest.conditional-delete.one": b.not_done(204, b.on("DELETE")),
    "rest.conditional-delete.many": b.status(204, b.on("DELETE")),
    "rest.patch.json": b.body("something else changed", c.patched_value, _GET),
    "rest.patch.test": b.both(
        b.status(422, b.on("PATCH")), b.before("the test is left out", b.on("PATCH"), c.without_test)
    ),
    "rest.patch.stale": b.any_version(b.on("PATCH")),
    "rest.patch.fhirpath": b.not_done(200, b.on("PATCH")),
    "rest.patch.*": b.status(200, b.on("PATCH", status="4..")),
    "rest.delete.gone": b.not_done(204, b.on("DELETE")),
    "rest.delete.*": b.status(500, b.on(path="/_history/|conformance-none")),
    "search.answer.bundle": b.body("a collection", lambda found: {**found, "type": "collection"}, _GET),
    "search.answer.self": b.body("no self", c.link("self", ""), _GET),
    "search.answer.entries": b.body(
        "another address", b.each_entry(lambda one: one.update(fullUrl="urn:uuid:x")), _GET
    ),
    "search.answer.mode": b.body("no mode", b.each_entry(lambda one: one.pop("search", None)), _GET),
    "search.answer.nothing": b.body("it counts one more", b.counted_wrong, _GET),
    "search.answer.total": b.body("it counts one more", b.counted_wrong, _GET),
    "search.answer.post": b.before(
        "the status is not looked at",
        b.on("POST"),
        lambda asked: Asked(
            asked.method, asked.path, asked.headers, asked.body.replace(b"&status=final", b"")
        ),
    ),
    "search.count.most": b.without_parameter("_count"),
    "search.count.none": b.body("it counts one more", b.counted_wrong, _GET),
    "search.pages.all": b.body("the first match is missing", b.first_gone, _GET),
    "search.pages.last": b.body("a next page", c.link("next", "https://x.example"), _GET),
    "search.sort.date": b.body("turned round", b.turned, b.on("GET", "_sort")),
    "search.summary.count": b.body("it counts one more", b.counted_wrong, _GET),
    "search.summary.*": b.body("not marked", b.unmarked, _GET),
    "search.elements": b.body("not marked", b.unmarked, _GET),
    "search.unknown.lenient": b.body("self names it", c.link("self", "https://x.example?banana=yes"), _GET),
    "search.unknown.strict": b.status(200, _GET),
    "search.bad-value": b.status(200, _GET),
    "search.bad-modifier": b.status(200, _GET),
    "search.parameters.claimed": b.status(422, b.on("GET", "=1901-01-01")),
    "search.includes.claimed": b.status(400, b.on("GET", "_include|_revinclude")),
    "search.token.no-system": b.without_parameter("code"),
    "search.reference.other": b.without_parameter("patient"),
    "search.date.ne": b.body("nothing is found", b.all_gone, _GET),
    "search.include.unclaimed": b.status(500, _GET),
    "search.chain": _DROPPED,
    "search.has": _DROPPED,
    "search.revinclude": b.body(
        "nothing is included", lambda found: {**found, "entry": found["entry"][:1]}, _GET
    ),
    "search.include": b.body(
        "nothing is included",
        lambda found: {**found, "entry": found.get("entry", [])[:1]},
        b.on("GET", "_include"),
    ),
    "search.*": _DROPPED,
    "sdohcc.formats": _statement("no format", lambda found: {**found, "format": ["json"]}),
    "sdohcc.batch": _statement("no batch", c.interaction_gone),
    "sdohcc.security": _statement("no security", c.security_gone),
    "sdohcc.task.versions": _statement("no versions", c.of_task("versioning", "no-version")),
    "sdohcc.task.conditional-read": _statement(
        "no conditional read", c.of_task("conditionalRead", "not-supported")
    ),
    "sdohcc.task.statuses": b.status(201, b.on("POST")),
    "sdohcc.task.by-requester": b.body("nothing is found", b.all_gone, _GET),
    "sdohcc.*.read": b.body(_NEW_BODY, c.other_id, b.on("GET", r"/fhir/\w+/")),
    "sdohcc.*.create": b.status(400, b.on("POST", status="201")),
    "sdohcc.*.update": b.status(400, b.on("PUT")),
    "sdohcc.*.search-type": b.body("a collection", lambda found: {**found, "type": "collection"}, _GET),
    "sdohcc.*.include.*": b.status(400, b.on("GET", "_include")),
    "sdohcc.*.profile.*": _statement("no profiles", c.profiles_gone),
}


def fault_for(check: str, lab: Lab) -> Fault | None:
    """Gives the fault a check must notice: its own, else that of its kind; None where there is none."""
    for table in (_PLAIN, GATE_FAULTS, ASYNC_FAULTS):
        if check in table:
            return table[check]
    parts = check.split(".")
    if parts[0] == "sdohcc" and "search" in parts:
        return b.without_parameter(check.partition(".search.")[2])
    if check in ("bulk.others", "bulk.consent", "bulk.withdrawn", "subs.others"):
        return gate_open(lab)
    if check == "side.sort":
        return hidden_order(lab)
    tables = {**_PLAIN, **GATE_FAULTS, **ASYNC_FAULTS}
    stars = [name for name in tables if "*" in name and fnmatchcase(check, name)]
    if stars:
        return tables[max(stars, key=len)]
    return gate_open(lab) if parts[0] in ("consent", "side") else None
