"""The outbox: in order for each destination, at least once, never after a cancellation."""

import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from referral_hub.errors import GuardFailed
from referral_hub.exchange.change import Delivery, DropDeliveries
from referral_hub.store import schema
from referral_hub.store.outbox import FIRST_PAUSE_US, ClaimedDelivery, Outbox
from referral_hub.store.upkeep import SENT_US, prune
from tests.api.store.hubs import HOUR, NOW, SECOND, Hub

LEASE = 30 * SECOND


@pytest.fixture
def outbox(hub: Hub) -> Outbox:
    return Outbox(hub.database, hub.writer, hub.bodies)


def queue(hub: Hub, *keys: str, destination: str = "clinic", not_before_us: int = NOW) -> None:
    hub.apply(
        deliveries=tuple(
            Delivery(key, destination, "task-notice", 1, 7, not_before_us, b"detail of " + key.encode())
            for key in keys
        )
    )


def claim(outbox: Outbox, now_us: int = NOW) -> ClaimedDelivery:
    claimed = outbox.claim(now_us, LEASE)
    assert claimed is not None
    return claimed


def test_a_claim_brings_what_is_to_be_sent(hub: Hub, outbox: Outbox):
    queue(hub, "k1")
    claimed = claim(outbox)
    assert (claimed.key, claimed.destination, claimed.kind, claimed.person) == (
        "k1",
        "clinic",
        "task-notice",
        7,
    )
    assert (claimed.attempts, claimed.detail) == (1, b"detail of k1")


def test_only_the_oldest_of_a_destination_can_be_claimed_until_it_is_done(hub: Hub, outbox: Outbox):
    queue(hub, "k1", "k2")
    first = claim(outbox)
    assert outbox.claim(NOW, LEASE) is None
    assert outbox.done(first, NOW)
    assert claim(outbox).key == "k2"


def test_what_is_not_the_oldest_cannot_be_claimed_by_its_number_either(hub: Hub, outbox: Outbox):
    """Between looking and claiming an older one may have come back."""
    queue(hub, "k1", "k2")
    second = hub.rows(schema.outbox)[1]["sequence"]
    assert outbox._claim(second, NOW, LEASE) is None
    outbox.done(claim(outbox), NOW)
    claimed = outbox._claim(second, NOW, LEASE)
    assert claimed is not None
    assert claimed.key == "k2"


def test_destinations_take_turns_and_do_not_wait_for_each_other(hub: Hub, outbox: Outbox):
    queue(hub, "a1", "a2", "a3", destination="a")
    queue(hub, "b1", "b2", destination="b")
    queue(hub, "c1", destination="c")
    sent = []
    while claimed := outbox.claim(NOW, LEASE):
        sent.append(claimed.key)
        outbox.done(claimed, NOW)
    assert sent == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_nothing_leaves_before_its_time(hub: Hub, outbox: Outbox):
    queue(hub, "later", not_before_us=NOW + HOUR)
    assert outbox.claim(NOW + HOUR - 1, LEASE) is None
    assert claim(outbox, NOW + HOUR).key == "later"


def test_a_lost_lease_lets_another_send_and_the_first_cannot_acknowledge(hub: Hub, outbox: Outbox):
    queue(hub, "k1")
    first = claim(outbox)
    assert outbox.claim(NOW + LEASE - 1, LEASE) is None
    second = claim(outbox, NOW + LEASE)
    assert (second.key, second.attempts) == ("k1", 2)
    assert not outbox.done(first, NOW)
    assert not outbox.retry(first, NOW, "late")
    assert outbox.done(second, NOW)


