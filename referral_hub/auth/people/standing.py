"""Whether an account may work, and which step its sign-in still lacks: two pure decisions.

What lives here: training and authorisation of staff with their grace, the steps between a password and a whole
sign-in. What does not: the rows (``exchange.accounts``), who sets them (``auth.people.accounts``), what a role may
see (``exchange.gate``).

Source: ``practice.md`` 17 (training expiry warns at 30 days, has 14 days' grace, never cuts an on-call shift;
supervisor unlock), 9 (contact lost) and 10 (her own access is off until it was set up with her).
"""

from collections.abc import Collection
from dataclasses import dataclass

from referral_hub.exchange.accounts import ACTIVE, PERSON, Account

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
WARN_US = 30 * DAY_US
"""How long before its end an expiring training is pointed out."""
GRACE_US = 14 * DAY_US
"""How long a role goes on after the training ended."""
LONGEST_SHIFT_US = 24 * HOUR_US
LONGEST_UNLOCK_US = 72 * HOUR_US

SECOND = frozenset({"otp", "hwk", "recovery", "mfa"})
"""Methods that are a second factor, or a sign-in that holds two in one (RFC 8176; ``recovery`` is the hub's own)."""

WHOLE, CHANGE, SECOND_STEP, ENROL, INACTIVE = "whole", "change-password", "second", "enrol", "inactive"


@dataclass(frozen=True, slots=True)
class RoleStanding:
    """Whether a role is active, why, and whether its owner is to be warned.

    ``reason`` is ``active``, ``ends-soon``, ``grace``, ``on-call`` or ``unlocked``; where it is not active
    ``not-authorised``, ``not-trained`` or ``training-ended``. ``until_us`` is when that changes, 0 where nothing does.
    """

    active: bool
    reason: str
    until_us: int = 0

    @property
    def warns(self) -> bool:
        """Tells that the owner has to do something about the training."""
        return self.reason in ("ends-soon", "grace", "on-call", "unlocked")


def role_standing(account: Account, at_us: int) -> RoleStanding:
    """Tells whether the role of a member of staff is active: trained, authorised, or in its grace.

    Args:
        account: of a member of staff.
        at_us: now, microseconds UTC.

    Source: ``practice.md`` 17.
    """
    if not account.authorised_by:
        return RoleStanding(active=False, reason="not-authorised")
    if not account.trained_until_us:
        return RoleStanding(active=False, reason="not-trained")
    ends_us = account.trained_until_us
    if at_us < ends_us - WARN_US:
        return RoleStanding(active=True, reason="active", until_us=ends_us - WARN_US)
    if at_us < ends_us:
        return RoleStanding(active=True, reason="ends-soon", until_us=ends_us)
    if at_us < ends_us + GRACE_US:
        return RoleStanding(active=True, reason="grace", until_us=ends_us + GRACE_US)
    # A shift that was running when the grace ended runs to its end; a later one does not begin.
    shift_until_us = min(account.on_call_until_us, account.on_call_from_us + LONGEST_SHIFT_US)
    if account.on_call_from_us < ends_us + GRACE_US and at_us < shift_until_us:
        return RoleStanding(active=True, reason="on-call", until_us=shift_until_us)
    if at_us < account.unlocked_until_us:
        return RoleStanding(active=True, reason="unlocked", until_us=account.unlocked_until_us)
    return RoleStanding(active=False, reason="training-ended")


def may_sign_in(account: Account, *, organization_active: bool) -> bool:
    """Tells whether an account may sign in at all; how far it then comes is :func:`step_of`."""
    if account.state != ACTIVE or not organization_active:
        return False
    return account.kind != PERSON or account.my_set_up_us > 0


def step_of(
    account: Account, methods: Collection[str], at_us: int, *, has_second: bool, second_needed: bool
) -> str:
    """Gives the step a sign-in still lacks before anything of a person is shown; ``whole`` where it lacks none.

    Args:
        account: one that may sign in.
        methods: how its owner was proven (RFC 8176).
        at_us: now, microseconds UTC.
        has_second: it has a second factor; then every sign-in asks for it.
        second_needed: the network's policy wants one of all staff.
    """
    if account.kind == PERSON:
        return WHOLE
    if not SECOND & set(methods):
        if has_second:
            return SECOND_STEP
        if account.one_time:
            return CHANGE
        if second_needed:
            return ENROL
    if account.one_time:
        return CHANGE
    return WHOLE if role_standing(account, at_us).active else INACTIVE
