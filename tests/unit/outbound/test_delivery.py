"""What becomes of a message: sent once or again, held back, put off, given up; and always said in the audit."""

from typing import Any

import pytest

from referral_hub.errors import DeliveryFailed
from referral_hub.outbound.delivery import LEASE_US, Delivery
from referral_hub.outbound.patience import Patience
from referral_hub.outbound.ports import NotedCopy, TokenRefused, TryLater
from tests.unit.access.builders import END, NOW, us
from tests.unit.outbound.memory import (
    CANCELLED,
    DEAD,
    DONE,
    PERSON,
    WAITING,
    Killed,
    MemoryCopies,
    MemoryOutbox,
    Message,
    Partner,
    World,
    organization,
)

PATIENCE = Patience(first_s=2, most_s=60, tries_answered=3, tries_unreached=6)


def delivery(world: World, partner: Partner, **more: Any) -> Delivery[Message]:
    return Delivery(world.hub(), MemoryOutbox(world), MemoryCopies(world), partner, patience=PATIENCE, **more)


@pytest.fixture
def world() -> World:
    world = World(("clinic", "legal-aid"))
    world.refer(10)
    return world


def test_a_notice_leaves_as_the_recipient_may_have_it_and_is_told_once(world: World):
    message, partner = world.queue(10), Partner(world)
    assert delivery(world, partner).deliver_one(world.now_us)
    (arrived,) = partner.sent
    assert arrived.key == message.key
    assert "description" not in arrived.body
    assert arrived.body["identifier"][0]["value"] == "number-10"
    (entry,) = world.audit
    assert (entry.interaction, entry.recipient, entry.person) == ("task-notice", "clinic", PERSON)
    assert entry.consents == ("consent-3/1",)
    assert message.state == DONE
    assert world.copies[10, "clinic"].url == "https://clinic.example/fhir/Task/1"
    assert not delivery(world, partner).deliver_one(world.now_us)


def test_a_message_no_release_covers_is_held_back_for_good_and_told(world: World):
    message, partner = world.queue(10), Partner(world)
    world.grants = ()
    assert delivery(world, partner).deliver_one(world.now_us)
    assert partner.sent == []
    assert message.state == DONE
    (entry,) = world.audit
    assert (entry.outcome, entry.reason, entry.recipient) == (4, "no-release", "clinic")
    assert world.delivered == []


def test_a_message_whose_release_ran_out_while_it_waited_is_held_back(world: World):
    world.queue(10)
    world.now_us = us(END)
    partner = Partner(world)
    assert delivery(world, partner).deliver_one(world.now_us)
    assert partner.sent == []


@pytest.mark.parametrize(
    ("changes", "refused"),
    [({"active": False}, True), ({"fhir_endpoint": ""}, False)],
)
def test_nothing_leaves_to_a_suspended_recipient_or_to_one_without_a_server(
    world: World, changes: dict[str, Any], refused: bool
):
    message, partner = world.queue(10), Partner(world)
    world.organizations["clinic"] = organization("clinic", **changes)
    assert delivery(world, partner).deliver_one(world.now_us)
    assert partner.sent == []
    assert message.state == DONE
    assert bool(world.audit) is refused


def test_nothing_leaves_to_somebody_who_is_not_the_owner(world: World):
    world.queue(10, destination="legal-aid")
    partner = Partner(world)
    delivery(world, partner).deliver_one(world.now_us)
    assert partner.sent == []


@pytest.mark.parametrize("active", [True, False])
def test_a_recall_leaves_without_a_release_and_to_a_suspended_recipient_too(world: World, active: bool):
    world.grants = ()
    world.organizations["clinic"] = organization("clinic", active=active)
    world.refer(11, kind="recall", author="network")
    world.queue(11, "recall")
    partner = Partner(world)
    delivery(world, partner).deliver_one(world.now_us)
    assert [arrived.key for arrived in partner.sent] == ["key-1"]
    assert [entry.interaction for entry in world.delivered] == ["recall"]


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error"])
def test_an_end_set_by_the_sender_moves_the_partners_copy(world: World, status: str):
    world.refer(12, status=status)
    world.copies[12, "clinic"] = NotedCopy(12, "clinic", "https://clinic.example/fhir/Task/5", "", 0)
    world.queue(12, "task-update")
    partner = Partner(world)
    delivery(world, partner).deliver_one(world.now_us)
    assert partner.updates == [("https://clinic.example/fhir/Task/5", status)]
    assert [entry.interaction for entry in world.delivered] == ["task-update"]
    assert (12, "clinic") not in world.copies


