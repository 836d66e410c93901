"""Notifications of a Subscription: what one holds, and the two questions about it.

What lives here: the Bundle of a notification in each of its three contents, ``$status`` and ``$events``. What does
not: when one is sent (``outbound.notifying``), how it travels (``adapters``), what a Subscription asks for
(``exchange.subscription_asking``).

Whatever a notification shows is decided by the gate at the moment it is made, for the software that subscribed.

Source: Subscriptions R5 Backport IG 1.1.0, notifications and ``backport-subscription-status-r4``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, Protocol

import msgspec

from referral_hub.access.principal import Principal
from referral_hub.errors import Busy, InvalidParameter, NotFound
from referral_hub.exchange.audit import read_entry
from referral_hub.exchange.building import body_of
from referral_hub.exchange.change import AuditEntry
from referral_hub.exchange.gate import Outcome
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.indexing import extractor
from referral_hub.exchange.ports import Released, ResourceRow, Snapshot, TokenRow
from referral_hub.exchange.reaching import check_lasting
from referral_hub.exchange.state import Working
from referral_hub.exchange.subscription_asking import BACKPORT, Content, Wanted, criteria_of, wanted_of
from referral_hub.exchange.topics import TOPICS
from referral_hub.fhir import json_codec
from referral_hub.fhir.dates import instant, span
from referral_hub.fhir.elements import text_at
from referral_hub.fhir.index_values import DateValue, IndexValue, TokenValue
from referral_hub.fhir.search_match import matches

Kind = Literal["handshake", "heartbeat", "event-notification", "query-status", "query-event"]
STATUS_PROFILE = f"{BACKPORT}/backport-subscription-status-r4"
NOTIFICATION_PROFILE = f"{BACKPORT}/backport-subscription-notification-r4"
MOST_EVENTS = 500
_TRIES = 5


@dataclass(frozen=True)
class Held:
    """A Subscription as the hub keeps it beside the resource.

    ``state``: requested, active, error or off. ``last_number`` counts the events that were told. ``live`` tells
    whether the software and the organisation that subscribed may still be served.
    """

    resource: int
    id: str
    token: TokenRow
    state: str
    generation: int
    last_number: int
    told_us: int
    failures: int
    lease: str
    live: bool


@dataclass(frozen=True)
class Subscribed(Held):
    """The same with what the resource asks for, read anew each time: an address taken off the list ends it."""

    wanted: Wanted


@dataclass(frozen=True, slots=True)
class Fed:
    """One change of the feed, held by a process until its lease ends: what changed, and which version it became."""

    id: int
    type: str
    resource: int
    number: int
    at_us: int
    lease: str


@dataclass(frozen=True, slots=True)
class Event:
    """One change that a Subscription is owed; ``number`` is None until it was told for the first time."""

    id: int
    resource: int
    version: int
    at_us: int
    number: int | None


@dataclass(frozen=True, slots=True)
class Told:
    """An event as it is told: its number, when it was, and what the gate shows of it (None: nothing any more)."""

    number: int
    at_us: int
    shown: Released | None


class Subscriptions(Protocol):
    """Where subscriptions are worked."""

    def of(self, resource: int) -> Held | None:
        """Gives a subscription by the row id of its resource."""

    def ids_of(self, organization: str) -> list[str]:
        """Gives the ids of an organisation's Subscriptions."""

    def told(self, resource: int, low: int, high: int, count: int) -> list[Event]:
        """Gives the events told with these numbers, both included."""


def subscribed_of(held: Held, snapshot: Snapshot, *, to_send: bool = True) -> Subscribed:
    """Gives a Subscription with what it asks for now; nothing is sent to an address that is not registered any more.

    Raises:
        InvalidResource: it asks for what the hub cannot do (any more).
        NotFound: the resource is gone.
    """
    row = snapshot.rows([held.resource]).get(held.resource)
    if row is None or row.deleted:
        raise NotFound
    body = body_of(row)
    addresses = snapshot.registered_bases(held.token.organization)
    wanted = wanted_of(body, addresses if to_send else [text_at(body, "channel.endpoint")])
    known = {field.name: getattr(held, field.name) for field in fields(Held)}
    return Subscribed(**known, wanted=wanted)


