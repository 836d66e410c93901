"""Subscriptions of the R5 backport in R4: taken or refused, shaken hands, told of events, asked for their state.

Source: Subscriptions R5 Backport 1.1.0, R4 (components, notifications, operations); SDOHCC, checking task status.
"""

import time
from typing import Any

from conformance.doors import FHIR_JSON
from conformance.invented_referral import Referral, holds_nothing_hidden
from conformance.lab import Lab
from conformance.listener import Notification
from conformance.registry import Check, add, check
from conformance.results import Omitted, advise, expect
from conformance.samples import address
from conformance.searching import bundle
from conformance.subscribing import (
    BACKPORT,
    HEADER,
    Subscribed,
    happen,
    listener,
    patience,
    subscription,
    topic,
    topics,
)

_AFTER_S = 0.4
"""What a server may take to act on the answer to a notification."""


@check("subs.declared", "SUBS-1")
def declared(lab: Lab) -> None:
    """The CapabilityStatement names the backport's profile of Subscription."""
    lab.claims.need("Subscription", "create")
    told = [
        str(one).partition("|")[0]
        for one in lab.fresh_claims().types["Subscription"].get("supportedProfile", [])
    ]
    expect(f"{BACKPORT}/backport-subscription" in told, "supportedProfile does not hold it.")


@check("subs.topics", "SUBS-2")
def listed(lab: Lab) -> None:
    """The CapabilityStatement lists the topics."""
    lab.claims.need("Subscription", "create")
    lab.look_again()
    expect(topics(lab), "No topic is listed.")


@check("subs.create", "SUBS-3", "SUBS-4")
def create(lab: Lab) -> None:
    """A Subscription is created with 201 and the resource, as rest-hook and not yet active."""
    name = f"create-{lab.run}"
    answer = lab.created(lab.author.create(subscription(lab, name))).must_be(201)
    found = answer.resource
    expect(found["channel"]["type"] == "rest-hook", f"channel.type is {found['channel']['type']}.")
    expect(found["status"] == "requested", f"status is {found['status']}.")


@check("subs.read", "SUBS-5")
def read(lab: Lab) -> None:
    """A Subscription is read by its subscriber, with what was asked for."""
    it = Subscribed.to(lab, "id-only")
    found = it.door.get(it.address).must_be(200).resource
    expect(found["criteria"] == topic(lab), f"criteria is {found.get('criteria')}.")
    expect(found["channel"]["endpoint"] == it.made["channel"]["endpoint"], "The endpoint is another.")


@check("subs.handshake", "SUBS-6")
def handshake(lab: Lab) -> None:
    """A new Subscription is greeted by one handshake with status requested."""
    name = f"handshake-{lab.run}"
    lab.created(lab.author.create(subscription(lab, name))).must_be(201)
    found = listener(lab).waited(name, bool, patience(lab))
    listener(lab).silent = not found
    expect(len(found) == 1, f"{len(found)} notifications arrived.")
    expect(found[0].kind == "handshake", f"It is a {found[0].kind or 'notification without a type'}.")
    expect(found[0].status.get("status") == "requested", f"Its status is {found[0].status.get('status')}.")


@check("subs.active", "SUBS-7")
def active(lab: Lab) -> None:
    """After the handshake a Subscription is active."""
    it = Subscribed.to(lab, "id-only")
    expect(_becomes(lab, it.address, "active") == "active", "It does not become active.")


def _becomes(lab: Lab, place: str, wanted: str, role: str = "author") -> str:
    """Gives the status of a Subscription once it is what is wanted, or after some seconds whatever it is."""
    end = time.monotonic() + patience(lab)
    while True:
        found = str(lab.door(role).get(place).must_be(200).resource.get("status"))
        if found == wanted or time.monotonic() > end:
            return found
        time.sleep(0.1)


@check("subs.error", "SUBS-8")
def error(lab: Lab) -> None:
    """A Subscription whose endpoint refuses the handshake does not become active."""
    name = f"refusing-{lab.run}"
    listener(lab).refusing.add(name)
    made = lab.created(lab.author.create(subscription(lab, name))).must_be(201).resource
    listener(lab).waited(name, bool, patience(lab))
    time.sleep(_AFTER_S)
    found = lab.author.get(address(made)).must_be(200).resource["status"]
    expect(found in ("error", "requested", "off"), "It became active all the same.")


@check("subs.event.shape", "SUBS-9", "SUBS-10", "SUBS-11")
def shape(lab: Lab) -> None:
    """An event is a Bundle of type history that begins with the state, each entry with request and response."""
    it = Subscribed.to(lab, "id-only")
    one = _event(it)
    found = one.bundle
    expect(found.get("type") == "history", f"It is a Bundle of type {found.get('type')}.")
    for entry in found.get("entry", []):
        expect(entry.get("request") and entry.get("response"), "An entry lacks request or response.")
    first = found["entry"][0]
    expect(
        first["request"]["url"].endswith(f"Subscription/{it.made['id']}/$status"),
        "The first entry is another.",
    )
    expect(
        first.get("resource", {}).get("resourceType") == "Parameters", "The first entry holds no Parameters."
    )
    expect(one.status.get("status") == "active", f"status is {one.status.get('status')}.")
    told = one.status.get("subscription") or {}
    expect(
        str(told.get("reference", "")).endswith(f"Subscription/{it.made['id']}"),
        "It names another Subscription.",
    )


