"""What delivery and polling need of the outer rooms, as Protocols, and the answers of partners.

What lives here: the queue, the timers, the copies partners keep, and the channel to a partner, as this room
sees them. What does not: SQL (``store``), HTTP (``adapters``), the plain ``Channel`` and the proof of a
release (``exchange.ports``).
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from referral_hub.errors import DeliveryFailed
from referral_hub.exchange.change import Row
from referral_hub.exchange.ports import Channel, OrganizationRow, Released


class Claimed(Protocol):
    """A delivery this process may send until its lease ends. ``attempts`` counts this one in."""

    @property
    def key(self) -> str:
        """Gives the key that makes a repeated sending recognisable."""

    @property
    def destination(self) -> str:
        """Gives the receiving organisation's id."""

    @property
    def kind(self) -> str:
        """Gives what is to be done: ``task-notice``, ``task-update``, ``recall``, ``task-copy``, ``task-report``."""

    @property
    def resource(self) -> int:
        """Gives the row id of what is told."""

    @property
    def person(self) -> int | None:
        """Gives the row id of the person it is about."""

    @property
    def attempts(self) -> int:
        """Gives how often it was taken up, this time included."""


class ClaimedTimer(Protocol):
    """A timer whose time came, held by this process until its lease ends."""

    @property
    def key(self) -> str:
        """Gives its name."""

    @property
    def kind(self) -> str:
        """Gives what is to be done."""

    @property
    def resource(self) -> int:
        """Gives the row id it is about."""

    @property
    def at_us(self) -> int:
        """Gives when it was due."""

    @property
    def attempts(self) -> int:
        """Gives how often it was taken up, this time included."""


class PartnerCopy(Protocol):
    """Where a partner's own server keeps its copy of a Task.

    ``etag`` is this room's note of what was seen last (``outbound.polling``); ``next_poll_us`` when to look
    again.
    """

    @property
    def resource(self) -> int:
        """Gives the row id of the hub's Task."""

    @property
    def organization(self) -> str:
        """Gives the partner's id."""

    @property
    def url(self) -> str:
        """Gives the partner's own address of its Task."""

    @property
    def etag(self) -> str:
        """Gives the note of what was seen last."""

    @property
    def next_poll_us(self) -> int:
        """Gives when to look again, microseconds UTC."""


@dataclass(frozen=True, slots=True)
class NotedCopy:
    """A copy as this room writes it down; a ``PartnerCopy``."""

    resource: int
    organization: str
    url: str
    etag: str
    next_poll_us: int


C = TypeVar("C", bound=Claimed)
T = TypeVar("T", bound=ClaimedTimer)


class Outbox(Protocol[C]):
    """The queue of what must leave; safe in several threads and processes at once."""

    def claim(self, now_us: int, lease_us: int) -> C | None:
        """Claims the oldest unacknowledged delivery of some destination, or gives None."""

    def done_row(self, claimed: C) -> Row:
        """Gives the acknowledgement as a row of the Change that records the delivery.

        The Change fails (``GuardFailed``) where it was cancelled or the lease was lost meanwhile.
        """

    def done(self, claimed: C, now_us: int) -> bool:
        """Acknowledges alone; False where it was cancelled, acknowledged or taken over meanwhile."""

    def retry(self, claimed: C, now_us: int, reason: str, not_before_us: int | None = None) -> bool:
        """Puts it back for a later attempt; what follows for its destination waits with it."""

    def dead(self, claimed: C, now_us: int, reason: str) -> bool:
        """Gives it up; what follows for its destination goes on."""


class DueTimers(Protocol[T]):
    """The timers whose time came."""

    def claim(self, now_us: int, lease_us: int) -> T | None:
        """Claims the timer that has been due longest, or gives None."""

    def done_row(self, claimed: T) -> Row:
        """Gives the end of a timer as a row of the Change that does its work."""

    def done(self, claimed: T, now_us: int) -> bool:
        """Ends a timer that had nothing to do."""

    def later(self, claimed: T, now_us: int, at_us: int) -> bool:
        """Lets a timer come again at another time."""


