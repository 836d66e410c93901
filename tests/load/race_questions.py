"""What a race asks about one person, and what of the answers would disclose her.

What lives here: the questions and filling a hub for them. What does not: the race (``tests.load.races``).
"""

import json
from dataclasses import dataclass

from tests.load import corpus
from tests.load.lanes import request
from tests.world import World

OF_CLINIC = 8
"""Persons of one recipient, so that its whole list is short."""


@dataclass(frozen=True, slots=True)
class Question:
    """One request of a batch and how its answer is read.

    ``kind``: ``absent`` (only 404 is no disclosure), ``no entry`` (a search that must find nothing), ``without``
    (must not hold any of ``names``).
    """

    wire: bytes
    kind: str
    names: tuple[bytes, ...]

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
    found = []
    clinic = None
    for number in range(count):
        if number % OF_CLINIC == 0:
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
        found.append(_person(shelter.token, clinic.token, patient, consent, asked, condition, task))
    return found


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
