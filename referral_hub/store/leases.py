"""Leases: one of several processes does a thing, and another takes over when it is gone.

What lives here: taking, keeping and giving back a named lease. What does not: leases of single deliveries
and timers, which are columns of their rows (``store.outbox``, ``store.timers``).
"""

import secrets

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as upsert

from referral_hub.errors import GuardFailed
from referral_hub.store import schema
from referral_hub.store.apply import PlanWriter
from referral_hub.store.plan import Rule, own_plan
from referral_hub.store.statements import WRITES, constant, whole, words

_taken = upsert(schema.lease)
WRITES.add(
    "lease_take",
    _taken.on_conflict_do_update(
        index_elements=["name"],
        set_={"holder": _taken.excluded.holder, "until_us": _taken.excluded.until_us},
        where=sa.or_(
            schema.lease.c.until_us <= whole("now_us"), schema.lease.c.holder == _taken.excluded.holder
        ),
    ),
)
WRITES.add(
    "lease_give",
    sa.update(schema.lease)
    .where(schema.lease.c.name == words("name"), schema.lease.c.holder == words("holder"))
    .values(until_us=constant(0)),
)


class Lease:
    """The right to do one named thing for a while.

    Args:
        writer: applies the taking.
        name: what is to be done by one process alone.
    """

    def __init__(self, writer: PlanWriter, name: str) -> None:
        self._writer = writer
        self._name = name
        self._holder = secrets.token_hex(8)

    def take(self, now_us: int, for_us: int) -> bool:
        """Takes the lease or keeps it; False while another process holds it.

        Args:
            now_us: the time now, microseconds UTC.
            for_us: for how long, in microseconds.
        """
        parameters = {
            "name": self._name,
            "holder": self._holder,
            "until_us": now_us + for_us,
            "now_us": now_us,
        }
        try:
            self._writer.apply(own_plan(now_us, ("lease_take", Rule.TOUCHES, parameters)))
        except GuardFailed:
            return False
        return True

    def give_back(self, now_us: int) -> None:
        """Lets another process take it at once."""
        parameters = {"name": self._name, "holder": self._holder}
        self._writer.apply(own_plan(now_us, ("lease_give", Rule.ANY, parameters)))
