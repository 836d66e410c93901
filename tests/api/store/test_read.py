"""The one-statement read, on both databases: token, resource and standing of one state, never an older one."""

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from threading import Event
from typing import Any

import pytest
import sqlalchemy as sa

from referral_hub.access.principal import OrganizationFacts
from referral_hub.access.rows import ReferralAccess, Refusal, RefusalException
from referral_hub.errors import Unavailable
from referral_hub.exchange.change import ConsentRows
from referral_hub.exchange.ports import ReadAnswer
from referral_hub.store import schema
from referral_hub.store.store import SqlStore
from tests.api.store.read_worlds import (
    CLINIC,
    DAY,
    DIGEST,
    LATER,
    NOW,
    OFFICE,
    OTHER,
    SHELTER,
    World,
    grant,
    module_world,
    patient,
    plan,
    refuse,
    release,
    resource,
)

PERSON = 1
ACCESS = ReferralAccess(2, CLINIC.id, PERSON, 3, "full", until_us=LATER, accepted=True)
OWN_TOKEN = sha256(b"the shelter's token").digest()

filled = pytest.fixture(scope="module", params=["sqlite", "postgresql"])(module_world)


@pytest.fixture
def world(filled: World) -> World:
    """A shelter referred somebody to a clinic, which accepted."""
    filled.clear()
    filled.organizations(CLINIC, SHELTER, OFFICE, OTHER)
    filled.token(CLINIC)
    filled.token(SHELTER, digest=OWN_TOKEN)
    filled.resources(
        patient(PERSON, SHELTER.id),
        resource(
            2,
            "Task",
            SHELTER.id,
            person=PERSON,
            owner=CLINIC.id,
            requester=SHELTER.id,
            status="accepted",
            category="health",
            focus=3,
            sensitivities=("PSY", "THB"),
            kind="fulfill",
            data_from_us=5,
            data_until_us=6,
        ),
        resource(3, "ServiceRequest", SHELTER.id, person=PERSON, category="health"),
        resource(4, "Organization", SHELTER.id, directory=True, category="directory"),
        resource(5, "Observation", SHELTER.id, person=PERSON, interaction="delete", body=b""),
        sealed=True,
    )
    filled.accesses(ACCESS)
    filled.consents(release(PERSON, CLINIC.id, "health"))
    return filled


def task(store: SqlStore, digest: bytes = DIGEST) -> ReadAnswer:
    return store.read("Task", "task-2", digest)


def test_a_read_brings_token_resource_and_standing(world: World) -> None:
    answer = task(world.store)
    assert answer.token is not None
    assert answer.token.digest == DIGEST
    assert (answer.token.organization, answer.token.oauth_client) == (CLINIC.id, "software-of-clinic-1")
    assert (answer.token.version, answer.token.organization_version) == (1, 1)
    assert (answer.token.scope, answer.token.purpose) == ("system/Task.rus", "TREAT")
    assert (answer.token.issued_us, answer.token.expires_us) == (NOW, LATER)
    assert answer.token.revoked is False
    assert answer.token.very_restricted is True
    row = answer.resource
    assert row is not None
    assert (row.row_id, row.type, row.id, row.version) == (2, "Task", "task-2", "v-2")
    assert row.body == b'{"resourceType":"Task","id":"task-2"}'
    assert (row.owner, row.requester, row.author, row.written_by) == (
        CLINIC.id,
        SHELTER.id,
        SHELTER.id,
        SHELTER.id,
    )
    assert (row.person, row.focus, row.based_on) == (PERSON, 3, None)
    assert row.sensitivities == ("PSY", "THB")
    assert (row.data_from_us, row.data_until_us, row.updated_us) == (5, 6, NOW + 2)
    assert (row.status, row.kind, row.category, row.confidentiality) == (
        "accepted",
        "fulfill",
        "health",
        "R",
    )
    assert (row.deleted, row.directory, row.never_release, row.foreign_elements) == (False,) * 4
    assert row.method == "POST"
    standing = answer.standing
    assert standing is not None
    assert (standing.person, standing.epoch) == (PERSON, 1)
    assert standing.accesses == (ACCESS,)
    assert set(standing.grants) == {
        grant(PERSON, CLINIC.id, "notice"),
        grant(PERSON, CLINIC.id, "health"),
    }
    assert (standing.refusals, standing.exceptions) == ((), ())


def test_the_same_answer_cold_and_warm(world: World) -> None:
    cold = task(world.store)
    assert task(world.store) == cold
    assert task(world.another_process()) == cold


def test_without_a_token_row_there_is_nothing(world: World) -> None:
    assert task(world.store, sha256(b"made up").digest()) == ReadAnswer(None, None, None)


