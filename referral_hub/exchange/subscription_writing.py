"""Writing a Subscription: what the hub keeps beside the resource, and the feed of changes.

What lives here: the status a written Subscription has, its row, and the rows of changes that somebody may want to
hear of. What does not: what it may ask for (``exchange.subscription_asking``), sending (``outbound``).

Who writes one asks anew: it starts as ``requested``, and is active once its address answered.

Source: Subscriptions R5 Backport IG 1.1.0; FHIR R4 subscription.html.
"""

from collections.abc import Iterable
from typing import Any

from referral_hub.access.principal import Principal
from referral_hub.errors import InvalidResource
from referral_hub.exchange.change import ResourceWrite, Row
from referral_hub.exchange.ports import ResourceRow
from referral_hub.exchange.subscription_asking import wanted_of
from referral_hub.exchange.topics import WATCHED
from referral_hub.fhir.outcome import Issue

REQUESTED, ACTIVE, ERROR, OFF = 0, 1, 2, 3
"""States of the row; the statuses of the resource in their order."""


def as_asked(body: dict[str, Any]) -> dict[str, Any]:
    """Gives a Subscription as it begins: requested, or off where that is what its author wants.

    >>> as_asked({"status": "active", "error": "x"})
    {'status': 'requested'}
    """
    status = "off" if body.get("status") == "off" else "requested"
    return {name: value for name, value in {**body, "status": status}.items() if name != "error"}


def check(body: dict[str, Any], registered: list[str], at_us: int) -> None:
    """Refuses what the hub cannot do.

    Raises:
        InvalidResource: one issue for each (422).
    """
    wanted = wanted_of(body, registered)
    if wanted.end_us and wanted.end_us <= at_us:
        raise InvalidResource([Issue("error", "value", "It has ended already.", "Subscription.end")])


def subscription_row(row: ResourceRow, body: dict[str, Any], caller: Principal, at_us: int) -> Row:
    """Gives the row of a Change that asks for a Subscription anew, for the software that writes it."""
    return Row(
        "subscription_put",
        {
            "resource": row.row_id,
            "id": row.id,
            "organization": caller.organization_id,
            "oauth_client": caller.oauth_client,
            "user_id": caller.user,
            "role": caller.role,
            "purpose": caller.purpose,
            "scope": caller.scopes.text(),
            "very_restricted": int(caller.accepts_very_restricted),
            "topic": str(body["criteria"]),
            "state": OFF if body["status"] == "off" else REQUESTED,
            "next_us": at_us,
        },
    )


def ended_row(row: ResourceRow) -> Row:
    """Gives the row of a Change that ends a Subscription for good."""
    return Row("subscription_end", {"resource": row.row_id})


def feed_rows(writes: Iterable[ResourceWrite]) -> list[Row]:
    """Gives the rows of the feed: one for each version that somebody may want to hear of."""
    return [
        Row(
            "feed_add",
            {
                "type": write.type,
                "resource": write.row_id,
                "number": write.number,
                "at_us": write.updated_us,
            },
        )
        for write in writes
        if write.type in WATCHED and write.interaction != "delete"
    ]
