"""What is hidden costs no time that tells of it: two asks in turn, many times, their medians and a permutation test.

A difference counts where it is no chance (one in a thousand) and more than a tenth of a millisecond: a slow machine
makes every answer slower, not one of two that are asked in turn. Answers to what somebody may read do not wait for
the beat (``web.beat``); there a difference counts from a third of the median on. That the comparison can fail is shown
by the same questions without the beat.

Source: ``consent.md`` 3.3, S-32.
"""

import gc
import random
import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median

import pytest

from referral_hub.app import create_app
from tests import builders as b
from tests.api.asking import UNKNOWN
from tests.api.network import Story, story
from tests.world import Caller, World

PAIRS = 60
APART_US = 100
SHARE = 1 / 3
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


def told_apart(one: Ask, other: Ask, share: float = 0) -> str:
    """Gives a sentence where two asks can be told apart by their time; empty where not.

    A difference of less than ``APART_US``, or of less than this share of the shorter median, is none.
    """
    first, second = measured(one, other)
    low, high = sorted((median(first) / 1000, median(second) / 1000))
    if high - low < max(APART_US, share * low) or chance(first, second) > CHANCE:
        return ""
    return f"{low:.0f} and {high:.0f} us"


def held(one: Ask, other: Ask, share: float = 0) -> None:
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
def on_the_beat(hub: World, full: Story, hasty: Caller) -> Callable[[Caller], Caller]:
    """Gives a caller of the same hub whose answers keep the beat, as they do unless an operator turns it off.

    The beat is longer where this machine is too slow for the default just now, as an operator would set it.
    """
    asks: list[Ask] = [
        lambda: hasty.get(f"/Condition?patient={full.person}"),
        lambda: full.c.get("/Condition"),
    ]
    took_ms = []
    for ask in 20 * asks:
        begun = time.perf_counter()
        ask()
        took_ms.append(1000 * (time.perf_counter() - begun))
    length_ms = min(100, max(10, round(3 * sorted(took_ms)[-3])))
    app = create_app(replace(hub.parts, settings=replace(hub.parts.settings, absence_beat_ms=length_ms)))
    app.testing = True
    return lambda caller: Caller(caller.organization, caller.token, app.test_client())


@pytest.fixture(scope="module")
def bare(hub: World) -> Story:
    """A person of whom everything that is there is shown to the clinic."""
    return _told(hub, 0)


@pytest.fixture(scope="module")
def full(hub: World) -> Story:
    """A person of whom much more is there than is shown to the clinic."""
    return _told(hub, 200)


@pytest.fixture(scope="module")
def hasty(hub: World) -> Caller:
    """Somebody who has nothing to do with either, and is answered at once."""
    return hub.caller(hub.add_organization("a stranger with a clock", "clinic"), life_s=3000)


@pytest.fixture(scope="module")
def stranger(hasty: Caller, on_the_beat: Callable[[Caller], Caller]) -> Caller:
    """The same stranger, answered as every stranger is."""
    return on_the_beat(hasty)


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
    ("PATCH", ""),
    ("DELETE", ""),
    ("GET", "/$everything"),
    ("GET", "/$disclosures"),
    ("GET", "/$validate"),
)


def of_an_id(caller: Caller, method: str, suffix: str, reference: str) -> Ask:
    """Gives the asking for one id."""
    body: object = None
    if method == "PUT":
        body = {"resourceType": "Patient", "id": reference.partition("/")[2]}
    if method == "PATCH":
        body = [{"op": "add", "path": "/active", "value": True}]
    return lambda: caller.ask(method, f"/{reference}{suffix}", body)


def absent() -> str:
    """Gives a reference that never was, of the form of all others."""
    return f"Patient/{UNKNOWN[:-4]}{random.Random(7).randrange(4096):04x}"


