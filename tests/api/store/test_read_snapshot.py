"""A snapshot's looks, on both databases: each finds what it says, and all of them the same state."""

from dataclasses import asdict
from hashlib import sha256

import pytest
import sqlalchemy as sa

from referral_hub.access.rows import ReferralAccess, RefusalException
from referral_hub.errors import Unavailable
from referral_hub.exchange.change import ConsentRows, TokenIndex
from referral_hub.store import schema
from referral_hub.store.audit_rows import detail_label
from referral_hub.store.backing import ABOUT_PERSONS, BackedTypes
from referral_hub.store.bodies import SEALED, seal_under
from tests.api.store.read_worlds import (
    CLINIC,
    DAY,
    DIGEST,
    NOW,
    OFFICE,
    SHELTER,
    World,
    grant,
    module_world,
    patient,
    refuse,
    release,
    resource,
    tokens,
)

PERSON = 1
TARGETS = ("*", "org:clinic-1", "org:clinic", "kind:clinic")

filled = pytest.fixture(scope="module", params=["sqlite", "postgresql"])(module_world)


@pytest.fixture
def world(filled: World) -> World:
    filled.clear()
    filled.organizations(CLINIC, SHELTER, OFFICE, hub=OFFICE.id)
    filled.token(CLINIC)
    filled.resources(
        patient(PERSON, SHELTER.id),
        patient(10, SHELTER.id),
        resource(2, "Task", SHELTER.id, person=PERSON, owner=CLINIC.id, focus=3),
        resource(3, "ServiceRequest", SHELTER.id, person=PERSON),
        sealed=True,
    )
    return filled


def test_resources_by_name_and_by_row(world: World) -> None:
    with world.store.snapshot() as look:
        row = look.resource("Task", "task-2")
        assert row is not None
        assert row.body == b'{"resourceType":"Task","id":"task-2"}'
        assert look.resource("Patient", "task-2") is None
        assert look.resource("Task", "nowhere") is None
        assert look.rows([2, 3, 2, 999]).keys() == {2, 3}
        assert look.rows([2])[2] == row
        assert look.rows([]) == {}
        asked = ["Task/task-2", "Patient/patient-1", "Patient/task-2", "Task/", "nonsense", "Task/nowhere"]
        assert look.resources(asked).keys() == {"Task/task-2", "Patient/patient-1"}
        assert look.resources(()) == {}


def test_a_snapshot_is_one_state(world: World) -> None:
    with world.store.snapshot() as look:
        assert look.standing(PERSON, CLINIC.id, TARGETS).epoch == 0
        world.consents(release(PERSON, CLINIC.id, "health"))
        world.resources(resource(4, "Task", SHELTER.id, person=PERSON, focus=3))
        assert look.standing(PERSON, CLINIC.id, TARGETS).grants == ()
        assert [row.id for row in look.tasks_of(3)] == ["task-2"]
        assert world.store.epoch(PERSON) == 1
    with world.store.snapshot() as look:
        assert len(look.standing(PERSON, CLINIC.id, TARGETS).grants) == 2
        assert [row.id for row in look.tasks_of(3)] == ["task-2", "task-4"]


def test_an_older_state_is_not_mixed_with_what_is_remembered(world: World) -> None:
    """The consent rows of a later epoch are in memory; the snapshot's own epoch is earlier."""
    world.consents(release(PERSON, CLINIC.id, "health"))
    with world.store.snapshot() as look:
        assert look.resource("Task", "task-2") is not None
        world.consents(ConsentRows(900, PERSON))
        answer = world.store.read("Task", "task-2", DIGEST)
        assert answer.standing is not None
        assert answer.standing.grants == ()
        standing = look.standing(PERSON, CLINIC.id, TARGETS)
        assert (standing.epoch, len(standing.grants)) == (1, 2)


