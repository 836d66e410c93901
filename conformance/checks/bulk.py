"""Bulk Data: exports of persons, of a group and of the whole, as a checklist of public test kits has them.

Source: Bulk Data Access 2.0.0 (export); HL7 FHIR asynchronous request pattern.
"""

from collections.abc import Callable
from urllib.parse import quote

from conformance.exporting import (
    LEVELS,
    NDJSON,
    Export,
    door_for,
    kicked_off,
    place,
    rows,
    status_address,
    waited,
)
from conformance.invented_referral import Referral, holds_nothing_hidden
from conformance.lab import Lab
from conformance.registry import Check, add, check
from conformance.results import Ended, Omitted, advise, expect
from conformance.samples import person

_KEYS = ("transactionTime", "request", "requiresAccessToken", "output", "error")
_INSTANTIATES = "http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data"
_EXPIRING = "Thu, 01 Jan 1970 00:00:00 GMT"


def declared(lab: Lab, level: str) -> None:
    """The CapabilityStatement names the operation, and that it follows the guide."""
    place(lab, level)
    told = [str(one).partition("|")[0] for one in lab.fresh_claims().statement.get("instantiates", [])]
    advise(_INSTANTIATES in told, "instantiates does not name the guide's CapabilityStatement.")


def no_token(lab: Lab, level: str) -> None:
    """An export without a token is refused with 400 or 401."""
    started = place(lab, level)
    lab.claims.need_smart()
    kicked_off(lab.anonymous, started).must_be(400, 401)


def kick_off(lab: Lab, level: str) -> None:
    """An export is started with 202 and a Content-Location."""
    door = door_for(lab, level)
    address = status_address(kicked_off(door, place(lab, level)))
    door.ask("DELETE", address)


def manifest(lab: Lab, level: str) -> None:
    """A finished export is told as JSON with all that must be in it."""
    it = Export.done(lab, level)
    answer = it.door.get(it.address, accept="application/json").must_be(200)
    expect("application/json" in answer.media_type, f"It came as {answer.media_type}.")
    found = answer.json
    missing = [key for key in _KEYS if key not in found]
    expect(not missing, f"It lacks {', '.join(missing)}.")
    expect(isinstance(found["requiresAccessToken"], bool), "requiresAccessToken is no boolean.")
    expect(str(found["request"]).startswith(("http://", "https://")), f"request is {found['request']}.")


def output(lab: Lab, level: str) -> None:
    """Each file of an export has a type and an absolute address."""
    found = Export.done(lab, level).manifest()["output"]
    expect(isinstance(found, list) and found, "There is no file.")
    for one in found:
        expect(one.get("type"), "A file has no type.")
        expect(
            str(one.get("url", "")).startswith(("http://", "https://")), f"The address is {one.get('url')}."
        )


def files(lab: Lab, level: str) -> None:
    """Each file holds resources of its type, one a line, as application/fhir+ndjson."""
    it = Export.done(lab, level)
    for one in it.manifest()["output"]:
        answer = it.file(one["url"]).must_be(200)
        expect(answer.media_type == NDJSON, f"A file came as {answer.media_type}.")
        found = rows(answer)
        kinds = {row["resourceType"] for row in found}
        expect(kinds <= {one["type"]}, f"The file of {one['type']} holds {', '.join(sorted(kinds))}.")
        expect(all(row.get("id") for row in found), f"A {one['type']} has no id.")
        if "count" in one:
            expect(one["count"] == len(found), f"count is {one['count']}, there are {len(found)}.")


def file_token(lab: Lab, level: str) -> None:
    """A file that needs a token is refused without one."""
    it = Export.done(lab, level)
    found = it.manifest()
    if not found["requiresAccessToken"]:
        raise Omitted("The files need no token.")
    expect(found["output"], "There is no file.")
    it.file(found["output"][0]["url"], lab.anonymous).must_be(400, 401)


_EACH: tuple[tuple[str, str, Callable[[Lab, str], None]], ...] = (
    ("declared", "BULK-1", declared),
    ("no-token", "BULK-2", no_token),
    ("kick-off", "BULK-3", kick_off),
    ("manifest", "BULK-4", manifest),
    ("output", "BULK-5", output),
    ("files", "BULK-6", files),
    ("file-token", "BULK-7", file_token),
)


def _at(level: str, run: Callable[[Lab, str], None]) -> Callable[[Lab], None]:
    return lambda lab: run(lab, level)


for _level in LEVELS:
    for _name, _requirement, _run in _EACH:
        _title = f"{(_run.__doc__ or '').strip()} ({_level})"
        add(Check(f"bulk.{_level}.{_name}", _title, (_requirement,), _at(_level, _run)))


def _any(lab: Lab) -> str:
    """Gives a level that is offered and can be tried here."""
    for level in LEVELS:
        try:
            place(lab, level)
        except Ended:
            continue
        return level
    return LEVELS[0]


@check("bulk.cancel", "BULK-8")
def cancel(lab: Lab) -> None:
    """An export is given up by DELETE with 202."""
    level = _any(lab)
    door = door_for(lab, level)
    door.ask("DELETE", status_address(kicked_off(door, place(lab, level)))).must_be(202)


@check("bulk.cancelled", "BULK-9")
def cancelled(lab: Lab) -> None:
    """After it was given up, its state is 404 with an OperationOutcome."""
    level = _any(lab)
    door = door_for(lab, level)
    address = status_address(kicked_off(door, place(lab, level)))
    door.ask("DELETE", address)
    found = door.get(address).must_be(404).resource
    expect(found["resourceType"] == "OperationOutcome", f"It is a {found['resourceType']}.")


