"""Batch and transaction."""

from typing import Any

from conformance.invented import FILE_SYSTEM, observation, patient
from conformance.lab import UNKNOWN_ID, Lab
from conformance.registry import check
from conformance.results import expect
from conformance.samples import address, person

Entry = dict[str, Any]


def _post(resource: dict[str, Any], full_url: str = "", **request: str) -> Entry:
    entry: Entry = {
        "resource": resource,
        "request": {"method": "POST", "url": resource["resourceType"], **request},
    }
    return {"fullUrl": full_url, **entry} if full_url else entry


def _get(url: str) -> Entry:
    return {"request": {"method": "GET", "url": url}}


def _bundle(kind: str, *entries: Entry) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def _sent(lab: Lab, kind: str, *entries: Entry) -> list[Entry]:
    """Sends a Bundle and gives the entries of the answer."""
    answer = lab.author.ask("POST", "", _bundle(kind, *entries)).must_be(200)
    found = answer.resource
    expect(found.get("type") == f"{kind}-response", f"The answer is a Bundle of type {found.get('type')}.")
    answers: list[Entry] = found.get("entry", [])
    expect(len(answers) == len(entries), f"{len(entries)} entries were sent, {len(answers)} came back.")
    for one in answers:
        _note(lab, one)
    return answers


def _note(lab: Lab, answered: Entry) -> None:
    place = answered.get("response", {}).get("location", "")
    if _status(answered) == "201" and place:
        address_ = place if "://" in place else f"/{place.lstrip('/')}"
        lab.note(lab.author, address_.partition("/_history")[0])


def _status(answered: Entry) -> str:
    return str(answered.get("response", {}).get("status", ""))[:3]


@check("rest.batch.order", "R4-BATCH-1")
def batch_in_order(lab: Lab) -> None:
    """A batch is answered by a batch-response with one entry per entry, in order."""
    lab.claims.need_system("batch")
    it = person(lab)
    answers = _sent(
        lab, "batch", _get(f"Patient/{it['id']}"), _get(f"Patient/{UNKNOWN_ID}"), _get("metadata")
    )
    expect(_status(answers[0]) == "200", f"The first is {_status(answers[0])}.")
    expect(answers[0].get("resource", {}).get("id") == it["id"], "The first holds another resource.")
    expect(_status(answers[1]) == "404", f"The second is {_status(answers[1])}.")


@check("rest.batch.apart", "R4-BATCH-2")
def batch_entries_stand_apart(lab: Lab) -> None:
    """An entry of a batch that fails does not stop the others."""
    lab.claims.need_system("batch")
    lab.claims.need("Patient", "create")
    good, bad = patient(f"Zq{lab.run}Ruff"), patient(f"Zq{lab.run}Ruff", gender="banana")
    answers = _sent(lab, "batch", _post(bad), _post(good))
    expect(_status(answers[0]) in ("400", "422"), f"The bad one is {_status(answers[0])}.")
    expect(_status(answers[1]) == "201", f"The good one is {_status(answers[1])}.")


@check("rest.batch.outcome", "R4-BATCH-3")
def batch_failure_says_why(lab: Lab) -> None:
    """An entry of a batch that fails says why in response.outcome."""
    lab.claims.need_system("batch")
    answers = _sent(lab, "batch", _get(f"Patient/{UNKNOWN_ID}"))
    outcome = answers[0].get("response", {}).get("outcome", {})
    expect(outcome.get("resourceType") == "OperationOutcome", "There is no outcome.")


