"""Subscriptions of the R5 backport: making one, and letting something happen.

What lives here: the resource, its listener and the event. What does not: what must hold
(``conformance.checks.subscriptions``).

Source: Subscriptions R5 Backport 1.1.0 (R4).
"""

from dataclasses import dataclass
from typing import Any

from conformance.doors import FHIR_JSON, Answer, Door, Resource
from conformance.invented_referral import Referral
from conformance.invented_sdoh import SAMPLES
from conformance.lab import Lab
from conformance.listener import Listener, Notification
from conformance.results import Failed, Omitted

BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition"
TOPICS_EXTENSION = f"{BACKPORT}/capabilitystatement-subscriptiontopic-canonical"
STATUS_PROFILE = f"{BACKPORT}/backport-subscription-status-r4"
TASK_TOPIC = "http://hl7.org/fhir/us/sdoh-clinicalcare/SubscriptionTopic/Task"
HEADER = "X-Conformance: verbatim value"


def topics(lab: Lab) -> list[str]:
    """Gives the topics that the CapabilityStatement lists."""
    entry = lab.claims.types.get("Subscription", {})
    return [str(_canonical(one)) for one in entry.get("extension", []) if one.get("url") == TOPICS_EXTENSION]


def _canonical(extension: dict[str, Any]) -> Any:
    return extension.get("valueCanonical") or extension.get("valueUri")


def topic(lab: Lab) -> str:
    """Gives the topic that is tried: that of Tasks where it is listed or none is, else the first."""
    listed = topics(lab)
    return TASK_TOPIC if TASK_TOPIC in listed or not listed else listed[0]


def listener(lab: Lab) -> Listener:
    """Gives the listener of the run."""
    return lab.once("listener", lambda: Listener(lab.target.callback_host, lab.target.callback_port))


def patience(lab: Lab) -> float:
    """Gives how many seconds a notification is waited for: little once the server has kept silent."""
    return 1.0 if listener(lab).silent else lab.target.wait_s


def subscription(lab: Lab, name: str, content: str = "id-only", **changed: Any) -> Resource:
    """Gives a Subscription that has not been created yet."""
    lab.claims.need("Subscription", "create")
    found: Resource = {
        "resourceType": "Subscription",
        "meta": {"profile": [f"{BACKPORT}/backport-subscription"]},
        "status": "requested",
        "reason": "conformance of the server",
        "criteria": topic(lab),
        "channel": {
            "type": "rest-hook",
            "endpoint": f"{listener(lab).base}/{name}",
            "payload": FHIR_JSON,
            "_payload": {
                "extension": [{"url": f"{BACKPORT}/backport-payload-content", "valueCode": content}]
            },
            "header": [HEADER],
        },
    }
    channel = {**found["channel"], **changed.get("channel", {})}
    return {**found, **changed, "channel": channel}


@dataclass
class Subscribed:
    """One Subscription that was created, and what arrived for it."""

    lab: Lab
    door: Door
    name: str
    answer: Answer
    made: Resource

    @classmethod
    def to(cls, lab: Lab, content: str, role: str = "author") -> "Subscribed":
        """Gives a Subscription of a kind of content, made once."""

        def make() -> "Subscribed":
            door = lab.door(role)
            name = f"{role}-{content}-{lab.run}"
            answer = lab.created(door.create(subscription(lab, name, content)), door)
            if answer.http_status != 201:
                raise Omitted(f"The server takes no {content} for this topic: {answer.reason}")
            found = cls(lab, door, name, answer, answer.resource)
            found.waited("handshake")
            return found

        lab.claims.need("Subscription", "create")
        return lab.once(f"subscribed-{role}-{content}", make)

    @property
    def address(self) -> str:
        """Gives its address below the base."""
        return f"/Subscription/{self.made['id']}"

    def waited(self, kind: str, most: int = 1) -> list[Notification]:
        """Gives what arrived of a kind, after waiting for some of it."""

        def enough(arrived: list[Notification]) -> bool:
            return sum(one.kind == kind for one in arrived) >= most

        found = [
            one
            for one in listener(self.lab).waited(self.name, enough, patience(self.lab))
            if one.kind == kind
        ]
        if kind == "handshake" and not found:
            listener(self.lab).silent = True
        return found

    def events(self) -> list[Notification]:
        """Lets something happen once, and gives the notifications of it."""
        arrived = listener(self.lab).arrived(self.name)
        if not arrived:
            raise Failed("Not even a handshake arrived, so no event is waited for.")
        if not any(one.kind == "event-notification" for one in arrived):
            happen(self.lab)
        return self.waited("event-notification")


def happen(lab: Lab) -> Resource:
    """Writes a Task that has been sent, which the topic of Tasks is about; gives it."""
    try:
        lab.claims.need_hub()
    except Omitted:
        return lab.kept({**SAMPLES["Task"].make(lab), "status": "requested"})
    return Referral.new(lab).made["Task"]
