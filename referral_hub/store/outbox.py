"""The outbox: what must leave later is claimed, sent, acknowledged; in order for each destination.

What lives here: claiming the next delivery, acknowledging it, trying it again later, giving it up. What
does not: its writing (a Change's ``Delivery``), sending and the consent asked right before
(``outbound.delivery``).

Only the oldest unacknowledged delivery of a destination can be claimed, for the length of a lease. A
process that is killed loses its lease and another sends again: at least once, recognisable by the key. A
delivery that is cancelled while it is claimed cannot be acknowledged any more.

Source: ``engine.md`` 6, ``stack.md`` 8.
"""

import hashlib
import secrets
from dataclasses import dataclass

import sqlalchemy as sa

from referral_hub.errors import GuardFailed
from referral_hub.exchange.change import Row
from referral_hub.store import schema
from referral_hub.store.apply import PlanWriter
from referral_hub.store.bodies import Bodies
from referral_hub.store.database import Database
from referral_hub.store.plan import Rule, own_plan
from referral_hub.store.statements import WRITES, Statement, constant, octets, whole, words

FIRST_PAUSE_US = 5_000_000
LONGEST_PAUSE_US = 3_600_000_000
_LOOK_AT = 8

_OUT = schema.outbox
_WAITING = constant(schema.OUTBOX_WAITING)
_DEAD = constant(schema.OUTBOX_DEAD)
_HELD = sa.and_(
    _OUT.c.sequence == whole("sequence"), _OUT.c.lease == words("lease"), _OUT.c.state == _WAITING
)


def _heads() -> sa.Select[tuple[int]]:
    """The oldest waiting row of each destination, found by one look per destination."""
    following = _OUT.alias("following")
    oldest = _OUT.alias("oldest")
    head = (
        sa.select(sa.func.min(_OUT.c.destination).label("destination"))
        .where(_OUT.c.state == _WAITING, _OUT.c.destination > words("after"))
        .cte("head", recursive=True)
    )
    head = head.union_all(
        sa.select(
            sa.select(sa.func.min(following.c.destination))
            .where(following.c.state == _WAITING, following.c.destination > head.c.destination)
            .scalar_subquery()
        ).where(head.c.destination.is_not(None))
    )
    first = (
        sa.select(sa.func.min(oldest.c.sequence))
        .where(oldest.c.state == _WAITING, oldest.c.destination == head.c.destination)
        .scalar_subquery()
    )
    return (
        sa.select(_OUT.c.sequence)
        .select_from(head.join(_OUT, _OUT.c.sequence == first))
        .where(_OUT.c.not_before_us <= whole("now_us"), _OUT.c.lease_until_us <= whole("now_us"))
        .limit(whole("count"))
    )


HEADS = Statement("outbox_heads", _heads())
READ = Statement(
    "outbox_read",
    sa.select(
        _OUT.c.sequence,
        _OUT.c.key,
        _OUT.c.destination,
        _OUT.c.kind,
        _OUT.c.resource,
        _OUT.c.person,
        _OUT.c.attempts,
        _OUT.c.detail_format,
        _OUT.c.detail,
    ).where(_OUT.c.sequence == whole("sequence"), _OUT.c.lease == words("lease")),
)
DEAD = Statement(
    "outbox_dead",
    sa.select(
        _OUT.c.sequence,
        _OUT.c.key,
        _OUT.c.destination,
        _OUT.c.kind,
        _OUT.c.resource,
        _OUT.c.attempts,
        _OUT.c.reason,
    )
    .where(_OUT.c.state == _DEAD)
    .order_by(_OUT.c.sequence)
    .limit(whole("count")),
)