class PartnerCopies(Protocol):
    """What is known of the copies partners keep."""

    def of(self, resource: int, organization: str) -> PartnerCopy | None:
        """Gives the copy of one Task at one partner."""

    def due(self, now_us: int, count: int) -> list[Any]:
        """Gives copies to look at now, the longest waiting first; each a ``PartnerCopy``."""

    def put_row(self, copy: PartnerCopy) -> Row:
        """Gives the row of a Change that writes a copy down."""

    def forget_row(self, resource: int, organization: str) -> Row:
        """Gives the row of a Change that forgets a copy."""

    def later(self, copy: PartnerCopy, now_us: int, next_poll_us: int) -> bool:
        """Takes one look at a copy upon this process; False where another was first."""


@dataclass(frozen=True, slots=True)
class PartnerTask:
    """A partner's Task as its server answered. ``etag`` is empty where the server tells no version."""

    body: dict[str, Any]
    etag: str


@dataclass(frozen=True, slots=True)
class Updated:
    """What became of an update: whether anything was sent, and the status of the partner's Task now."""

    sent: bool
    status: str


class SourceChannel(Protocol):
    """The way to a source's own FHIR server. Raises as ``PartnerChannel`` does."""

    def ready(self, destination: OrganizationRow) -> None:
        """Gets what a call needs (a token)."""

    def read(self, source: OrganizationRow, url: str, bases: Collection[str]) -> dict[str, Any]:
        """Gives a resource at an address under one of the bases registered for the source."""

    def update(self, destination: OrganizationRow, url: str, released: Released, *, key: str) -> Updated:
        """Moves the source's own Task to the released status, unless it is closed there already."""


class PartnerChannel(Channel, SourceChannel, Protocol):
    """The way to a partner's own FHIR server and back.

    Every method raises ``DeliveryFailed``: ``permanent`` where trying again cannot help, ``TryLater`` where
    waiting may, ``TokenRefused`` where a fresh token may.
    """

    def ready(self, destination: OrganizationRow) -> None:
        """Gets what sending needs (a token), so that no waiting stands between the last look and the sending."""

    def send(self, destination: OrganizationRow, released: Released, *, key: str) -> str:
        """Creates the Task at the partner, once however often it is sent; gives the partner's URL or ''."""

    def find(self, destination: OrganizationRow, released: Released) -> str:
        """Gives the URL of the partner's Task with the placer number of this one, or ''."""

    def update(self, destination: OrganizationRow, url: str, released: Released, *, key: str) -> Updated:
        """Moves the partner's own Task to the released status, unless it is closed there already."""

    def fetch(self, destination: OrganizationRow, url: str, etag: str) -> PartnerTask | None:
        """Gives the partner's Task, or None where it is still the one of ``etag``."""


class TryLater(DeliveryFailed):
    """The partner could not be reached, or asks to wait.

    Args:
        text: what happened, without content.
        after_s: how many seconds the partner asks to wait; None where it does not say.
        answered: True where the partner's server did answer, and may be refusing this very message.
    """

    def __init__(self, text: str, *, after_s: float | None = None, answered: bool = False) -> None:
        super().__init__(text, permanent=False)
        self.after_s = after_s
        self.answered = answered


class TokenRefused(DeliveryFailed):
    """The partner refuses the hub's token: a fresh one may be taken, and else a person must look."""


class CopyGone(DeliveryFailed):
    """The partner's Task is not there any more."""

    def __init__(self, text: str) -> None:
        super().__init__(text, permanent=True)


class Sealing(Protocol):
    """Brings the audit into its chain (the store's sealer)."""

    def seal(self, now_us: int) -> int:
        """Gives how many rows were sealed."""


class Ingesting(Protocol):
    """Brings the audit lines of reads into the database (the store's segments)."""

    def ingest(self, now_us: int) -> object:
        """Ingests what is complete."""


class Upkeep(Protocol):
    """Takes away rows that only served for a while (the store's upkeep)."""

    def __call__(self, now_us: int) -> None:
        """Runs once."""
