"""Pages of a search on both databases: order, counts, what comes beside the rows, and one state per page."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
import sqlalchemy as sa

from referral_hub.access.rows import ReferralAccess
from referral_hub.errors import Unavailable
from referral_hub.exchange.change import ConsentRows, DateIndex, ResourceWrite
from referral_hub.exchange.search_plan import SearchPlan
from referral_hub.store import schema
from referral_hub.store.database import Database, Row
from referral_hub.store.search_sql import COUNT_LIMIT, VERSIONS
from referral_hub.store.statements import Parameters, Statement
from tests.api.store.read_worlds import (
    CLINIC,
    DIGEST,
    NOW,
    OTHER,
    SHELTER,
    World,
    ids,
    module_world,
    patient,
    plan,
    referred,
    release,
    resource,
)

PERSON = 1

filled = pytest.fixture(scope="module", params=["sqlite", "postgresql"])(module_world)


@pytest.fixture
def world(filled: World) -> World:
    filled.clear()
    filled.organizations(CLINIC, SHELTER)
    filled.token(CLINIC)
    return filled


def own(row_id: int, type_name: str = "Observation", **columns: Any) -> ResourceWrite:
    return resource(row_id, type_name, CLINIC.id, person=PERSON, **columns)


# --- pages ------------------------------------------------------------------------------------------------


def pages(world: World, asked: SearchPlan) -> list[str]:
    """Every id, page after page."""
    found: list[str] = []
    after = None
    while True:
        page = world.store.search(replace(asked, after=after))
        found += [row.id for row in page.rows]
        assert len(page.rows) <= asked.count
        if not page.more:
            return found
        assert page.last is not None
        after = page.last


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("count", [1, 2, 3, 7, 20])
def test_pages_hold_every_row_once_in_order(world: World, count: int, descending: bool) -> None:
    """Several rows changed in the same microsecond, own and others' mixed."""
    moments = (5, 5, 5, 3, 3, 9)
    rows = []
    for place, at in enumerate(moments):
        author = CLINIC.id if place % 2 else SHELTER.id
        rows.append(
            resource(11 + place, "Observation", author, person=PERSON, category="health", updated_us=at)
        )
    world.resources(patient(PERSON, SHELTER.id), *rows)
    world.accesses(ReferralAccess(2, CLINIC.id, PERSON, None, "full"))
    world.consents(release(PERSON, CLINIC.id, "health"))
    order = sorted(rows, key=lambda row: (row.updated_us, row.row_id), reverse=descending)
    asked = plan("Observation", CLINIC, count=count, sort=("_lastUpdated", descending))
    assert pages(world, asked) == [row.id for row in order]


@pytest.mark.parametrize(("descending", "order"), [(True, [12, 13, 11, 14]), (False, [11, 13, 12, 14])])
def test_a_date_orders_own_rows_and_those_without_come_last(
    world: World, descending: bool, order: list[int]
) -> None:
    """Ascending by where a span begins, descending by where it ends."""
    dates = {11: ((100, 200),), 12: ((150, 160), (900, 901)), 13: ((100, 200),), 14: ()}
    world.resources(
        *(
            own(row, dates=tuple(DateIndex("date", low, high) for low, high in found))
            for row, found in dates.items()
        ),
        resource(15, "Observation", SHELTER.id, person=PERSON, dates=(DateIndex("date", 120, 130),)),
    )
    for count in (1, 2, 10):
        asked = plan("Observation", CLINIC, count=count, sort=("date", descending), own_only=True)
        assert pages(world, asked) == [f"observation-{row}" for row in order]


def test_an_empty_page_ends_there(world: World) -> None:
    page = world.store.search(plan("Task", CLINIC, count=0))
    assert (page.rows, page.more, page.last, page.standings) == ((), False, None, {})


def test_a_count_of_zero_says_whether_there_is_something(world: World) -> None:
    world.resources(own(11))
    page = world.store.search(plan("Observation", CLINIC, count=0))
    assert (page.rows, page.more) == ((), True)


