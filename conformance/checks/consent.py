"""Consent: who reads what at each state of a referral, and and who may write it.

What lives here: the referral hub's view table as seen over HTTP by author, recipient and outsider. What does not:
permissions and refusals themselves (``conformance.checks.consent_papers``), what an answer may betray
(``conformance.checks.side_channels``).

Source: the hub's view table; FHIR R4 Consent, security.html (access denied); IHE PCF.
"""

from conformance.invented_referral import (
    Referral,
    her,
    holds_nothing_hidden,
    reason,
)
from conformance.lab import UNKNOWN_ID, Lab
from conformance.registry import check
from conformance.results import expect
from conformance.samples import address
from conformance.searching import asked, bundle, matches

TWO = ("author", "recipient")
THREE = ("author", "recipient", "outsider")


@check("consent.draft", "HUB-VIEW-1", needs=TWO)
def draft(lab: Lab) -> None:
    """Before it is sent, the recipient reads nothing of a referral."""
    it = Referral.new(lab, status="draft")
    for name in it.made:
        lab.recipient.get(it.address(name)).must_be(404)


@check("consent.requested.task", "HUB-VIEW-2", needs=TWO)
def requested_task(lab: Lab) -> None:
    """A new request shows the recipient need and urgency, and no word of hers."""
    it = Referral.shared_one(lab, "requested")
    answer = lab.recipient.get(it.address("Task")).must_be(200)
    expect(
        answer.resource["status"] == "requested" and answer.resource["priority"] == "urgent",
        "The need is missing.",
    )
    expect(answer.resource.get("focus") and answer.resource.get("for"), "focus or for is missing.")
    holds_nothing_hidden(answer.text)


@check("consent.requested.request", "HUB-VIEW-3", needs=TWO)
def requested_request(lab: Lab) -> None:
    """A new request shows the recipient the category, and neither the exact need nor a note."""
    it = Referral.shared_one(lab, "requested")
    answer = lab.recipient.get(it.address("ServiceRequest")).must_be(200)
    expect(answer.resource.get("category"), "The category is missing.")
    expect("note" not in answer.resource, "A note is there.")
    expect("125643001" not in answer.text and "left hand" not in answer.text, "The exact need is there.")
    holds_nothing_hidden(answer.text)


@check("consent.requested.person", "HUB-VIEW-4", needs=TWO)
def requested_person(lab: Lab) -> None:
    """A new request does not say who she is."""
    it = Referral.shared_one(lab, "requested")
    answer = lab.recipient.get(it.address("Patient")).must_be(200)
    found = {"name", "birthDate", "telecom", "address", "identifier", "gender"} & set(answer.resource)
    expect(not found, f"It shows {', '.join(sorted(found))}.")
    holds_nothing_hidden(answer.text)


@check("consent.requested.others", "HUB-VIEW-5", needs=TWO)
def requested_others(lab: Lab) -> None:
    """Before acceptance nothing else of her is read, whatever the permission names."""
    it = Referral.shared_one(lab, "requested")
    health = lab.once("requested-health", lambda: it.beside("health"))
    lab.recipient.get(address(health)).must_be(404)
    lab.recipient.get(it.address("Consent")).must_be(404)


@check("consent.requested.sender", "HUB-VIEW-6", needs=TWO)
def requested_sender(lab: Lab) -> None:
    """Before acceptance the request does not say which organisation sent it."""
    it = Referral.shared_one(lab, "requested")
    for name in ("Task", "ServiceRequest"):
        text = lab.recipient.get(it.address(name)).must_be(200).text
        expect(lab.organization("author") not in text, f"{name} names the sender.")


@check("consent.accepted.person", "HUB-VIEW-7", needs=TWO)
def accepted_person(lab: Lab) -> None:
    """After acceptance the recipient reads the name and not the phone or the address."""
    it = Referral.shared_one(lab, "accepted")
    found = it.seen("Patient")
    expect(found.get("name"), "The name is missing.")
    hidden = {"telecom", "address"} & set(found)
    expect(not hidden, f"It shows {', '.join(sorted(hidden))}.")