def test_a_retry_waits_twice_as_long_each_time_and_what_follows_waits_too(hub: Hub, outbox: Outbox):
    queue(hub, "k1", "k2")
    now = NOW
    pauses = []
    for _ in range(4):
        claimed = claim(outbox, now)
        assert claimed.key == "k1"
        assert outbox.retry(claimed, now, "the partner did not answer")
        due = hub.rows(schema.outbox)[0]["not_before_us"]
        pauses.append(due - now)
        assert outbox.claim(due - 1, LEASE) is None
        now = due
    assert pauses[0] >= FIRST_PAUSE_US
    assert all(1.99 < later / earlier < 2.01 for earlier, later in pairwise(pauses))


def test_a_dead_letter_lets_the_next_go_and_comes_back_at_its_place(hub: Hub, outbox: Outbox):
    queue(hub, "k1", "k2", "k3")
    first = claim(outbox)
    assert outbox.dead(first, NOW, "the partner refused it")
    (dead,) = outbox.list_dead()
    assert (dead.key, dead.reason, dead.attempts) == ("k1", "the partner refused it", 1)
    outbox.done(claim(outbox), NOW)
    assert outbox.requeue(dead.sequence, NOW)
    assert not outbox.requeue(dead.sequence, NOW)
    assert [claim(outbox).key, outbox.list_dead()] == ["k1", []]


def test_what_is_cancelled_while_claimed_cannot_be_acknowledged(hub: Hub, outbox: Outbox):
    queue(hub, "k1")
    claimed = claim(outbox)
    hub.apply(dropped=(DropDeliveries(7, "clinic"),))
    assert not outbox.done(claimed, NOW)
    with pytest.raises(GuardFailed):
        hub.apply(rows=(outbox.done_row(claimed),))
    assert hub.one(schema.outbox)["state"] == schema.OUTBOX_CANCELLED


def test_an_acknowledgement_can_be_part_of_the_change_that_records_it(hub: Hub, outbox: Outbox):
    queue(hub, "k1")
    hub.apply(rows=(outbox.done_row(claim(outbox)),))
    row = hub.one(schema.outbox)
    assert (row["state"], row["detail"]) == (schema.OUTBOX_DONE, b"")


def test_two_delivery_processes_send_everything_once_and_in_order(hub: Hub):
    destinations, each = 8, 6
    for position in range(each):
        for destination in range(destinations):
            queue(hub, f"{destination}-{position}", destination=f"d{destination}")
    sent: dict[str, list[str]] = defaultdict(list)
    guard = threading.Lock()

    def deliver(_: int) -> None:
        outbox = Outbox(hub.database, hub.writer, hub.bodies)
        while claimed := outbox.claim(NOW, LEASE):
            with guard:
                sent[claimed.destination].append(claimed.key)
            assert outbox.done(claimed, NOW)

    with ThreadPoolExecutor(4) as processes:
        list(processes.map(deliver, range(4)))
    left = Outbox(hub.database, hub.writer, hub.bodies)
    while claimed := left.claim(NOW, LEASE):  # whoever came last may have seen only claimed heads
        sent[claimed.destination].append(claimed.key)
        left.done(claimed, NOW)
    assert sent == {f"d{d}": [f"{d}-{p}" for p in range(each)] for d in range(destinations)}


def test_upkeep_takes_away_what_was_sent_long_ago_and_keeps_dead_letters(hub: Hub, outbox: Outbox):
    queue(hub, "sent", "dead", "waiting")
    outbox.done(claim(outbox), NOW)
    outbox.dead(claim(outbox), NOW, "refused")
    prune(hub.writer, NOW + SENT_US)
    assert len(hub.rows(schema.outbox)) == 3
    prune(hub.writer, NOW + SENT_US + 1)
    assert [row["key"] for row in hub.rows(schema.outbox)] == ["dead", "waiting"]


def test_the_sender_may_say_itself_when_to_try_again(hub: Hub, outbox: Outbox):
    queue(hub, "k1")
    assert outbox.retry(claim(outbox), NOW, "busy, in an hour", NOW + HOUR)
    assert outbox.claim(NOW + HOUR - 1, LEASE) is None
    assert claim(outbox, NOW + HOUR).attempts == 2
