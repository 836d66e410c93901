"""Whether a role is active, and which step a sign-in still lacks: tables."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_hub.auth.people.standing import (
    DAY_US,
    GRACE_US,
    HOUR_US,
    may_sign_in,
    role_standing,
    step_of,
)
from referral_hub.exchange.accounts import PERSON, STAFF, Account

END = 1_000 * DAY_US
GRACE_END = END + GRACE_US


def account(**columns: Any) -> Account:
    base: dict[str, Any] = {
        "id": "a1",
        "version": 1,
        "organization": "o1",
        "kind": STAFF,
        "role": "caseworker",
        "practitioner": "",
        "person": None,
        "patient": "",
        "state": "active",
        "password_hash": "h",
        "password_us": 0,
        "one_time": False,
        "one_time_until_us": 0,
        "trained_until_us": END,
        "authorised_by": "a2",
        "on_call_from_us": 0,
        "on_call_until_us": 0,
        "unlocked_until_us": 0,
        "my_set_up_us": 0,
        "created_us": 0,
        "removed_us": 0,
    }
    return Account(**{**base, **columns})


@pytest.mark.parametrize(
    ("columns", "at_us", "active", "reason"),
    [
        ({"authorised_by": ""}, 0, False, "not-authorised"),
        ({"authorised_by": "", "unlocked_until_us": END * 2}, 0, False, "not-authorised"),
        ({"trained_until_us": 0}, 0, False, "not-trained"),
        ({"trained_until_us": 0, "on_call_until_us": DAY_US}, 0, False, "not-trained"),
        ({}, END - 30 * DAY_US - 1, True, "active"),
        ({}, END - 30 * DAY_US, True, "ends-soon"),
        ({}, END - 1, True, "ends-soon"),
        ({}, END, True, "grace"),
        ({}, GRACE_END - 1, True, "grace"),
        ({}, GRACE_END, False, "training-ended"),
        # a shift that began before the grace ended goes on, one that begins later does not
        (
            {"on_call_from_us": GRACE_END - HOUR_US, "on_call_until_us": GRACE_END + HOUR_US},
            GRACE_END,
            True,
            "on-call",
        ),
        (
            {"on_call_from_us": GRACE_END - HOUR_US, "on_call_until_us": GRACE_END + HOUR_US},
            GRACE_END + HOUR_US,
            False,
            "training-ended",
        ),
        (
            {"on_call_from_us": GRACE_END, "on_call_until_us": GRACE_END + DAY_US},
            GRACE_END,
            False,
            "training-ended",
        ),
        # nobody writes herself an endless shift
        (
            {"on_call_from_us": GRACE_END - HOUR_US, "on_call_until_us": GRACE_END + 90 * DAY_US},
            GRACE_END + 23 * HOUR_US,
            False,
            "training-ended",
        ),
        ({"unlocked_until_us": GRACE_END + HOUR_US}, GRACE_END, True, "unlocked"),
        ({"unlocked_until_us": GRACE_END + HOUR_US}, GRACE_END + HOUR_US, False, "training-ended"),
    ],
)
def test_a_role_is_active_only_while_it_is_trained_and_authorised(columns, at_us, active, reason):
    found = role_standing(account(**columns), at_us)
    assert (found.active, found.reason) == (active, reason)


@pytest.mark.parametrize("reason_at", [END - DAY_US, END, GRACE_END - 1])
def test_who_has_to_renew_is_told_until_when(reason_at):
    found = role_standing(account(), reason_at)
    assert found.warns
    assert reason_at < found.until_us


@given(
    at_us=st.integers(0, 3 * END),
    trained=st.integers(0, 2 * END),
    unlocked=st.integers(0, 2 * END),
    began=st.integers(0, 2 * END),
    ends=st.integers(0, 2 * END),
)
def test_taking_something_away_never_activates_a_role(at_us, trained, unlocked, began, ends):
    whole = account(
        trained_until_us=trained, unlocked_until_us=unlocked, on_call_from_us=began, on_call_until_us=ends
    )
    less = [
        account(trained_until_us=trained, unlocked_until_us=0, on_call_from_us=began, on_call_until_us=ends),
        account(trained_until_us=trained, unlocked_until_us=unlocked),
        account(trained_until_us=0, unlocked_until_us=unlocked, on_call_from_us=began, on_call_until_us=ends),
        account(
            authorised_by="",
            trained_until_us=trained,
            unlocked_until_us=unlocked,
            on_call_from_us=began,
            on_call_until_us=ends,
        ),
    ]
    for one in less:
        assert role_standing(whole, at_us).active or not role_standing(one, at_us).active


@pytest.mark.parametrize(
    ("columns", "organization_active", "may"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"state": "removed"}, True, False),
        ({"state": "paused"}, True, False),
        ({"state": ""}, True, False),
        ({"kind": PERSON}, True, False),
        ({"kind": PERSON, "my_set_up_us": 5}, True, True),
        ({"kind": PERSON, "my_set_up_us": 5, "state": "paused"}, True, False),
    ],
)
def test_who_may_sign_in_at_all(columns, organization_active, may):
    assert may_sign_in(account(**columns), organization_active=organization_active) is may


@pytest.mark.parametrize(
    ("columns", "methods", "has_second", "needed", "step"),
    [
        ({}, ("pwd",), True, True, "second"),
        ({}, ("pwd",), True, False, "second"),
        ({}, ("ext",), True, True, "second"),
        ({}, ("pwd",), False, True, "enrol"),
        ({}, ("ext",), False, True, "enrol"),
        ({}, ("pwd",), False, False, "whole"),
        ({}, ("pwd", "otp"), True, True, "whole"),
        ({}, ("pwd", "recovery"), True, True, "whole"),
        ({}, ("hwk", "user", "mfa"), True, True, "whole"),
        ({}, ("ext", "mfa"), False, True, "whole"),
        ({}, ("hwk", "user", "mfa"), False, True, "whole"),
        ({"one_time": True}, ("pwd",), False, True, "change-password"),
        # a one-time password alone changes nothing beside a second factor
        ({"one_time": True}, ("pwd",), True, True, "second"),
        ({"one_time": True}, ("pwd", "otp"), True, True, "change-password"),
        ({"trained_until_us": 0}, ("pwd", "otp"), True, True, "inactive"),
        ({"authorised_by": ""}, ("hwk", "user", "mfa"), True, True, "inactive"),
        ({}, (), True, True, "second"),
        ({"kind": PERSON, "role": ""}, ("pwd",), False, True, "whole"),
    ],
)
def test_nothing_is_whole_while_a_step_is_missing(columns, methods, has_second, needed, step):
    found = step_of(account(**columns), methods, 0, has_second=has_second, second_needed=needed)
    assert found == step
