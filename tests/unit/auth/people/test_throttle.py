"""Delays: they grow, they end, and a network is never finer than it should be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_hub.auth.people.browser_sessions import LIFETIMES, Policy, policy_of
from referral_hub.auth.people.throttle import FREE, LONGEST_S, delay_s, network_of
from referral_hub.errors import ConfigurationError
from referral_hub.exchange.accounts import ROLES
from tests.unit.auth.people.test_standing import account


@pytest.mark.parametrize(
    ("kind", "failures", "seconds"),
    [("device", 4, 0), ("device", 5, 1), ("device", 6, 2), ("device", 14, 512), ("device", 15, 900), ("login", 19, 0),
     ("login", 20, 1), ("network", 49, 0), ("network", 50, 1), ("second", 5, 1)],
)  # fmt: skip
def test_the_first_are_free_then_the_delay_doubles(kind, failures, seconds):
    assert delay_s(kind, failures) == seconds


@given(st.sampled_from(sorted(FREE)), st.integers(1, 10**9))
def test_no_number_of_failures_locks_for_good(kind, failures):
    assert 0 <= delay_s(kind, failures) <= LONGEST_S
    assert delay_s(kind, failures) <= delay_s(kind, failures + 1)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", ""),
        ("unix", ""),
        ("192.0.2.7, 1.2.3.4", ""),
    ],
)
def test_addresses_of_one_network_share_a_budget(address, network):
    assert network_of(address) == network


def test_every_role_has_a_lifetime_and_hers_is_short_whatever_is_set():
    assert set(ROLES) < set(LIFETIMES)
    policy = policy_of({"person": (60, 60), "caseworker": (5, 10)}, second_needed=True)
    assert policy.lifetime(account(kind="person", role="")).idle == 10
    assert (policy.lifetime(account()).idle, policy.lifetime(account()).most) == (5, 10)
    assert Policy().lifetime(account(role="unheard-of")).idle == 10


def test_a_lifetime_of_what_is_no_role_stops_the_start():
    with pytest.raises(ConfigurationError, match="janitor"):
        policy_of({"janitor": (5, 10)}, second_needed=True)
