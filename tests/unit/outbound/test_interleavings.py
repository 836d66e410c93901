"""Whatever happens between any two steps of a delivery, nothing leaves after her release was withdrawn.

A run draws messages, failures of partners, the step before which she withdraws, and the steps at which the
process is killed and begins again. A thousand runs are made from a thousand seeds.
"""

from collections import Counter, defaultdict
from random import Random

import pytest

from referral_hub.outbound.delivery import LEASE_US, Delivery
from referral_hub.outbound.ports import TokenRefused, TryLater
from tests.unit.outbound.memory import CANCELLED, DONE, Killed, MemoryCopies, MemoryOutbox, Partner, World

RUNS = 1000
CLINICS = ("clinic", "legal-aid")


class Chance:
    """Counts steps, withdraws before one of them, and kills the process at others."""

    def __init__(self, world: World, withdraw_at: int, kill_at: set[int]) -> None:
        self._world = world
        self._withdraw_at = withdraw_at
        self._kill_at = kill_at
        self.steps = 0

    def __call__(self, step: str) -> None:
        self.steps += 1
        if self.steps == self._withdraw_at:
            self._world.withdraw()
        if self.steps in self._kill_at:
            raise Killed(step)


def drawn(seed: int) -> tuple[World, Partner, Chance]:
    chance = Random(seed)
    world = World(CLINICS)
    for number in range(10, 10 + chance.randint(1, 4)):
        owner = chance.choice(CLINICS)
        world.refer(number, owner)
        world.queue(number, destination=owner)
    steps = 16 * len(world.messages)
    watch = Chance(
        world,
        withdraw_at=chance.randint(1, steps) if chance.random() < 0.8 else 0,
        kill_at={chance.randint(1, steps) for _ in range(chance.choice((0, 0, 1, 2, 3)))},
    )
    world.watch = watch
    failures: list[Exception] = [
        chance.choice((TryLater(""), TryLater("", answered=True), TokenRefused(""), TryLater("", after_s=3)))
        for _ in range(chance.choice((0, 0, 1, 2, 4)))
    ]
    return world, Partner(world, failures=failures), watch


def played(seed: int) -> tuple[World, Partner]:
    """Delivers until nothing waits; a killed process comes back when its lease is over."""
    world, partner, _ = drawn(seed)
    for _ in range(200):
        deliver = Delivery(world.hub(), MemoryOutbox(world), MemoryCopies(world), partner)
        try:
            while deliver.deliver_one(world.now_us):
                pass
        except Killed:
            pass
        if all(message.state in (DONE, CANCELLED) for message in world.messages):
            return world, partner
        world.now_us += LEASE_US
    raise AssertionError("messages still wait")


@pytest.fixture(scope="module")
def runs() -> list[tuple[World, Partner]]:
    return [played(seed) for seed in range(RUNS)]


def test_the_runs_are_of_every_kind(runs: list[tuple[World, Partner]]):
    assert sum(world.withdrawn for world, _ in runs) > RUNS / 2
    assert sum(len(partner.sent) > len({one.key for one in partner.sent}) for _, partner in runs) > RUNS / 10
    assert sum(not partner.sent for _, partner in runs) > RUNS / 50


def test_nothing_leaves_after_the_withdrawal(runs: list[tuple[World, Partner]]):
    assert [
        seed for seed, (_, partner) in enumerate(runs) if any(one.after_withdrawal for one in partner.sent)
    ] == []


def test_everything_that_was_not_withdrawn_arrives_at_least_once(runs: list[tuple[World, Partner]]):
    for world, partner in runs:
        sent = {one.key for one in partner.sent}
        assert {
            message.key for message in world.messages if message.state == DONE and not world.withdrawn
        } <= sent


def test_messages_arrive_in_order_for_each_destination(runs: list[tuple[World, Partner]]):
    for _, partner in runs:
        firsts: defaultdict[str, list[int]] = defaultdict(list)
        for one in partner.sent:
            number = int(one.key.removeprefix("key-"))
            if number not in firsts[one.destination]:
                firsts[one.destination].append(number)
        assert all(numbers == sorted(numbers) for numbers in firsts.values())


def test_the_ledger_has_one_line_for_a_delivery_however_often_it_was_sent(runs: list[tuple[World, Partner]]):
    for world, partner in runs:
        lines = Counter(entry.entities for entry in world.delivered)
        assert all(count == 1 for count in lines.values())
        assert sum(lines.values()) <= len({one.key for one in partner.sent})


def test_whoever_may_hold_her_notice_at_the_withdrawal_is_recalled(runs: list[tuple[World, Partner]]):
    for world, partner in runs:
        if world.withdrawn:
            assert {one.destination for one in partner.sent} <= world.recalled