def test_own_live_rows_with_an_identifier_at_most_two(world: World) -> None:
    marked = tokens(identifier="urn:file|7")
    world.resources(
        resource(20, "Patient", SHELTER.id, person=20, tokens=marked),
        resource(21, "Patient", CLINIC.id, person=21, tokens=marked),
        resource(22, "Patient", SHELTER.id, person=22, tokens=marked, interaction="delete"),
        resource(23, "RelatedPerson", SHELTER.id, person=20, tokens=marked),
    )
    with world.store.snapshot() as look:
        assert [row.row_id for row in look.identified(SHELTER.id, "Patient", "urn:file|7")] == [20]
        assert look.identified(SHELTER.id, "Patient", "urn:file|8") == []
        assert look.identified(SHELTER.id, "Patient", "urn:other|7") == []
        assert look.identified(OFFICE.id, "Patient", "urn:file|7") == []
    world.resources(
        *(resource(row, "Patient", SHELTER.id, person=row, tokens=marked) for row in (24, 25, 26))
    )
    with world.store.snapshot() as look:
        assert len(look.identified(SHELTER.id, "Patient", "urn:file|7")) == 2


def test_rows_that_follow_from_a_request_or_a_person(world: World) -> None:
    world.resources(
        resource(30, "Procedure", CLINIC.id, person=PERSON, based_on=3),
        resource(31, "Procedure", CLINIC.id, person=PERSON, based_on=3, interaction="delete"),
        resource(32, "Appointment", CLINIC.id, person=PERSON, based_on=3),
        resource(33, "Procedure", CLINIC.id, person=10, based_on=99),
        resource(34, "Task", SHELTER.id, person=PERSON, focus=3, interaction="delete"),
    )
    with world.store.snapshot() as look:
        assert [row.row_id for row in look.based_on(3, "Procedure")] == [30]
        assert [row.row_id for row in look.based_on(3, "Appointment")] == [32]
        assert [row.row_id for row in look.tasks_of(3)] == [2]
        assert [row.row_id for row in look.of_person(PERSON, "Procedure")] == [30]
        assert [row.row_id for row in look.of_person(10, "Patient")] == [10]
        assert look.of_person(99, "Procedure") == []


def test_the_newest_observation_with_a_code(world: World) -> None:
    code = (TokenIndex("code", "urn:hub|cannot-sign-now"),)
    world.resources(
        resource(40, "Observation", SHELTER.id, person=PERSON, tokens=code, updated_us=NOW + 50),
        resource(41, "Observation", SHELTER.id, person=PERSON, tokens=code, updated_us=NOW + 60),
        resource(42, "Observation", CLINIC.id, person=PERSON, tokens=code, updated_us=NOW + 70),
        resource(43, "Observation", SHELTER.id, person=10, tokens=code, updated_us=NOW + 80),
        resource(44, "Observation", SHELTER.id, person=PERSON, updated_us=NOW + 90),
    )
    with world.store.snapshot() as look:
        newest = look.newest_observation(PERSON, "urn:hub|cannot-sign-now", SHELTER.id)
        assert newest is not None
        assert newest.row_id == 41
        assert look.newest_observation(PERSON, "urn:hub|other", SHELTER.id) is None
        assert look.newest_observation(PERSON, "urn:hub|cannot-sign-now", OFFICE.id) is None


def test_versions_newest_first_each_with_its_own_columns(world: World) -> None:
    writes = [
        resource(50, "Task", SHELTER.id, version=f"v{number}", number=number, status=status, body=body)
        for number, status, body in ((1, "draft", b"1"), (2, "requested", b"2"), (3, "accepted", b"3"))
    ]
    world.put(schema.resource_version, [world.row(write, sealed=True) for write in writes])
    with world.store.snapshot() as look:
        assert [(row.number, row.status, row.body) for row in look.versions(50)] == [
            (3, "accepted", b"3"),
            (2, "requested", b"2"),
            (1, "draft", b"1"),
        ]
        earlier = look.version(50, "v2")
        assert earlier is not None
        assert earlier.status == "requested"
        assert look.version(50, "v9") is None
        assert look.version(2, "v2") is None
        assert look.versions(999) == []


