"""Timers: a row written with the change it follows, claimed once when its time comes.

What lives here: claiming and settling. What does not: what a timer does (``outbound.timers``), its writing
(a Change's ``Due``).

A timer fires once: its handler puts ``done_row`` into the Change that does the work, so both are there or
neither is. It survives a kill and a clock that jumps, since the row, not a sleep, holds the time.

Source: ``engine.md`` 6.
"""

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
from referral_hub.store.statements import WRITES, Statement, constant, whole, words

_LOOK_AT = 8
_DUE = schema.due
_HELD = sa.and_(_DUE.c.key == words("key"), _DUE.c.lease == words("lease"))

READY = Statement(
    "due_ready",
    sa.select(_DUE.c.key)
    .where(_DUE.c.at_us <= whole("now_us"), _DUE.c.lease_until_us <= whole("now_us"))
    .order_by(_DUE.c.at_us, _DUE.c.key)
    .limit(whole("count")),
)
READ = Statement(
    "due_read",
    sa.select(
        _DUE.c.key,
        _DUE.c.kind,
        _DUE.c.resource,
        _DUE.c.at_us,
        _DUE.c.attempts,
        _DUE.c.detail_format,
        _DUE.c.detail,
    ).where(_HELD),
)


def _claim(dialect: str) -> sa.Update:
    where = sa.and_(
        _DUE.c.key == words("key"),
        _DUE.c.at_us <= whole("now_us"),
        _DUE.c.lease_until_us <= whole("now_us"),
    )
    if dialect == "postgresql":
        own = sa.select(_DUE.c.key).where(where).with_for_update(skip_locked=True)
        where = _DUE.c.key == own.scalar_subquery()
    return (
        sa.update(_DUE)
        .where(where)
        .values(
            lease=words("lease"), lease_until_us=whole("until_us"), attempts=_DUE.c.attempts + constant(1)
        )
    )


WRITES.add("due_claim", {"sqlite": _claim("sqlite"), "postgresql": _claim("postgresql")})
WRITES.add("due_done", sa.delete(_DUE).where(_HELD))
WRITES.add(
    "due_later",
    sa.update(_DUE).where(_HELD).values(lease=constant(""), lease_until_us=constant(0), at_us=whole("at_us")),
)
WRITES.add("due_cancel", sa.delete(_DUE).where(_DUE.c.key == words("key")))


@dataclass(frozen=True, slots=True)
class ClaimedTimer:
    """A timer whose time came, held by this process until its lease ends."""

    key: str
    kind: str
    resource: int
    at_us: int
    attempts: int
    detail: bytes
    lease: str


class Timers:
    """The timers of the hub, as the delivery process sees them; safe in several processes at once.

    Args:
        database: where due rows are looked for.
        writer: applies claims.
        bodies: opens the detail of a timer.
    """

    def __init__(self, database: Database, writer: PlanWriter, bodies: Bodies) -> None:
        self._database = database
        self._writer = writer
        self._bodies = bodies

    def claim(self, now_us: int, lease_us: int) -> ClaimedTimer | None:
        """Claims the timer that has been due longest, or gives None where none is.

        Args:
            now_us: the time now, microseconds UTC.
            lease_us: how long its work may take, in microseconds.
        """
        for (key,) in self._database.run(READY, {"now_us": now_us, "count": _LOOK_AT}):
            lease = secrets.token_hex(8)
            parameters = {"key": key, "now_us": now_us, "until_us": now_us + lease_us, "lease": lease}
            try:
                self._writer.apply(own_plan(now_us, ("due_claim", Rule.TOUCHES, parameters)))
            except GuardFailed:
                continue  # another process was first
            row = self._database.first(READ, {"key": key, "lease": lease})
            if row is not None:
                _, kind, resource, at_us, attempts, detail_format, detail = row
                opened = self._bodies.open(detail, detail_format, None, f"due/{key}")
                return ClaimedTimer(key, kind, resource, at_us, attempts, opened, lease)
        return None

    def done_row(self, claimed: ClaimedTimer) -> Row:
        """Gives the end of a timer as a row of the Change that does its work.

        The Change fails (``GuardFailed``) where the timer was moved, cancelled or taken over meanwhile.
        """
        return Row("due_done", {"key": claimed.key, "lease": claimed.lease}, at_least_one=True)

    def done(self, claimed: ClaimedTimer, now_us: int) -> bool:
        """Ends a timer that had nothing to do; False where it was moved, cancelled or taken over."""
        return self._settle(now_us, "due_done", {"key": claimed.key, "lease": claimed.lease})

    def later(self, claimed: ClaimedTimer, now_us: int, at_us: int) -> bool:
        """Lets a timer come again at another time; False where it was moved, cancelled or taken over."""
        return self._settle(now_us, "due_later", {"key": claimed.key, "lease": claimed.lease, "at_us": at_us})

    def _settle(self, now_us: int, name: str, parameters: dict[str, int | str]) -> bool:
        try:
            self._writer.apply(own_plan(now_us, (name, Rule.TOUCHES, parameters)))
        except GuardFailed:
            return False
        return True


def cancel_row(key: str) -> Row:
    """Gives the row of a Change that takes a timer away."""
    return Row("due_cancel", {"key": key})
