"""Side channels: what is hidden changes no answer, so that asking tells nothing.

What lives here: the same request about something hidden and about something that never was, and what must not
stand in an answer. What does not: who may read what (``conformance.checks.consent``). Time is not measured here.

Source: the hub's catalogue of side channels (S-01 to S-44), FHIR R4 security.html.
"""

import json
import re
from typing import Any

from conformance.doors import JSON_PATCH, Answer, Door
from conformance.invented import FILE_SYSTEM, coded, observation
from conformance.invented_referral import Referral, finding
from conformance.lab import UNKNOWN_ID, Lab
from conformance.registry import check
from conformance.results import expect
from conformance.samples import address, draft, type_with
from conformance.searching import asked, bundle, link, matches

TWO = ("author", "recipient")
THREE = ("author", "recipient", "outsider")
_FRESH = ("date", "x-request-id")
_UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_PAPERS = ("Patient", "ServiceRequest", "Task", "Consent")


def _seen(answer: Answer, public_id: str) -> tuple[int, tuple[tuple[str, str], ...], str]:
    """Gives all of an answer that a caller can see, its id replaced by a word."""
    headers = sorted((k.lower(), v.replace(public_id, "ID")) for k, v in answer.headers.items())
    kept = tuple(pair for pair in headers if pair[0] not in _FRESH)
    return answer.http_status, kept, answer.text.replace(public_id, "ID")


def _same(door: Door, method: str, hidden: str, body: Any = None, **more: Any) -> Answer:
    """Ends the check as failed unless a request about something hidden is answered as about an unknown id."""
    public_id = hidden.strip("/").split("/")[1].partition("?")[0]
    answers = []
    for one in (public_id, UNKNOWN_ID):
        sent = json.loads(json.dumps(body).replace(public_id, one)) if isinstance(body, dict) else body
        answers.append(door.ask(method, hidden.replace(public_id, one), sent, **more))
    one, other = _seen(answers[0], public_id), _seen(answers[1], UNKNOWN_ID)
    names = ("status", "headers", "body")
    different = [name for name, a, b in zip(names, one, other, strict=True) if a != b]
    expect(not different, f"{answers[0].line}: {' and '.join(different)} differ from an unknown id's.")
    return answers[0]


def _hidden(lab: Lab) -> Referral:
    """Gives a referral that is hidden from the outsider."""
    return Referral.shared_one(lab, "accepted")


@check("side.read", "HUB-S-01", needs=THREE)
def read(lab: Lab) -> None:
    """A read of something hidden is answered as of an unknown id, byte for byte."""
    it = _hidden(lab)
    for name in _PAPERS:
        _same(lab.outsider, "GET", it.address(name))


@check("side.deleted", "HUB-S-02", needs=THREE)
def deleted(lab: Lab) -> None:
    """A read of something deleted is answered as of an unknown id."""
    lab.claims.need_hub()
    made = lab.kept(draft(lab, type_with(lab, "create", "delete", among=("Task", "CarePlan"))))
    current = f'W/"{made["meta"]["versionId"]}"'
    lab.author.ask("DELETE", address(made), If_Match=current).must_be(200, 204)
    _same(lab.outsider, "GET", address(made))


@check("side.conditional-read", "HUB-S-03", needs=THREE)
def conditional_read(lab: Lab) -> None:
    """A conditional read of something hidden is answered as of an unknown id, whatever the version."""
    it = _hidden(lab)
    version = it.made["Patient"]["meta"]["versionId"]
    for etag in (f'W/"{version}"', 'W/"1"', "*"):
        _same(lab.outsider, "GET", it.address("Patient"), If_None_Match=etag)
    _same(lab.outsider, "GET", it.address("Patient"), If_Modified_Since="Mon, 01 Jan 2001 00:00:00 GMT")


@check("side.update", "HUB-S-04", needs=THREE)
def update(lab: Lab) -> None:
    """An update, patch or delete of something hidden is answered as of an unknown id."""
    it = _hidden(lab)
    patient = it.made["Patient"]
    etag = f'W/"{patient["meta"]["versionId"]}"'
    _same(lab.outsider, "PUT", it.address("Patient"), patient, If_Match=etag)
    _same(lab.outsider, "PUT", it.address("Patient"), patient, If_Match='W/"other"')
    patch = json.dumps([{"op": "replace", "path": "/status", "value": "rejected"}])
    _same(lab.outsider, "PATCH", it.address("Task"), patch, content_type=JSON_PATCH, If_Match=etag)
    _same(lab.outsider, "DELETE", it.address("Patient"))