@pytest.mark.attack("S-32")
@pytest.mark.parametrize(("method", "suffix"), ONE, ids=lambda one: one or "-")
def test_a_hidden_id_takes_as_long_as_one_that_never_was(
    full: Story, stranger: Caller, method: str, suffix: str
) -> None:
    held(of_an_id(stranger, method, suffix, full.person), of_an_id(stranger, method, suffix, absent()))


@pytest.mark.attack("S-32")
def test_a_reference_to_the_hidden_takes_as_long_as_one_to_nothing(full: Story, stranger: Caller) -> None:
    def ask(reference: str) -> Ask:
        return lambda: stranger.ask("POST", "/Condition", b.condition(reference))

    held(ask(full.person), ask(f"Patient/{UNKNOWN}"))


SEARCHES = (
    "/Patient?identifier=urn:example:shelter-file|{file}",
    "/Patient?name={name}",
    "/Patient?_id={id}",
    "/Condition?patient={person}",
    "/Condition?patient={person}&category=mental-health&_total=accurate",
    "/Patient?_has:Condition:patient:category=mental-health&_id={id}",
)


@pytest.mark.attack("S-32", "S-34")
@pytest.mark.parametrize("path", SEARCHES)
def test_a_search_for_the_hidden_takes_as_long_as_one_for_nothing(
    full: Story, stranger: Caller, path: str
) -> None:
    def ask(person: str, file: str, name: str) -> Ask:
        asked = path.format(person=person, id=person.partition("/")[2], file=file, name=name)
        return lambda: stranger.get(asked)

    held(ask(full.person, "file-lark", "Lark"), ask(f"Patient/{UNKNOWN}", "file-nobo", "Nobo"))


@pytest.mark.attack("S-32", "S-34")
def test_a_bundle_of_asks_takes_as_long_for_the_hidden_as_for_nothing(full: Story, stranger: Caller) -> None:
    def ask(reference: str) -> Ask:
        entry = {"request": {"method": "GET", "url": reference}}
        bundle = {"resourceType": "Bundle", "type": "batch", "entry": [entry]}
        return lambda: stranger.ask("POST", "", bundle)

    held(ask(full.person), ask(absent()))


READ_BY_RECIPIENT = ("/{person}", "/{task}", "/{person}/_history")
SEARCHED_BY_RECIPIENT = (
    "/Patient?_revinclude=Condition:patient",
    "/Task",
    "/Consent?patient={person}",
    "/Condition?patient={person}",
    "/Condition?category=mental-health",
    "/Condition?_total=accurate",
)


@pytest.mark.attack("S-32", "S-34")
@pytest.mark.parametrize("path", READ_BY_RECIPIENT)
def test_what_is_hidden_beside_it_costs_a_reader_no_time(bare: Story, full: Story, path: str) -> None:
    def ask(it: Story) -> Ask:
        asked = path.format(person=it.person, task=it.task)
        return lambda: it.c.get(asked)

    held(ask(bare), ask(full), SHARE)


@pytest.mark.attack("S-32", "S-34")
@pytest.mark.parametrize("path", SEARCHED_BY_RECIPIENT)
def test_what_is_hidden_beside_it_costs_a_searcher_no_time(
    bare: Story, full: Story, on_the_beat: Callable[[Caller], Caller], path: str
) -> None:
    def ask(it: Story) -> Ask:
        clinic = on_the_beat(it.c)
        return lambda: clinic.get(path.format(person=it.person))

    held(ask(bare), ask(full))


@pytest.mark.attack("S-32")
def test_without_the_beat_the_comparison_tells_them_apart(full: Story, hasty: Caller) -> None:
    questions = [
        (of_an_id(hasty, "GET", suffix, full.person), of_an_id(hasty, "GET", suffix, absent()))
        for suffix in ("/_history", "/_history/0000000000000000", "")
    ]
    questions.append(
        (
            lambda: hasty.get(f"/Condition?patient={full.person}"),
            lambda: hasty.get(f"/Condition?patient={absent()}"),
        )
    )
    assert any(told_apart(one, other) for one, other in questions)