def test_a_partner_that_closed_it_first_keeps_its_end_and_somebody_is_told(world: World):
    world.refer(12, status="cancelled")
    world.copies[12, "clinic"] = NotedCopy(12, "clinic", "https://clinic.example/fhir/Task/5", "", 0)
    world.queue(12, "task-update")
    partner = Partner(world, status="completed")
    delivery(world, partner).deliver_one(world.now_us)
    assert partner.updates == []
    (entry,) = world.audit
    assert (entry.interaction, entry.reason, entry.recipient) == ("alert", "partner-copy-differs", "")


@pytest.mark.parametrize(
    ("kind", "status", "has_copy"),
    [
        ("task-update", "accepted", True),
        ("task-update", "cancelled", False),
        ("task-notice", "requested", True),
        ("task-notice", "cancelled", False),
        ("task-notice", "rejected", False),
    ],
)
def test_what_needs_no_message_sends_none(world: World, kind: str, status: str, has_copy: bool):
    world.refer(12, status=status)
    if has_copy:
        world.copies[12, "clinic"] = NotedCopy(12, "clinic", "https://clinic.example/fhir/Task/5", "", 0)
    message, partner = world.queue(12, kind), Partner(world)
    assert delivery(world, partner).deliver_one(world.now_us)
    assert (partner.sent, partner.updates, world.audit, message.state) == ([], [], [], DONE)


def test_a_referral_that_closed_while_the_answer_was_lost_is_closed_at_the_partner_too(world: World):
    message, partner = world.queue(10), Partner(world, failures=[TryLater("The answer was lost.")])
    partner.kept["clinic", "number-10"] = "https://clinic.example/fhir/Task/9"
    deliver = delivery(world, partner)
    deliver.deliver_one(world.now_us)
    world.refer(10, status="cancelled")
    world.accesses.pop(0)
    world.now_us += 60_000_000
    deliver.deliver_one(world.now_us)
    assert partner.updates == [("https://clinic.example/fhir/Task/9", "cancelled")]
    assert message.state == DONE


def test_a_failed_message_waits_longer_each_time_and_is_then_given_up(world: World):
    message, partner = world.queue(10), Partner(world)
    partner.failures = [TryLater("The partner answered with status 500.", answered=True)] * 3
    deliver = delivery(world, partner)
    waits = []
    for _ in range(2):
        deliver.deliver_one(world.now_us)
        assert message.state == WAITING
        waits.append(message.not_before_us - world.now_us)
        assert not deliver.deliver_one(world.now_us)
        world.now_us = message.not_before_us
    assert waits[1] > 1.5 * waits[0]
    deliver.deliver_one(world.now_us)
    assert (message.state, message.reason) == (DEAD, "The partner answered with status 500.")
    assert [(entry.outcome, entry.reason) for entry in world.audit] == [(8, "delivery-failed")]
    assert deliver.tally.read() == {"given-up": 1, "put-off": 2}


def test_a_permanent_refusal_is_given_up_at_once_and_the_next_message_goes_on(world: World):
    world.refer(11)
    first, second = world.queue(10), world.queue(11)
    partner = Partner(
        world, failures=[DeliveryFailed("The partner answered with status 422.", permanent=True)]
    )
    deliver = delivery(world, partner)
    deliver.deliver_one(world.now_us)
    deliver.deliver_one(world.now_us)
    assert (first.state, second.state) == (DEAD, DONE)


def test_a_message_that_waits_holds_back_what_follows_for_its_destination_only(world: World):
    world.refer(11)
    world.refer(12, "legal-aid")
    world.queue(10)
    world.queue(11)
    world.queue(12, destination="legal-aid")
    partner = Partner(world, failures=[TryLater("")])
    deliver = delivery(world, partner)
    while deliver.deliver_one(world.now_us):
        pass
    assert [arrived.destination for arrived in partner.sent] == ["clinic", "legal-aid"]