@check("side.versions", "HUB-S-05", needs=TWO)
def versions(lab: Lab) -> None:
    """A version id is no number that counts."""
    it = Referral.shared_one(lab, "accepted")
    for name in _PAPERS:
        version = str(it.seen(name)["meta"]["versionId"])
        expect(len(version) >= 8 and not version.isdigit(), f"The version of {name} is {version}.")


@check("side.history", "HUB-S-06", needs=THREE)
def history(lab: Lab) -> None:
    """The history of something hidden is answered as of an unknown id; a recipient reads no older paper."""
    it = _hidden(lab)
    for name in _PAPERS:
        _same(lab.outsider, "GET", f"{it.address(name)}/_history")
    found = lab.recipient.get(f"{it.address('ServiceRequest')}/_history").must_be(200).resource
    expect(len(found.get("entry", [])) == 1, "A recipient reads more than the current ServiceRequest.")


@check("side.totals", "HUB-S-07", needs=THREE)
def totals(lab: Lab) -> None:
    """A count does not count what is hidden."""
    it = _hidden(lab)
    for pairs in ((("_summary", "count"),), (("_total", "accurate"),), (("_count", "0"),)):
        answer = asked(lab.outsider, "Task", ("patient", it.person), *pairs)
        if answer.http_status == 200:
            expect(
                answer.resource.get("total", 0) == 0,
                f"{answer.line}: total is {answer.resource.get('total')}.",
            )


@check("side.pages", "HUB-S-08", needs=THREE)
def pages(lab: Lab) -> None:
    """A link to the next page holds no id, and opens nothing to another caller."""
    it = _hidden(lab)
    lab.once("side-pages", lambda: [it.beside("health") for _ in range(3)])
    found = bundle(asked(lab.author, "Condition", ("patient", it.person), ("_count", "1")))
    following = link(found, "next")
    expect(following, "There is no next page.")
    cursor = following.partition("?")[2]
    expect(str(matches(found)[0]["id"]) not in cursor, "The link holds an id.")
    answer = lab.outsider.get(following)
    expect(
        answer.http_status in (400, 403, 404, 410) or not answer.resource.get("entry"),
        "It opens for another.",
    )


@check("side.include", "HUB-S-09", needs=THREE)
def include(lab: Lab) -> None:
    """_include and _revinclude bring nothing that is hidden."""
    it = Referral.new(lab)
    it.withdrawn()
    pairs = (("_id", str(it.made["Task"]["id"])), ("_include", "Task:focus"), ("_include", "Task:patient"))
    answer = asked(lab.recipient, "Task", *pairs)
    kinds = {one["resource"]["resourceType"] for one in bundle(answer).get("entry", [])}
    expect(kinds <= {"Task"}, f"It brings {', '.join(sorted(kinds))}.")


@check("side.chain", "HUB-S-10", needs=THREE)
def chain(lab: Lab) -> None:
    """A chain through something hidden finds nothing, whether it would match or not."""
    it = Referral.shared_one(lab, "requested")
    right, wrong = f"Zq{lab.run}Bunting", f"Zq{lab.run}Nobody"
    answers = [asked(lab.recipient, "Task", ("patient.family", one)) for one in (right, wrong)]
    _no_oracle(*answers, it)


@check("side.has", "HUB-S-11", needs=THREE)
def has(lab: Lab) -> None:
    """_has through something hidden finds nothing, whether it would match or not."""
    it = Referral.shared_one(lab, "accepted")
    hidden = {**finding(it.person, "mental-health"), "code": coded("http://snomed.info/sct", "199999001")}
    lab.once("side-has", lambda: lab.kept(hidden))
    own = ("_id", str(it.made["Patient"]["id"]))
    values = ("199999001", "199999002")
    answers = [asked(lab.recipient, "Patient", own, ("_has:Condition:patient:code", one)) for one in values]
    _no_oracle(*answers, it)


def _no_oracle(right: Answer, wrong: Answer, it: Referral) -> None:
    """Ends the check as failed where a right guess and a wrong one are told apart."""
    expect(right.http_status == wrong.http_status, "A right guess has another status than a wrong one.")
    if right.http_status == 200:
        ids = {one["id"] for one in matches(bundle(right))}
        own = {str(one["id"]) for one in it.made.values()}
        expect(not ids & own, "A right guess finds it.")


