"""The two questions about a Subscription over HTTP: $status and $events.

What lives here: parameters and the Bundle of answers. What does not: what an answer holds
(``exchange.notifications``).

Source: Subscriptions R5 Backport IG 1.1.0, operations.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from referral_hub.auth.tokens import digest_of
from referral_hub.errors import InvalidParameter, InvalidResource
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.notifications import Subscriptions, query_events, query_status
from referral_hub.exchange.subscription_asking import Content
from referral_hub.fhir import json_codec
from referral_hub.fhir.outcome import Issue
from referral_hub.fhir.search_grammar import query_pairs
from referral_hub.web.answers import json_reply
from referral_hub.web.forms import sent_resource
from referral_hub.web.negotiation import BodySizes
from referral_hub.web.wire import Asked, Reply

_CONTENTS = ("empty", "id-only", "full-resource")
_STATUSES = ("requested", "active", "error", "off")


@dataclass(frozen=True, slots=True)
class SubscriptionApi:
    """The addresses of questions about Subscriptions."""

    hub: Hub
    sizes: BodySizes
    subscriptions: Subscriptions

    def status(self, asked: Asked, public_id: str = "") -> Reply:
        """Gives the status of one Subscription, or of all of the caller's organisation."""
        digest = digest_of(asked.authorization)
        ids, statuses = [public_id] if public_id else [], []
        for name, value in self._given(asked):
            if name == "id" and not public_id:
                ids.append(value.rpartition("/")[2])
            if name == "status":
                if value not in _STATUSES:
                    raise InvalidParameter("status", f"A status is one of {', '.join(_STATUSES)}.")
                statuses.append(value)
        found = query_status(self.hub, self.subscriptions, digest, ids, statuses)
        entries = [
            {
                "fullUrl": f"urn:uuid:{one['id']}",
                "resource": one,
                "search": {"mode": "match"},
            }
            for one in found
        ]
        bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": len(entries)}
        if entries:
            bundle["entry"] = entries
        return json_reply(json_codec.encode(bundle))

    def events(self, asked: Asked, public_id: str) -> Reply:
        """Gives events that were told already, as they may be shown now."""
        digest = digest_of(asked.authorization)
        low, high, content = 1, None, None
        for name, value in self._given(asked):
            if name == "eventsSinceNumber":
                low = _number(name, value)
            if name == "eventsUntilNumber":
                high = _number(name, value)
            if name == "content":
                if value not in _CONTENTS:
                    raise InvalidParameter(name, f"A content is one of {', '.join(_CONTENTS)}.")
                content = cast(Content, value)
        found = query_events(
            self.hub, self.subscriptions, digest, public_id, numbers=(low, high), content=content
        )
        return json_reply(json_codec.encode(found))

    def _given(self, asked: Asked) -> Iterator[tuple[str, str]]:
        yield from query_pairs(asked.query)
        if asked.environ["REQUEST_METHOD"] != "POST" or not asked.content_length:
            return
        body = sent_resource(asked, self.sizes)
        if body.get("resourceType") != "Parameters":
            raise InvalidResource([Issue("error", "value", "An operation takes Parameters.", "resourceType")])
        for parameter in body.get("parameter") or ():
            for key, value in parameter.items() if isinstance(parameter, dict) else ():
                if key.startswith("value"):
                    yield str(parameter.get("name")), str(value)


def _number(name: str, value: str) -> int:
    if not value.isascii() or not value.isdigit() or len(value) > 12:
        raise InvalidParameter(name, "An event number is a whole number.")
    return int(value)