def test_a_refused_token_is_fetched_anew_once_and_consent_asked_again(world: World):
    message, partner = world.queue(10), Partner(world, failures=[TokenRefused("")])
    delivery(world, partner).deliver_one(world.now_us)
    assert (len(partner.sent), partner.asked_ready, message.state) == (2, 2, DONE)
    partner.failures = [TokenRefused(""), TokenRefused("")]
    world.refer(11)
    message = world.queue(11)
    delivery(world, partner).deliver_one(world.now_us)
    assert message.state == WAITING


def test_a_withdrawal_between_two_tries_with_tokens_stops_the_second(world: World):
    partner = Partner(world, failures=[TokenRefused("")])
    world.queue(10)
    world.watch = lambda step: world.withdraw() if step == "ready" and len(partner.sent) == 1 else None
    delivery(world, partner).deliver_one(world.now_us)
    assert len(partner.sent) == 1


def test_a_fault_in_making_one_message_does_not_stop_the_others(world: World):
    world.refer(11)
    broken = world.resources[10]
    world.resources[10] = type(broken)(**{name: getattr(broken, name) for name in broken.__struct_fields__}
                                       | {"body": b"{not json"})  # fmt: skip
    first, second = world.queue(10), world.queue(11)
    partner = Partner(world)
    deliver = delivery(world, partner)
    deliver.deliver_one(world.now_us)
    assert (first.state, partner.sent) == (WAITING, [])
    for _ in range(6):
        world.now_us += 120_000_000
        deliver.deliver_one(world.now_us)
    assert (first.state, second.state) == (DEAD, DONE)


def test_getting_ready_for_long_lets_the_decision_be_made_anew(world: World):
    world.queue(10)
    world.now_us = us(END) - 2_000_000
    partner = Partner(world)

    def slow(step: str) -> None:
        if step == "ready" and world.now_us < us(END):
            world.now_us += 5_000_000

    world.watch = slow
    delivery(world, partner).deliver_one(world.now_us)
    assert partner.sent == []
    assert [entry.reason for entry in world.audit] == ["no-release"]


def test_a_cancelled_message_that_was_on_its_way_is_told_all_the_same(world: World):
    message, partner = world.queue(10), Partner(world)
    world.watch = lambda step: world.withdraw() if step == "on its way" else None
    delivery(world, partner).deliver_one(NOW)
    assert message.state == CANCELLED
    assert [entry.recipient for entry in world.delivered] == ["clinic"]
    assert world.recalled == {"clinic"}


def test_two_processes_that_sent_the_same_message_tell_it_once(world: World):
    """The first one stands still until its lease is over; meanwhile the second sends, under the same key."""
    message, partner = world.queue(10), Partner(world)

    def stand_still(step: str) -> None:
        if step == "on its way" and len(partner.sent) == 1:
            world.now_us += LEASE_US
            assert delivery(world, partner).deliver_one(world.now_us)

    world.watch = stand_still
    delivery(world, partner).deliver_one(world.now_us)
    assert [arrived.key for arrived in partner.sent] == [message.key, message.key]
    assert [entry.recipient for entry in world.delivered] == ["clinic"]
    assert message.state == DONE


def test_a_message_that_lost_its_lease_and_was_taken_up_again_is_acknowledged(world: World):
    """The first process tells what left; the second, killed while sending, comes back and ends it."""
    message, partner = world.queue(10), Partner(world)

    def stand_still(step: str) -> None:
        if step == "on its way" and len(partner.sent) == 1:
            world.now_us += LEASE_US
            world.watch = killed
            with pytest.raises(Killed):
                delivery(world, partner).deliver_one(world.now_us)
            world.watch = lambda step: None

    def killed(step: str) -> None:
        if step == "on its way":
            raise Killed

    world.watch = stand_still
    delivery(world, partner).deliver_one(world.now_us)
    assert message.state == WAITING
    world.now_us += LEASE_US
    delivery(world, partner).deliver_one(world.now_us)
    assert message.state == DONE
    assert [entry.recipient for entry in world.delivered] == ["clinic"]
