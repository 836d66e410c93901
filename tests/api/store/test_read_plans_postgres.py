"""The hot questions are answered by index on PostgreSQL too: its planner's own account, on filled tables."""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from referral_hub.exchange.search_plan import Criterion, SearchPlan
from referral_hub.store.search_sql import statement_of
from tests.api.store.read_worlds import CLINIC, World, plan, token, world_of
from tests.postgres import PostgresServer

ME = f"Organization/{CLINIC.id}"
FILLED = 30_000


@pytest.fixture(scope="module")
def world(postgres: PostgresServer) -> Iterator[World]:
    """A hub with 30,000 referrals of 100 organisations, one in a hundred the clinic's."""
    with postgres.database() as url, world_of(url) as made:
        with psycopg.connect(url) as connection:
            _fill(connection, made)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("ANALYZE")
        yield made


def _fill(connection: "psycopg.Connection[Any]", made: World) -> None:
    columns = (
        "row_id, type, id, version, number, updated_us, author, written_by, method, custodian, person, category, "
        "confidentiality, sensitivities, status, owner, requester, focus, directory, never_release, "
        "foreign_elements, kind, deleted, body_format, body"
    )
    for kind, first, owner, focus in (
        ("Patient", 1, "NULL", "NULL"),
        ("ServiceRequest", 100_000, "NULL", "NULL"),
        ("Task", 200_000, "'clinic-' || (n % 100)", "100000 + n"),
        ("Observation", 300_000, "NULL", "NULL"),
    ):
        connection.execute(
            f"INSERT INTO resource ({columns}) "
            f"SELECT {first} + n, '{kind}', '{kind}-' || n, 'v', 1, 1795000000000000 + n, 'shelter-' || (n % 50), '', "
            f"'POST', '', 1 + n, 'health', 'R', '', CASE WHEN n % 20 = 0 THEN 'requested' ELSE 'completed' END, "
            f"{owner}, 'shelter-' || (n % 50), {focus}, 0, 0, 0, '', 0, 0, ''::bytea "
            f"FROM generate_series(1, {FILLED}) n"
        )
    connection.execute(
        "INSERT INTO referral_access (task, organization, back, person, service_request, level, nameless, accepted) "
        "SELECT 200000 + n, 'clinic-' || (n % 100), 0, 1 + n, 100000 + n, 'full', 0, 1 "
        f"FROM generate_series(1, {FILLED}) n"
    )
    connection.execute(
        "INSERT INTO consent_grant (organization, person, purpose, category, resource, consent, position, consent_id, "
        "consent_version, very_restricted, valid_from_us, valid_until_us) "
        "SELECT 'clinic-' || (n % 100), 1 + n, 'TREAT', c, '', 500000 + n, 0, 'c', 'v', 0, 0, 9000000000000000 "
        f"FROM generate_series(1, {FILLED}) n, (VALUES ('notice'), ('health')) AS categories(c)"
    )
    digests = made.digests
    with connection.cursor().copy("COPY index_token (hash, row_id) FROM STDIN") as copy:
        for n in range(1, FILLED + 1):
            copy.write_row((digests.token("Patient", "identifier", f"urn:x|{n}"), 1 + n))
    with connection.cursor().copy("COPY index_number (parameter, low, high, row_id) FROM STDIN") as copy:
        for n in range(1, FILLED + 1):
            copy.write_row((7, "2500001", "2500001", 300_000 + n))


def nodes(found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield found
    for below in found.get("Plans", ()):
        yield from nodes(below)


def steps(world: World, asked: SearchPlan) -> list[dict[str, Any]]:
    statement, parameters = statement_of(asked, world.digests, "postgresql")
    given = {key: value for key, value in parameters.items() if key in statement.parameters}
    with world.database.reading() as connection:
        [(answer,)] = connection.driver.execute(  # type: ignore[attr-defined]
            "EXPLAIN (FORMAT JSON) " + statement.text["postgresql"], given
        ).fetchall()
    plans = json.loads(answer) if isinstance(answer, str | bytes) else answer
    return list(nodes(plans[0]["Plan"]))


WALKED = {
    "resource",
    "referral_access",
    "consent_grant",
    "index_token",
    "index_date",
    "index_number",
    "index_link",
}


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        (plan("Task", CLINIC, token("owner", ME), token("status", "requested"), count=20), "resource_inbox"),
        (plan("Task", CLINIC, token("owner", ME), count=20), "resource_owned"),
        (plan("Task", CLINIC, token("owner", ME), count=20, after=(1795000000020000, 5)), "resource_owned"),
        (plan("Task", CLINIC, token("status", "requested"), count=20), "resource_inbox"),
        (
            plan("ServiceRequest", CLINIC, token("subject", "Patient/Patient-7"), count=20),
            "resource_timeline",
        ),
        (plan("Observation", CLINIC, token("patient", "Patient/Patient-7"), count=20), "resource_timeline"),
        (
            plan("Patient", CLINIC, token("identifier", "urn:x|7", visibility="own"), count=20),
            "index_token_pkey",
        ),
        (
            plan(
                "Task",
                CLINIC,
                Criterion(
                    "_lastUpdated", "updated", "notice", spans=(("gt", 1795000000000000, 1795000000029000),)
                ),
                token("owner", ME),
                count=20,
            ),
            "resource_owned",
        ),
        (plan("Task", CLINIC, own_only=True, count=20), "resource_authored"),
        (
            plan(
                "Task",
                CLINIC,
                Criterion(
                    "patient",
                    "chain",
                    "notice",
                    parts=(token("identifier", "urn:x|7", visibility="own"),),
                    target="Patient",
                ),
                count=20,
            ),
            "resource_timeline",
        ),
    ],
    ids=str,
)
def test_no_hot_question_walks_a_table(world: World, asked: SearchPlan, index: str) -> None:
    found = steps(world, asked)
    walked = [one["Relation Name"] for one in found if one["Node Type"] == "Seq Scan"]
    assert not WALKED & set(walked), walked
    reached = {one.get("Index Name") for one in found}
    # Both lead to a recipient's Tasks; which of them is cheaper depends on how many are young.
    same = {"resource_owned": {"resource_owned", "resource_inbox"}}
    assert reached & same.get(index, {index})