def test_a_total_stops_above_a_thousand(world: World) -> None:
    world.resources(*(own(100 + number, body=b"{}") for number in range(COUNT_LIMIT + 5)))
    assert world.store.search(plan("Observation", CLINIC, count_only=True)).total == 1_001
    assert world.store.search(plan("Observation", SHELTER, count_only=True)).total == 0


def test_type_history_holds_every_own_version_and_deletion(world: World) -> None:
    writes = [
        resource(11, "Task", CLINIC.id, version="a", number=1, updated_us=1, body=b"1"),
        resource(11, "Task", CLINIC.id, version="b", number=2, updated_us=3, body=b"2"),
        resource(12, "Task", CLINIC.id, version="c", number=1, updated_us=2, body=b"3"),
        resource(12, "Task", CLINIC.id, version="d", number=2, updated_us=4, interaction="delete", body=b""),
        resource(13, "Task", SHELTER.id, version="e", number=1, updated_us=5, owner=CLINIC.id),
    ]
    world.put(schema.resource_version, [world.row(write) for write in writes])
    asked = plan("Task", CLINIC, sort=(VERSIONS, True), own_only=True, count=10)
    page = world.store.search(asked)
    assert [(row.version, row.deleted, row.body) for row in page.rows] == [
        ("d", True, b""),
        ("b", False, b"2"),
        ("c", False, b"3"),
        ("a", False, b"1"),
    ]
    assert pages(world, replace(asked, count=1)) == ["task-12", "task-11", "task-12", "task-11"]


# --- what comes beside the rows ---------------------------------------------------------------------------


def test_standings_come_for_the_persons_of_rows_that_others_wrote(world: World) -> None:
    referred(world, 1, 2, 3)
    world.resources(resource(40, "Task", CLINIC.id, person=4, owner=CLINIC.id))
    store = world.store
    for _ in range(2):
        page = store.search(plan("Task", CLINIC))
        assert page.standings.keys() == {1, 2, 3}
        with store.snapshot() as look:
            targets = plan("Task", CLINIC).refusal_targets
            for person, standing in page.standings.items():
                expected = look.standing(person, CLINIC.id, targets)
                assert replace(standing, grants=()) == replace(expected, grants=())
                assert set(standing.grants) == set(expected.grants)
                assert {row.category for row in standing.grants} == {"notice", "health"}


def test_a_recall_beside_other_tasks_of_the_person(world: World) -> None:
    referred(world, 1)
    recall = ReferralAccess(50, CLINIC.id, None, None, "full", nameless=True)
    world.resources(resource(50, "Task", "network", person=1, owner=CLINIC.id, kind="recall"))
    world.accesses(recall)
    page = world.store.search(plan("Task", CLINIC))
    assert {row.id for row in page.rows} == {"task-10", "task-50"}
    assert set(page.standings[1].accesses) == {
        recall,
        ReferralAccess(10, CLINIC.id, 1, None, "full", accepted=True),
    }
    assert ids(world, plan("Task", OTHER)) == []


def test_the_token_comes_with_the_page(world: World) -> None:
    world.resources(own(11))
    asked = plan("Observation", CLINIC, token_digest=DIGEST)
    page = world.store.search(asked)
    assert page.token is not None
    assert page.token.organization == CLINIC.id
    assert world.store.search(replace(asked, count_only=True)).token == page.token
    assert world.store.search(replace(asked, token_digest=sha256(b"none").digest())).token is None
    assert world.store.search(plan("Observation", CLINIC)).token is None
    world.run(sa.update(schema.oauth_token).values(revoked=1, version=2))
    found = world.store.search(asked).token
    assert found is not None
    assert found.revoked is True


def test_bodies_come_opened_or_not_at_all(world: World) -> None:
    world.resources(own(11, body=b"plain"), sealed=True)
    assert [row.body for row in world.store.search(plan("Observation", CLINIC)).rows] == [b"plain"]
    world.keys.gone.add(PERSON)
    with pytest.raises(Unavailable):
        world.store.search(plan("Observation", CLINIC))
    assert world.store.search(plan("Observation", CLINIC, count_only=True)).total == 1


