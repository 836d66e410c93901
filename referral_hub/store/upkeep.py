"""Upkeep: rows that only served for a while are taken away.

What lives here: how long marks of applied Changes, used assertions, ended tokens and sent deliveries are
kept. What does not: retention of a person's data, which is a decision (``casework``).
"""

from referral_hub.store.apply import PlanWriter
from referral_hub.store.plan import Rule, own_plan

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
MARKS_US = 2 * DAY_US
"""A lost worker asks for its Change within seconds; two days leave room for a stopped machine."""
ENDED_US = 1 * DAY_US
SENT_US = 30 * DAY_US


def prune(writer: PlanWriter, now_us: int) -> None:
    """Takes away what is over; run it about once an hour.

    Args:
        writer: applies the deletions, each in a transaction of its own.
        now_us: the time now, microseconds UTC.
    """
    for name, kept_us in (
        ("change_prune", MARKS_US),
        ("oauth_jti_prune", ENDED_US),
        ("oauth_token_prune", ENDED_US),
        ("oauth_code_prune", ENDED_US),
        ("oauth_refresh_prune", ENDED_US),
        ("oauth_pushed_prune", ENDED_US),
        ("oauth_launch_prune", ENDED_US),
        ("oauth_family_prune", ENDED_US),
        ("browser_session_prune", ENDED_US),
        ("known_device_prune", ENDED_US),
        ("sign_in_ticket_prune", ENDED_US),
        ("sign_in_attempts_prune", ENDED_US),
        ("outbox_prune", SENT_US),
        ("export_entry_prune", ENDED_US),
        ("export_prune", ENDED_US),
        ("portal_draft_prune", 0),
        ("portal_link_prune", ENDED_US),
    ):
        writer.apply(own_plan(now_us, (name, Rule.ANY, {"before_us": now_us - kept_us})))
