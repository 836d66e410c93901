"""Consent: what a permission, a refusal and a withdrawal do, and who may do and read them.

What lives here: the papers by which a person decides, in the referral hub's model. What does not: the views of a
referral (``conformance.checks.consent``).

Source: the hub's rules of consent; FHIR R4 Consent; IHE PCF.
"""

from typing import Any

from conformance.doors import Resource
from conformance.invented import coded
from conformance.invented_referral import (
    CONFIDENTIALITY,
    Referral,
    finding,
    her,
    no_name_patient,
    permit,
    referral_task,
    refusal,
    release,
    request,
    system,
)
from conformance.lab import Lab
from conformance.registry import check
from conformance.results import expect
from conformance.samples import address
from conformance.searching import asked, bundle, matches

TWO = ("author", "recipient")
THREE = ("author", "recipient", "outsider")


@check("consent.release.none", "HUB-CONSENT-1", needs=TWO)
def no_release(lab: Lab) -> None:
    """Without a permission nothing is sent: the request is refused and nothing is stored."""
    lab.claims.need_hub()
    person, them = _person(lab), lab.organization("recipient")
    focus = lab.kept(request(person, them))
    answer = lab.author.create(
        referral_task(person, f"ServiceRequest/{focus['id']}", lab.organization("author"), them)
    )
    lab.created(answer).must_be(422)
    found = bundle(asked(lab.author, "Task", ("patient", person)))
    expect(not found.get("entry"), "It was stored all the same.")


@check("consent.release.ends", "HUB-CONSENT-2", needs=TWO)
def release_must_end(lab: Lab) -> None:
    """A permission without an end is refused, and one that is too long."""
    lab.claims.need_hub()
    us, them = lab.organization("author"), lab.organization("recipient")
    endless = permit(them, "identity")
    del endless["period"]["end"]
    for one in (endless, permit(them, "identity", days=4000)):
        lab.created(lab.author.create(release(_person(lab), us, one))).must_be(400, 422)


@check("consent.release.purpose", "HUB-CONSENT-3", needs=TWO)
def other_purpose(lab: Lab) -> None:
    """A permission for another purpose opens nothing."""
    lab.claims.need_hub()
    person, us, them = _person(lab), lab.organization("author"), lab.organization("recipient")
    lab.kept(release(person, us, permit(them, "identity", "health", purpose="HRESCH")))
    lab.recipient.get(f"/{person}").must_be(404)
    lab.recipient.get(address(lab.kept(finding(person, "health")))).must_be(404)


@check("consent.release.receiver", "HUB-CONSENT-4", needs=THREE)
def other_receiver(lab: Lab) -> None:
    """A permission for one organisation opens nothing to another."""
    it = Referral.shared_one(lab, "accepted")
    health = lab.once("accepted-health", lambda: it.beside("health"))
    lab.outsider.get(address(health)).must_be(404)


@check("consent.refusal.closes", "HUB-CONSENT-5", needs=TWO)
def refusal_closes(lab: Lab) -> None:
    """A refusal closes at once what a permission had opened."""
    it = Referral.new(lab)
    it.moved(status="accepted")
    lab.recipient.get(it.address("Patient")).must_be(200)
    lab.kept(refusal(it.person, lab.organization("author"), lab.organization("recipient")))
    lab.recipient.get(it.address("Patient")).must_be(404)


@check("consent.refusal.outweighs", "HUB-CONSENT-6", needs=TWO)
def refusal_outweighs(lab: Lab) -> None:
    """A permission beside a refusal of the same organisation opens nothing."""
    lab.claims.need_hub()
    person, us, them = _person(lab), lab.organization("author"), lab.organization("recipient")
    lab.kept(refusal(person, us, them))
    lab.kept(release(person, us, permit(them, "identity", "health")))
    focus = lab.kept(request(person, them))
    answer = lab.author.create(referral_task(person, f"ServiceRequest/{focus['id']}", us, them))
    lab.created(answer).must_be(422)
    lab.recipient.get(f"/{person}").must_be(404)


def _person(lab: Lab) -> str:
    return f"Patient/{lab.kept(her(lab.run))['id']}"


@check("consent.refusal.secret", "HUB-CONSENT-7", needs=TWO)
def refusal_is_secret(lab: Lab) -> None:
    """The organisation that is refused does not read or find the refusal."""
    lab.claims.need_hub()
    made = lab.kept(refusal(_person(lab), lab.organization("author"), lab.organization("recipient")))
    lab.recipient.get(address(made)).must_be(404)
    found = bundle(asked(lab.recipient, "Consent", ("_id", str(made["id"]))))
    expect(not found.get("entry"), "A search shows it.")


@check("consent.revoke", "HUB-CONSENT-8", needs=TWO)
def revoke_is_easy(lab: Lab) -> None:
    """A withdrawal needs no more than the call, and the Consent is inactive after it."""
    it = Referral.new(lab)
    it.withdrawn()
    expect(it.seen("Consent", lab.author)["status"] == "inactive", "It is still active.")


@check("consent.revoke.others", "HUB-CONSENT-9", needs=THREE)
def revoke_by_others(lab: Lab) -> None:
    """Nobody but the custodian ends a permission."""
    it = Referral.shared_one(lab, "accepted")
    for door in (lab.recipient, lab.outsider):
        door.ask("POST", f"{it.address('Consent')}/$revoke").must_be(403, 404)
    expect(it.seen("Consent", lab.author)["status"] == "active", "It was ended all the same.")


