"""A source's Task and the source itself, as a message to it finds them; and the source as the caller of its own writes.

What lives here: one look, and the smallest scope a copy is written with. What does not: what is done there
(``outbound.copying``, ``outbound.source_reports``).
"""

from dataclasses import dataclass
from typing import Any

from referral_hub.access.principal import Principal, refusal_targets
from referral_hub.access.scopes import ScopeSet
from referral_hub.errors import Forbidden
from referral_hub.exchange.building import body_of
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.interactions import Caller
from referral_hub.exchange.ports import OrganizationRow, ResourceRow, Snapshot
from referral_hub.exchange.sources import BESIDE
from referral_hub.outbound.ports import Claimed
from referral_hub.resources.task import LIFECYCLE

COPY, REPORT = "task-copy", "task-report"
"""Kinds of messages to a source: look at what its Task points at; tell its own Task what became of it."""
SOFTWARE = "copying"
"""What the audit names as the software of a copy."""

_SCOPE = ScopeSet.parse(
    " ".join(f"system/{name}.cru" for name in sorted(BESIDE | {"Patient", "ServiceRequest", "Task"}))
)


@dataclass(frozen=True, slots=True)
class Place:
    """The source's Task and the source, as they are now."""

    task: ResourceRow
    source: OrganizationRow
    bases: tuple[str, ...]

    @property
    def body(self) -> dict[str, Any]:
        """Gives the Task."""
        return body_of(self.task)


def place_of(hub: Hub, claimed: Claimed) -> Place | None:
    """Gives the source's Task and the source where the message still makes sense; None where it does not."""
    with hub.store.snapshot() as snapshot:
        row = snapshot.rows((claimed.resource,)).get(claimed.resource)
        source = snapshot.organization(claimed.destination)
        if row is None or row.deleted or source is None or row.author != source.facts.id:
            return None
        if claimed.kind == COPY and row.status not in LIFECYCLE.live:
            return None
        return Place(row, source, tuple(snapshot.registered_bases(source.facts.id)))


def caller_of(source: OrganizationRow) -> Principal:
    """Gives the source as the caller of a copy: no purpose, so it opens nothing of others."""
    facts = source.facts
    return Principal(
        organization=facts,
        oauth_client=SOFTWARE,
        scopes=_SCOPE,
        purpose="",
        refusal_targets=refusal_targets(facts),
    )


def as_source(organization_id: str) -> Caller:
    """Gives the source as the caller of a write, from the state it is decided on."""

    def caller(snapshot: Snapshot, at_us: int) -> Principal:
        del at_us
        source = snapshot.organization(organization_id)
        if source is None:
            raise Forbidden("This organisation is not part of the network any more.")
        return caller_of(source)

    return caller