def test_standings_and_referral_rows(world: World) -> None:
    mine = ReferralAccess(2, CLINIC.id, PERSON, 3, "notice")
    back = ReferralAccess(2, SHELTER.id, PERSON, 3, "full", back=True)
    recall = ReferralAccess(60, CLINIC.id, None, None, "full", nameless=True)
    other = ReferralAccess(61, CLINIC.id, 10, 62, "history", until_us=NOW, accepted=True)
    world.accesses(mine, back, recall, other)
    exception = RefusalException(950, PERSON, CLINIC.id, "TREAT", "Patient/x")
    world.consents(
        release(PERSON, CLINIC.id, "health"),
        release(PERSON, SHELTER.id, "outcome", consent=901),
        refuse(PERSON, "org:clinic", exception),
        refuse(PERSON, "org:office-1", consent=951),
        refuse(PERSON, "*", consent=952),
    )
    with world.store.snapshot() as look:
        standing = look.standing(PERSON, CLINIC.id, TARGETS)
        assert (standing.person, standing.epoch, standing.accesses) == (PERSON, 5, (mine,))
        assert {row.consent for row in standing.grants} == {900}
        assert {row.target for row in standing.refusals} == {"org:clinic", "*"}
        assert standing.exceptions == (exception,)
        every = look.standing(PERSON, CLINIC.id, ())
        assert {row.target for row in every.refusals} == {"org:clinic", "org:office-1", "*"}
        assert look.standing(10, CLINIC.id, TARGETS).accesses == (other,)
        assert look.standing(99, CLINIC.id, TARGETS).epoch == 0
        assert set(look.accesses_of_task(2)) == {mine, back}
        assert look.accesses_of_task(60) == [recall]
        assert look.accesses_of_task(999) == []
        assert set(look.accesses_of_person(PERSON)) == {mine, back}


def test_every_consent_of_a_person(world: World) -> None:
    world.resources(
        resource(70, "Consent", SHELTER.id, person=PERSON, status="active", custodian=CLINIC.id, body=b"a"),
        resource(71, "Consent", CLINIC.id, person=PERSON, status="inactive", body=b"b"),
        resource(72, "Consent", SHELTER.id, person=10, status="active", body=b"c"),
        resource(73, "Consent", SHELTER.id, person=PERSON, interaction="delete", body=b""),
        sealed=True,
    )
    with world.store.snapshot() as look:
        found = look.consents(PERSON)
    assert [(row.row_id, row.id, row.version, row.status, row.body, row.custodian) for row in found] == [
        (70, "consent-70", "v-70", "active", b"a", CLINIC.id),
        (71, "consent-71", "v-71", "inactive", b"b", ""),
    ]
    world.keys.gone.add(PERSON)
    with world.store.snapshot() as look, pytest.raises(Unavailable):
        look.consents(PERSON)


def test_who_is_who(world: World) -> None:
    world.put(
        schema.organization_base,
        [
            {"organization": CLINIC.id, "base_url": url}
            for url in ("https://b.example/fhir", "https://a.example/fhir")
        ],
    )
    with world.store.snapshot() as look:
        found = look.organization(CLINIC.id)
        assert found is not None
        assert (found.facts, found.version, found.part_of, found.row_id) == (CLINIC, 1, "clinic", 9000)
        assert (found.name, found.neutral_name, found.is_hub) == (CLINIC.id, "Intake point", False)
        assert look.organization("nobody") is None
        hub = look.hub_organization()
        assert hub is not None
        assert (hub.facts, hub.is_hub) == (OFFICE, True)
        assert look.registered_bases(CLINIC.id) == ["https://a.example/fhir", "https://b.example/fhir"]
        assert look.registered_bases(SHELTER.id) == []
        token = look.token(DIGEST)
        assert token is not None
        assert token == look.token(DIGEST) == world.store.read("Task", "task-2", DIGEST).token
        assert look.token(sha256(b"none").digest()) is None
    world.run(schema.organization.delete())
    with world.store.snapshot() as look:
        assert look.hub_organization() is None


def test_a_token_revoked_after_it_was_remembered(world: World) -> None:
    with world.store.snapshot() as look:
        assert look.token(DIGEST) is not None
    world.run(sa.update(schema.oauth_client).values(active=0))
    with world.store.snapshot() as look:
        token = look.token(DIGEST)
        assert token is not None
        assert token.revoked is True


