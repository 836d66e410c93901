"""The statements of subscriptions, of the feed of changes and of events.

What lives here: SQL. What does not: the walk that uses it (``store.subscriptions``), the tables
(``store.tables.subscriptions``).
"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as upsert

from referral_hub.store import schema
from referral_hub.store.statements import WRITES, Statement, constant, one_of, whole, words
from referral_hub.store.tables.subscriptions import BROKEN, OFF, SENT, WAITING

_SUB, _FEED, _EVENT = schema.subscription, schema.feed, schema.subscription_event
_CLIENT, _ORGANIZATION = schema.oauth_client, schema.organization
_LIVE = _SUB.c.state < constant(BROKEN)
_HELD = sa.and_(_SUB.c.resource == whole("resource"), _SUB.c.lease == words("lease"))
_LOOK_AT = 8

READ = (
    "resource",
    "id",
    "organization",
    "oauth_client",
    "user_id",
    "role",
    "purpose",
    "scope",
    "very_restricted",
    "state",
    "generation",
    "last_number",
    "told_us",
    "failures",
    "lease",
)
_columns = [
    *(_SUB.c[name] for name in READ),
    _CLIENT.c.active,
    _ORGANIZATION.c.active,
    _ORGANIZATION.c.version,
]
_joined = _SUB.join(_CLIENT, _CLIENT.c.client_id == _SUB.c.oauth_client).join(
    _ORGANIZATION, _ORGANIZATION.c.id == _SUB.c.organization
)
OF = Statement(
    "subscription_of", sa.select(*_columns).select_from(_joined).where(_SUB.c.resource == whole("resource"))
)
OF_TOPICS = Statement(
    "subscription_of_topics",
    sa.select(*_columns).select_from(_joined).where(one_of(_SUB.c.topic, "topics"), _LIVE),
)
OF_ORGANIZATION = Statement(
    "subscription_of_organization",
    sa.select(_SUB.c.id).where(_SUB.c.organization == words("organization")).order_by(_SUB.c.id),
)
WAITING_EVENTS = Statement(
    "subscription_waiting",
    sa.select(_EVENT.c.id, _EVENT.c.resource, _EVENT.c.version, _EVENT.c.at_us, _EVENT.c.number)
    .where(_EVENT.c.subscription == whole("resource"), _EVENT.c.state == constant(WAITING))
    .order_by(_EVENT.c.id)
    .limit(constant(1)),
)
TOLD = Statement(
    "subscription_told",
    sa.select(_EVENT.c.id, _EVENT.c.resource, _EVENT.c.version, _EVENT.c.at_us, _EVENT.c.number)
    .where(
        _EVENT.c.subscription == whole("resource"),
        _EVENT.c.state == constant(SENT),
        _EVENT.c.number.is_not(None),
        _EVENT.c.number >= whole("low"),
        _EVENT.c.number <= whole("high"),
    )
    .order_by(_EVENT.c.number)
    .limit(whole("count")),
)
DUE = Statement(
    "subscription_due",
    sa.select(_SUB.c.resource)
    .where(_LIVE, _SUB.c.lease_until_us <= whole("now_us"), _SUB.c.next_us <= whole("now_us"))
    .order_by(_SUB.c.next_us, _SUB.c.resource)
    .limit(constant(_LOOK_AT)),
)
FED = Statement(
    "feed_open",
    sa.select(_FEED.c.id, _FEED.c.type, _FEED.c.resource, _FEED.c.number, _FEED.c.at_us)
    .where(_FEED.c.lease_until_us <= whole("now_us"))
    .order_by(_FEED.c.id)
    .limit(constant(_LOOK_AT)),
)

# Nothing is put in the feed while nobody listens.
_anybody = sa.exists().where(_LIVE)
WRITES.add(
    "feed_add",
    sa.insert(_FEED).from_select(
        ["type", "resource", "number", "at_us", "lease", "lease_until_us"],
        sa.select(
            words("type"), whole("resource"), whole("number"), whole("at_us"), constant(""), constant(0)
        ).where(_anybody),
    ),
)
WRITES.add(
    "feed_claim",
    sa.update(_FEED)
    .where(_FEED.c.id == whole("id"), _FEED.c.lease_until_us <= whole("now_us"))
    .values(lease=words("lease"), lease_until_us=whole("until_us")),
)
WRITES.add("feed_done", sa.delete(_FEED).where(_FEED.c.id == whole("id"), _FEED.c.lease == words("lease")))

_GIVEN = (
    "resource",
    "id",
    "organization",
    "oauth_client",
    "user_id",
    "role",
    "purpose",
    "scope",
    "very_restricted",
    "topic",
    "state",
    "next_us",
)
_given = {name: sa.bindparam(name, type_=_SUB.c[name].type) for name in _GIVEN}
_fresh = {
    "generation": constant(1),
    "last_number": constant(0),
    "told_us": constant(0),
    "failures": constant(0),
    "lease": constant(""),
    "lease_until_us": constant(0),
}
_put = upsert(_SUB).values({**_given, **_fresh})
# Asked for anew: its events keep their numbers, and a notification under way loses its claim.
WRITES.add(
    "subscription_put",
    _put.on_conflict_do_update(
        index_elements=["resource"],
        set_={
            **{name: _put.excluded[name] for name in _GIVEN if name not in ("resource", "id")},
            "generation": _SUB.c.generation + constant(1),
            "failures": constant(0),
            "lease": constant(""),
            "lease_until_us": constant(0),
        },
    ),
)
WRITES.add(
    "subscription_claim",
    sa.update(_SUB)
    .where(
        _SUB.c.resource == whole("resource"),
        _LIVE,
        _SUB.c.lease_until_us <= whole("now_us"),
        _SUB.c.next_us <= whole("now_us"),
    )
    .values(lease=words("lease"), lease_until_us=whole("until_us")),
)
WRITES.add(
    "subscription_told",
    sa.update(_SUB)
    .where(_HELD)
    .values(
        last_number=whole("last_number"),
        told_us=whole("told_us"),
        next_us=whole("next_us"),
        failures=whole("failures"),
        lease=constant(""),
        lease_until_us=constant(0),
    ),
)
WRITES.add(
    "subscription_state",
    sa.update(_SUB)
    .where(_HELD)
    .values(
        state=whole("state"),
        told_us=whole("told_us"),
        next_us=whole("next_us"),
        failures=constant(0),
        lease=constant(""),
        lease_until_us=constant(0),
    ),
)
WRITES.add(
    "subscription_end",
    sa.update(_SUB)
    .where(_SUB.c.resource == whole("resource"))
    .values(state=constant(OFF), lease=constant(""), lease_until_us=constant(0)),
)
WRITES.add(
    "subscription_wake",
    sa.update(_SUB)
    .where(_SUB.c.resource == whole("resource"), _SUB.c.failures == constant(0))
    .values(next_us=constant(0)),
)
_noted = ("subscription", "resource", "version", "at_us", "number", "state")
WRITES.add(
    "event_add",
    upsert(_EVENT)
    .values({name: sa.bindparam(name, type_=_EVENT.c[name].type) for name in _noted})
    .on_conflict_do_nothing(index_elements=["subscription", "resource", "version"]),
)
WRITES.add(
    "event_number",
    sa.update(_EVENT)
    .where(_EVENT.c.id == whole("id"), _EVENT.c.number.is_(None))
    .values(number=whole("number")),
)
WRITES.add("event_sent", sa.update(_EVENT).where(_EVENT.c.id == whole("id")).values(state=constant(SENT)))
WRITES.add("event_drop", sa.delete(_EVENT).where(_EVENT.c.id == whole("id")))
WRITES.add("subscription_held", sa.select(constant(1)).where(_HELD).with_for_update())
WRITES.add(
    "event_prune",
    sa.delete(_EVENT).where(_EVENT.c.state == constant(SENT), _EVENT.c.at_us < whole("before_us")),
)