def visible(
    hub: Hub,
    subscribed: Subscribed,
    row: ResourceRow,
    snapshot: Snapshot,
    at_us: int,
    *,
    asker: Principal | None = None,
) -> Outcome | None:
    """Gives what the subscriber may have of a row now, if it matches the filters as the subscriber sees it.

    What tells nothing any more (the empty card that stays of a referral) is nothing to tell of. ``asker`` is who asks
    for events again: its own scope and purpose decide, not those of the software that subscribed.
    """
    caller = asker or hub.identify(subscribed.token, at_us)
    hub.gate.allow(caller, row.type, "read")
    standing = None
    if row.person is not None and row.author != caller.organization_id:
        standing = snapshot.standing(row.person, caller.organization_id, caller.refusal_targets)
    outcome = None if row.deleted else hub.gate.release(caller, row, standing, snapshot, at_us)
    if outcome is None or not (outcome.own or outcome.discloses or row.person is None):
        return None
    topic = TOPICS[subscribed.wanted.topic]
    body = json_codec.decode_own(outcome.released.body)
    for text in subscribed.wanted.filters:
        for criterion in criteria_of(topic, text, hub.own_bases, at_us):
            if not matches(criterion, _values(topic.type_name, criterion.parameter.code, body)):
                return None
    return outcome


def _values(type_name: str, code: str, body: Any) -> Sequence[IndexValue]:
    if code == "_id":
        return (TokenValue("", str(body.get("id", ""))),)
    if code == "_lastUpdated":
        return (DateValue(*span(str(body["meta"]["lastUpdated"]))),)
    extract = extractor(type_name, code)
    return extract(body) if extract is not None else ()


# --- Bundles -------------------------------------------------------------------------------------------------


def status_of(
    subscribed: Subscribed, base: str, kind: Kind, *, status: str = "", events: Sequence[Told] = ()
) -> dict[str, Any]:
    """Gives the status resource of a notification or query: a Parameters, as R4 has no SubscriptionStatus."""
    content = subscribed.wanted.content
    found: list[dict[str, Any]] = [
        {"name": "subscription", "valueReference": {"reference": f"{base}/Subscription/{subscribed.id}"}},
    ]
    if content != "empty" and subscribed.wanted.channel != "email":  # its name says what a letter must not
        found.append({"name": "topic", "valueCanonical": subscribed.wanted.topic})
    found += [
        {"name": "status", "valueCode": status or subscribed.state},
        {"name": "type", "valueCode": kind},
        {
            "name": "events-since-subscription-start",
            "valueString": str(max([subscribed.last_number, *(one.number for one in events)])),
        },
    ]
    for one in events:
        part: list[dict[str, Any]] = [
            {"name": "event-number", "valueString": str(one.number)},
            {"name": "timestamp", "valueInstant": instant(one.at_us)},
        ]
        if content != "empty" and one.shown is not None:
            part.append({"name": "focus", "valueReference": {"reference": _url(base, one.shown)}})
        found.append({"name": "notification-event", "part": part})
    return {"resourceType": "Parameters", "meta": {"profile": [STATUS_PROFILE]}, "parameter": found}


def notification(
    subscribed: Subscribed,
    base: str,
    kind: Kind,
    *,
    public_id: str,
    at_us: int,
    status: str = "",
    events: Sequence[Told] = (),
) -> dict[str, Any]:
    """Gives the Bundle of a notification; what it holds of each event is what the subscriber asked for at most."""
    whole = status_of(subscribed, base, kind, status=status, events=events)
    whole["id"] = public_id
    entries: list[dict[str, Any]] = [
        {
            "fullUrl": f"urn:uuid:{public_id}",
            "resource": whole,
            "request": {"method": "GET", "url": f"{base}/Subscription/{subscribed.id}/$status"},
            "response": {"status": "200"},
        }
    ]
    seen: set[str] = set()
    for one in events if subscribed.wanted.content != "empty" else ():
        if one.shown is None or _url(base, one.shown) in seen:
            continue
        url = _url(base, one.shown)
        seen.add(url)
        entry: dict[str, Any] = {"fullUrl": url}
        if subscribed.wanted.content == "full-resource":
            entry["resource"] = json_codec.decode_own(one.shown.body)
        entry["request"] = {"method": "GET", "url": url}
        entry["response"] = {"status": "200"}
        entries.append(entry)
    return {
        "resourceType": "Bundle",
        "meta": {"profile": [NOTIFICATION_PROFILE]},
        "type": "history",
        "timestamp": instant(at_us),
        "entry": entries,
    }


def _url(base: str, shown: Released) -> str:
    return f"{base}/{shown.type}/{shown.id}"


# --- questions -----------------------------------------------------------------------------------------------


