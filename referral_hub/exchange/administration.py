"""What whoever runs the network is shown: queues, counts, the state of the audit's chain. Never a person.

What lives here: frozen shapes, and the store as the administration sees it, as a Protocol. What does not: SQL
(``store.office_reads``), who may look (``auth.people.governing``), pages (``web.portal``).

Source: ``practice.md`` 12 (coordinators see counts, never people); ``consent.md`` D-36.
"""

from dataclasses import dataclass
from typing import Protocol

from referral_hub.exchange.ports import OrganizationRow


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits for one destination.

    Args:
        destination: id of the organisation.
        waiting: how many messages.
        since_us: since when the oldest waits, microseconds UTC.
        next_us: when the first of them is tried next.
        attempts: how often the first was tried.
        reason: what happened the last time, without content; empty before.
    """

    destination: str
    waiting: int
    since_us: int
    next_us: int
    attempts: int
    reason: str

    @property
    def stands(self) -> bool:
        """Tells that the destination did not answer several times in a row."""
        return self.attempts >= UNREACHABLE_AFTER


UNREACHABLE_AFTER = 3
"""After so many attempts without an answer a destination counts as not reachable."""


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A message that was given up: where to, of which kind, why; not what it says, and not about whom."""

    sequence: int
    destination: str
    kind: str
    attempts: int
    reason: str
    since_us: int


@dataclass(frozen=True, slots=True)
class AccountCounts:
    """How many accounts need somebody: not authorised yet, or trained for 30 days more at the most."""

    waiting: int
    training_ends: int


@dataclass(frozen=True, slots=True)
class AuditLines:
    """How many lines of one day, interaction, organisation and outcome the audit has."""

    day_us: int
    interaction: str
    organization: str
    outcome: int
    number: int


@dataclass(frozen=True, slots=True)
class ChainState:
    """Where the chain of the audit stands: links, and the last signed checkpoint (0 where none is)."""

    links: int
    checkpoint_link: int
    checkpoint_us: int


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at the newest part of the chain found: links that hold, and the first break in words."""

    links: int
    broken: str


class OfficeReads(Protocol):
    """The store as the administration sees it."""

    def organizations(self) -> list[OrganizationRow]:
        """Gives the organisations of the network, by name."""

    def queues(self) -> list[Queue]:
        """Gives what waits, by destination."""

    def given_up(self, count: int) -> list[GivenUp]:
        """Gives the messages that were given up, the oldest first."""

    def given_up_count(self) -> int:
        """Gives how many messages were given up."""

    def account_counts(self, organization: str, now_us: int) -> AccountCounts:
        """Gives how many accounts of an organisation need somebody; of every one where it is empty."""

    def key_ages(self) -> list[tuple[str, int]]:
        """Gives each family of keys of the hub with when the newest was made, microseconds UTC."""

    def audit_lines(self, since_us: int) -> tuple[list[AuditLines], bool]:
        """Gives the numbers since a moment, and whether there was more than is counted at once."""

    def chain(self) -> ChainState:
        """Gives where the chain stands."""

    def look_at_chain(self) -> Looked:
        """Looks whether the newest part of the chain holds; it takes no longer however long the audit is."""