@check("consent.accepted.named", "HUB-VIEW-8", needs=TWO)
def accepted_named(lab: Lab) -> None:
    """After acceptance the recipient reads what the permission names."""
    it = Referral.shared_one(lab, "accepted")
    health = lab.once("accepted-health", lambda: it.beside("health"))
    lab.recipient.get(address(health)).must_be(200)


@check("consent.accepted.not-named", "HUB-VIEW-9", needs=TWO)
def accepted_not_named(lab: Lab) -> None:
    """After acceptance the recipient does not read what the permission does not name."""
    it = Referral.shared_one(lab, "accepted")
    for category in ("immigration", "mental-health"):
        other = lab.once(f"accepted-{category}", lambda category=category: it.beside(category))
        lab.recipient.get(address(other)).must_be(404)
    found = bundle(asked(lab.recipient, "Condition", ("patient", it.person)))
    kinds = {one["category"][0]["coding"][0]["code"] for one in matches(found)}
    expect(kinds <= {"health"}, f"A search shows {', '.join(sorted(kinds))}.")


@check("consent.accepted.consent", "HUB-VIEW-10", needs=TWO)
def accepted_consent(lab: Lab) -> None:
    """After acceptance the recipient reads of the permission what names it, and no signature."""
    it = Referral.shared_one(lab, "accepted")
    found = it.seen("Consent")
    expect(
        "sourceAttachment" not in found and "organization" not in found, "Signature or custodian is there."
    )
    named = {
        actor["reference"].get("reference")
        for one in found.get("provision", {}).get("provision", [])
        for actor in one.get("actor", [])
    }
    expect(named == {f"Organization/{lab.organization('recipient')}"}, "It names others.")


@check("consent.author", "HUB-VIEW-11", needs=TWO)
def author(lab: Lab) -> None:
    """The author reads what it wrote, word for word."""
    it = Referral.shared_one(lab, "requested")
    found = it.seen("Patient", lab.author)
    sent = her(lab.run)
    expect(all(found.get(name) == value for name, value in sent.items()), "Something is changed.")


@check("consent.outsider", "HUB-VIEW-12", needs=THREE)
def outsider(lab: Lab) -> None:
    """An organisation that nothing was shared with reads and finds nothing."""
    it = Referral.shared_one(lab, "accepted")
    for name in it.made:
        unknown = lab.outsider.get(f"/{name}/{UNKNOWN_ID}").must_be(403, 404)
        answer = lab.outsider.get(it.address(name)).must_be(unknown.http_status)
        if answer.http_status == 403:
            continue  # its token does not reach the type at all, which depends on the caller alone
        found = bundle(asked(lab.outsider, name, ("_id", str(it.made[name]["id"]))))
        expect(not found.get("entry"), f"A search shows {name}.")


@check("consent.rejected", "HUB-VIEW-13", needs=TWO)
def rejected(lab: Lab) -> None:
    """After a no the recipient keeps a card without the person, and the rest is gone."""
    it = Referral.new(lab)
    it.moved(status="rejected", statusReason=reason("at-capacity"))
    _only_a_card(it)


@check("consent.cancelled", "HUB-VIEW-14", needs=TWO)
def cancelled(lab: Lab) -> None:
    """After the sender cancels the recipient keeps a card without the person, and reads no cause."""
    it = Referral.new(lab)
    it.moved(lab.author, status="cancelled", statusReason=reason("client-declined"))
    _only_a_card(it)
    expect("client-declined" not in lab.recipient.get(it.address("Task")).text, "The cause is there.")


@check("consent.withdrawn", "HUB-VIEW-15", needs=TWO)
def withdrawn(lab: Lab) -> None:
    """After a withdrawal the recipient keeps an empty card, at once, and the rest is gone."""
    it = Referral.new(lab)
    it.moved(status="accepted")
    health = it.beside("health")
    lab.recipient.get(address(health)).must_be(200)
    it.withdrawn()
    _only_a_card(it)
    lab.recipient.get(address(health)).must_be(404)
    expect(it.seen("Task")["status"] == "accepted", "The referral was cancelled with it.")


