"""The laws in many drawn worlds, and proof that they would notice a broken rule.

The long run over 50,000 worlds is ``python -m tests.laws.run_laws``.
"""

from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from referral_hub.access import decision, rules
from tests.unit.access import laws

LONG = settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
# A real Random: drawing every choice through hypothesis costs ten times more, and a failure prints its world.
chances = st.randoms(use_true_random=True)


@LONG
@given(chances)
def test_nothing_that_restricts_widens_and_rows_agree(chance: Random) -> None:
    laws.check_hub_world(chance)


@LONG
@given(chances)
def test_the_same_for_consents_of_every_kind(chance: Random) -> None:
    laws.check_mixed_world(chance)


def run(worlds: int, seed: int) -> Counter[str]:
    seen: Counter[str] = Counter()
    for number in range(worlds):
        seen += laws.check_hub_world(Random(seed + number))
        seen += laws.check_mixed_world(Random(seed + number))
    return seen


def test_the_worlds_are_worth_looking_at() -> None:
    seen = run(600, seed=1)
    for kind in (
        "hub permit",
        "hub deny",
        "hub no-consent",
        "mixed permit",
        "mixed deny",
        "mixed no-consent",
    ):
        assert seen[kind] > 30, seen


def _equal_labels(self: rules.Deny, request: Any) -> bool:
    """The old mistake: a deny label compared by equality, so that R raised to V escapes a deny of R."""
    return self.at_least is None or request.resource.rank == self.at_least


def _newest_wins(consents: Any, request: Any, at_us: int) -> Any:
    """The old mistake: the last Consent decides, so that a later permit lifts an earlier refusal."""
    found = [decision.decide([one], request, at_us) for one in consents]
    spoken = [one for one in found if one.outcome != "no-consent"]
    return spoken[-1] if spoken else decision.decide([], request, at_us)


@pytest.mark.parametrize(
    ("target", "name", "mistake"),
    [
        (rules.Deny, "_labels_match", _equal_labels),
        (laws, "decide", _newest_wins),
        (rules.Permit, "_data_matches", lambda *_: True),
        (rules.Deny, "_data_matches", lambda *_: False),
    ],
    ids=[
        "labels by equality",
        "newest wins",
        "instances forgotten in permits",
        "instances forgotten in denies",
    ],
)
def test_a_broken_rule_is_noticed(
    monkeypatch: pytest.MonkeyPatch, target: Any, name: str, mistake: Any
) -> None:
    monkeypatch.setattr(target, name, mistake)
    with pytest.raises(AssertionError, match="law broken"):
        run(2_000, seed=1)
