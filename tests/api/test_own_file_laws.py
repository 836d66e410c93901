"""Laws of own files over drawn stories, and races of copies against withdrawals: on both databases."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from referral_hub.app import create_app, open_hub
from referral_hub.store import postgres_writer
from referral_hub.store.bodies import OWN, SHARED
from referral_hub.store.own_file import TYPES
from tests import builders
from tests.api.own_files import KeyedCaller, held, keyed, tables
from tests.postgres import PostgresServer
from tests.world import Caller, World, opened_world, parsed

CATEGORIES = ("health", "legal-needs", "housing")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def network(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    place = tmp_path_factory.mktemp("own-file-laws")
    with ExitStack() as stack:
        if request.param == "postgresql":
            server: PostgresServer = request.getfixturevalue("postgres")
            url = stack.enter_context(server.database())
        else:
            url = f"sqlite:///{place / 'hub.db'}"
        world = stack.enter_context(opened_world(url, place / "data"))
        for name in ("shelter", "open-shelter"):
            world.add_organization(name, "shelter")
        world.add_organization("clinic", "clinic")
        yield world


class Story:
    """One person at an organisation, referred to a clinic, and what happens to her file."""

    def __init__(self, shelter: Caller, clinic: Caller) -> None:
        self.shelter, self.clinic = shelter, clinic
        self.subject = f"Patient/{shelter.create(builders.patient())['id']}"
        self.release("identity", *CATEGORIES)
        request = shelter.create(builders.service_request(self.subject, performer=clinic.organization))
        task = builders.task(self.subject, f"ServiceRequest/{request['id']}", owner=clinic.organization)
        clinic.changed(f"Task/{shelter.create(task)['id']}", status="accepted")
        self.needs: list[str] = []

    def release(self, *categories: str) -> None:
        permit = builders.permit(self.clinic.organization, categories=categories)
        self.shelter.create(builders.release(self.subject, self.shelter.organization, permit))

    def write(self, category: str) -> None:
        self.needs.append(
            f"Condition/{self.shelter.create(builders.condition(self.subject, category))['id']}"
        )

    def rewrite(self, number: int, text: str) -> None:
        if self.needs:
            self.shelter.changed(self.needs[number % len(self.needs)], note=[{"text": text}])

    def withdraw(self, category: str = "") -> None:
        given = [{"name": "category", "valueCode": category}] if category else []
        body = {"resourceType": "Parameters", "parameter": given}
        answer = self.shelter.ask("POST", f"/{self.subject}/$withdraw", body, X_Hub_Organization_Key="")
        assert answer.status_code == 200, answer.get_data(as_text=True)

    def seen(self) -> list[tuple[bool, str]]:
        """Gives of each need whether the clinic reads it, and its words; then her Patient."""
        found = []
        for reference in [*self.needs, self.subject]:
            answer = self.clinic.get(f"/{reference}")
            assert answer.status_code in (200, 404)
            note = parsed(answer).get("note", []) if answer.status_code == 200 else []
            found.append((answer.status_code == 200, note[0]["text"] if note else ""))
        page = parsed(self.clinic.get(f"/Condition?patient={self.subject}&_count=100")).get("entry", [])
        assert {entry["resource"]["id"] for entry in page} == {
            reference.partition("/")[2]
            for reference, (is_seen, _) in zip(self.needs, found[:-1], strict=True)
            if is_seen
        }
        return found


def drawn(random_: random.Random, count: int) -> list[tuple[str, Any, bool]]:
    """Gives acts, each with whether the key comes along."""
    acts: list[tuple[str, Any, bool]] = []
    for number in range(count):
        kind = random_.choice(["write", "write", "rewrite", "release", "narrow", "withdraw"])
        told: Any = {
            "write": random_.choice(CATEGORIES),
            "rewrite": (random_.randrange(9), f"words {number}"),
            "release": ("identity", *random_.sample(CATEGORIES, random_.randrange(1, 4))),
            "narrow": random_.choice(CATEGORIES),
            "withdraw": None,
        }[kind]
        acts.append((kind, told, random_.random() < 0.7))
    return acts


def played(story: Story, kind: str, told: Any) -> None:
    if kind == "write":
        story.write(told)
    elif kind == "rewrite":
        story.rewrite(*told)
    elif kind == "release":
        story.release(*told)
    else:
        story.withdraw(told or "")


def check_rows(world: World) -> None:
    """A version is shared only while a release of somebody else names it, and then its sealed bytes are laid by."""
    found = tables(world)
    categories: dict[int, set[str]] = {}
    for grant in found["consent_grant"]:
        categories.setdefault(grant["person"], set()).add(grant["category"])
    laid_by = {(row["row_id"], row["version"]) for row in found["own_body"]}
    shared = set()
    for row in found["resource_version"]:
        if row["type"] not in TYPES or row["author"] != world.organizations["shelter"]:
            continue
        assert row["body_format"] in (OWN, SHARED)
        if row["body_format"] == SHARED:
            shared.add((row["row_id"], row["version"]))
            given = categories.get(row["person"], set())
            assert row["category"] in given or (row["type"] == "Patient" and given)
    assert shared == laid_by
    current = {(row["row_id"], row["version"]): row for row in found["resource"]}
    for row in found["resource_version"]:
        same = current.get((row["row_id"], row["version"]))
        assert same is None or bytes(same["body"]) == bytes(row["body"])
        assert same is None or same["body_format"] == row["body_format"]


@pytest.mark.parametrize("seed", range(5))
def test_with_the_key_the_clinic_sees_what_it_sees_of_an_organisation_without_one(
    network: World, seed: int
) -> None:
    secret, _ = held(network, "shelter")
    clinic = network.caller("clinic")
    own = Story(keyed(network, "shelter", secret), clinic)
    twin = Story(network.caller("open-shelter"), clinic)
    for kind, told, _ in drawn(random.Random(seed), 12):
        played(own, kind, told)
        played(twin, kind, told)
        assert own.seen() == twin.seen(), (kind, told)
    check_rows(network)


@pytest.mark.parametrize("seed", range(5, 9))
def test_where_the_key_sometimes_lacks_the_clinic_sees_no_more_and_its_next_coming_heals(
    network: World, seed: int
) -> None:
    secret, _ = held(network, "shelter")
    clinic, plain = network.caller("clinic"), network.caller("shelter")
    shelter = keyed(network, "shelter", secret)
    own, twin = Story(shelter, clinic), Story(network.caller("open-shelter"), clinic)
    for kind, told, with_key in drawn(random.Random(seed), 12):
        if kind in ("rewrite", "release") or with_key:
            played(own, kind, told)
        else:
            own.shelter = plain
            played(own, kind, told)
            own.shelter = shelter
        played(twin, kind, told)
        for mine, other in zip(own.seen(), twin.seen(), strict=True):
            assert mine == other or not mine[0]
    own.write("health")
    twin.write("health")
    assert own.seen() == twin.seen()
    check_rows(network)


def test_no_copy_crosses_a_withdrawal_whoever_writes_at_that_moment(network: World) -> None:
    secret, _ = held(network, "shelter")
    other = open_hub(network.parts.settings, writer=network.parts.writer)
    app = create_app(other)
    app.testing = True
    first = keyed(network, "shelter", secret)
    second = KeyedCaller(first.organization, first.token, app.test_client(), secret)
    story = Story(first, network.caller("clinic"))
    over, faults = threading.Event(), []

    def write() -> None:
        while not over.is_set():
            answer = second.ask("POST", "/Condition", builders.condition(story.subject))
            if answer.status_code not in (201, 503):
                faults.append(answer.get_data(as_text=True))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(12):
            story.withdraw()
            found = tables(network)
            hers = {
                row["row_id"] for row in found["resource"] if row["id"] == story.subject.partition("/")[2]
            }
            left = [
                row for row in found["resource"] if row["person"] in hers and row["body_format"] == SHARED
            ]
            assert left == []
            story.release("identity", "health")
    finally:
        over.set()
        writer.join()
        other.spool.close()
        other.database.close()
    assert faults == []
    check_rows(network)


@pytest.mark.parametrize("slow", ["own_file_lay_by", "consent_grant_clear"])
def test_a_copy_and_a_withdrawal_wait_for_each_other(
    network: World, monkeypatch: pytest.MonkeyPatch, slow: str
) -> None:
    """Whichever has run and is not committed yet: the other looks only after it (on PostgreSQL by the person's row)."""
    secret, _ = held(network, "shelter")
    shelter = keyed(network, "shelter", secret)
    story = Story(shelter, network.caller("clinic"))
    has_run, whole_run = threading.Event(), postgres_writer.run_on_postgres

    def run_slowly(connection: Any, plan: Any) -> bool:
        done = whole_run(connection, plan)
        if any(name == slow for name, _, _ in plan.steps) and not has_run.is_set():
            has_run.set()
            time.sleep(0.4)
        return done

    monkeypatch.setattr(postgres_writer, "run_on_postgres", run_slowly)
    acts = [lambda: story.write("health"), story.withdraw]
    if slow == "consent_grant_clear":
        acts.reverse()
    first = threading.Thread(target=acts[0])
    first.start()
    has_run.wait(0.5)  # never set on SQLite, where one writes after the other anyway
    acts[1]()
    first.join()
    check_rows(network)
    assert not any(is_seen for is_seen, _ in story.seen())
