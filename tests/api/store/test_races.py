"""Many at once: exactly one wins, the others are told to decide again, and nothing is half done."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from referral_hub.errors import GuardFailed
from referral_hub.exchange.change import (
    AbsentGuard,
    ConsentRows,
    Delivery,
    DropDeliveries,
    EpochGuard,
    TokenIndex,
    VersionGuard,
)
from referral_hub.store import schema
from tests.api.store.hubs import NOW, Hub, next_version, patient, write

MANY = 40


def at_once(job: Callable[[int], None]) -> Counter[str]:
    """Runs a job in forty threads that begin together; gives what became of them."""
    begin = threading.Barrier(MANY)

    def one(position: int) -> str:
        begin.wait()
        try:
            job(position)
        except GuardFailed:
            return "stale"
        return "done"

    with ThreadPoolExecutor(MANY) as threads:
        return Counter(threads.map(one, range(MANY)))


def test_of_forty_conditional_creates_one_is_stored(hub: Hub):
    guard = AbsentGuard("shelter", "Patient", "identifier", "urn:x|1")

    def create(_: int) -> None:
        hub.apply(resources=(patient(tokens=(TokenIndex("identifier", "urn:x|1"),)),), guards=(guard,))

    assert at_once(create) == {"done": 1, "stale": MANY - 1}
    assert len(hub.rows(schema.resource)) == len(hub.rows(schema.resource_version)) == 1


def test_of_forty_updates_of_one_version_one_is_stored(hub: Hub):
    first = write()
    hub.apply(resources=(first,))

    def update(_: int) -> None:
        hub.apply(resources=(next_version(first),), guards=(VersionGuard(first.row_id, first.version),))

    assert at_once(update) == {"done": 1, "stale": MANY - 1}
    assert [row["number"] for row in hub.rows(schema.resource_version)] == [1, 2]


def test_forty_first_writes_about_one_person_end_with_one_key_for_her(hub: Hub):
    her = 77
    rows = [write(person=her) for _ in range(MANY)]

    def create(position: int) -> None:
        while True:
            try:
                hub.apply(resources=(rows[position],))
            except GuardFailed:
                continue  # as the worker does: decide again, and find the key
            return

    assert at_once(create) == {"done": MANY}
    keys = [row["name"] for row in hub.rows(schema.wrapped_key) if row["name"].startswith("person:")]
    assert keys == [f"person:{her}"]
    for row in hub.rows(schema.resource):
        label = f"{row['id']}/{row['version']}"
        assert hub.bodies.open(row["body"], row["body_format"], her, label).startswith(b"{")


def test_forty_changes_of_one_id_are_one_change(hub: Hub):
    made = write()

    def again(_: int) -> None:
        hub.apply(change_id="the same", resources=(made,))

    assert at_once(again) == {"done": MANY}
    assert len(hub.rows(schema.resource)) == 1


def test_no_delivery_is_queued_past_a_withdrawal(hub: Hub):
    her = patient()
    hub.apply(resources=(her,))

    def race(position: int) -> None:
        if position == MANY // 2:
            hub.apply(consents=(ConsentRows(9, her.row_id),), dropped=(DropDeliveries(her.row_id, "clinic"),))
            return
        queued = Delivery(f"k{position}", "clinic", "task-notice", 1, her.row_id, NOW)
        hub.apply(deliveries=(queued,), guards=(EpochGuard(her.row_id, 0),))

    outcomes = at_once(race)
    states = Counter(row["state"] for row in hub.rows(schema.outbox))
    assert states[schema.OUTBOX_WAITING] == 0
    assert states[schema.OUTBOX_CANCELLED] == outcomes["done"] - 1
