"""Side channels: what must not stand in an answer that a recipient may have.

What lives here: references, names, narratives, labels, headers and members that would betray something hidden. What
does not: asking about something hidden (``conformance.checks.side_channels``).

Source: the hub's catalogue of side channels (S-01 to S-44), FHIR R4 security.html.
"""

import json
import re
from typing import Any

from conformance.invented import FILE_SYSTEM, coded
from conformance.invented_referral import (
    Referral,
    finding,
    her,
    permit,
    referral_task,
    refusal,
    release,
    request,
)
from conformance.lab import Lab
from conformance.registry import check
from conformance.results import expect
from conformance.searching import asked, bundle, matches

TWO = ("author", "recipient")
THREE = ("author", "recipient", "outsider")
_PAPERS = ("Patient", "ServiceRequest", "Task", "Consent")
_UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@check("side.hidden-references", "HUB-S-20", needs=TWO)
def hidden_references(lab: Lab) -> None:
    """What a recipient reads refers to nothing that it may not read."""
    it = Referral.shared_one(lab, "accepted")
    named = set()
    for name in _PAPERS:
        named |= _references(it.seen(name))
    for one in sorted(named):
        lab.recipient.get(f"/{one}").must_be(200)


def _references(value: Any) -> set[str]:
    """Gives all local references in a resource."""
    if isinstance(value, list):
        return set().union(*(_references(one) for one in value))
    if not isinstance(value, dict):
        return set()
    found = set().union(*(_references(one) for one in value.values()))
    told = value.get("reference")
    if isinstance(told, str) and re.fullmatch(r"[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}", told):
        found.add(told)
    return found


@check("side.display", "HUB-S-21", needs=TWO)
def display(lab: Lab) -> None:
    """A reference brings no name along."""
    it = Referral.shared_one(lab, "accepted")
    for name in ("Task", "ServiceRequest"):
        text = lab.recipient.get(it.address(name)).must_be(200).text
        expect(
            "Wren" not in text and "display" not in json.dumps(it.seen(name).get("for", {})),
            f"{name} brings it.",
        )


@check("side.narrative", "HUB-S-22", needs=TWO)
def narrative(lab: Lab) -> None:
    """Narrative and contained resources bring nothing that is hidden."""
    it = lab.once("referral-narrative", lambda: _with_narrative(lab))
    for name in ("ServiceRequest", "Task", "Patient"):
        text = lab.recipient.get(it.address(name)).must_be(200).text
        expect("Kestrel" not in text, f"{name} brings a hidden narrative or contained resource.")


def _with_narrative(lab: Lab) -> Referral:
    it = Referral.new(lab)
    made = it.seen("ServiceRequest", lab.author)
    div = '<div xmlns="http://www.w3.org/1999/xhtml">Kestrel</div>'
    inside = {"resourceType": "Practitioner", "id": "p", "name": [{"family": "Kestrel"}]}
    changed = {
        **made,
        "text": {"status": "generated", "div": div},
        "contained": [inside],
        "supportingInfo": [{"reference": "#p"}],
    }
    lab.author.update(changed).must_be(200)
    return it


@check("side.siblings", "HUB-S-28", needs=THREE)
def siblings(lab: Lab) -> None:
    """A recipient does not learn that another organisation was asked as well."""
    it = lab.once("referral-with-sibling", lambda: _with_sibling(lab))
    other = lab.organization("outsider")
    for name in ("Task", "ServiceRequest", "Consent"):
        answer = lab.recipient.get(it.address(name)).must_be(200)
        expect(other not in answer.text, f"{name} names the other organisation.")
        found = {"basedOn", "partOf", "groupIdentifier", "requisition"} & set(answer.resource)
        expect(not found, f"{name} shows {', '.join(sorted(found))}.")
    seen = matches(bundle(asked(lab.recipient, "Task", ("patient", it.person))))
    expect([one["id"] for one in seen] == [it.made["Task"]["id"]], "It finds the other Task.")


def _with_sibling(lab: Lab) -> Referral:
    it = Referral.new(lab)
    us, other = lab.organization("author"), lab.organization("outsider")
    lab.kept(release(it.person, us, permit(other, "identity", "legal-needs")))
    focus = lab.kept(request(it.person, other, "legal-needs"))
    lab.kept(referral_task(it.person, f"ServiceRequest/{focus['id']}", us, other))
    it.moved(status="accepted")
    return it


@check("side.ids", "HUB-S-29", needs=TWO)
def ids(lab: Lab) -> None:
    """Ids are random, and the same before and after acceptance."""
    it = Referral.new(lab)
    for one in it.made.values():
        expect(_UUID4.fullmatch(str(one["id"])), f"An id is {one['id']}.")
    before = it.seen("Task")["for"]
    it.moved(status="accepted")
    expect(it.seen("Task")["for"] == before, "The person's id is another after acceptance.")


@check("side.directory", "HUB-S-30", needs=THREE)
def directory(lab: Lab) -> None:
    """A shelter stands in the directory without a place or a number."""
    lab.claims.need_hub()
    for door in (lab.recipient, lab.outsider):
        found = door.get(f"/Organization/{lab.organization('author')}").must_be(200).resource
        expect({"address", "telecom", "contact"}.isdisjoint(found), "Others read a place or a number.")


