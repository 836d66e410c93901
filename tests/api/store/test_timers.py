"""Timers: claimed when their time comes, done once, whatever is killed or moved meanwhile."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from referral_hub.errors import GuardFailed
from referral_hub.exchange.change import Due
from referral_hub.store import schema
from referral_hub.store.timers import ClaimedTimer, Timers, cancel_row
from tests.api.store.hubs import HOUR, NOW, SECOND, Hub, write

LEASE = 30 * SECOND


@pytest.fixture
def timers(hub: Hub) -> Timers:
    return Timers(hub.database, hub.writer, hub.bodies)


def claim(timers: Timers, now_us: int = NOW) -> ClaimedTimer:
    claimed = timers.claim(now_us, LEASE)
    assert claimed is not None
    return claimed


def test_a_timer_comes_at_its_time_with_what_it_was_given(hub: Hub, timers: Timers):
    hub.apply(due=(Due("late/1", "late", 5, NOW + HOUR, b"detail"),))
    assert timers.claim(NOW + HOUR - 1, LEASE) is None
    claimed = claim(timers, NOW + HOUR)
    assert (claimed.key, claimed.kind, claimed.resource) == ("late/1", "late", 5)
    assert (claimed.at_us, claimed.attempts, claimed.detail) == (NOW + HOUR, 1, b"detail")


def test_the_one_due_longest_comes_first(hub: Hub, timers: Timers):
    hub.apply(due=(Due("b", "late", 1, NOW - 1), Due("a", "late", 1, NOW), Due("c", "late", 1, NOW - 2)))
    assert [claim(timers).key for _ in range(3)] == ["c", "b", "a"]


def test_the_work_and_the_end_of_its_timer_are_one_change(hub: Hub, timers: Timers):
    hub.apply(due=(Due("t", "late", 1, NOW),))
    claimed = claim(timers)
    hub.apply(resources=(write(),), rows=(timers.done_row(claimed),))
    with pytest.raises(GuardFailed):
        hub.apply(resources=(write(),), rows=(timers.done_row(claimed),))
    assert hub.rows(schema.due) == []
    assert len(hub.rows(schema.resource)) == 1


def test_a_timer_whose_process_was_killed_comes_again_and_the_first_cannot_end_it(hub: Hub, timers: Timers):
    hub.apply(due=(Due("t", "late", 1, NOW),))
    first = claim(timers)
    second = claim(timers, NOW + LEASE)
    assert second.attempts == 2
    assert not timers.done(first, NOW)
    assert timers.done(second, NOW)


@pytest.mark.parametrize("meanwhile", ["moved", "cancelled"])
def test_a_timer_moved_or_cancelled_while_claimed_does_nothing(hub: Hub, timers: Timers, meanwhile: str):
    hub.apply(due=(Due("t", "late", 1, NOW),))
    claimed = claim(timers)
    if meanwhile == "moved":
        hub.apply(due=(Due("t", "late", 1, NOW + HOUR),))
    else:
        hub.apply(rows=(cancel_row("t"),))
    assert not timers.done(claimed, NOW)
    assert timers.claim(NOW, LEASE) is None
    assert len(hub.rows(schema.due)) == (1 if meanwhile == "moved" else 0)


def test_a_timer_put_off_comes_later(hub: Hub, timers: Timers):
    hub.apply(due=(Due("t", "late", 1, NOW),))
    assert timers.later(claim(timers), NOW, NOW + HOUR)
    assert timers.claim(NOW + HOUR - 1, LEASE) is None
    assert claim(timers, NOW + HOUR).key == "t"


def test_forty_timers_and_four_processes_fire_each_once(hub: Hub):
    hub.apply(due=tuple(Due(f"t{position}", "late", position, NOW) for position in range(40)))
    fired: list[str] = []
    guard = threading.Lock()

    def run(_: int) -> None:
        timers = Timers(hub.database, hub.writer, hub.bodies)
        while claimed := timers.claim(NOW, LEASE):
            if timers.done(claimed, NOW):
                with guard:
                    fired.append(claimed.key)

    with ThreadPoolExecutor(4) as processes:
        list(processes.map(run, range(4)))
    run(0)  # whoever came last may have lost every race of its look
    assert sorted(fired) == sorted(f"t{position}" for position in range(40))
