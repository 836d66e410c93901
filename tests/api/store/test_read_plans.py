"""The hot questions are answered by index, in the order of the page: SQLite's own account of its plans."""

import json
from collections.abc import Iterator

import pytest

from referral_hub.exchange.search_plan import Criterion, SearchPlan
from referral_hub.store import view_queries
from referral_hub.store.database import SqliteDatabase
from referral_hub.store.read import READ
from referral_hub.store.search_sql import statement_of
from referral_hub.store.searching import STANDINGS_READ
from referral_hub.store.statements import Parameters, Statement
from tests.api.store.read_worlds import CLINIC, World, plan, token, world_of

ME = f"Organization/{CLINIC.id}"
HER = token("subject", "Patient/p")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_of(f"sqlite:///{tmp_path_factory.mktemp('plans') / 'hub.db'}") as made:
        yield made


def explain(world: World, statement: Statement, parameters: Parameters) -> list[str]:
    assert isinstance(world.database, SqliteDatabase)
    given = {
        name: json.dumps(value) if isinstance(value, list) else value for name, value in parameters.items()
    }
    with world.database.reading() as connection:
        found = connection.driver.execute("EXPLAIN QUERY PLAN " + statement.text["sqlite"], given)
        return [row[3] for row in found]


def steps(world: World, asked: SearchPlan) -> list[str]:
    return explain(world, *statement_of(asked, world.digests, "sqlite"))


def inner(found: list[str]) -> list[str]:
    """The steps that find the page, before what stands beside its rows is fetched."""
    return found[
        : next(place for place, step in enumerate(found) if step.startswith(("SEARCH w", "SEARCH p ")))
    ]


ANY_SCAN = ("SCAN r", "SCAN w", "SCAN referral_access", "SCAN consent_grant", "SCAN refusal", "SCAN index_")


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        (
            plan("Task", CLINIC, token("owner", ME), token("status", "requested"), count=20),
            "SEARCH r USING INDEX resource_inbox (type=? AND owner=? AND status=?)",
        ),
        (
            plan("Task", CLINIC, token("owner", ME)),
            "SEARCH r USING INDEX resource_owned (type=? AND owner=?)",
        ),
        (
            plan("Task", CLINIC, token("owner", ME), after=(5, 6)),
            "SEARCH r USING INDEX resource_owned (type=? AND owner=? AND updated_us<?)",
        ),
        (
            plan("Task", CLINIC, token("requester", ME, visibility="accepted")),
            "SEARCH r USING INDEX resource_requested (type=? AND requester=?)",
        ),
        (
            plan("ServiceRequest", CLINIC, HER),
            "SEARCH r USING INDEX resource_timeline (person=? AND type=?)",
        ),
        (plan("Observation", CLINIC, HER), "SEARCH r USING INDEX resource_timeline (person=? AND type=?)"),
        (
            plan("Observation", CLINIC, HER, token("code", "a|b"), after=(5, 6)),
            "SEARCH r USING INDEX resource_timeline (person=? AND type=? AND updated_us<?)",
        ),
        (
            plan("Task", CLINIC, own_only=True),
            "SEARCH r USING INDEX resource_authored (type=? AND author=?)",
        ),
        (
            plan("Task", CLINIC, own_only=True, after=(5, 6)),
            "SEARCH r USING INDEX resource_authored (type=? AND author=? AND updated_us<?)",
        ),
        (
            plan("Task", CLINIC, own_only=True, sort=("_history", True)),
            "SEARCH r USING INDEX resource_version_authored (type=? AND author=?)",
        ),
        (
            plan("Patient", CLINIC, token("identifier", "a|b", visibility="own")),
            "SEARCH r USING INTEGER PRIMARY KEY (rowid=?)",
        ),
        (
            plan("Patient", CLINIC, Criterion("name", "string", "own", ("maria",), identifying=True)),
            "SEARCH r USING INTEGER PRIMARY KEY (rowid=?)",
        ),
        (
            plan("Task", CLINIC, Criterion("_id", "id", "notice", ("a", "b"))),
            "SEARCH r USING INDEX resource_id (id=?)",
        ),
    ],
    ids=str,
)
def test_one_index_leads_to_the_page_in_its_order(world: World, asked: SearchPlan, index: str) -> None:
    found = steps(world, asked)
    reached = [step for step in inner(found) if step.startswith(("SEARCH r ", "SCAN r"))]
    assert reached == [index]
    led_in_order = "rowid" not in index and "resource_id" not in index
    assert any("TEMP B-TREE" in step for step in found) is not led_in_order
    assert not [step for step in found if step.startswith(ANY_SCAN)]


