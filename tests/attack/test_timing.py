"""What is hidden costs no time that tells of it: two asks in turn, many times, their medians and a permutation test.

A difference counts where it is both no chance (one in a thousand) and large (a third of the median): a slow machine
makes every answer slower, not one of two that are asked in turn. No limit of milliseconds stands here. For one known id
the bound is wider, and what is not bounded stands in ``tests.attack.__main__.PARTLY``.

Source: ``consent.md`` 3.3, S-32.
"""

import gc
import random
import time
from collections.abc import Callable
from statistics import median

import pytest

from tests import builders as b
from tests.api.asking import UNKNOWN
from tests.api.network import Story, story
from tests.world import Caller, World

PAIRS = 200
SHARE = 1 / 3
BY_ID = 2.0
CHANCE = 0.001
SHUFFLES = 2_000
Ask = Callable[[], object]


def measured(one: Ask, other: Ask, pairs: int = PAIRS) -> tuple[list[int], list[int]]:
    """Gives how many nanoseconds each ask took, asked in turn and now one, now the other first."""
    draw = random.Random(20261124)
    found: tuple[list[int], list[int]] = ([], [])
    for _ in range(20):
        one(), other()
    gc.collect()
    gc.disable()
    try:
        for _ in range(pairs):
            order = [(one, found[0]), (other, found[1])]
            draw.shuffle(order)
            for ask, kept in order:
                begun = time.perf_counter_ns()
                ask()
                kept.append(time.perf_counter_ns() - begun)
    finally:
        gc.enable()
    return found


def chance(one: list[int], other: list[int]) -> float:
    """Gives how often pairs with their members exchanged at random differ as much as these (a permutation test).

    >>> chance([5] * 40, [5] * 40), chance([9] * 40, [5] * 40) < 0.001
    (1.0, True)
    """
    draw = random.Random(1)
    ordered = sorted({abs(a - b) for a, b in zip(one, other, strict=True)})
    ranks = {size: rank for rank, size in enumerate(ordered, start=1)}
    signed = [(a != b) * ranks[abs(a - b)] * ((a > b) - (a < b)) for a, b in zip(one, other, strict=True)]
    seen = abs(sum(signed))
    sizes = [abs(rank) for rank in signed]
    as_much = 0
    for _ in range(SHUFFLES):
        bits = draw.getrandbits(len(sizes))
        as_much += abs(sum(size if bits >> at & 1 else -size for at, size in enumerate(sizes))) >= seen
    return as_much / SHUFFLES


def told_apart(one: Ask, other: Ask, share: float = SHARE) -> str:
    """Gives a sentence where two asks can be told apart by their time; empty where not."""
    first, second = measured(one, other)
    low, high = sorted((median(first), median(second)))
    if high - low < share * low or chance(first, second) > CHANCE:
        return ""
    return f"{low / 1000:.0f} and {high / 1000:.0f} us"


def held(one: Ask, other: Ask, share: float = SHARE) -> None:
    """Fails where two asks are told apart three times over: what a machine does once it seldom does thrice."""
    told = [told_apart(one, other, share)]
    while told[-1] and len(told) < 3:
        told.append(told_apart(one, other, share))
    assert not told[-1], told


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def hub(request: pytest.FixtureRequest) -> World:
    """A hub on each database in turn."""
    found: World = request.getfixturevalue(
        "_sqlite_world" if request.param == "sqlite" else "_postgres_world"
    )
    return found


@pytest.fixture(scope="module")
def bare(hub: World) -> Story:
    """A person of whom everything that is there is shown to the clinic."""
    return _told(hub, 0)


@pytest.fixture(scope="module")
def full(hub: World) -> Story:
    """A person of whom much more is there than is shown to the clinic."""
    return _told(hub, 200)


@pytest.fixture(scope="module")
def stranger(hub: World) -> Caller:
    """Somebody who has nothing to do with either."""
    return hub.caller(hub.add_organization("a stranger with a clock", "clinic"), life_s=3000)


