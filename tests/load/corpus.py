"""An invented network for the load: who is who, what was written, what each lane asks, what is right.

What lives here: filling a hub through its own interfaces, and the oracle. What does not: the resources
(``tests.builders``), the hub (``tests.world``).

Two shelters refer to some clinics. Of the persons of each clinic some are referred and not yet accepted (the
clinic has notices), some are accepted (full views), and one in ten has withdrawn before acceptance: of those the
clinic keeps an empty card and must not see a thing more. The writing lanes write about persons of another
shelter, referred to another clinic, so that what the reading lanes ask for stays as it is.

The oracle of a search is counted here, from what was written, not asked of a search.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from werkzeug.test import TestResponse

from referral_hub.app import clock
from referral_hub.fhir.dates import instant
from tests import builders as b
from tests.load.lanes import Ask, Lane, entry_ids, from_entries, request
from tests.world import Caller, World

TOKEN_LIFE_S = 7_200
PAGE = 50
WITHDRAWN_OF = 10
"""One person in so many withdrew."""
SECRETS = (
    b"Hidden Lane",
    b"sleeps badly",
    b"left hand",
    b"125643001",
    b"1994-03-02",
    b"Person0",
    b"555 0100",
)
"""What no notice may hold."""
_BUNDLES = 64


@dataclass(slots=True)
class Referral:
    """One person's referral, by ``Type/id`` of its parts, and where it stands."""

    clinic: int
    person: str
    request: str
    task: str
    consent: str
    state: str = "requested"
    updated: dict[str, str] = field(default_factory=dict)
    recall: str = ""
    """The hub's own Task that asks the clinic to delete what it knows, after a withdrawal."""


@dataclass(slots=True)
class Corpus:
    """What was written, and who may ask."""

    shelter: Caller
    clinics: list[Caller]
    writer: Caller
    receiver: str
    referrals: list[Referral]
    fhir_base: str

    def of_clinic(self, number: int, *states: str) -> list[Referral]:
        return [one for one in self.referrals if one.clinic == number and one.state in states]


def bundle(shelter: str, clinic: str, name: str) -> dict[str, Any]:
    """Gives a referral as one transaction of five resources: person, release, request, condition, Task."""
    person, request_url = "urn:uuid:person", "urn:uuid:request"
    parts = [
        (person, b.patient(name)),
        ("urn:uuid:release", b.release(person, shelter, b.permit(clinic))),
        (request_url, b.service_request(person, clinic)),
        ("urn:uuid:condition", b.condition(person)),
        ("urn:uuid:task", b.task(person, request_url, clinic)),
    ]
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": url,
                "resource": resource,
                "request": {"method": "POST", "url": resource["resourceType"]},
            }
            for url, resource in parts
        ],
    }


def filled(world: World, *, persons: int, clinics: int = 2, say: Callable[[str], None]) -> Corpus:
    """Fills a hub: so many persons, spread over the clinics.

    Raises:
        AssertionError: the hub refused something, so there is nothing to measure.
    """
    shelter = world.add_organization("shelter", "shelter")
    other = world.add_organization("other shelter", "shelter")
    receivers = [world.add_organization(f"clinic {number}", "clinic") for number in range(clinics)]
    last = world.add_organization("other clinic", "clinic")
    corpus = Corpus(
        shelter=world.caller(shelter, life_s=TOKEN_LIFE_S),
        clinics=[world.caller(one, life_s=TOKEN_LIFE_S) for one in receivers],
        writer=world.caller(other, life_s=TOKEN_LIFE_S),
        receiver=last,
        referrals=[],
        fhir_base=world.parts.settings.fhir_base,
    )
    for number in range(persons):
        clinic = number % clinics
        made = _refer(corpus, receivers[clinic], clinic, f"Person{number}")
        corpus.referrals.append(made)
        turn = number // clinics
        if turn % WITHDRAWN_OF == WITHDRAWN_OF - 1:
            _right(corpus.clinics[clinic].get(f"/{made.task}"))  # so it is asked to delete what it knows
            world.parts.store.settle(clock())
            _right(corpus.shelter.ask("POST", f"/{made.consent}/$revoke"))
            made.state = "withdrawn"
        elif turn % 2:
            corpus.clinics[clinic].changed(made.task, status="accepted")
            made.state = "accepted"
    for made in corpus.referrals:
        for reference in (made.task, made.request, made.person):
            made.updated[reference] = corpus.shelter.read(reference)["meta"]["lastUpdated"]
        if made.state == "withdrawn":
            made.recall = _recall(world, made)
    say(f"filled: {persons} persons, {len(corpus.of_clinic(0, 'withdrawn'))} of each clinic's withdrew")
    return corpus


def read_by_a_clinic(world: World, corpus: Corpus, count: int) -> list[str]:
    """Refers so many more persons of the writing shelter, reads each as the receiver, and gives their consents."""
    receiver = world.caller(corpus.receiver, life_s=TOKEN_LIFE_S)
    consents = []
    for number in range(count):
        body = bundle(corpus.writer.organization, corpus.receiver, f"Leaving{number}")
        entries = json.loads(_right(corpus.writer.ask("POST", "", body)).get_data())["entry"]
        _, release, asked, _, _ = [
            "/".join(entry["response"]["location"].removeprefix(f"{corpus.fhir_base}/").split("/")[:2])
            for entry in entries
        ]
        _right(receiver.get(f"/{asked}"))
        consents.append(release)
    return consents


