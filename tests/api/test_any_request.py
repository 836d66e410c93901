"""Requests made of odd parts: whatever comes, the answer is no fault of the hub and says what was wrong."""

import random
from typing import Any

import pytest

from referral_hub.fhir import json_codec, xml_codec
from tests import builders as b
from tests.api.asking import bundle, entry, operation, path_patch, urn
from tests.api.network import Story, story
from tests.world import World

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
WORDS = (
    "Patient",
    "Task",
    "Claim",
    "_history",
    "$everything",
    "_search",
    "metadata",
    "x",
    "",
    "%00",
    "é",
    "..",
    "$validate",
)
NAMES = (
    "_format",
    "_pretty",
    "_count",
    "_since",
    "_at",
    "_cursor",
    "identifier",
    "_type",
    "start",
    "name",
    "_sort",
    "x:missing",
)
VALUES = (
    "xml",
    "json",
    "true",
    "1",
    "-1",
    "2026",
    "2026-13",
    "abc",
    "urn:x|1",
    "|",
    "é",
    "%",
    "a,b",
    "*",
    '"',
    "9" * 30,
)
HEADERS = (
    "If_Match",
    "If_None_Match",
    "If_Modified_Since",
    "If_None_Exist",
    "Prefer",
    "Accept",
    "Content_Type",
    "Accept_Encoding",
)
SAID = (
    "",
    "*",
    'W/"x"',
    '"',
    "identifier=a|b",
    "return=minimal",
    "handling=strict",
    "application/fhir+xml",
    "text/html",
    "gzip",
    "\xe9",
)
BODIES = (
    None,
    b"",
    b"{}",
    b"[]",
    b"<",
    b"null",
    b"\xff",
    b"<Patient xmlns='http://hl7.org/fhir'/>",
    json_codec.encode(b.patient("Fuzz")),
    xml_codec.encode(b.patient("Fuzz")),
)


def _shaken(chance: random.Random, value: Any) -> Any:
    """Gives a body with parts left out or put in the wrong place."""
    if chance.random() < 0.08:
        return chance.choice([None, 1, "x", [], {}, True, "Patient/1"])
    if isinstance(value, dict):
        return {key: _shaken(chance, item) for key, item in value.items() if chance.random() > 0.03}
    return [_shaken(chance, item) for item in value] if isinstance(value, list) else value


def _bodies(it: Story) -> list[Any]:
    gender = path_patch(operation("replace", "Patient.gender", value={"valueCode": "male"}))
    return [
        bundle(
            "batch",
            entry("GET", it.person),
            entry("PATCH", it.person, gender),
            entry("PUT", "Patient?identifier=a|b", b.patient("Z"), ifMatch="x"),
            entry("DELETE", it.task),
        ),
        bundle(
            "transaction",
            entry("POST", "Patient", b.patient("Z"), urn(1), ifNoneExist="identifier=q|z"),
            entry("POST", "Condition", b.condition(urn(1))),
            entry("PUT", "Patient?identifier=q|y", b.patient("Y"), urn(2)),
        ),
    ]


@pytest.mark.parametrize("seed", range(4))
def test_no_request_is_a_fault_of_the_hub(world: World, seed: int) -> None:
    it = story(world)
    it.sign()
    it.refer()
    chance = random.Random(seed)
    words = (*WORDS, it.person.partition("/")[2], it.task.partition("/")[2])
    for _ in range(250):
        if chance.random() < 0.6:
            path = "/" + "/".join(chance.choice(words) for _ in range(chance.randint(0, 4)))
            query = "&".join(
                f"{chance.choice(NAMES)}={chance.choice(VALUES)}" for _ in range(chance.randint(0, 3))
            )
            method, address, body = chance.choice(METHODS), f"{path}?{query}", chance.choice(BODIES)
        else:
            method, address, body = "POST", "/", _shaken(chance, chance.choice(_bodies(it)))
        headers = {chance.choice(HEADERS): chance.choice(SAID) for _ in range(chance.randint(0, 2))}
        answer = it.s.ask(method, address, body, **headers)
        assert answer.status_code < 500, (method, address, body, headers)
        if answer.status_code >= 400 and method != "HEAD":
            assert b"OperationOutcome" in answer.get_data(), (method, address, body, headers)