def _only_a_card(it: Referral) -> None:
    """Ends the check as failed unless the recipient reads the Task without the person, and nothing else."""
    answer = it.lab.recipient.get(it.address("Task")).must_be(200)
    found = {"for", "focus"} & set(answer.resource)
    expect(not found, f"The card shows {', '.join(sorted(found))}.")
    holds_nothing_hidden(answer.text)
    for name in ("Patient", "ServiceRequest", "Consent"):
        it.lab.recipient.get(it.address(name)).must_be(404)


@check("consent.labels", "HUB-VIEW-16", needs=TWO)
def labels(lab: Lab) -> None:
    """Each copy for another organisation carries the same two labels and no others."""
    it = Referral.shared_one(lab, "accepted")
    for name in ("Task", "ServiceRequest", "Patient"):
        codes = sorted(one.get("code", "") for one in it.seen(name).get("meta", {}).get("security", []))
        expect(codes == ["NOREUSE", "R"], f"The labels of {name} are {codes}.")


@check("consent.return", "HUB-VIEW-17", needs=TWO)
def no_return_release(lab: Lab) -> None:
    """Without a permission to tell back, the sender reads the state and not the recipient's words."""
    it = Referral.new(lab)
    it.moved(status="rejected", statusReason=reason("at-capacity"))
    found = it.seen("Task", lab.author)
    expect(found["status"] == "rejected", f"status is {found['status']}.")
    expect("in short words" not in str(found.get("statusReason")), "The recipient's words are there.")


@check("consent.write.hidden", "HUB-WRITE-1", needs=TWO)
def write_keeps_the_hidden(lab: Lab) -> None:
    """A recipient's update leaves what it does not see as it was."""
    it = Referral.new(lab)
    before = it.seen("Task", lab.author)
    it.moved(status="accepted")
    after = it.seen("Task", lab.author)
    for name in ("for", "focus", "requester", "restriction", "authoredOn"):
        expect(after.get(name) == before.get(name), f"{name} changed.")


@check("consent.write.not-its-own", "HUB-WRITE-2", needs=TWO)
def write_what_is_not_its_own(lab: Lab) -> None:
    """A recipient's update of an element that is not its own is refused."""
    it = Referral.shared_one(lab, "requested")
    task = it.seen("Task")
    for changed in ({"priority": "routine"}, {"intent": "plan"}, {"authoredOn": "2020-01-01T00:00:00Z"}):
        lab.recipient.update({**task, "status": "accepted", **changed}).must_be(403, 422)
    expect(it.seen("Task")["status"] == "requested", "It was moved all the same.")


@check("consent.write.owner", "HUB-WRITE-3", needs=THREE)
def owner_stays(lab: Lab) -> None:
    """The owner of a sent Task is never changed."""
    it = Referral.shared_one(lab, "requested")
    other = {"reference": f"Organization/{lab.organization('outsider')}"}
    for door in (lab.author, lab.recipient):
        task = door.get(it.address("Task")).must_be(200).resource
        door.update({**task, "owner": other}).must_be(403, 422)


@check("consent.write.others-paper", "HUB-WRITE-4", needs=TWO)
def write_what_is_readable(lab: Lab) -> None:
    """A recipient does not write what it may only read."""
    it = Referral.shared_one(lab, "accepted")
    lab.recipient.update({**it.seen("Patient"), "gender": "male"}).must_be(403, 422)
    expect(it.seen("Patient", lab.author)["gender"] == "female", "It was written all the same.")


@check("consent.write.illegal-move", "HUB-WRITE-5", needs=TWO)
def illegal_move(lab: Lab) -> None:
    """A move that the state does not allow is refused."""
    it = Referral.shared_one(lab, "requested")
    for status in ("completed", "draft", "in-progress"):
        lab.recipient.update({**it.seen("Task"), "status": status}).must_be(403, 422)
