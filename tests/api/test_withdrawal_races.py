"""What crosses a withdrawal in the very moment it is made: it is asked back, and what still may leave does."""

from typing import Any

import pytest

from referral_hub.app import clock
from referral_hub.exchange.audit import delivery_entry
from referral_hub.exchange.consent_writing import MISSED_US
from referral_hub.exchange.ports import ResourceRow
from referral_hub.outbound.timers import TimerWork
from referral_hub.store.outbox import Outbox
from referral_hub.store.timers import Timers
from tests import builders as b
from tests.api.network import Story, story
from tests.world import World, parsed

LATER_US = MISSED_US + 1_000_000
MINUTE_US = 60_000_000


def _row(it: Story, reference: str) -> ResourceRow:
    with it.world.parts.store.snapshot() as snapshot:
        row = snapshot.resource(*reference.split("/"))
    assert row is not None
    return row


def _arrived(it: Story) -> None:
    """What the delivery process writes of a message whose withdrawal was committed while it was on its way."""
    entry = delivery_entry(it.shelter, it.clinic, _row(it, it.task), (), "task-notice", clock())
    parts = it.world.parts
    parts.store.apply(parts.gate.admit_delivery(f"delivered/{it.task}", (entry,), ()))


def _later(it: Story) -> None:
    """Works every timer that is due by the moment of the second look."""
    parts = it.world.parts
    work = TimerWork(parts.hub, Timers(parts.database, parts.writer, parts.bodies))
    while work.fire_one(clock() + LATER_US):
        pass


def _recalls(it: Story) -> list[dict[str, Any]]:
    found = parsed(it.c.get(f"/Task?owner=Organization/{it.clinic}&_count=50")).get("entry", ())
    tasks = [entry["resource"] for entry in found]
    return [task for task in tasks if task["code"]["coding"][0]["code"] == "recall"]


def _ended(it: Story, how: str) -> None:
    if how == "operation":
        it.revoke()
    else:
        it.s.changed(f"Consent/{it.release['id']}", status="inactive")


@pytest.mark.parametrize("how", ["operation", "update"])
def test_what_arrived_in_the_moment_of_the_withdrawal_is_asked_back(world: World, how: str) -> None:
    it = story(world)
    it.sign()
    it.refer()
    _ended(it, how)
    _arrived(it)
    assert _recalls(it) == []
    _later(it)
    (recall,) = _recalls(it)
    assert not {"for", "focus"} & recall.keys()
    _later(it)
    assert len(_recalls(it)) == 1


def test_who_heard_nothing_is_asked_nothing(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer()
    it.revoke()
    _later(it)
    assert _recalls(it) == []


def test_who_was_asked_with_the_withdrawal_is_not_asked_again(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer()
    _arrived(it)
    it.revoke()
    assert len(_recalls(it)) == 1
    _later(it)
    assert len(_recalls(it)) == 1


def test_who_is_covered_again_by_then_is_asked_nothing(world: World) -> None:
    it = story(world)
    it.sign()
    it.refer()
    it.revoke()
    _arrived(it)
    it.sign()
    _later(it)
    assert _recalls(it) == []


def _waiting(it: Story) -> list[str]:
    """Gives the kinds of messages that may leave to this clinic, in order."""
    parts = it.world.parts
    outbox = Outbox(parts.database, parts.writer, parts.bodies)
    now_us, kinds = clock(), []
    while (claimed := outbox.claim(now_us, MINUTE_US)) is not None:
        outbox.done(claimed, now_us)
        if claimed.destination == it.clinic:
            kinds.append(claimed.kind)
    return kinds


@pytest.mark.parametrize(("releases", "waiting"), [(1, []), (2, ["task-notice"])])
def test_a_message_that_another_release_covers_still_leaves(
    world: World, releases: int, waiting: list[str]
) -> None:
    it = story(world)
    it.clinic = world.add_organization("clinic", "clinic", fhir_endpoint="https://ehr.example/fhir")
    for days in range(20, 20 + releases):
        it.release = it.s.create(b.release(it.person, it.shelter, b.permit(it.clinic, days=days)))
    it.refer()
    it.revoke()
    assert _waiting(it) == waiting
