"""Forty at once through a served hub with several worker processes: exactly one wins, on both databases."""

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest
import requests

from tests import builders as b
from tests.interop.served import Partner, Served, served_hub
from tests.postgres import PostgresServer

MANY = 40
WORKERS = 3
FHIR_JSON = "application/fhir+json"
_numbers = itertools.count()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A hub with three worker processes on each database in turn."""
    with ExitStack() as stack:
        url = ""
        if request.param == "postgresql":
            server: PostgresServer = request.getfixturevalue("postgres")
            url = stack.enter_context(server.database())
        folder = tmp_path_factory.mktemp(f"many-{request.param}")
        yield stack.enter_context(served_hub(folder, workers=WORKERS, database_url=url))


@pytest.fixture(scope="module")
def shelter(served: Served) -> Partner:
    scope = "system/Patient.crus system/ServiceRequest.crus system/Task.crus system/Consent.crus"
    return served.partner("shelter", "shelter", scope=scope)


@pytest.fixture(scope="module")
def clinic(served: Served) -> Partner:
    return served.partner(
        "clinic", "clinic", scope="system/Task.rus system/ServiceRequest.rs system/Patient.rs"
    )


class Asking:
    """A partner's software with one token, each request on a connection of its own."""

    def __init__(self, partner: Partner) -> None:
        self.base = f"{partner.base_url}/fhir"
        self._token = partner.token()

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        sent = {"Authorization": f"Bearer {self._token}", "Content-Type": FHIR_JSON, "Connection": "close"}
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        return requests.request(method, f"{self.base}/{path}", json=body, headers=sent, timeout=30)

    def create(self, resource: dict[str, Any]) -> dict[str, Any]:
        answer = self.ask("POST", resource["resourceType"], resource)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made


def at_once(job: Callable[[int], requests.Response]) -> list[requests.Response]:
    """Sends forty requests in the same moment; gives their answers."""
    begin = threading.Barrier(MANY)

    def one(position: int) -> requests.Response:
        begin.wait()
        return job(position)

    with ThreadPoolExecutor(MANY) as threads:
        return list(threads.map(one, range(MANY)))


def statuses(answers: list[requests.Response]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


def numbered(name: str = "Knot") -> tuple[dict[str, Any], str]:
    """Gives a person with a file number nobody else has, and the criteria that find it."""
    number = f"file-{next(_numbers)}"
    identifier = {"system": "urn:example:shelter-file", "value": number}
    return b.patient(name, identifier=[identifier]), f"identifier=urn:example:shelter-file|{number}"


def test_several_worker_processes_answer(served: Served, shelter: Partner) -> None:
    """Each process that answers keeps its audit lines in a segment with its number in the name."""
    asking = Asking(shelter)
    patient = asking.create(numbered()[0])
    assert statuses(at_once(lambda _: asking.ask("GET", f"Patient/{patient['id']}"))) == {200: MANY}
    segments = (served.folder / "hub" / "audit").rglob("segment-*.jsonl")
    assert len({path.name.split("-")[1] for path in segments}) > 1


def test_of_forty_conditional_creates_one_makes_the_resource(shelter: Partner) -> None:
    asking = Asking(shelter)
    patient, criteria = numbered()
    answers = at_once(lambda _: asking.ask("POST", "Patient", patient, If_None_Exist=criteria))
    assert statuses(answers) == {201: 1, 200: MANY - 1}
    assert len({answer.json()["id"] for answer in answers}) == 1
    found = asking.ask("GET", f"Patient?{criteria}").json()
    assert len(found["entry"]) == 1
    history = asking.ask("GET", f"Patient/{answers[0].json()['id']}/_history").json()
    assert len(history["entry"]) == 1


def test_forty_conditional_creates_of_different_numbers_make_forty(shelter: Partner) -> None:
    asking = Asking(shelter)
    papers = [numbered() for _ in range(MANY)]
    answers = at_once(lambda n: asking.ask("POST", "Patient", papers[n][0], If_None_Exist=papers[n][1]))
    assert statuses(answers) == {201: MANY}
    assert len({answer.json()["id"] for answer in answers}) == MANY


def test_of_forty_updates_of_one_version_one_succeeds(shelter: Partner) -> None:
    asking = Asking(shelter)
    patient = asking.create(numbered()[0])
    match = f'W/"{patient["meta"]["versionId"]}"'
    path = f"Patient/{patient['id']}"

    def update(position: int) -> requests.Response:
        changed = {**patient, "birthDate": f"1994-03-{position % 28 + 1:02d}", "language": f"x-{position}"}
        return asking.ask("PUT", path, changed, If_Match=match)

    answers = at_once(update)
    assert statuses(answers) == {200: 1, 412: MANY - 1}
    (won,) = (answer.json() for answer in answers if answer.status_code == 200)
    now = asking.ask("GET", path).json()
    assert now == won
    assert now["meta"]["versionId"] != patient["meta"]["versionId"]
    history = asking.ask("GET", f"{path}/_history").json()["entry"]
    assert [entry["resource"] for entry in history] == [won, patient]


def test_of_forty_moves_of_one_referral_one_succeeds(shelter: Partner, clinic: Partner) -> None:
    """Sender and recipient at once: twenty cancel it, twenty accept it."""
    sender, recipient = Asking(shelter), Asking(clinic)
    person = f"Patient/{sender.create(numbered()[0])['id']}"
    sender.create(b.release(person, shelter.organization, b.permit(clinic.organization)))
    request = sender.create(b.service_request(person, clinic.organization))
    task = sender.create(b.task(person, f"ServiceRequest/{request['id']}", clinic.organization))
    path = f"Task/{task['id']}"
    seen = {asking: asking.ask("GET", path).json() for asking in (sender, recipient)}
    moves = {
        sender: {"status": "cancelled", "statusReason": b.reason("by-source")},
        recipient: {"status": "accepted"},
    }

    def move(position: int) -> requests.Response:
        asking = (sender, recipient)[position % 2]
        match = f'W/"{seen[asking]["meta"]["versionId"]}"'
        return asking.ask("PUT", path, {**seen[asking], **moves[asking]}, If_Match=match)

    assert statuses(at_once(move)) == {200: 1, 412: MANY - 1}
    history = sender.ask("GET", f"{path}/_history").json()["entry"]
    assert [entry["resource"]["status"] for entry in history][1:] == ["requested"]
    assert history[0]["resource"]["status"] in ("cancelled", "accepted")