@check("consent.preview", "HUB-CONSENT-10", needs=TWO)
def preview(lab: Lab) -> None:
    """The preview of a request shows what the recipient then reads."""
    it = Referral.shared_one(lab, "requested")
    lab.claims.need_operation("ServiceRequest", "preview")
    parameters = [
        {
            "name": "service-request",
            "valueReference": {"reference": it.address("ServiceRequest").lstrip("/")},
        },
        {
            "name": "recipient",
            "valueReference": {"reference": f"Organization/{lab.organization('recipient')}"},
        },
        {"name": "state", "valueCode": "requested"},
    ]
    body = {"resourceType": "Parameters", "parameter": parameters}
    shown = lab.author.ask("POST", "/ServiceRequest/$preview", body).must_be(200).resource
    found = {one["resource"]["resourceType"]: one["resource"] for one in shown.get("entry", [])}
    for name in ("ServiceRequest", "Patient"):
        expect(found.get(name) == it.seen(name), f"{name} is another than the recipient reads.")


@check("consent.disclosures", "HUB-CONSENT-11", needs=TWO)
def disclosures(lab: Lab) -> None:
    """The custodian reads who has read what of a person."""
    it = Referral.shared_one(lab, "requested")
    lab.claims.need_operation("Patient", "disclosures")
    it.seen("Patient")
    told = lab.author.ask("POST", f"{it.address('Patient')}/$disclosures").must_be(200)
    expect(lab.organization("recipient") in told.text, "The recipient is not named.")


@check("consent.disclosures.others", "HUB-CONSENT-12", needs=THREE)
def disclosures_to_others(lab: Lab) -> None:
    """Nobody else reads who has read what of a person."""
    it = Referral.shared_one(lab, "requested")
    lab.claims.need_operation("Patient", "disclosures")
    for door in (lab.recipient, lab.outsider):
        door.ask("POST", f"{it.address('Patient')}/$disclosures").must_be(403, 404)


@check("consent.search", "HUB-CONSENT-13", needs=TWO)
def inbox(lab: Lab) -> None:
    """The recipient finds a request by its own organisation, in the view it may read."""
    it = Referral.shared_one(lab, "requested")
    pairs = (("owner", f"Organization/{lab.organization('recipient')}"), ("_id", str(it.made["Task"]["id"])))
    found: list[Resource] = matches(bundle(asked(lab.recipient, "Task", *pairs)))
    expect(found == [it.seen("Task")], "The search shows something else than the read.")


@check("consent.v-needs-v", "HUB-CONSENT-14", needs=TWO)
def very_restricted(lab: Lab) -> None:
    """Where the permission names contact and not what is very restricted, phone and address stay closed."""
    it = lab.once("referral-contact", lambda: _accepted_with_contact(lab))
    found: dict[str, Any] = it.seen("Patient")
    labels_ = [
        one for one in found.get("meta", {}).get("security", []) if one.get("system") == CONFIDENTIALITY
    ]
    expect({"telecom", "address"}.isdisjoint(found), "Phone or address is there.")
    expect([one.get("code") for one in labels_] == ["R"], "The label tells of something hidden.")


def _accepted_with_contact(lab: Lab) -> Referral:
    it = Referral.new(lab, shared=("identity", "health", "contact"))
    it.moved(status="accepted")
    return it


@check("consent.no-name", "HUB-CONSENT-18", needs=TWO)
def no_name(lab: Lab) -> None:
    """A request without a name needs no permission, and no name can be added to it."""
    lab.claims.need_hub()
    us, them = lab.organization("author"), lab.organization("recipient")
    nobody = lab.kept(no_name_patient())
    person = f"Patient/{nobody['id']}"
    plain = {name: value for name, value in request(person, them).items() if name != "note"}
    plain["subject"] = {"reference": person}
    plain["code"] = {"coding": plain["code"]["coding"]}
    focus = f"ServiceRequest/{lab.kept(plain)['id']}"
    task = {**referral_task(person, focus, us, them), "for": {"reference": person}}
    made = lab.kept(task)
    lab.recipient.get(address(made)).must_be(200)
    expect(lab.recipient.get(f"/{person}").must_be(200).resource.get("name") is None, "There is a name.")
    lab.author.update({**nobody, "name": [{"family": "Bunting"}]}).must_be(403, 422)


@check("consent.conditions", "HUB-CONSENT-19", needs=TWO)
def conditions(lab: Lab) -> None:
    """A request with conditions is accepted only once each of them is confirmed."""
    it = Referral.new(lab, status="draft")
    asked_for = [{"type": coded(system("task-input-type"), "handling-condition"), "valueCode": "no-letters"}]
    task = it.seen("Task", lab.author)
    lab.author.update({**task, "status": "requested", "input": asked_for}).must_be(200)
    seen = it.seen("Task")
    expect(seen.get("input"), "The condition is not shown.")
    lab.recipient.update({**seen, "status": "accepted"}).must_be(403, 422)
    confirmed = [{"type": coded(system("task-output-type"), "handling-confirmed"), "valueCode": "no-letters"}]
    lab.recipient.update({**seen, "status": "accepted", "output": confirmed}).must_be(200)