def _event(it: Subscribed) -> Notification:
    found = it.events()
    expect(found, "No event arrived.")
    return found[-1]


def _parts(one: Notification) -> dict[str, Any]:
    """Gives the parts of the first event that a notification tells of."""
    return {
        part.get("name", ""): next((v for k, v in part.items() if k.startswith("value")), None)
        for part in one.status.get("notification-event") or []
    }


@check("subs.event.headers", "SUBS-12")
def headers(lab: Lab) -> None:
    """An event comes with the media type that was asked for, and with the headers of the channel as they are."""
    one = _event(Subscribed.to(lab, "id-only"))
    lower = {name.lower(): value for name, value in one.headers.items()}
    expect(
        lower.get("content-type", "").startswith(FHIR_JSON), f"Content-Type is {lower.get('content-type')}."
    )
    name, _, value = HEADER.partition(": ")
    expect(lower.get(name.lower()) == value, f"{name} is {lower.get(name.lower())}.")


@check("subs.event.number", "SUBS-13")
def number(lab: Lab) -> None:
    """Events are numbered from one on, without gaps."""
    it = Subscribed.to(lab, "id-only")
    _event(it)
    happen(lab)
    found = it.waited("event-notification", len(listener(lab).arrived(it.name, "event-notification")) + 1)
    numbers = sorted({int(_parts(one).get("event-number") or 0) for one in found})
    expect(numbers == list(range(1, len(numbers) + 1)), f"The numbers are {numbers}.")


@check("subs.id-only", "SUBS-14")
def id_only(lab: Lab) -> None:
    """An id-only event names its focus, and brings no resource beside the state."""
    one = _event(Subscribed.to(lab, "id-only"))
    expect((_parts(one).get("focus") or {}).get("reference"), "The event has no focus.")
    for entry in one.bundle["entry"][1:]:
        expect(entry.get("fullUrl"), "An entry has no fullUrl.")
        expect("resource" not in entry, "An entry brings a resource.")


@check("subs.empty", "SUBS-15")
def empty(lab: Lab) -> None:
    """An empty event brings the state alone, and refers to nothing."""
    one = _event(Subscribed.to(lab, "empty"))
    expect(len(one.bundle["entry"]) == 1, f"It has {len(one.bundle['entry'])} entries.")
    expect(not {"focus", "additional-context"} & set(_parts(one)), "It names a focus.")
    advise("topic" not in one.status, "It names the topic.")


@check("subs.full-resource", "SUBS-16")
def full_resource(lab: Lab) -> None:
    """A full event brings the resource it is about."""
    one = _event(Subscribed.to(lab, "full-resource"))
    focus = str((_parts(one).get("focus") or {}).get("reference", ""))
    expect(focus, "The event has no focus.")
    found = [e for e in one.bundle["entry"] if str(e.get("fullUrl", "")).endswith(focus) and "resource" in e]
    expect(found, "The focus is not among the entries.")
    advise("topic" in one.status, "It does not name the topic.")


@check("subs.heartbeat", "SUBS-17")
def heartbeat(lab: Lab) -> None:
    """A heartbeat comes where it was asked for."""
    name = f"heartbeat-{lab.run}"
    period = {"extension": [{"url": f"{BACKPORT}/backport-heartbeat-period", "valueUnsignedInt": 1}]}
    answer = lab.created(lab.author.create(subscription(lab, name, channel=period)))
    if answer.http_status != 201 or "heartbeat-period" not in answer.text:
        raise Omitted("The server keeps no heartbeat of one second.")
    found = listener(lab).waited(
        name, lambda arrived: any(one.kind == "heartbeat" for one in arrived), patience(lab)
    )
    lab.author.ask("DELETE", address(answer.resource))
    expect(any(one.kind == "heartbeat" for one in found), "None arrived.")


@check("subs.status", "SUBS-18")
def status(lab: Lab) -> None:
    """$status gives a searchset with the state of the Subscription."""
    it = Subscribed.to(lab, "id-only")
    found = bundle(it.door.get(f"{it.address}/$status"))
    states = [one["resource"] for one in found.get("entry", [])]
    expect(states and states[0]["resourceType"] == "Parameters", "There is no state in it.")
    named = [one for one in states[0]["parameter"] if one.get("name") == "subscription"]
    told = named[0].get("valueReference", {}).get("reference", "") if named else ""
    expect(told.endswith(f"Subscription/{it.made['id']}"), f"It names {told or 'none'}.")