def _told(world: World, hidden: int) -> Story:
    it = story(world)
    it.s, it.c = world.caller(it.shelter, life_s=3000), world.caller(it.clinic, life_s=3000)
    for _ in range(3):
        it.s.create(b.condition(it.person))
    it.sign()
    it.refer()
    it.move("accepted")
    for _ in range(hidden):
        it.s.create(b.condition(it.person, "mental-health"))
    for _ in range(hidden // 10):
        it.s.create(b.task(it.person, it.request, it.clinic, status="draft"))
        it.s.create(b.release(it.person, it.shelter, b.permit(it.shelter), status="draft"))
    return it


Suffix = tuple[str, str]
ONE: tuple[Suffix, ...] = (
    ("GET", ""),
    ("HEAD", ""),
    ("GET", "/_history"),
    ("GET", "/_history/0000000000000000"),
    ("PUT", ""),
    ("GET", "/$everything"),
    ("GET", "/$disclosures"),
    ("GET", "/$validate"),
)


@pytest.mark.attack("S-32")
@pytest.mark.parametrize(("method", "suffix"), ONE, ids=lambda one: one or "-")
def test_a_hidden_id_takes_about_as_long_as_one_that_never_was(
    full: Story, stranger: Caller, method: str, suffix: str
) -> None:
    """The hub looks at her consents and writes down for her who asked: less than three times as long, and not equal."""
    absent = f"Patient/{UNKNOWN[:-4]}{random.Random(7).randrange(4096):04x}"

    def ask(reference: str) -> Ask:
        body = {"resourceType": "Patient", "id": reference.partition("/")[2]} if method == "PUT" else None
        return lambda: stranger.ask(method, f"/{reference}{suffix}", body)

    held(ask(full.person), ask(absent), BY_ID)


@pytest.mark.attack("S-32")
def test_a_reference_to_the_hidden_takes_as_long_as_one_to_nothing(full: Story, stranger: Caller) -> None:
    def ask(reference: str) -> Ask:
        return lambda: stranger.ask("POST", "/Condition", b.condition(reference))

    held(ask(full.person), ask(f"Patient/{UNKNOWN}"))


SEARCHES = (
    "/Patient?identifier=urn:example:shelter-file|{file}",
    "/Patient?name={name}",
    "/Condition?patient={person}",
    "/Condition?patient={person}&category=mental-health&_total=accurate",
    "/Patient?_has:Condition:patient:category=mental-health&_id={id}",
)


@pytest.mark.attack("S-32", "S-34")
@pytest.mark.parametrize("path", SEARCHES)
def test_a_search_for_the_hidden_takes_about_as_long_as_one_for_nothing(
    full: Story, stranger: Caller, path: str
) -> None:
    def ask(person: str, file: str, name: str) -> Ask:
        asked = path.format(person=person, id=person.partition("/")[2], file=file, name=name)
        return lambda: stranger.get(asked)

    share = BY_ID if "{person}" in path or "{id}" in path else SHARE
    held(ask(full.person, "file-lark", "Lark"), ask(f"Patient/{UNKNOWN}", "file-nobo", "Nobo"), share)


BY_RECIPIENT = (
    "/{person}",
    "/{task}",
    "/{person}/_history",
    "/Patient?_revinclude=Condition:patient",
    "/Task",
    "/Consent?patient={person}",
)


@pytest.mark.attack("S-32", "S-34")
@pytest.mark.parametrize("path", BY_RECIPIENT)
def test_what_is_hidden_beside_it_costs_a_recipient_no_time(bare: Story, full: Story, path: str) -> None:
    def ask(it: Story) -> Ask:
        asked = path.format(person=it.person, task=it.task)
        return lambda: it.c.get(asked)

    held(ask(bare), ask(full))


@pytest.mark.attack("S-32")
def test_the_comparison_tells_a_difference(full: Story, stranger: Caller) -> None:
    assert told_apart(lambda: full.c.get("/Condition"), lambda: stranger.get(f"/Condition/{UNKNOWN}"))