def _claim(dialect: str) -> sa.Update:
    free = sa.and_(
        _OUT.c.sequence == whole("sequence"),
        _OUT.c.state == _WAITING,
        _OUT.c.lease_until_us <= whole("now_us"),
        _OUT.c.not_before_us <= whole("now_us"),
    )
    earlier = _OUT.alias("earlier")
    is_head = ~(
        sa.select(constant(1))
        .where(
            earlier.c.destination == _OUT.c.destination,
            earlier.c.state == _WAITING,
            earlier.c.sequence < _OUT.c.sequence,
        )
        .correlate(_OUT)
        .exists()
    )
    where = sa.and_(free, is_head)
    if dialect == "postgresql":
        # Whoever else is claiming this row has it; nobody waits.
        own = sa.select(_OUT.c.sequence).where(where).with_for_update(skip_locked=True)
        where = _OUT.c.sequence == own.scalar_subquery()
    return (
        sa.update(_OUT)
        .where(where)
        .values(
            lease=words("lease"), lease_until_us=whole("until_us"), attempts=_OUT.c.attempts + constant(1)
        )
    )


WRITES.add("outbox_claim", {"sqlite": _claim("sqlite"), "postgresql": _claim("postgresql")})
WRITES.add(
    "outbox_done",
    sa.update(_OUT)
    .where(_HELD)
    .values(
        state=constant(schema.OUTBOX_DONE),
        lease=constant(""),
        reason=constant(""),
        detail_format=constant(0),
        detail=octets("nothing"),
    ),
)
WRITES.add(
    "outbox_retry",
    sa.update(_OUT)
    .where(_HELD)
    .values(
        lease=constant(""),
        lease_until_us=constant(0),
        not_before_us=whole("not_before_us"),
        reason=words("reason"),
    ),
)
WRITES.add(
    "outbox_dead",
    sa.update(_OUT).where(_HELD).values(state=_DEAD, lease=constant(""), reason=words("reason")),
)
WRITES.add(
    "outbox_requeue",
    sa.update(_OUT)
    .where(_OUT.c.sequence == whole("sequence"), _OUT.c.state == _DEAD)
    .values(
        state=_WAITING,
        attempts=constant(0),
        lease=constant(""),
        lease_until_us=constant(0),
        not_before_us=whole("not_before_us"),
    ),
)
WRITES.add(
    "outbox_give_up",
    sa.update(_OUT)
    .where(_OUT.c.sequence == whole("sequence"), _OUT.c.state == _DEAD)
    .values(
        state=constant(schema.OUTBOX_CANCELLED),
        reason=words("reason"),
        not_before_us=whole("at_us"),
        detail_format=constant(0),
        detail=octets("nothing"),
    ),
)
WRITES.add(
    "outbox_prune",
    sa.delete(_OUT).where(
        sa.or_(
            _OUT.c.state == constant(schema.OUTBOX_DONE), _OUT.c.state == constant(schema.OUTBOX_CANCELLED)
        ),
        _OUT.c.not_before_us < whole("before_us"),
    ),
)


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """A delivery this process may send until its lease ends. ``attempts`` counts this one in."""

    sequence: int
    key: str
    destination: str
    kind: str
    resource: int
    person: int | None
    attempts: int
    detail: bytes
    lease: str


@dataclass(frozen=True, slots=True)
class DeadDelivery:
    """A delivery that was given up, for the operator."""

    sequence: int
    key: str
    destination: str
    kind: str
    resource: int
    attempts: int
    reason: str


def pause_us(key: str, attempts: int) -> int:
    """Gives how long to wait before the next attempt, in microseconds.

    It doubles from 5 seconds to an hour; the key spreads deliveries by a tenth, so that they do not all come
    back in the same second.

    >>> [round(pause_us("", attempts) / 1e6) for attempts in (1, 2, 3, 20)]
    [5, 11, 22, 3920]
    """
    spread = hashlib.sha256(key.encode()).digest()[0] / 2550
    doubled = min(FIRST_PAUSE_US << min(attempts - 1, 20), LONGEST_PAUSE_US)
    return round(doubled * (1 + spread))