# --- one state --------------------------------------------------------------------------------------------


class Interrupted:
    """A database between whose first and second statement something else happens."""

    def __init__(self, inner: Database, meanwhile: Callable[[], None]) -> None:
        self.inner = inner
        self.dialect = inner.dialect
        self.meanwhile = meanwhile
        self.asked: list[str] = []

    def run(self, statement: Statement, parameters: Parameters) -> list[Row]:
        found = self.inner.run(statement, parameters)
        self.asked.append(statement.name)
        if len(self.asked) == 1:
            self.meanwhile()
        return found

    def first(self, statement: Statement, parameters: Parameters) -> Row | None:
        return self.inner.first(statement, parameters)

    def reading(self) -> Any:
        self.asked.append("reading")
        return self.inner.reading()

    def now_us(self) -> int:
        return NOW

    def close(self) -> None:
        return None


@pytest.mark.parametrize("consent", ["ends", "begins"])
def test_a_page_never_mixes_two_states_of_consent(world: World, consent: str) -> None:
    """The withdrawal lands between the page and the look at the grants: the whole page is read again."""
    referred(world, 1)
    if consent == "begins":
        world.consents(ConsentRows(901, 1))

    def meanwhile() -> None:
        world.consents(ConsentRows(901, 1) if consent == "ends" else release(1, CLINIC.id, consent=901))

    database = Interrupted(world.database, meanwhile)
    store = world.another_process(database)
    page = store.search(plan("Patient", CLINIC))
    if consent == "ends":
        assert database.asked == ["search_Patient", "standings_read", "reading"]
        assert (page.rows, page.standings) == ((), {})
    else:
        assert page.rows == ()
    page = store.search(plan("Patient", CLINIC))
    assert [row.id for row in page.rows] == (["patient-1"] if consent == "begins" else [])


def test_what_is_remembered_needs_no_second_statement(world: World) -> None:
    referred(world, 1, sealed=True)
    database = Interrupted(world.database, lambda: None)
    store = world.another_process(database)
    for _ in range(2):
        store.search(plan("Task", CLINIC))
    assert database.asked == ["search_Task", "standings_read", "resources_by_row", "search_Task"]


def test_a_version_written_while_a_page_is_read_makes_the_whole_page_anew(world: World) -> None:
    world.resources(own(11, body=b"{}"), own(12, body=b"{}"), sealed=True)
    table = schema.resource

    def meanwhile() -> None:
        world.run(
            sa.update(table)
            .where(table.c.row_id == 11)
            .values(version="w2", deleted=1, body=b"{}", body_format=0)
        )

    database = Interrupted(world.database, meanwhile)
    store = world.another_process(database)
    assert [row.row_id for row in store.search(plan("Observation", CLINIC)).rows] == [12]
    assert database.asked == ["search_Observation", "resources_by_row", "reading"]


def test_a_kept_row_is_given_as_long_as_it_is_the_version_of_now(world: World) -> None:
    world.resources(own(11, body=b"{}"), sealed=True)
    found = [world.store.search(plan("Observation", CLINIC)).rows[0] for _ in range(2)]
    assert found[0] is found[1]
    table = schema.resource
    world.run(
        sa.update(table)
        .where(table.c.row_id == 11)
        .values(version="w2", status="final", body=b"{}", body_format=0)
    )
    for _ in range(2):
        (row,) = world.store.search(plan("Observation", CLINIC)).rows
        assert (row.version, row.status) == ("w2", "final")
        read = world.store.read("Observation", row.id, DIGEST).resource
        assert read is not None
        assert (read.version, read.status) == ("w2", "final")


def test_a_withdrawal_is_seen_by_the_next_search(world: World) -> None:
    referred(world, 1)
    assert ids(world, plan("Patient", CLINIC)) == ["patient-1"]
    world.consents(ConsentRows(901, 1))
    assert ids(world, plan("Patient", CLINIC)) == []
    page = world.store.search(plan("Task", CLINIC))  # the card stays
    assert page.standings[1].grants == ()
