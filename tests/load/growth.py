"""How searches grow: the same questions in a small and a large network, interleaved in one run.

    python -m tests.load.growth [--small 10000] [--referrals 1000000] [--rounds 40]

Two databases on one PostgreSQL are filled by COPY: people, requests, Tasks, what referrals open, what consents open,
and identifiers, with a body that all rows share and that is not sealed, so that what is measured is the finding and
not the opening. 500 organisations of skewed sizes share the referrals; one in twenty is active; a person has five.
Then each question is asked of both in turn, by the three busiest organisations, whose pages are full in both, through
the store's own search. The last line says whether the recipient's inbox grew by at most 1.5 times; so does the exit
code.

What lives here: filling and asking. What does not: throughput over HTTP (``tests.load``).

Source: ``performance.md`` 2 (growth index) and 3 (population).
"""

import argparse
import sys
import time
from bisect import bisect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from statistics import median, quantiles
from typing import Any

import psycopg

from referral_hub.access.principal import OrganizationFacts
from referral_hub.exchange.search_plan import Criterion, SearchPlan
from referral_hub.store import schema
from tests.api.store.read_worlds import NOW, World, plan, token, world_of
from tests.postgres import postgres_server

AGENCIES = 500
REFERRALS_EACH = 5
ACTIVE = 20
MOST_GROWTH = 1.5
ACTIVE_STATUSES = ("requested", "accepted", "in-progress", "on-hold")
BODY = b'{"resourceType":"Task","id":"shared","status":"requested","intent":"order"}'

_SHARES = list(accumulate(1 / rank for rank in range(1, AGENCIES + 1)))
_RESOURCE = [column.name for column in schema.resource.c]


def owner_of(number: int) -> int:
    """Gives the organisation of a referral: the first has one in seven, the last one in 3,400."""
    spread = (number * 2_654_435_761 % 2**32) / 2**32
    return bisect(_SHARES, spread * _SHARES[-1])


@dataclass
class Network:
    """A filled database and its times by question, in microseconds."""

    world: World
    referrals: int
    times: dict[str, list[float]] = field(default_factory=dict)


def _resource(row_id: int, kind: str, public_id: str, person: int, number: int, **more: Any) -> list[Any]:
    found: dict[str, Any] = {
        "row_id": row_id,
        "type": kind,
        "id": public_id,
        "version": "v",
        "number": 1,
        "updated_us": NOW - 10**12 + number,
        "author": f"agency-{owner_of(number * 7 + 3)}",
        "written_by": "",
        "method": "POST",
        "custodian": "",
        "person": person,
        "category": "health",
        "confidentiality": "R",
        "sensitivities": "",
        "status": "active",
        "directory": 0,
        "never_release": 0,
        "foreign_elements": 0,
        "kind": "",
        "deleted": 0,
        "body_format": 0,
        "body": BODY,
    }
    found |= more
    return [found.get(name) for name in _RESOURCE]