def test_who_received_something_or_may_have(world: World) -> None:
    ledger = {"user_id": "", "purpose": "TREAT", "consent": "", "count": 1, "first_us": NOW, "last_us": NOW}
    world.put(
        schema.ledger,
        [
            ledger | {"person": person, "recipient": recipient, "hour_us": hour}
            for person, recipient, hour in (
                (PERSON, "b", 1),
                (PERSON, "b", 2),
                (PERSON, "a", 1),
                (10, "c", 1),
            )
        ],
    )
    queued = {
        "kind": "task-notice",
        "resource": 2,
        "not_before_us": 0,
        "detail_format": 0,
        "detail": b"",
        "lease": "",
        "lease_until_us": 0,
        "reason": "",
    }
    world.put(
        schema.outbox,
        [
            queued
            | {"key": destination, "destination": destination, "person": person}
            | {"state": state, "attempts": attempts}
            for destination, person, state, attempts in (
                ("tried", PERSON, schema.OUTBOX_WAITING, 1),
                ("given-up", PERSON, schema.OUTBOX_DEAD, 9),
                ("stopped", PERSON, schema.OUTBOX_CANCELLED, 1),
                ("never-tried", PERSON, schema.OUTBOX_WAITING, 0),
                ("dropped", PERSON, schema.OUTBOX_CANCELLED, 0),
                ("someone-else", 10, schema.OUTBOX_WAITING, 3),
            )
        ],
    )
    with world.store.snapshot() as look:
        assert look.delivered_to(PERSON) == ["a", "b", "given-up", "stopped", "tried"]
        assert look.delivered_to(99) == []


def test_the_audit_of_a_person_oldest_first(world: World) -> None:
    def line(at_us: int, person: int, detail: bytes) -> dict[str, object]:
        label = detail_label(at_us, CLINIC.id, "read")
        return {
            "at_us": at_us,
            "action": "read",
            "interaction": "read",
            "outcome": 0 if detail else 4,
            "organization": CLINIC.id,
            "oauth_client": "software",
            "user_id": "nurse",
            "purpose": "TREAT",
            "person": person,
            "recipient": CLINIC.id,
            "entities": "Task/task-2/v-2 Patient/patient-1/v-1",
            "consents": "",
            "reason": "",
            "detail_format": SEALED if detail else 0,
            "detail": seal_under(world.keys.person(person), detail, label) if detail else b"",
            "origin": "",
        }

    world.put(schema.audit, [line(NOW + 2, PERSON, b"{}"), line(NOW, PERSON, b""), line(NOW + 1, 10, b"")])
    with world.store.snapshot() as look:
        found = look.disclosures(PERSON)
    assert [(entry.at_us, entry.outcome, entry.detail) for entry in found] == [
        (NOW, 4, b""),
        (NOW + 2, 0, b"{}"),
    ]
    assert found[1].entities == ("Task/task-2/v-2", "Patient/patient-1/v-1")
    assert (found[1].user, found[1].consents) == ("nurse", ())


def test_what_backs_a_scope(world: World) -> None:
    backing = BackedTypes(world.database)
    assert backing.backed_types(SHELTER.id, "TREAT", NOW) == {
        "Patient",
        "Task",
        "ServiceRequest",
        "AuditEvent",
    }
    assert backing.backed_types(CLINIC.id, "TREAT", NOW) == set()
    world.consents(release(PERSON, CLINIC.id, "health"))
    assert backing.backed_types(CLINIC.id, "TREAT", NOW) == ABOUT_PERSONS | {"AuditEvent"}
    assert {"Patient", "Task", "Observation", "Consent"} <= ABOUT_PERSONS
    assert "Organization" not in ABOUT_PERSONS
    assert backing.backed_types(CLINIC.id, "shelter-placement", NOW) == set()
    assert backing.backed_types(CLINIC.id, "TREAT", NOW - 2 * DAY) == set()
    assert backing.backed_types(CLINIC.id, "TREAT", grant(PERSON, CLINIC.id, "x").valid_until_us) == set()
    world.resources(resource(80, "Location", CLINIC.id, directory=True))
    world.resources(resource(81, "Endpoint", CLINIC.id, directory=True, interaction="delete"))
    assert backing.backed_types(CLINIC.id, "x", NOW) == {"Location"}


def test_worlds_hold_rows_as_the_writer_makes_them(world: World) -> None:
    """A guard of this file's own helper: every column of a resource is filled."""
    row = world.row(resource(90, "Task", SHELTER.id))
    assert row.keys() == {column.name for column in schema.resource.c}
    access = asdict(ReferralAccess(1, "a", None, None, "full"))
    assert access.keys() == {column.name for column in schema.referral_access.c}