@pytest.mark.parametrize(
    ("asked", "indexes"),
    [
        (plan("Task", CLINIC), ["resource_authored", "resource_owned"]),
        (plan("Task", CLINIC, token("status", "requested")), ["resource_authored_status", "resource_inbox"]),
        (
            plan("Task", CLINIC, token("owner", ME), token("status", "requested", "accepted"), count=20),
            ["resource_inbox (type=? AND owner=? AND status=?)"] * 2,
        ),
        (
            plan("Task", CLINIC, token("status", "requested", "accepted")),
            [
                *["resource_authored_status (type=? AND author=? AND status=?)"] * 2,
                *["resource_inbox (type=? AND owner=? AND status=?)"] * 2,
            ],
        ),
        (plan("ServiceRequest", CLINIC), ["resource_authored", "PRIMARY KEY (rowid=?)"]),
        (plan("Patient", CLINIC), ["resource_authored", "PRIMARY KEY (rowid=?)"]),
        (plan("Observation", CLINIC, token("code", "a|b")), ["resource_authored", "resource_timeline"]),
        (plan("Consent", CLINIC), ["resource_authored", "resource_kept", "resource_timeline"]),
        (plan("Organization", CLINIC), ["resource_authored", "resource_directory"]),
    ],
    ids=str,
)
def test_without_a_lead_each_way_of_seeing_has_its_index(
    world: World, asked: SearchPlan, indexes: list[str]
) -> None:
    found = steps(world, asked)
    reached = [step for step in inner(found) if step.startswith(("SEARCH r ", "SCAN r"))]
    assert len(reached) == len(indexes)
    assert all(index in step for index, step in zip(indexes, reached, strict=True)), reached
    assert not [step for step in found if step.startswith(ANY_SCAN)]


LOOKS = [READ, STANDINGS_READ, *(one for one in vars(view_queries).values() if isinstance(one, Statement))]


@pytest.mark.parametrize("statement", LOOKS, ids=lambda statement: statement.name)
def test_no_look_by_key_walks_a_table(world: World, statement: Statement) -> None:
    given = {name: [] if name in statement.lists else None for name in statement.parameters}
    found = explain(world, statement, given)
    walked = [step for step in found if step.startswith("SCAN") and "json_each" not in step]
    # Organisations are few, and the network's own one is found among them.
    if statement is view_queries.HUB_ORGANIZATION:
        walked = [step for step in walked if not step.startswith("SCAN organization")]
    assert [step for step in walked if "CONSTANT ROW" not in step] == []


def test_a_read_is_six_looks_by_key_and_what_stands_beside(world: World) -> None:
    given = dict.fromkeys(READ.parameters)
    assert explain(world, READ, given)[:5] == [
        "SEARCH oauth_token USING PRIMARY KEY (digest=?)",
        "SEARCH organization USING INDEX sqlite_autoindex_organization_1 (id=?) LEFT-JOIN",
        "SEARCH oauth_client USING INDEX sqlite_autoindex_oauth_client_1 (client_id=?) LEFT-JOIN",
        "SEARCH resource USING INDEX resource_id (id=?) LEFT-JOIN",
        "SEARCH person USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN",
    ]
