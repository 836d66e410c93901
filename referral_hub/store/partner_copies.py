"""Copies that partners keep on their own servers: where they are, and when they are asked next.

What lives here: the rows and their statements. What does not: asking (``outbound.polling``).

Source: ``views.md`` 6 (the partner's Task URL is stored; poll interval per partner).
"""

from dataclasses import dataclass

import sqlalchemy as sa

from referral_hub.errors import GuardFailed
from referral_hub.exchange.change import Row
from referral_hub.outbound import ports
from referral_hub.store import schema
from referral_hub.store.apply import PlanWriter
from referral_hub.store.database import Database
from referral_hub.store.plan import Rule, own_plan
from referral_hub.store.statements import WRITES, Statement, whole, words
from referral_hub.store.write_statements import insert_or_replace

_COPY = schema.partner_copy
_THIS = sa.and_(_COPY.c.resource == whole("resource"), _COPY.c.organization == words("organization"))

OF = Statement("partner_copy_of", sa.select(*_COPY.c).where(_THIS))
DUE = Statement(
    "partner_copy_due",
    sa.select(*_COPY.c)
    .where(_COPY.c.next_poll_us <= whole("now_us"))
    .order_by(_COPY.c.next_poll_us, _COPY.c.resource)
    .limit(whole("count")),
)
WRITES.add("partner_copy_put", insert_or_replace(_COPY, "resource", "organization"))
WRITES.add("partner_copy_forget", sa.delete(_COPY).where(_THIS))
WRITES.add(
    "partner_copy_later",
    sa.update(_COPY)
    .where(_THIS, _COPY.c.next_poll_us == whole("before_us"))
    .values(next_poll_us=whole("next_poll_us")),
)


@dataclass(frozen=True, slots=True)
class PartnerCopy:
    """One copy: of which resource, at which partner, where. ``etag`` is the poller's own note."""

    resource: int
    organization: str
    url: str
    etag: str
    next_poll_us: int


class PartnerCopies:
    """The copies partners keep; safe in several processes at once.

    Args:
        database: where they are looked for.
        writer: applies the claim of a poll.
    """

    def __init__(self, database: Database, writer: PlanWriter) -> None:
        self._database = database
        self._writer = writer

    def of(self, resource: int, organization: str) -> PartnerCopy | None:
        """Gives the copy of a resource at a partner, or None where none is known."""
        row = self._database.first(OF, {"resource": resource, "organization": organization})
        return None if row is None else PartnerCopy(*row)

    def due(self, now_us: int, count: int) -> list[PartnerCopy]:
        """Gives the copies to be asked by now, the one waiting longest first.

        Args:
            now_us: the time now, microseconds UTC.
            count: how many at most.
        """
        return [PartnerCopy(*row) for row in self._database.run(DUE, {"now_us": now_us, "count": count})]

    def put_row(self, copy: ports.PartnerCopy) -> Row:
        """Gives the row of a Change that notes a copy, or replaces what was noted of it."""
        return Row(
            "partner_copy_put",
            {
                "resource": copy.resource,
                "organization": copy.organization,
                "url": copy.url,
                "etag": copy.etag,
                "next_poll_us": copy.next_poll_us,
            },
        )

    def forget_row(self, resource: int, organization: str) -> Row:
        """Gives the row of a Change that forgets a copy."""
        return Row("partner_copy_forget", {"resource": resource, "organization": organization})

    def later(self, copy: ports.PartnerCopy, now_us: int, next_poll_us: int) -> bool:
        """Claims one poll by moving its time; False where another process was first."""
        parameters = {
            "resource": copy.resource,
            "organization": copy.organization,
            "before_us": copy.next_poll_us,
            "next_poll_us": next_poll_us,
        }
        try:
            self._writer.apply(own_plan(now_us, ("partner_copy_later", Rule.TOUCHES, parameters)))
        except GuardFailed:
            return False
        return True
