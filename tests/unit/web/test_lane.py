"""The lane: one at a time, given up while something is waited for, and handed on to who goes ahead."""

import time
from threading import Event, Thread

import pytest

from referral_hub.web.lane import Lane

SOON_S = 5.0


def test_a_thread_that_has_the_lane_goes_on_and_gives_it_back_once() -> None:
    lane = Lane()
    with lane.held(), lane.held():
        pass
    with lane.held(), lane.away(), lane.away(), lane.held():
        pass
    assert lane.enter()
    assert lane.leave()
    assert not lane.leave()


def test_without_the_lane_nothing_is_given_up() -> None:
    lane = Lane()
    with lane.away():
        assert lane.enter()
        lane.leave()
    assert not lane.leave()


def test_an_error_gives_the_lane_back() -> None:
    lane = Lane()
    with pytest.raises(ValueError, match="one"), lane.held():
        raise ValueError("one")
    with pytest.raises(ValueError, match="two"), lane.held(), lane.away():
        raise ValueError("two")
    assert lane.enter()


def test_others_compute_while_one_is_away() -> None:
    lane = Lane()
    done = Event()

    def other() -> None:
        with lane.held():
            done.set()

    with lane.held():
        thread = Thread(target=other)
        thread.start()
        assert not done.wait(0.05)
        with lane.away():
            assert done.wait(SOON_S)
    thread.join(SOON_S)


def test_who_goes_ahead_comes_before_those_who_waited_longer() -> None:
    lane = Lane()
    order: list[str] = []

    def ordinary() -> None:
        with lane.held():
            order.append("ordinary")
            time.sleep(0.002)

    def hurried() -> None:
        with lane.ahead(), lane.held():
            order.append("ahead")

    for _ in range(20):
        order.clear()
        with lane.held():
            threads = [Thread(target=ordinary) for _ in range(6)]
            for thread in threads:
                thread.start()
            last = Thread(target=hurried)
            last.start()
            while not lane.has_somebody_ahead():
                time.sleep(0.0005)
        for thread in (*threads, last):
            thread.join(SOON_S)
        assert order[0] == "ahead"
        assert len(order) == 7


def test_a_stream_of_hurried_ones_keeps_nobody_out() -> None:
    lane = Lane()
    ending = Event()

    def stream() -> None:
        while not ending.is_set():
            with lane.ahead(), lane.held():
                time.sleep(0.001)

    threads = [Thread(target=stream) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        begun = time.monotonic()
        for _ in range(5):
            with lane.held():
                pass
        assert time.monotonic() - begun < SOON_S
    finally:
        ending.set()
        for thread in threads:
            thread.join(SOON_S)
