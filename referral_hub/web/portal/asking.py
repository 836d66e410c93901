"""What a page asks of the hub: searches, single records and writes, as the same interactions software uses.

What lives here: decoding what was released, so that a page works with records. What does not: any rule, and any other
way to the data: the token of the seat decides what comes back.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from referral_hub.auth.people.portal_tokens import Seat
from referral_hub.exchange.histories import history_instance
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.interactions import Written, by_token, write_all
from referral_hub.exchange.operations import available_actions
from referral_hub.exchange.ports import Released
from referral_hub.exchange.proposal import Proposal
from referral_hub.exchange.reading import read
from referral_hub.exchange.search import search
from referral_hub.fhir import json_codec
from referral_hub.fhir.elements import reference_text

Resource = dict[str, Any]
Pairs = Sequence[tuple[str, str]]
MOST = 1_000
"""What is counted at most; beyond it a number is told as more than this."""


class Fields(dict[str, str]):
    """Texts by name for a template; one that is not there is empty."""

    def __missing__(self, name: str) -> str:
        """Gives an empty text for a name that is not there."""
        return ""


@dataclass(frozen=True, slots=True)
class Found:
    """One page of a search: what matched, what came along by ``Type/id``, and the link of the next page."""

    matches: tuple[Resource, ...]
    along: dict[str, Resource] = field(default_factory=dict)
    next: str = ""

    def led_to(self, resource: Resource, element: str) -> Resource | None:
        """Gives what an element of a match refers to, where it came along."""
        return self.along.get(reference_text(resource.get(element)))


class Asking:
    """Asks the hub for one seat.

    Args:
        hub: store, gate and clock.
        seat: who sits there.
    """

    def __init__(self, hub: Hub, seat: Seat) -> None:
        self.hub = hub
        self.token = seat.token
        self.organization = seat.signed.organization

    def find(self, type_name: str, pairs: Pairs, *, own: bool = False, following: str = "") -> Found:
        """Gives one page of a search.

        Args:
            type_name: such as ``Task``.
            pairs: names and values.
            own: only what the organisation of the seat wrote.
            following: the link of a page that follows; then ``pairs`` are those within it.
        """
        asked = [("_cursor", following)] if following else pairs
        found = search(self.hub, self.token, type_name, asked, own_only=own)
        along = {f"{one.type}/{one.id}": _record(one) for one in found.included}
        return Found(tuple(_record(one) for one in found.matches), along, found.next)

    def count(self, type_name: str, pairs: Pairs, *, own: bool = False) -> int | None:
        """Gives how many a search finds; None beyond a thousand."""
        asked = [*pairs, ("_summary", "count")]
        return search(self.hub, self.token, type_name, asked, own_only=own).total

    def one(self, type_name: str, public_id: str) -> Resource:
        """Gives one record.

        Raises:
            NotFound: absent, or not for this seat.
        """
        return _record(read(self.hub, self.token, type_name, public_id).released)

    def maybe(self, type_name: str, public_id: str) -> Resource | None:
        """Gives one record, or None where it is not for this seat or nothing is named."""
        return self.many([f"{type_name}/{public_id}"]).get(f"{type_name}/{public_id}") if public_id else None

    def many(self, references: Sequence[str]) -> dict[str, Resource]:
        """Gives records of one type by ``Type/id``, those that are not for this seat left out."""
        wanted = list(dict.fromkeys(references))
        if not wanted:
            return {}
        type_name = wanted[0].partition("/")[0]
        ids = ",".join(one.partition("/")[2] for one in wanted)
        found = self.find(type_name, [("_id", ids), ("_count", str(len(wanted)))])
        return {f"{type_name}/{one['id']}": one for one in found.matches}

    def versions(self, type_name: str, public_id: str) -> tuple[Resource, ...]:
        """Gives the versions of a record that this seat may have, oldest first."""
        history = history_instance(self.hub, self.token, type_name, public_id, [("_count", "200")])
        released = [one.released for one in history.versions if one.released is not None]
        return tuple(_record(one) for one in reversed(released))

    def possible(self, task_id: str) -> Resource:
        """Gives ``$available-actions`` of a Task."""
        return available_actions(self.hub, self.token, task_id)

    def write(self, *proposals: Proposal) -> list[Written]:
        """Writes several things as one act."""
        return write_all(self.hub, by_token(self.hub, self.token), proposals)

    def update(self, body: Resource, version: str) -> Written:
        """Writes a changed record over the version that was shown.

        Raises:
            VersionConflict: somebody changed it since (412).
        """
        return self.write(updating(body, version))[0]


def updating(body: Resource, version: str) -> Proposal:
    """Gives the write of a changed record over the version that was shown."""
    return Proposal("update", body["resourceType"], body["id"], body=body, if_match=version)


def creating(body: Resource, reserved_id: str = "") -> Proposal:
    """Gives the write of a new record."""
    return Proposal("create", body["resourceType"], body=body, reserved_id=reserved_id)


def version_of(resource: Resource) -> str:
    """Gives the version a form is about."""
    return str(resource.get("meta", {}).get("versionId", ""))


def _record(released: Released) -> Resource:
    return dict(json_codec.decode_own(released.body))
