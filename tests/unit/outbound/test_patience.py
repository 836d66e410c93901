"""How long a message is tried again: pauses grow to a bound, and giving up depends on whose fault it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_hub.errors import DeliveryFailed
from referral_hub.outbound.patience import SECOND_US, Patience
from referral_hub.outbound.ports import CopyGone, TokenRefused, TryLater

PATIENCE = Patience(first_s=2, most_s=900, tries_answered=5, tries_unreached=50)


@given(st.text(max_size=40), st.integers(1, 500))
def test_a_pause_never_exceeds_its_bound_and_never_shrinks(key: str, attempts: int):
    failed = TryLater("")
    pause = PATIENCE.pause_us(key, attempts, failed)
    assert 2 * SECOND_US <= pause <= 1.25 * 900 * SECOND_US
    assert PATIENCE.pause_us(key, attempts + 1, failed) >= pause


def test_deliveries_do_not_come_back_in_the_same_second():
    pauses = {PATIENCE.pause_us(f"key-{number}", 9, TryLater("")) for number in range(50)}
    assert len(pauses) > 40


@pytest.mark.parametrize(("asked_s", "waits_s"), [(0.5, 2), (60, 60), (3600, 900)])
def test_what_the_partner_asks_for_is_kept_up_to_the_longest_pause(asked_s: float, waits_s: float):
    pause_s = PATIENCE.pause_us("", 1, TryLater("", after_s=asked_s)) / SECOND_US
    assert waits_s <= pause_s <= waits_s * 1.25


@pytest.mark.parametrize(
    ("failed", "attempts", "over"),
    [
        (DeliveryFailed("", permanent=True), 1, True),
        (CopyGone(""), 1, True),
        (TryLater("", answered=True), 4, False),
        (TryLater("", answered=True), 5, True),
        (TryLater(""), 5, False),
        (TryLater(""), 49, False),
        (TryLater(""), 50, True),
        (TokenRefused(""), 5, False),
        (TokenRefused(""), 50, True),
    ],
)
def test_when_a_message_is_given_up(failed: DeliveryFailed, attempts: int, over: bool):
    assert PATIENCE.is_over(attempts, failed) is over
