"""Withdrawing stops sharing, not help: what a caseworker does for a person is answered alike with and without it.

Twin persons in one hub: one took everything back and refuses everybody, the other's permissions run. Every act of a
service gives the same status and the same bytes but for ids and times. On both databases.

Source: ``consent.md`` D-43, F-02; ``practice.md`` 5.
"""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests import builders as b
from tests.api.network import Story, story
from tests.api.people import herself, staff
from tests.api.test_withdraw import parameters, withdraw
from tests.world import World, parsed


@pytest.fixture
def twins(world: World) -> tuple[Story, Story]:
    """Gives her who withdrew, and her who did not."""
    found = []
    for withdraws in (True, False):
        it = story(world)
        it.sign()
        it.refer()
        it.move("accepted")
        if withdraws:
            told = withdraw(it.s, it.person, how="phone")
            it.s.create({**told["offered-refusal"][0], "status": "active", "dateTime": b.instant()})
        found.append(it)
    return found[0], found[1]


def neutral(it: Story, status: int, text: str) -> tuple[int, str]:
    """Gives an answer without what differs between any two records."""
    for name, value in (
        ("shelter", it.shelter),
        ("clinic", it.clinic),
        ("person", it.person.partition("/")[2]),
    ):
        text = text.replace(value, name)
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "id", text)
    text = re.sub(r'"versionId":"[^"]+"', '"versionId":"v"', text)
    return status, re.sub(r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "then", text)


def _posted(resource: Callable[[Story], dict[str, Any]]) -> Callable[[Story], Any]:
    def act(it: Story) -> Any:
        made = resource(it)
        return it.s.ask("POST", f"/{made['resourceType']}", made)

    return act


def _about(type_name: str) -> Callable[[Story], Any]:
    return _posted(
        lambda it: b.about_person(type_name, it.person, category="health", request=it.request, document="-")
    )


def _appointment(it: Story) -> dict[str, Any]:
    return {
        "resourceType": "Appointment",
        "status": "booked",
        "basedOn": [{"reference": it.request}],
        "start": "2026-12-01T10:00:00Z",
        "end": "2026-12-01T11:00:00Z",
        "participant": [{"actor": {"reference": it.person}, "status": "accepted"}],
    }


def _nameless(it: Story) -> dict[str, Any]:
    nameless = it.s.create(b.no_name_patient())
    wanted = b.service_request(f"Patient/{nameless['id']}", it.clinic)
    wanted.pop("note")
    wanted["code"].pop("text")
    made = it.s.create(wanted)
    return b.task(f"Patient/{nameless['id']}", f"ServiceRequest/{made['id']}", it.clinic)


ACTS: dict[str, Callable[[Story], Any]] = {
    "request": _posted(lambda it: b.service_request(it.person, it.clinic)),
    "request changed": lambda it: it.s.update({**it.s.read(it.request), "priority": "stat"}),
    "draft referral": _posted(lambda it: b.task(it.person, it.request, it.clinic, status="draft")),
    "plan": _about("CarePlan"),
    "goal": _about("Goal"),
    "team": _about("CareTeam"),
    "episode": _about("EpisodeOfCare"),
    "record": _about("Condition"),
    "note": _about("Observation"),
    "appointment": _posted(_appointment),
    "no-name referral": _posted(_nameless),
    "file read": lambda it: it.s.get(f"/{it.person}"),
    "file changed": lambda it: it.s.update({**it.s.read(it.person), "gender": "other"}),
    "referral read": lambda it: it.s.get(f"/{it.task}"),
    "referral ended": lambda it: it.s.update(
        {**it.s.read(it.task), "status": "cancelled", "statusReason": b.reason("client-declined")}
    ),
    "by her worker": lambda it: staff(it.world, it.shelter, "supervisor").ask(
        "POST", "/Condition", b.condition(it.person)
    ),
    "by herself": lambda it: herself(it.world, it.shelter, it.person).get(f"/{it.person}"),
}
"""What a caseworker does for a person."""


@pytest.mark.parametrize("name", ACTS)
def test_help_goes_on_alike(twins: tuple[Story, Story], name: str) -> None:
    hers, other = (ACTS[name](it) for it in twins)
    answers = [
        neutral(it, answer.status_code, answer.get_data(as_text=True))
        for it, answer in zip(twins, (hers, other), strict=True)
    ]
    assert answers[0] == answers[1]
    assert answers[0][0] in (200, 201), answers[0]


def test_the_comparison_tells_a_difference(twins: tuple[Story, Story]) -> None:
    """Sharing is not alike: so the twins are no twins in everything, and a gate would be seen."""
    answers = [
        neutral(it, answer.status_code, answer.get_data(as_text=True))
        for it in twins
        for answer in (it.s.ask("POST", "/Task", b.task(it.person, it.request, it.clinic)),)
    ]
    assert answers[0] != answers[1]


@pytest.mark.parametrize("wish", [{}, {"category": "health"}, {"how": "phone", "hold_recall": True}])
def test_a_withdrawal_moves_no_referral_and_no_appointment(world: World, wish: dict[str, Any]) -> None:
    it = story(world)
    it.sign()
    it.refer()
    it.move("accepted")
    before = {}
    for type_name in ("Task", "Appointment", "ServiceRequest", "CarePlan"):
        before[type_name] = _states(it, type_name)
    assert it.s.ask("POST", f"/{it.person}/$withdraw", parameters(**wish)).status_code == 200
    for type_name, states in before.items():
        assert _states(it, type_name) == states


def _states(it: Story, type_name: str) -> dict[str, str]:
    found = parsed(it.s.get(f"/{type_name}?patient={it.person}")).get("entry", [])
    return {
        one["resource"]["id"]: json.dumps(one["resource"], sort_keys=True)
        for one in found
        if one["resource"]["status"] != "ready"
    }