@check("side.consents", "HUB-S-37", needs=THREE)
def consents(lab: Lab) -> None:
    """A search of consents shows a recipient the one that names it, and no refusal and no other."""
    it = lab.once("referral-with-refusal", lambda: _with_refusal(lab))
    found = matches(bundle(asked(lab.recipient, "Consent", ("patient", it.person))))
    expect([one["id"] for one in found] == [it.made["Consent"]["id"]], f"It shows {len(found)}.")
    expect(lab.organization("outsider") not in json.dumps(found), "It names somebody else.")


def _with_refusal(lab: Lab) -> Referral:
    it = Referral.new(lab)
    lab.kept(refusal(it.person, lab.organization("author"), lab.organization("outsider")))
    it.moved(status="accepted")
    return it


@check("side.link", "HUB-S-39", needs=TWO)
def link_of_a_person(lab: Lab) -> None:
    """What a recipient reads of a person links to no other record of hers."""
    it = lab.once("referral-linked", lambda: _linked(lab))
    for name in ("Patient",):
        expect("link" not in it.seen(name), "It shows a link.")


def _linked(lab: Lab) -> Referral:
    it = Referral.new(lab)
    other = lab.kept({**her(lab.run), "identifier": [{"system": FILE_SYSTEM, "value": f"linked-{lab.run}"}]})
    mine = it.seen("Patient", lab.author)
    told = [{"other": {"reference": f"Patient/{other['id']}"}, "type": "seealso"}]
    lab.author.update({**mine, "link": told}).must_be(200)
    it.moved(status="accepted")
    return it


@check("side.headers", "HUB-S-44", needs=TWO)
def headers(lab: Lab) -> None:
    """Answers bring no times of the server and no traces; a request's id comes back to its caller."""
    it = Referral.shared_one(lab, "requested")
    answer = lab.recipient.get(it.address("Task"), X_Request_Id="conformance-1").must_be(200)
    names = {name.lower() for name in answer.headers}
    found = names & {"server-timing", "x-runtime", "traceparent", "x-powered-by", "x-b3-traceid", "via"}
    expect(not found, f"There is {', '.join(sorted(found))}.")
    expect(answer.headers.get("X-Request-Id", "conformance-1") == "conformance-1", "The id is another.")


@check("side.not-stored", "HUB-S-35", needs=TWO)
def not_stored(lab: Lab) -> None:
    """What is about a person may not be kept on the way."""
    it = Referral.shared_one(lab, "requested")
    for door in (lab.author, lab.recipient):
        told = door.get(it.address("Patient")).must_be(200).headers.get("Cache-Control", "")
        expect("no-store" in told, f"Cache-Control is {told or 'missing'}.")


@check("side.members", "HUB-S-23", needs=TWO)
def members(lab: Lab) -> None:
    """A searchset counts and holds what the caller may read, and nothing for what it may not."""
    it = Referral.shared_one(lab, "accepted")
    lab.once("side-members", lambda: [it.beside("health"), it.beside("immigration")])
    found = bundle(asked(lab.recipient, "Condition", ("patient", it.person), ("_count", "50")))
    shown = found.get("entry", [])
    expect(all("resource" in one for one in shown), "There are empty entries.")
    modes = {one.get("search", {}).get("mode") for one in shown}
    expect(modes <= {"match"}, "Something tells of what was left out.")
    expect(found.get("total", len(shown)) == len(shown), f"total is {found.get('total')} of {len(shown)}.")


@check("side.errors", "HUB-S-31", needs=TWO)
def errors(lab: Lab) -> None:
    """A refusal never repeats what was sent of a person."""
    lab.claims.need_hub()
    body = {**her(lab.run), "gender": "banana", "birthDate": "1994-03-99"}
    for sent in (body, {**finding("Patient/none", "health"), "note": [{"text": "Wren Bunting"}]}):
        answer = lab.created(lab.author.create(sent)).must_be_refused()
        for word in ("Bunting", "Wren", "1994", "555 0100", "Hidden Lane", "283371005"):
            expect(word not in answer.text, "A refusal repeats what was sent.")


@check("side.free-text", "HUB-S-21", needs=TWO)
def free_text(lab: Lab) -> None:
    """Free text of a sender reaches no recipient before a person releases it."""
    it = lab.once("referral-text", lambda: _with_text(lab))
    for name in ("Task", "ServiceRequest"):
        text = lab.recipient.get(it.address(name)).must_be(200).text
        expect("Godwit House" not in text, f"{name} brings it.")


def _with_text(lab: Lab) -> Referral:
    it = Referral.new(lab)
    made = it.seen("Task", lab.author)
    lab.author.update({**made, "description": "She stays at Godwit House."}).must_be(200)
    paper = it.seen("ServiceRequest", lab.author)
    code = {**coded("http://snomed.info/sct", "125643001"), "text": "Godwit House asks"}
    lab.author.update({**paper, "patientInstruction": "Godwit House", "code": code}).must_be(200)
    it.moved(status="accepted")
    return it


@check("side.token-errors", "HUB-S-36", needs=TWO)
def token_errors(lab: Lab) -> None:
    """The token endpoint gives one text for every failed proof."""
    lab.claims.need_hub()
    client = lab.client("author")
    told = {
        client.ask(client_assertion=one).text
        for one in (
            client.assertion(iss="no-such-client", sub="no-such-client"),
            client.assertion(exp=1),
            client.assertion(aud="https://elsewhere.example"),
            client.assertion(header={"kid": "no-such-key"}),
            lab.client("recipient").assertion(iss=client.client_id, sub=client.client_id),
        )
    }
    expect(len(told) == 1, f"There are {len(told)} texts.")