@pytest.mark.parametrize(
    ("type_name", "public_id"), [("Task", "nowhere"), ("Observation", "task-2"), ("Task", "")]
)
def test_an_absent_resource_leaves_the_token(world: World, type_name: str, public_id: str) -> None:
    answer = world.store.read(type_name, public_id, DIGEST)
    assert answer.token is not None
    assert (answer.resource, answer.standing) == (None, None)


def test_own_rows_and_rows_about_nobody_have_no_standing(world: World) -> None:
    own = task(world.store, OWN_TOKEN)
    assert own.resource is not None
    assert own.standing is None
    listed = world.store.read("Organization", "organization-4", DIGEST)
    assert listed.resource is not None
    assert (listed.resource.directory, listed.standing) == (True, None)


def test_a_deleted_resource_is_given_as_such(world: World) -> None:
    row = world.store.read("Observation", "observation-5", OWN_TOKEN).resource
    assert row is not None
    assert (row.deleted, row.body) == (True, b"")


def test_another_organisation_stands_differently(world: World) -> None:
    digest = sha256(b"another").digest()
    world.token(OTHER, digest=digest)
    standing = task(world.store, digest).standing
    assert standing is not None
    assert (standing.accesses, standing.grants) == ((), ())
    assert task(world.store).standing != standing


# --- nothing is older than the state that was read --------------------------------------------------------


def test_a_withdrawal_is_seen_by_the_next_read(world: World) -> None:
    assert task(world.store).standing is not None
    world.consents(ConsentRows(900, PERSON))
    standing = task(world.store).standing
    assert standing is not None
    assert (standing.epoch, standing.grants) == (2, ())


def test_a_closed_referral_is_seen_by_the_next_read(world: World) -> None:
    task(world.store)
    access = schema.referral_access
    world.run(sa.update(access).values(level="history", until_us=None))
    standing = task(world.store).standing
    assert standing is not None
    assert [row.level for row in standing.accesses] == ["history"]


def test_a_refusal_reaches_whom_it_names_and_nobody_else(world: World) -> None:
    exception = RefusalException(950, PERSON, CLINIC.id, "TREAT", "Observation/x")
    world.consents(
        refuse(PERSON, "org:clinic", exception, purpose="TREAT", at_least="V", valid_from_us=NOW),
        refuse(PERSON, "kind:governmental", consent=951),
    )
    standing = task(world.store).standing
    assert standing is not None
    assert standing.refusals == (
        Refusal(950, PERSON, "org:clinic", purpose="TREAT", at_least="V", valid_from_us=NOW),
    )
    assert standing.exceptions == (exception,)
    digest = sha256(b"the office's token").digest()
    world.token(OFFICE, digest=digest)
    standing = task(world.store, digest).standing
    assert standing is not None
    assert [row.target for row in standing.refusals] == ["kind:governmental"]


def test_an_organisation_that_becomes_governmental_is_reached_at_once(world: World) -> None:
    world.consents(refuse(PERSON, "kind:governmental"))
    before = task(world.store)
    assert before.standing is not None
    assert before.standing.refusals == ()
    organization = schema.organization
    world.run(sa.update(organization).where(organization.c.id == CLINIC.id).values(governmental=1, version=2))
    after = task(world.store)
    assert after.token is not None
    assert after.token.organization_version == 2
    assert after.standing is not None
    assert len(after.standing.refusals) == 1


@pytest.mark.parametrize(
    ("table", "changes"),
    [(schema.oauth_token, {"revoked": 1, "version": 2}), (schema.oauth_client, {"active": 0, "version": 2})],
    ids=["token", "software"],
)
def test_a_revoked_token_is_seen_by_the_next_read(
    world: World, table: sa.Table, changes: dict[str, Any]
) -> None:
    assert task(world.store).token is not None
    world.run(sa.update(table).values(**changes))
    token = task(world.store).token
    assert token is not None
    assert token.revoked is True
    again = task(world.store).token
    assert again is not None
    assert again.revoked is True


def test_a_token_that_changes_is_read_anew(world: World) -> None:
    task(world.store)
    world.run(sa.update(schema.oauth_token).values(version=2, scope="system/Task.r"))
    token = task(world.store).token
    assert token is not None
    assert (token.version, token.scope) == (2, "system/Task.r")


def test_an_organisation_the_hub_does_not_know_still_holds_its_token(world: World) -> None:
    world.run(schema.organization.delete())
    for _ in range(2):
        token = task(world.store).token
        assert token is not None
        assert token.organization_version == 0