@check("subs.events", "SUBS-19")
def events(lab: Lab) -> None:
    """$events gives earlier events again."""
    lab.claims.need_operation("Subscription", "events")
    it = Subscribed.to(lab, "id-only")
    _event(it)
    found = it.door.get(f"{it.address}/$events?eventsSinceNumber=1").must_be(200).resource
    expect(found["resourceType"] == "Bundle" and found.get("entry"), "There is no event in it.")


@check("subs.off", "SUBS-20")
def off(lab: Lab) -> None:
    """After it is deleted, nothing more arrives."""
    lab.claims.need("Subscription", "create", "delete")
    name = f"off-{lab.run}"
    made = lab.created(lab.author.create(subscription(lab, name))).must_be(201).resource
    listener(lab).waited(name, bool, patience(lab))
    lab.author.ask("DELETE", address(made)).must_be(200, 202, 204)
    before = len(listener(lab).arrived(name))
    happen(lab)
    after = listener(lab).waited(name, lambda arrived: len(arrived) > before, 1.5)
    expect(len(after) == before, "Something arrived.")


_UNSUPPORTED: dict[str, tuple[str, dict[str, Any]]] = {
    "topic": ("an unknown topic", {"criteria": "https://conformance.example/no-such-topic"}),
    "filter": (
        "an unknown filter",
        {
            "_criteria": {
                "extension": [{"url": f"{BACKPORT}/backport-filter-criteria", "valueString": "Task?banana=1"}]
            }
        },
    ),
    "channel-type": ("an unknown channel", {"channel": {"type": "sms"}}),
    "endpoint": ("an endpoint that is no address", {"channel": {"endpoint": "not an address"}}),
    "payload": ("an unknown media type", {"channel": {"payload": "application/banana"}}),
    "content": (
        "an unknown kind of content",
        {
            "channel": {
                "_payload": {
                    "extension": [{"url": f"{BACKPORT}/backport-payload-content", "valueCode": "banana"}]
                }
            }
        },
    ),
}


def _refused(kind: str) -> Check:
    what, changed = _UNSUPPORTED[kind]

    def run(lab: Lab) -> None:
        sent = subscription(lab, f"refused-{kind}-{lab.run}", **changed)
        answer = lab.created(lab.author.create(sent))
        if answer.http_status != 201:
            answer.must_be_refused()
            return
        kept = answer.resource
        for name, value in changed.items():
            for part in value if name == "channel" else [name]:
                one, other = (sent["channel"], kept["channel"]) if name == "channel" else (sent, kept)
                expect(one.get(part) != other.get(part), f"{part} was taken as it is.")

    return Check(
        f"subs.refused.{kind}",
        f"A Subscription with {what} is refused, or kept without it.",
        ("SUBS-21",),
        run,
    )


for _kind in _UNSUPPORTED:
    add(_refused(_kind))


@check("subs.consent", "HUB-SUBS-1", needs=("author", "recipient", "outsider"))
def consent(lab: Lab) -> None:
    """A subscriber is told nothing of what it may not read, and its events are not counted."""
    lab.claims.need_hub()
    it = Subscribed.to(lab, "id-only", "outsider")
    happen(lab)
    listener(lab).waited(it.name, lambda arrived: len(arrived) > 1, 2.0)
    expect(not listener(lab).arrived(it.name, "event-notification"), "It was told.")
    found = bundle(it.door.get(f"{it.address}/$status"))
    counts = [
        next((value for key, value in one.items() if key.startswith("value")), 0)
        for one in found["entry"][0]["resource"]["parameter"]
        if one.get("name") == "events-since-subscription-start"
    ]
    expect(all(int(one) == 0 for one in counts), f"It was counted: {counts}.")


@check("subs.others", "HUB-SUBS-2", needs=("author", "outsider"))
def others(lab: Lab) -> None:
    """A Subscription is nobody else's to read."""
    lab.claims.need_hub()
    it = Subscribed.to(lab, "id-only")
    lab.outsider.get(it.address).must_be(403, 404)
    lab.outsider.get(f"{it.address}/$status").must_be(403, 404)


@check("subs.view", "HUB-SUBS-3", needs=("author", "subscriber"))
def view(lab: Lab) -> None:
    """A full event brings no more than its subscriber may read."""
    lab.claims.need_hub()
    it = Subscribed.to(lab, "full-resource", "subscriber")
    before = len(listener(lab).arrived(it.name, "event-notification"))
    made = Referral.new(lab, to="subscriber").made["Task"]
    found = it.waited("event-notification", before + 1)
    expect(found, "No event arrived.")
    told = found[-1].body.decode("utf-8", "replace")
    expect(str(made["id"]) in told, "The event is about something else.")
    holds_nothing_hidden(told)
    expect(lab.organization("author") not in told, "It names the sender before acceptance.")
