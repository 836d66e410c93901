"""The laws of callers on both databases; ``make laws`` holds many more worlds against them."""

from collections.abc import Iterator
from random import Random

import pytest

from tests.api.store.read_worlds import World, world_of
from tests.laws.caller_laws import check_caller_world
from tests.laws.caller_worlds import draw_callers, draw_world

WORLDS = 40


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, sqlite_url: str) -> Iterator[World]:
    url = sqlite_url if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    with world_of(url) as world:
        yield world


def test_gate_and_sql_agree_for_every_caller_and_nothing_widens(store: World) -> None:
    for seed in range(WORLDS):
        check_caller_world(store, Random(seed))


def test_the_worlds_hold_every_kind_of_caller() -> None:
    kinds = set()
    for seed in range(200):
        chance = Random(seed)
        world = draw_world(chance)
        kinds |= {(one.context, one.role, one.binding is not None) for one in draw_callers(chance, world)}
    assert {("system", "", False), ("patient", "", False), ("user", "intake", False)} <= kinds
    assert {("user", "supervisor", True), ("user", "boss", False), ("user", "", False)} <= kinds