def test_a_row_that_becomes_about_another_person_brings_her_consents(world: World) -> None:
    """The epochs of the two are the same, so only the person tells them apart."""
    world.consents(ConsentRows(901, 70, grants=(grant(70, CLINIC.id, "notice", consent=901),)))
    other = world.store.read("Task", "task-2", DIGEST)
    assert other.standing is not None
    table = schema.resource
    world.run(
        sa.update(table).where(table.c.row_id == 2).values(person=70, version="w2", body=b"{}", body_format=0)
    )
    for store in (world.store, world.another_process()):
        standing = task(store).standing
        assert standing is not None
        assert (standing.person, standing.epoch, standing.accesses) == (70, 1, ())
        assert standing.grants == (grant(70, CLINIC.id, "notice", consent=901),)


def test_what_is_remembered_is_bounded(world: World) -> None:
    world.resources(
        *(resource(100 + n, "Observation", SHELTER.id, person=1000 + n) for n in range(20)), sealed=True
    )
    store = world.store
    store._standings._size = store._reader._size = 5
    for _ in range(2):
        for n in range(20):
            answer = store.read("Observation", f"observation-{100 + n}", DIGEST)
            assert answer.standing is not None
            assert answer.standing.person == 1000 + n
    assert len(store._standings._kept) <= 5
    assert len(store._reader._persons) <= 5


def test_readers_beside_changes_see_whole_states_only(world: World) -> None:
    """The release stands at odd epochs and is withdrawn at even ones, while four threads read and search."""
    done = Event()

    def look(number: int) -> int:
        seen = 0
        while not done.is_set() or seen < 20:
            if number % 2:
                standing = task(world.store).standing
                assert standing is not None
                assert bool(standing.grants) is (standing.epoch % 2 == 1)
            else:
                page = world.store.search(plan("ServiceRequest", CLINIC))
                assert [bool(one.grants) and one.epoch % 2 == 1 for one in page.standings.values()] == [
                    True for _ in page.rows
                ]
            seen += 1
        return seen

    with ThreadPoolExecutor(4) as pool:
        looks = [pool.submit(look, number) for number in range(4)]
        for _ in range(40):
            world.consents(ConsentRows(900, PERSON))
            world.consents(release(PERSON, CLINIC.id, "health"))
        done.set()
        assert min(one.result() for one in looks) >= 20


# --- special rows -------------------------------------------------------------------------------------------


def test_a_recall_brings_its_own_access_row(world: World) -> None:
    """It names no person, so that nothing about her leaves with it."""
    recall = ReferralAccess(9, CLINIC.id, None, None, "full", nameless=True)
    world.resources(
        resource(9, "Task", "network", person=PERSON, owner=CLINIC.id, kind="recall"), sealed=True
    )
    world.accesses(recall)
    standing = world.store.read("Task", "task-9", DIGEST).standing
    assert standing is not None
    assert standing.accesses == (recall,)
    assert task(world.store).standing != standing


def test_a_body_whose_key_is_gone_is_not_given(world: World) -> None:
    world.keys.gone.add(PERSON)
    with pytest.raises(Unavailable) as problem:
        task(world.store)
    assert "task-2" not in problem.value.text


def test_a_body_moved_to_another_row_is_not_given(world: World) -> None:
    table = schema.resource
    body = sa.select(table.c.body).where(table.c.row_id == 2).scalar_subquery()
    world.run(sa.update(table).where(table.c.row_id == 3).values(body=body))
    with pytest.raises(Unavailable):
        world.store.read("ServiceRequest", "servicerequest-3", DIGEST)


def test_epochs_come_alone_or_together(world: World) -> None:
    world.consents(ConsentRows(901, PERSON))
    assert world.store.epoch(PERSON) == 2
    assert world.store.epoch(12345) == 0
    assert world.store.epochs([PERSON, 12345]) == {PERSON: 2, 12345: 0}
    assert world.store.epochs([]) == {}


@pytest.mark.parametrize("days", [-1, 40])
def test_nothing_is_filtered_by_time(world: World, days: int) -> None:
    """When a grant holds is the decision's matter, and the clock is not the store's."""
    until = NOW + days * DAY
    world.consents(
        ConsentRows(900, PERSON, grants=(grant(PERSON, CLINIC.id, "notice", valid_until_us=until),))
    )
    standing = task(world.store).standing
    assert standing is not None
    assert [row.valid_until_us for row in standing.grants] == [until]


def test_unusual_texts_come_back_as_they_are(world: World) -> None:
    """Standings travel as JSON inside SQL."""
    name = 'quo"te\\ back, ünï\u2028'
    strange = OrganizationFacts(name)
    digest = sha256(b"strange").digest()
    world.organizations(strange)
    world.token(strange, digest=digest)
    world.consents(release(PERSON, name, "health", consent=902, consent_id=name))
    standing = task(world.store, digest).standing
    assert standing is not None
    assert {(row.organization, row.consent_id) for row in standing.grants} == {(name, name)}