@check("side.text-search", "HUB-S-12", needs=TWO)
def text_search(lab: Lab) -> None:
    """Searches of whole texts are refused to everybody, and :missing and :not do not turn a hidden value round."""
    it = Referral.shared_one(lab, "requested")
    for door in (lab.author, lab.recipient):
        for name, value in (("_filter", "name eq x"), ("_query", "x"), ("_text", "x"), ("_content", "x")):
            asked(door, "Patient", (name, value)).must_be(400)
    own = ("_id", str(it.made["Patient"]["id"]))
    for name, values in (("birthdate:missing", ("true", "false")), ("gender:not", ("female", "male"))):
        for value in values:
            answer = asked(lab.recipient, "Patient", own, (name, value))
            expect(
                answer.http_status == 400 or not matches(bundle(answer)),
                f"{name}={value} finds a hidden value.",
            )


@check("side.guess", "HUB-S-13", needs=TWO)
def guess(lab: Lab) -> None:
    """A search by an element that the caller does not see finds nothing, and is no error."""
    it = Referral.shared_one(lab, "requested")
    own = ("_id", str(it.made["Patient"]["id"]))
    guesses = (
        ("family", f"Zq{lab.run}Bunting"),
        ("birthdate", "1994-03-02"),
        ("identifier", f"{FILE_SYSTEM}|her-{lab.run}"),
        ("gender", "female"),
    )
    for pair in guesses:
        lab.claims.need_parameter("Patient", pair[0])
        expect(
            matches(bundle(asked(lab.author, "Patient", own, pair))),
            f"{pair[0]} does not find it for its author.",
        )
        expect(
            not matches(bundle(asked(lab.recipient, "Patient", own, pair))),
            f"{pair[0]} finds a hidden value.",
        )


@check("side.sort", "HUB-S-14", needs=TWO)
def sort(lab: Lab) -> None:
    """Sorting by an element that the caller does not see is refused, or orders nothing by it."""
    by_birth = lab.once("side-sort", lambda: _of_different_ages(lab))
    seen = []
    for value in ("birthdate", "-birthdate"):
        answer = asked(
            lab.recipient, "Patient", ("_id", ",".join(by_birth)), ("_sort", value), ("_count", "50")
        )
        if answer.http_status == 400:
            return
        seen.append([one["id"] for one in matches(bundle(answer))])
    expect(seen != [by_birth, by_birth[::-1]], "The order tells who is older.")


def _of_different_ages(lab: Lab) -> list[str]:
    """Gives the ids of persons whose birth dates are hidden from the recipient, the oldest first."""
    found = []
    for year in (1975, 1960, 1999, 1982):
        it = Referral.new(lab)
        mine = it.seen("Patient", lab.author)
        lab.author.update({**mine, "birthDate": f"{year}-03-02"}).must_be(200)
        found.append((year, str(mine["id"])))
    return [public_id for _, public_id in sorted(found)]


@check("side.elements", "HUB-S-15", needs=TWO)
def elements(lab: Lab) -> None:
    """Asking for single elements brings none that is hidden."""
    it = Referral.shared_one(lab, "requested")
    own = ("_id", str(it.made["Patient"]["id"]))
    pairs = (("_elements", "name,telecom,address,birthDate"), ("_summary", "true"), ("_summary", "data"))
    for pair in pairs:
        answer = asked(lab.recipient, "Patient", own, pair)
        if answer.http_status == 200:
            for one in matches(bundle(answer)):
                expect(
                    {"name", "telecom", "address", "birthDate"}.isdisjoint(one),
                    f"{pair[0]} brings hidden elements.",
                )


@check("side.label-search", "HUB-S-16", needs=TWO)
def label_search(lab: Lab) -> None:
    """Searches by label, tag, profile and source are refused to everybody."""
    lab.claims.need_hub()
    for door in (lab.author, lab.recipient):
        for name in ("_security", "_tag", "_profile", "_source"):
            asked(door, "Patient", (name, "R")).must_be(400)


@check("side.conditional-create", "HUB-S-17", needs=THREE)
def conditional_create(lab: Lab) -> None:
    """If-None-Exist matches nothing that another organisation wrote."""
    it = _hidden(lab)
    value = it.made["Patient"]["identifier"][0]["value"]
    body = {
        "resourceType": "Patient",
        "identifier": [{"system": FILE_SYSTEM, "value": value}],
        "gender": "unknown",
    }
    answer = lab.outsider.create(body, If_None_Exist=f"identifier={FILE_SYSTEM}|{value}")
    lab.created(answer, lab.outsider).must_be(201)