def _rows(referrals: int) -> Iterator[list[Any]]:
    people = referrals // REFERRALS_EACH
    for n in range(people):
        yield _resource(1 + n, "Patient", f"p-{n}", 1 + n, n, category="identity", status="")
    for n in range(referrals):
        person = 1 + n % people
        yield _resource(10**8 + n, "ServiceRequest", f"s-{n}", person, n)
        status = ACTIVE_STATUSES[n // ACTIVE % 4] if n % ACTIVE == 0 else "completed"
        owner = f"agency-{owner_of(n)}"
        yield _resource(
            2 * 10**8 + n, "Task", f"t-{n}", person, n, status=status, owner=owner, focus=10**8 + n
        )


def fill(world: World, url: str, referrals: int) -> None:
    """Fills a database; its indexes are made afterwards, as a restore does."""
    people = referrals // REFERRALS_EACH
    indexes = [index for table in schema.METADATA.sorted_tables for index in table.indexes]
    for index in indexes:
        index.drop(world.engine)
    with psycopg.connect(url) as connection:
        _copy(connection, "resource", ", ".join(_RESOURCE), _rows(referrals))
        _copy(connection, "person", "row_id, epoch", ([1 + n, 1] for n in range(people)))
        _copy(
            connection,
            "referral_access",
            "task, organization, back, person, service_request, level, nameless, accepted",
            (
                [2 * 10**8 + n, f"agency-{owner_of(n)}", 0, 1 + n % people, 10**8 + n, "full", 0, 1]
                for n in range(referrals)
            ),
        )
        _copy(
            connection,
            "consent_grant",
            "organization, person, purpose, category, resource, consent, position, consent_id, consent_version, "
            "very_restricted, valid_from_us, valid_until_us",
            (
                [
                    *(f"agency-{owner_of(n)}", 1 + n % people, "TREAT", category, "", 3 * 10**8 + n, place),
                    *("c", "v", 0, 0, NOW + 10**13),
                ]
                for n in range(referrals)
                for place, category in enumerate(("notice", "identity", "health"))
            ),
        )
        digest = world.digests.token
        _copy(
            connection,
            "index_token",
            "hash, row_id",
            ([digest("Patient", "identifier", f"urn:x|{n}"), 1 + n] for n in range(people)),
        )
    for index in indexes:
        index.create(world.engine)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def _copy(connection: "psycopg.Connection[Any]", table: str, columns: str, rows: Iterator[list[Any]]) -> None:
    with connection.cursor().copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def questions(agency: int, people: int, turn: int) -> dict[str, SearchPlan]:
    """Gives each question as one organisation asks it."""
    me = OrganizationFacts(f"agency-{agency}", (), "clinic")
    mine = token("owner", f"Organization/{me.id}")
    she = token("patient", f"Patient/p-{turn * 7919 % people}")
    of_her = Criterion(
        "patient",
        "chain",
        "notice",
        parts=(token("identifier", f"urn:x|{turn * 7919 % people}", visibility="own"),),
        target="Patient",
    )
    since = Criterion(
        "_lastUpdated", "updated", "notice", spans=(("gt", NOW - 10**12, NOW - 10**12 + people),)
    )
    return {
        "inbox": plan("Task", me, mine, token("status", *ACTIVE_STATUSES), count=20),
        "inbox, one status": plan("Task", me, mine, token("status", "requested"), count=20),
        "inbox, all": plan("Task", me, mine, count=20),
        "changed since": plan("Task", me, mine, since, count=20),
        "a person": plan("Task", me, she, count=20),
        "requests of a person": plan("ServiceRequest", me, she, count=20),
        "by identifier": plan(
            "Patient", me, token("identifier", f"urn:x|{turn * 7919 % people}", visibility="own"), count=20
        ),
        "by the person's identifier": plan("Task", me, of_her, count=20),
    }


def ask(network: Network, agency: int, turn: int) -> None:
    """Asks every question once and keeps how long it took."""
    people = network.referrals // REFERRALS_EACH
    search: Callable[[SearchPlan], Any] = network.world.store.search
    for name, asked in questions(agency, people, turn).items():
        begun = time.perf_counter_ns()
        page = search(asked)
        network.times.setdefault(name, []).append((time.perf_counter_ns() - begun) / 1000)
        if name == "inbox, all" and not page.rows:
            raise AssertionError("an inbox that holds nothing measures nothing")


def report(small: Network, large: Network) -> float:
    """Prints the table and gives by how much the inbox grew, by the median."""
    print(
        f"{'microseconds':28} {small.referrals:>10,} {'p99':>8} {large.referrals:>12,} {'p99':>8} {'ratio':>7}"
    )
    grown = {}
    for name, before in small.times.items():
        after = large.times[name]
        grown[name] = median(after) / median(before)
        print(
            f"{name:28} {median(before):>10.0f} {quantiles(before, n=100)[-1]:>8.0f} "
            f"{median(after):>12.0f} {quantiles(after, n=100)[-1]:>8.0f} {grown[name]:>7.2f}"
        )
    return grown["inbox"]


def main() -> int:
    """Fills, asks, tells."""
    parser = argparse.ArgumentParser(description="how searches grow")
    parser.add_argument("--small", type=int, default=10_000, help="referrals of the small network")
    parser.add_argument("--referrals", type=int, default=1_000_000, help="referrals of the large network")
    parser.add_argument(
        "--rounds", type=int, default=40, help="how often each question is asked by each organisation"
    )
    given = parser.parse_args()
    agencies = (0, 1, 2)
    with (
        postgres_server() as server,
        server.database() as small_url,
        server.database() as large_url,
        world_of(small_url) as small_world,
        world_of(large_url) as large_world,
    ):
        small, large = Network(small_world, given.small), Network(large_world, given.referrals)
        for network, url in ((small, small_url), (large, large_url)):
            begun = time.monotonic()
            fill(network.world, url, network.referrals)
            print(f"filled {network.referrals:,} referrals in {time.monotonic() - begun:.0f} s", flush=True)
        for turn in range(-3, given.rounds):
            pair = (small, large) if turn % 2 else (large, small)
            for agency in agencies:
                for network in pair:
                    ask(network, agency, turn)
            if turn < 0:  # the first rounds only warm up
                small.times.clear()
                large.times.clear()
        grown = report(small, large)
    print(f"the inbox grew {grown:.2f} times; at most {MOST_GROWTH}")
    return 0 if grown <= MOST_GROWTH else 1


if __name__ == "__main__":
    sys.exit(main())