@check("bulk.since", "BULK-10")
def since(lab: Lab) -> None:
    """An export takes _since, and leaves out what has not changed since."""
    level = _any(lab)
    door = door_for(lab, level)
    query = f"_since={quote('2100-01-01T00:00:00.000+01:00')}"
    address = status_address(kicked_off(door, f"{place(lab, level)}?{query}"))
    answer, _ = waited(door, address)
    found = sum(len(rows(door.get(one["url"], accept=NDJSON))) for one in answer.must_be(200).json["output"])
    expect(found == 0, f"{found} resources have not changed since.")


@check("bulk.type", "BULK-11")
def types(lab: Lab) -> None:
    """An export with _type holds that type alone."""
    level = _any(lab)
    door = door_for(lab, level)
    lab.once("bulk-person", lambda: person(lab))
    answer, _ = waited(door, status_address(kicked_off(door, f"{place(lab, level)}?_type=Patient")))
    kinds = {one["type"] for one in answer.must_be(200).json["output"]}
    expect(kinds <= {"Patient"}, f"It holds {', '.join(sorted(kinds))}.")


@check("bulk.output-format", "BULK-12")
def output_format(lab: Lab) -> None:
    """The three names of NDJSON are taken as _outputFormat."""
    level = _any(lab)
    door = door_for(lab, level)
    for value in ("application/fhir%2Bndjson", "application/ndjson", "ndjson"):
        door.ask("DELETE", status_address(kicked_off(door, f"{place(lab, level)}?_outputFormat={value}")))


@check("bulk.other-format", "BULK-13")
def other_format(lab: Lab) -> None:
    """Another _outputFormat is refused."""
    level = _any(lab)
    kicked_off(door_for(lab, level), f"{place(lab, level)}?_outputFormat=banana").must_be_refused()


@check("bulk.unknown-type", "BULK-14")
def unknown_type(lab: Lab) -> None:
    """An unknown type in _type is refused."""
    level = _any(lab)
    strict = "respond-async, handling=strict"
    door_for(lab, level).get(f"{place(lab, level)}?_type=NoSuchType", Prefer=strict).must_be_refused()


@check("bulk.type-filter", "BULK-19")
def type_filter(lab: Lab) -> None:
    """An export with _typeFilter holds of that type what the search finds."""
    level = _any(lab)
    door = door_for(lab, level)
    lab.once("bulk-person", lambda: person(lab))
    query = f"_type=Patient&_typeFilter={quote('Patient?gender=male')}"
    answer = kicked_off(door, f"{place(lab, level)}?{query}")
    if answer.http_status in (400, 422):
        raise Omitted("The server does not take _typeFilter.")
    told, _ = waited(door, status_address(answer))
    rows_ = [
        row for one in told.must_be(200).json["output"] for row in rows(door.get(one["url"], accept=NDJSON))
    ]
    expect(
        str(person(lab)["id"]) not in {row["id"] for row in rows_}, "It holds what the search does not find."
    )


@check("bulk.expires", "BULK-15")
def expires(lab: Lab) -> None:
    """A finished export says until when its files are kept."""
    it = Export.done(lab, _any(lab))
    answer = it.door.get(it.address, accept="application/json").must_be(200)
    expect(answer.headers.get("Expires", _EXPIRING) != _EXPIRING, "There is no Expires.")


@check("bulk.persons", "BULK-16")
def two_persons(lab: Lab) -> None:
    """An export of persons holds those that were written before it began."""
    person(lab)
    it = Export.done(lab, "patient")
    ids = {
        row["id"]
        for one in it.manifest()["output"]
        if one["type"] == "Patient"
        for row in rows(it.file(one["url"]))
    }
    expect(str(person(lab)["id"]) in ids, "A person who was written before is not in it.")


@check("bulk.others", "BULK-17", needs=("author", "outsider"))
def others(lab: Lab) -> None:
    """State and files of an export are no other client's."""
    it = Export.done(lab, _any(lab))
    lab.claims.need_smart()
    it.file(it.address, lab.outsider).must_be(401, 403, 404)
    for one in it.manifest()["output"][:2]:
        it.file(one["url"], lab.outsider).must_be(401, 403, 404)


@check("bulk.consent", "HUB-BULK-1", needs=("author", "recipient"))
def consent(lab: Lab) -> None:
    """A recipient's export holds nothing that was not released to it."""
    started = place(lab, "patient")
    it = Referral.shared_one(lab, "requested")
    answer, _ = waited(lab.recipient, status_address(kicked_off(lab.recipient, started)))
    for one in answer.must_be(200).json["output"]:
        for row in rows(lab.recipient.get(one["url"], accept=NDJSON)):
            if row["id"] in {str(paper["id"]) for paper in it.made.values()}:
                holds_nothing_hidden(str(row))


@check("bulk.withdrawn", "HUB-BULK-2", needs=("author", "recipient"))
def withdrawn(lab: Lab) -> None:
    """A file fetched after a withdrawal no longer holds the person."""
    started = place(lab, "patient")
    it = Referral.new(lab)
    it.moved(status="accepted")
    answer, _ = waited(lab.recipient, status_address(kicked_off(lab.recipient, started)))
    it.withdrawn()
    for one in answer.must_be(200).json["output"]:
        fetched = lab.recipient.get(one["url"], accept=NDJSON)
        if fetched.http_status == 200:
            expect(str(it.made["Patient"]["id"]) not in fetched.text, f"The file of {one['type']} holds her.")
