"""Subscription topics: which changes of which types they tell of, and what a subscriber may filter by.

What lives here: the topics as data. What does not: who may be told (the gate), reading a Subscription
(``exchange.subscription_asking``), the published definitions (``profiles/``).

The two of Gravity keep their exact URLs, the lower-case r of the second included.

Source: SDOH Clinical Care 2.3, SubscriptionTopics; Subscriptions R5 Backport IG 1.1.0.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from referral_hub.exchange.stamping import business_status_of
from referral_hub.fhir.canonical import CANONICAL

Body = dict[str, Any]
Fires = Callable[[Body | None, Body], bool]
"""Tells from a version and the one before it (None for the first) whether the topic tells of it."""

_GRAVITY = "http://hl7.org/fhir/us/sdoh-clinicalcare/SubscriptionTopic"
_OWN = f"{CANONICAL}/SubscriptionTopic"


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic: the type it watches, when it tells, and the search parameters it may be filtered by."""

    url: str
    type_name: str
    filters: tuple[str, ...]
    fires: Fires


def _ordered(before: Body | None, after: Body) -> bool:
    return after.get("status") != "draft" and after.get("intent") == "order"


def _updated(before: Body | None, after: Body) -> bool:
    return before is not None


def _created(before: Body | None, after: Body) -> bool:
    was = "draft" if before is None else before.get("status")
    return was == "draft" and after.get("status") == "requested"


def _moved(before: Body | None, after: Body) -> bool:
    return before is not None and (
        before.get("status") != after.get("status") or business_status_of(before) != business_status_of(after)
    )


def _overdue(before: Body | None, after: Body) -> bool:
    was = "" if before is None else business_status_of(before)
    return was != "overdue" and business_status_of(after) == "overdue"


def _withdrawn(before: Body | None, after: Body) -> bool:
    return before is not None and before.get("status") == "active" and after.get("status") == "inactive"


def _received(before: Body | None, after: Body) -> bool:
    return before is None and after.get("status") == "completed"


TOPICS: Mapping[str, Topic] = MappingProxyType(
    {
        topic.url: topic
        for topic in (
            Topic(
                f"{_GRAVITY}/Task", "Task", ("_lastUpdated", "code", "owner", "requester", "status"), _ordered
            ),
            Topic(f"{_GRAVITY}/Servicerequest", "ServiceRequest", ("_lastUpdated", "_id"), _updated),
            Topic(f"{_OWN}/referral-created", "Task", ("owner", "requester", "status"), _created),
            Topic(f"{_OWN}/referral-moved", "Task", ("owner", "requester", "status"), _moved),
            Topic(f"{_OWN}/referral-overdue", "Task", ("owner", "requester"), _overdue),
            Topic(f"{_OWN}/consent-withdrawn", "Consent", ("patient",), _withdrawn),
            Topic(f"{_OWN}/message-received", "Communication", ("recipient", "sender"), _received),
        )
    }
)

WATCHED = frozenset(topic.type_name for topic in TOPICS.values())
"""The types whose changes somebody may want to hear of."""