@check("rest.transaction.references", "R4-TRANS-1")
def transaction_joins_what_it_creates(lab: Lab) -> None:
    """A transaction replaces the urn:uuid of what it creates in its references."""
    lab.claims.need_system("transaction")
    lab.claims.need("Observation", "create")
    name = "urn:uuid:3fdc72f4-a11d-4a9d-9260-a9f745779e1d"
    answers = _sent(
        lab,
        "transaction",
        _post(observation(name)),
        _post(patient(f"Zq{lab.run}Smew"), name),
    )
    expect(
        [_status(one) for one in answers] == ["201", "201"], f"They are {[_status(one) for one in answers]}."
    )
    made = _place(lab, answers[1])
    found = lab.author.get(_place(lab, answers[0])).must_be(200).resource
    subject = found["subject"]["reference"]
    expect(made.endswith(f"/{subject}") or subject == made, f"subject is {subject}, created was {made}.")


def _place(lab: Lab, answered: Entry) -> str:
    place = str(answered.get("response", {}).get("location", ""))
    expect(place, "An entry has no response.location.")
    place = place if "://" in place else f"/{place.lstrip('/')}"
    return place.partition("/_history")[0]


@check("rest.transaction.whole", "R4-TRANS-2")
def transaction_is_one(lab: Lab) -> None:
    """A transaction with one bad entry is refused, and nothing of it is stored."""
    lab.claims.need_system("transaction")
    lab.claims.need_parameter("Patient", "identifier")
    value = f"transaction-{lab.run}"
    good = patient(f"Zq{lab.run}Stint", identifier=[{"system": FILE_SYSTEM, "value": value}])
    body = _bundle("transaction", _post(good), _post(patient(gender="banana")))
    lab.author.ask("POST", "", body).must_be_refused()
    found = lab.author.get(f"/Patient?identifier={FILE_SYSTEM}|{value}").must_be(200).resource
    expect(not found.get("entry"), "The good entry was stored.")


@check("rest.transaction.outcome", "R4-TRANS-3")
def transaction_refusal_is_an_outcome(lab: Lab) -> None:
    """A refused transaction is answered by one OperationOutcome."""
    lab.claims.need_system("transaction")
    answer = lab.author.ask("POST", "", _bundle("transaction", _post(patient(gender="banana"))))
    found = answer.must_be_refused().resource
    expect(found["resourceType"] == "OperationOutcome", f"It is a {found['resourceType']}.")


@check("rest.transaction.same-twice", "R4-TRANS-4")
def transaction_with_the_same_twice(lab: Lab) -> None:
    """A transaction that writes one resource twice is refused."""
    lab.claims.need_system("transaction")
    lab.claims.need("Patient", "update")
    it = person(lab)
    entry = {"resource": it, "request": {"method": "PUT", "url": address(it).lstrip("/")}}
    lab.author.ask("POST", "", _bundle("transaction", entry, entry)).must_be_refused()


@check("rest.transaction.conditional", "R4-TRANS-5")
def transaction_with_a_conditional_create(lab: Lab) -> None:
    """IfNoneExist inside a transaction works as the header does."""
    lab.claims.need_system("transaction")
    lab.claims.need("Patient", "create")
    value = f"transaction-cond-{lab.run}"
    who = patient(f"Zq{lab.run}Crake", identifier=[{"system": FILE_SYSTEM, "value": value}])
    entry = _post(who, ifNoneExist=f"identifier={FILE_SYSTEM}|{value}")
    lab.once("transaction-cond", lambda: _sent(lab, "transaction", entry))
    again = _sent(lab, "transaction", entry)
    expect(_status(again[0]) == "200", f"The second time it is {_status(again[0])}.")


@check("rest.transaction.unknown-kind", "R4-TRANS-6")
def bundle_of_another_kind(lab: Lab) -> None:
    """A Bundle at the base that is neither batch nor transaction is refused."""
    lab.claims.need_system("batch")
    lab.author.ask("POST", "", _bundle("collection", {"resource": patient()})).must_be_refused()


@check("rest.transaction.no-request", "R4-TRANS-7")
def entry_without_a_request(lab: Lab) -> None:
    """A transaction with an entry that has no request is refused."""
    lab.claims.need_system("transaction")
    lab.author.ask("POST", "", _bundle("transaction", {"resource": patient()})).must_be_refused()