def query_status(
    hub: Hub,
    subscriptions: Subscriptions,
    token_digest: bytes,
    ids: Sequence[str],
    statuses: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """Gives the status of subscriptions of the caller's own organisation; of all where none is named.

    Raises:
        NotFound: one that was named is absent, or another organisation's (404).
    """
    at_us = hub.clock()
    with hub.store.snapshot() as snapshot:
        caller = hub.identify(snapshot.token(token_digest), at_us)
        check_lasting(caller)
        hub.gate.allow(caller, "Subscription", "read")
        wanted = ids
        if not wanted:
            listed = snapshot.resources(
                f"Subscription/{one}" for one in subscriptions.ids_of(caller.organization_id)
            )
            wanted = [row.id for row in listed.values() if not row.deleted]
        found = [_own(hub, caller, subscriptions, snapshot, public_id, at_us) for public_id in wanted]
    return [
        {**status_of(one, hub.base, "query-status"), "id": one.id}
        for one in found
        if not statuses or one.state in statuses
    ]


def query_events(
    hub: Hub,
    subscriptions: Subscriptions,
    token_digest: bytes,
    public_id: str,
    *,
    numbers: tuple[int, int | None] = (1, None),
    content: Content | None = None,
) -> dict[str, Any]:
    """Gives the Bundle of events that were told already, as the gate shows them now.

    Raises:
        NotFound: the subscription is absent, or another organisation's (404).
        InsufficientScope: the asker's own token does not open the type the topic watches (403).
        InvalidParameter: a content beyond what was subscribed (400).
    """
    for _ in range(_TRIES):
        at_us = hub.clock()
        with hub.store.snapshot() as snapshot:
            caller = hub.identify(snapshot.token(token_digest), at_us)
            check_lasting(caller)
            hub.gate.allow(caller, "Subscription", "read")
            subscribed = _own(hub, caller, subscriptions, snapshot, public_id, at_us)
            subscribed = _with_content(subscribed, content)
            hub.gate.allow(caller, TOPICS[subscribed.wanted.topic].type_name, "read")
            low, high = numbers
            events = subscriptions.told(
                subscribed.resource, low, subscribed.last_number if high is None else high, MOST_EVENTS
            )
            rows = snapshot.rows([event.resource for event in events])
            told: list[Told] = []
            shown: list[tuple[ResourceRow, Outcome]] = []
            for event in events:
                row = rows.get(event.resource)
                outcome = (
                    None if row is None else visible(hub, subscribed, row, snapshot, at_us, asker=caller)
                )
                told.append(
                    Told(event.number or 0, event.at_us, None if outcome is None else outcome.released)
                )
                if row is not None and outcome is not None:
                    shown.append((row, outcome))
            epochs = {
                row.person: snapshot.standing(
                    row.person, caller.organization_id, caller.refusal_targets
                ).epoch
                for row, outcome in shown
                if row.person is not None and not outcome.own
            }
        if any(now != epochs[person] for person, now in hub.store.epochs(list(epochs)).items()):
            continue
        if subscribed.wanted.content == "full-resource":
            hub.store.spool(
                [_line(caller, row, outcome, at_us) for row, outcome in shown], durable=bool(epochs)
            )
        return notification(
            subscribed,
            hub.base,
            "query-event",
            public_id=hub.ids.public_id(),
            at_us=at_us,
            events=told,
        )
    raise Busy("Permissions are changing right now. Try again in a moment.")


def _line(caller: Principal, row: ResourceRow, outcome: Outcome, at_us: int) -> AuditEntry:
    return read_entry(
        caller,
        "subscription-events",
        row.person,
        (f"{row.type}/{row.id}/{row.version}",),
        outcome.consents,
        at_us,
        own=not outcome.discloses,
    )


def _with_content(subscribed: Subscribed, content: Content | None) -> Subscribed:
    if content is None:
        return subscribed
    order = ("empty", "id-only", "full-resource")
    if order.index(content) > order.index(subscribed.wanted.content):
        raise InvalidParameter("content", f"This subscription holds {subscribed.wanted.content} at most.")
    return replace(subscribed, wanted=msgspec.structs.replace(subscribed.wanted, content=content))


def _own(
    hub: Hub,
    caller: Principal,
    subscriptions: Subscriptions,
    snapshot: Snapshot,
    public_id: str,
    at_us: int,
) -> Subscribed:
    row = snapshot.resource("Subscription", public_id)
    if row is None or not hub.gate.sees(caller, row, Working(snapshot), at_us):
        raise NotFound
    held = subscriptions.of(row.row_id)
    if held is None or row.deleted:
        raise NotFound
    return subscribed_of(held, snapshot, to_send=False)