class Outbox:
    """The queue of what must leave, as the delivery process sees it; safe in several processes at once.

    Args:
        database: where heads are looked for.
        writer: applies claims and acknowledgements.
        bodies: opens the detail of a delivery.
    """

    def __init__(self, database: Database, writer: PlanWriter, bodies: Bodies) -> None:
        self._database = database
        self._writer = writer
        self._bodies = bodies
        self._after = ""

    def claim(self, now_us: int, lease_us: int) -> ClaimedDelivery | None:
        """Claims the next delivery that may leave, or gives None where there is none.

        Destinations take turns; within one, the order of writing holds.

        Args:
            now_us: the time now, microseconds UTC.
            lease_us: how long this process may take to send it, in microseconds.
        """
        for after in dict.fromkeys((self._after, "")):
            parameters: dict[str, int | str] = {"after": after, "now_us": now_us, "count": _LOOK_AT}
            for (sequence,) in self._database.run(HEADS, parameters):
                claimed = self._claim(sequence, now_us, lease_us)
                if claimed is not None:
                    self._after = claimed.destination
                    return claimed
        return None

    def _claim(self, sequence: int, now_us: int, lease_us: int) -> ClaimedDelivery | None:
        lease = secrets.token_hex(8)
        parameters = {"sequence": sequence, "now_us": now_us, "until_us": now_us + lease_us, "lease": lease}
        try:
            self._writer.apply(own_plan(now_us, ("outbox_claim", Rule.TOUCHES, parameters)))
        except GuardFailed:
            return None  # another process was first, or it was cancelled
        row = self._database.first(READ, {"sequence": sequence, "lease": lease})
        if row is None:
            return None
        _, key, destination, kind, resource, person, attempts, detail_format, detail = row
        opened = self._bodies.open(detail, detail_format, person, f"outbox/{key}")
        return ClaimedDelivery(sequence, key, destination, kind, resource, person, attempts, opened, lease)

    def done_row(self, claimed: ClaimedDelivery) -> Row:
        """Gives the acknowledgement as a row of the Change that records the delivery.

        The Change fails (``GuardFailed``) where the delivery was cancelled or the lease was lost meanwhile.
        """
        parameters: dict[str, int | str | bytes | None] = {
            "sequence": claimed.sequence,
            "lease": claimed.lease,
            "nothing": b"",
        }
        return Row("outbox_done", parameters, at_least_one=True)

    def done(self, claimed: ClaimedDelivery, now_us: int) -> bool:
        """Acknowledges a delivery; False where it was cancelled or the lease was lost meanwhile."""
        return self._settle(now_us, "outbox_done", claimed, {"nothing": b""})

    def retry(
        self, claimed: ClaimedDelivery, now_us: int, reason: str, not_before_us: int | None = None
    ) -> bool:
        """Puts a delivery back for a later attempt; what follows for its destination waits with it.

        Args:
            claimed: what could not be sent.
            now_us: the time now, microseconds UTC.
            reason: what happened, without content.
            not_before_us: when to try again; by default ``pause_us`` from now.
        """
        later = now_us + pause_us(claimed.key, claimed.attempts) if not_before_us is None else not_before_us
        return self._settle(now_us, "outbox_retry", claimed, {"not_before_us": later, "reason": reason})

    def dead(self, claimed: ClaimedDelivery, now_us: int, reason: str) -> bool:
        """Gives a delivery up; what follows for its destination goes on."""
        return self._settle(now_us, "outbox_dead", claimed, {"reason": reason})

    def _settle(
        self, now_us: int, name: str, claimed: ClaimedDelivery, more: dict[str, int | str | bytes]
    ) -> bool:
        parameters = {"sequence": claimed.sequence, "lease": claimed.lease, **more}
        try:
            self._writer.apply(own_plan(now_us, (name, Rule.TOUCHES, parameters)))
        except GuardFailed:
            return False
        return True

    def list_dead(self, count: int = 100) -> list[DeadDelivery]:
        """Gives the deliveries that were given up, oldest first."""
        return [DeadDelivery(*row) for row in self._database.run(DEAD, {"count": count})]

    def requeue(self, sequence: int, now_us: int) -> bool:
        """Gives a dead delivery another life, at its old place in the order; False where it is not dead."""
        parameters = {"sequence": sequence, "not_before_us": now_us}
        try:
            self._writer.apply(own_plan(now_us, ("outbox_requeue", Rule.TOUCHES, parameters)))
        except GuardFailed:
            return False
        return True
