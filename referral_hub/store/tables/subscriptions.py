"""Subscriptions as the hub works them, what changed since, and the events each of them is owed.

What lives here: tables and their indexes. What does not: how rows are claimed (``store.subscriptions``), the
Subscription resource itself (``tables.resources``), column kinds (``store.columns``).
"""

import sqlalchemy as sa

from referral_hub.store.columns import METADATA, counted_key, index, number, number_or_none, row_key, text

ASKED, ACTIVE, BROKEN, OFF = 0, 1, 2, 3
WAITING, SENT = 0, 1

subscription = sa.Table(
    "subscription",
    METADATA,
    row_key("resource"),
    text("id"),
    text("organization"),
    text("oauth_client"),
    text("user_id"),
    text("role"),
    text("purpose"),
    text("scope"),
    number("very_restricted"),
    text("topic"),
    number("state"),
    number("generation"),
    number("last_number"),
    number("told_us"),
    number("next_us"),
    number("failures"),
    text("lease"),
    number("lease_until_us"),
)
"""``next_us``: when it is looked at next at the latest (a try again, a heartbeat, its end). ``generation`` counts the
times it was asked for anew."""
index("subscription_next", subscription.c.next_us, where=subscription.c.state < sa.literal_column("2"))
index("subscription_topic", subscription.c.topic)
index("subscription_organization", subscription.c.organization)

feed = sa.Table(
    "feed",
    METADATA,
    counted_key("id"),
    text("type"),
    number("resource"),
    number("number"),
    number("at_us"),
    text("lease"),
    number("lease_until_us"),
    sqlite_autoincrement=True,
)
"""One row for each change that somebody may want to hear of; it is gone once it was looked at."""

subscription_event = sa.Table(
    "subscription_event",
    METADATA,
    counted_key("id"),
    number("subscription"),
    number("resource"),
    number("version"),
    number("at_us"),
    number_or_none("number"),
    number("state"),
    sqlite_autoincrement=True,
)
"""``number`` is given at sending. One change makes one event of a subscription."""
index(
    "subscription_event_once",
    subscription_event.c.subscription,
    subscription_event.c.resource,
    subscription_event.c.version,
    unique=True,
)
index(
    "subscription_event_waiting",
    subscription_event.c.subscription,
    subscription_event.c.id,
    where=subscription_event.c.state == sa.literal_column("0"),
)
index(
    "subscription_event_number",
    subscription_event.c.subscription,
    subscription_event.c.number,
    where=subscription_event.c.number.is_not(None),
)
