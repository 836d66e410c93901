"""The door to both databases: the same answers, one consistent state, and an end that leaves nothing open."""

import threading
import time
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from referral_hub.errors import Unavailable
from referral_hub.store import schema
from referral_hub.store.database import open_database
from referral_hub.store.statements import Statement, constant, one_of, whole, words
from tests.api.store.hubs import NOW, Hub, write

COUNT = Statement("count", sa.select(sa.func.count()).select_from(schema.resource))
BY_ROWS = Statement(
    "by_rows",
    sa.select(schema.resource.c.row_id)
    .where(one_of(schema.resource.c.row_id, "rows"), one_of(schema.resource.c.type, "types"))
    .order_by(schema.resource.c.row_id)
    .limit(whole("count")),
)


@pytest.mark.parametrize(
    ("rows", "types", "count", "expected"),
    [
        ([1, 2, 3, 99], ["Task"], 10, [1, 2]),
        ([1, 2, 3], ["Task", "Patient"], 10, [1, 2, 3]),
        ([1, 2, 3], ["Task", "Patient"], 2, [1, 2]),
        ([], ["Task"], 10, []),
        ([1], [], 10, []),
        ([2**62], ['it\'s a "text" \\'], 10, []),
    ],
)
def test_lists_mean_the_same_on_both(
    hub: Hub, rows: list[int], types: list[str], count: int, expected: list[int]
):
    hub.apply(resources=(write(row_id=1), write(row_id=2), write("Patient", row_id=3)))
    found = hub.database.run(BY_ROWS, {"rows": rows, "types": types, "count": count})
    assert [row[0] for row in found] == expected


def test_several_looks_see_one_state_and_the_next_ones_see_the_next(hub: Hub):
    with hub.database.reading() as connection:
        assert connection.first(COUNT) == (0,)
        hub.apply(resources=(write(),))
        assert connection.run(COUNT) == [(0,)]
        assert hub.database.first(COUNT) == (1,)
    with hub.database.reading() as connection:
        assert connection.first(COUNT) == (1,)


def test_a_look_that_fails_leaves_the_door_usable(hub: Hub):
    wrong = Statement("wrong", sa.select(sa.column("nothing")).select_from(schema.resource))
    for _ in range(30):
        with pytest.raises(Exception, match="nothing"):
            hub.database.run(wrong)
        with pytest.raises(Exception, match="nothing"), hub.database.reading() as connection:
            connection.run(wrong)
    assert hub.database.first(COUNT) == (0,)


def test_many_threads_read_at_once(hub: Hub):
    hub.apply(resources=(write(),))
    answers: list[object] = []

    def look() -> None:
        for _ in range(20):
            with hub.database.reading() as connection:
                answers.append(connection.first(COUNT))
            answers.append(hub.database.first(COUNT))

    threads = [threading.Thread(target=look) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [(1,)] * 16 * 40


def test_the_database_tells_the_time(hub: Hub):
    before = time.time_ns() // 1000
    assert before - 1_000_000 < hub.database.now_us() < before + 5_000_000


def test_texts_are_compared_byte_by_byte(hub: Hub):
    """`z` before `ä` on both, so that pages cut at the same place."""
    for position, name in enumerate(("ä", "z", "a", "Z")):
        hub.apply(resources=(write(row_id=position + 1, kind=name),))
    ordered = Statement("ordered", sa.select(schema.resource.c.kind).order_by(schema.resource.c.kind))
    assert [row[0] for row in hub.database.run(ordered)] == ["Z", "a", "z", "ä"]
    between = Statement(
        "between",
        sa.select(schema.resource.c.kind).where(
            schema.resource.c.kind >= words("low"), constant(1) == constant(1)
        ),
    )
    assert sorted(row[0] for row in hub.database.run(between, {"low": "z"})) == ["z", "ä"]


def test_the_lane_is_given_up_while_postgresql_works(postgres_hub_url: str):
    given_up: list[str] = []

    @contextmanager
    def away():
        given_up.append("out")
        yield
        given_up.append("back")

    database = open_database(postgres_hub_url, away=away)
    assert database.first(COUNT) == (0,)
    assert given_up[-2:] == ["out", "back"]
    assert given_up.count("out") == given_up.count("back")
    database.close()


def test_a_database_server_that_does_not_answer_is_unavailable():
    database = open_database("postgresql://nobody@/nothing?host=/nonexistent")
    database._pool.timeout = 0.2  # type: ignore[attr-defined]
    with pytest.raises(Unavailable):
        database.first(COUNT)
    database.close()


def test_a_row_id_is_as_wide_as_a_word(hub: Hub):
    hub.apply(resources=(write(row_id=2**63 - 1, updated_us=NOW),))
    assert hub.one(schema.resource)["row_id"] == 2**63 - 1