@check("side.duplicate", "HUB-S-18", needs=THREE)
def duplicate(lab: Lab) -> None:
    """An identifier that another organisation uses is no conflict."""
    it = _hidden(lab)
    value = it.made["Patient"]["identifier"][0]["value"]
    body = {
        "resourceType": "Patient",
        "identifier": [{"system": FILE_SYSTEM, "value": value}],
        "gender": "unknown",
    }
    lab.created(lab.outsider.create(body), lab.outsider).must_be(201)


@check("side.reference", "HUB-S-19", needs=THREE)
def reference(lab: Lab) -> None:
    """A reference to something hidden is refused as one to an unknown id is."""
    it = _hidden(lab)
    public_id = str(it.made["Patient"]["id"])
    answers = []
    for one in (public_id, UNKNOWN_ID):
        answers.append(lab.outsider.create(observation(f"Patient/{one}")).must_be_refused())
    one, other = _seen(answers[0], public_id), _seen(answers[1], UNKNOWN_ID)
    expect(one == other, "The two refusals differ.")


@check("side.operations", "HUB-S-24", needs=THREE)
def operations(lab: Lab) -> None:
    """An operation on something hidden is answered as on an unknown id."""
    it = _hidden(lab)
    for method, place in (
        ("POST", f"{it.address('Patient')}/$disclosures"),
        ("GET", f"{it.address('Patient')}/$everything"),
        ("POST", f"{it.address('Consent')}/$revoke"),
        ("GET", f"{it.address('Task')}/$available-actions"),
        ("GET", f"{it.address('Patient')}/$lastn"),
        ("GET", f"{it.address('Patient')}/$graphql?query=x"),
    ):
        answer = _same(lab.outsider, method, place)
        expect(400 <= answer.http_status < 500, f"{answer.line}")


@check("side.batch", "HUB-S-25", needs=THREE)
def batch(lab: Lab) -> None:
    """An entry of a batch about something hidden is answered as about an unknown id."""
    it = _hidden(lab)
    lab.claims.need_system("batch")
    public_id = str(it.made["Patient"]["id"])
    entries = [{"request": {"method": "GET", "url": f"Patient/{one}"}} for one in (public_id, UNKNOWN_ID)]
    body = {"resourceType": "Bundle", "type": "batch", "entry": entries}
    found = lab.outsider.ask("POST", "", body).must_be(200).resource["entry"]
    one, other = (json.dumps(entry).replace(public_id, "ID").replace(UNKNOWN_ID, "ID") for entry in found)
    expect(one == other, "The two entries differ.")


@check("side.transaction", "HUB-S-25", needs=THREE)
def transaction(lab: Lab) -> None:
    """A transaction that touches something hidden is answered as one about an unknown id."""
    it = _hidden(lab)
    lab.claims.need_system("transaction")
    patient = it.made["Patient"]
    public_id = str(patient["id"])
    seen = []
    for one in (public_id, UNKNOWN_ID):
        put = {"resource": {**patient, "id": one}, "request": {"method": "PUT", "url": f"Patient/{one}"}}
        answer = lab.outsider.ask(
            "POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": [put]}
        )
        seen.append(_seen(answer.must_be_refused(), one))
    expect(seen[0] == seen[1], "The two answers differ.")


@check("side.audit", "HUB-S-27", needs=THREE)
def audit(lab: Lab) -> None:
    """Nobody but the custodian finds in the audit who has asked about a person."""
    it = _hidden(lab)
    for door in (lab.recipient, lab.outsider):
        for name, parameter in (("AuditEvent", "patient"), ("Provenance", "target")):
            answer = asked(door, name, (parameter, it.person))
            expect(
                answer.http_status in (400, 403, 404) or not answer.resource.get("entry"),
                f"{answer.line} tells.",
            )


@check("side.spelling", "HUB-S-40", needs=THREE)
def spelling(lab: Lab) -> None:
    """A whole address finds as little as a relative one."""
    it = _hidden(lab)
    for value in (it.person, f"{lab.base}/{it.person}", it.person.partition("/")[2]):
        found = matches(bundle(asked(lab.outsider, "Task", ("patient", value))))
        expect(not found, f"patient={value} finds something.")
    lab.created(lab.outsider.create(observation(f"{lab.base}/{it.person}")), lab.outsider).must_be_refused()