def _refer(corpus: Corpus, receiver: str, clinic: int, name: str) -> Referral:
    answer = corpus.shelter.ask("POST", "", bundle(corpus.shelter.organization, receiver, name))
    entries = json.loads(_right(answer).get_data())["entry"]
    person, release, asked, _, task = [
        "/".join(entry["response"]["location"].removeprefix(f"{corpus.fhir_base}/").split("/")[:2])
        for entry in entries
    ]
    return Referral(clinic, person, asked, task, release)


def _recall(world: World, made: Referral) -> str:
    with world.parts.store.snapshot() as snapshot:
        person = snapshot.resource("Patient", made.person.rpartition("/")[2])
        assert person is not None
        (found,) = [row for row in snapshot.of_person(person.row_id, "Task") if row.kind == "recall"]
    made.updated[f"Task/{found.id}"] = instant(found.updated_us)
    return f"Task/{found.id}"


def _right(answer: TestResponse) -> TestResponse:
    assert answer.status_code in (200, 201), answer.get_data(as_text=True)
    return answer


# --- lanes ------------------------------------------------------------------------------------------------


def reading_lanes(corpus: Corpus) -> list[Lane]:
    """Gives the lanes of reads and searches, each with the right answer to every request.

    Raises:
        AssertionError: an answer is wrong already before anything is measured.
    """
    accepted = [one for one in corpus.referrals if one.state == "accepted"]
    requested = [one for one in corpus.referrals if one.state == "requested"]
    found = [
        _reads("own", [(corpus.shelter, one.request) for one in corpus.referrals], must=b"sleeps badly"),
        _reads("granted", [(corpus.clinics[one.clinic], one.request) for one in accepted], must=b"125643001"),
        _reads("notice", [(corpus.clinics[one.clinic], one.request) for one in requested], must_not=SECRETS),
    ]
    _check_absent(corpus)
    tasks = [
        (
            caller,
            f"/Task?status=requested&_count={PAGE}",
            _newest(corpus, number, "task", ("requested", "withdrawn")),
        )
        for number, caller in enumerate(corpus.clinics)
    ]
    requests = [
        (
            caller,
            f"/ServiceRequest?_count={PAGE}",
            _newest(corpus, number, "request", ("requested", "accepted")),
        )
        for number, caller in enumerate(corpus.clinics)
    ]
    own = sorted(((one.updated[one.request], one.request) for one in corpus.referrals), reverse=True)
    mine = [(corpus.shelter, f"/ServiceRequest?_count={PAGE}", [reference for _, reference in own])]
    found += [
        _searches(corpus, "search own", mine),
        _searches(corpus, "search inbox", tasks),
        _searches(corpus, "search granted", requests),
    ]
    return found


def _newest(corpus: Corpus, clinic: int, part: str, states: tuple[str, ...]) -> list[str]:
    """Gives what a clinic must find, newest first."""
    rows = [
        (one.updated[reference], reference)
        for one in corpus.of_clinic(clinic, *states)
        for reference in (getattr(one, part), one.recall if part == "task" else "")
        if reference
    ]
    return [reference for _, reference in sorted(rows, reverse=True)]


def _reads(
    name: str, wanted: Sequence[tuple[Caller, str]], *, must: bytes = b"", must_not: Sequence[bytes] = ()
) -> Lane:
    asks = []
    for caller, reference in wanted:
        body = _right(caller.get(f"/{reference}")).get_data()
        assert reference.rpartition("/")[2].encode() in body, f"{name}: another resource"
        assert must in body, f"{name}: {reference} lacks what it must show"
        assert not any(secret in body for secret in must_not), f"{name}: {reference} shows too much"
        asks.append(Ask(request("GET", f"/fhir/{reference}", caller.token), "body", body))
    return Lane(f"{name} read", asks, len(asks[0].expected), "read")


def _searches(corpus: Corpus, name: str, wanted: Sequence[tuple[Caller, str, list[str]]]) -> Lane:
    hidden = [
        reference.rpartition("/")[2].encode()
        for one in corpus.referrals
        if one.state == "withdrawn"
        for reference in (one.person, one.request)
    ]
    asks = []
    size = 0
    for caller, path, expected in wanted:
        body = _right(caller.get(path)).get_data()
        assert entry_ids(body) == expected[:PAGE], f"{name}: not the ids, or not the order, that was written"
        if caller is not corpus.shelter:
            assert not any(reference in body for reference in hidden), f"{name}: an unconsented id"
        asks.append(Ask(request("GET", f"/fhir{path}", caller.token), "entries", from_entries(body)))
        size = len(body)
    return Lane(name, asks, size, "search-type")


def _check_absent(corpus: Corpus) -> None:
    for one in corpus.referrals:
        if one.state == "withdrawn":
            for reference in (one.request, one.person):
                status = corpus.clinics[one.clinic].get(f"/{reference}").status_code
                assert status == 404, f"a withdrawn {reference} is answered with {status}"


def writing_lanes(corpus: Corpus) -> list[Lane]:
    """Gives the lanes of single creates and of referral transactions."""
    writer = corpus.writer
    persons = [f"Patient/{writer.create(b.patient(f'Written{number}'))['id']}" for number in range(_BUNDLES)]
    observations = [json.dumps(b.observation(person)).encode() for person in persons]
    creates = [
        Ask(request("POST", "/fhir/Observation", writer.token, body), "created") for body in observations
    ]
    bodies = [
        json.dumps(bundle(writer.organization, corpus.receiver, f"Lark{number}")).encode()
        for number in range(_BUNDLES)
    ]
    bundles = [Ask(request("POST", "/fhir/", writer.token, body), "bundle", created=5) for body in bodies]
    size = len(writer.create(b.observation(persons[0])).__repr__())
    return [Lane("create", creates, size), Lane("bundle", bundles, 6_000)]
