"""What a race asks about one person, and what of the answers would disclose her.

What lives here: the questions and filling a hub for them. What does not: the race (``tests.load.races``).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from referral_hub.app import clock
from referral_hub.outbound.exporting import ExportWork
from referral_hub.store.exports import ExportJobs
from tests.load import corpus
from tests.load.lanes import request
from tests.world import Caller, World

OF_CLINIC = 8
"""Persons of one recipient, so that its whole list is short."""
EXPORTED = "Patient,ServiceRequest,Condition"
"""The types whose files are fetched: in each of them she is named."""
QUESTIONS = 8 + len(EXPORTED.split(","))
"""How many questions are asked about each person."""


@dataclass(frozen=True, slots=True)
class Question:
    """One request of a batch and how its answer is read.

    ``kind``: ``absent`` (only 404 is no disclosure), ``no entry`` (a search that must find nothing), ``without``
    (must not hold any of ``names``).
    """

    wire: bytes
    kind: str
    names: tuple[bytes, ...]
    of_export: bool = False

    def disclosed(self, status: int, body: bytes) -> bool:
        if self.kind == "absent":
            return status != 404
        if self.kind == "no entry":
            return status == 200 and b'"entry"' in body
        return any(name in body for name in self.names)


@dataclass(frozen=True, slots=True)
class Person:
    """What is asked about one person, and how her consent is withdrawn."""

    questions: tuple[Question, ...]
    withdraw: bytes


def persons(world: World, count: int) -> list[Person]:
    """Fills a hub with so many persons whose accepted referral the recipient reads in full."""
    shelter = world.caller(world.add_organization("shelter", "shelter"), life_s=corpus.TOKEN_LIFE_S)
    found: list[Person] = []
    clinic = None
    of_clinic: list[Person] = []
    for number in range(count):
        if number % OF_CLINIC == 0:
            found += _with_exports(world, clinic, of_clinic)
            of_clinic = []
            name = f"clinic {number // OF_CLINIC}"
            clinic = world.caller(world.add_organization(name, "clinic"), life_s=corpus.TOKEN_LIFE_S)
        assert clinic is not None
        body = corpus.bundle(shelter.organization, clinic.organization, f"Race{number}")
        answer = shelter.ask("POST", "", body)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        made = [
            entry["response"]["location"].split("/_history/")[0].split("/fhir/")[1]
            for entry in json.loads(answer.get_data())["entry"]
        ]
        patient, consent, asked, condition, task = made
        clinic.changed(task, status="accepted")
        of_clinic.append(_person(shelter.token, clinic.token, patient, consent, asked, condition, task))
    return found + _with_exports(world, clinic, of_clinic)


def _with_exports(world: World, clinic: Caller | None, listed: Sequence[Person]) -> list[Person]:
    """Lets a recipient export all it may see, and asks for each file of that with each of its persons.

    The export is done before any withdrawal; what is fetched of it after one began after the acknowledgement.
    """
    if clinic is None or not listed:
        return []
    answer = clinic.get(f"/Patient/$export?_type={EXPORTED}", Prefer="respond-async")
    assert answer.status_code == 202, answer.get_data(as_text=True)
    parts = world.parts
    work = ExportWork(parts.hub, ExportJobs(parts.database, parts.writer, parts.bodies))
    while work.walk_one(clock()):
        pass
    job = answer.headers["Content-Location"].partition("/fhir")[2]
    manifest = json.loads(clinic.get(job, Accept="application/json").get_data())
    files = ["/fhir" + one["url"].partition("/fhir")[2] for one in manifest["output"]]
    assert len(files) == len(EXPORTED.split(",")), manifest
    return [
        replace(
            person,
            questions=(
                *person.questions,
                *(
                    Question(
                        request("GET", file, clinic.token),
                        "without",
                        person.questions[0].names,
                        of_export=True,
                    )
                    for file in files
                ),
            ),
        )
        for person in listed
    ]


def _person(
    shelter: str, clinic: str, patient: str, consent: str, asked: str, condition: str, task: str
) -> Person:
    names = tuple(one.rpartition("/")[2].encode() for one in (patient, asked, condition))

    def get(path: str, kind: str) -> Question:
        return Question(request("GET", f"/fhir/{path}", clinic), kind, names)

    def by_id(reference: str) -> Question:
        type_name, _, public_id = reference.partition("/")
        return get(f"{type_name}?_id={public_id}", "no entry")

    questions = (
        get(asked, "absent"),
        get(patient, "absent"),
        get(task, "without"),
        get(condition, "absent"),
        by_id(asked),
        by_id(patient),
        get("ServiceRequest?_count=50", "without"),
        get("Task?_count=50", "without"),
    )
    return Person(questions, request("POST", f"/fhir/{consent}/$revoke", shelter))
