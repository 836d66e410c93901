"""Making the index rows of stored resources anew, where the program finds them by more than it did.

What lives here: the walk over all resources, and the plans that replace their index rows. What does not: which rows a
body has (``exchange.indexing``), the command (``referral_hub.reindexing``).

Each resource is guarded by its version: one that was written meanwhile has rows of the new kind already. Nothing
else of it changes: no version, no time, no audit line, since nobody's data moved.

Source: ``engine.md`` 1 (guards); ``performance.md`` 7.
"""

from collections.abc import Callable, Iterator, Sequence

import sqlalchemy as sa

from referral_hub.errors import GuardFailed, HubError
from referral_hub.exchange.change import Indexes, ResourceWrite
from referral_hub.exchange.ports import ResourceRow
from referral_hub.store import schema
from referral_hub.store.apply import PlanWriter
from referral_hub.store.bodies import Bodies
from referral_hub.store.database import Database
from referral_hub.store.index_rows import TABLES, Digests, rows_of
from referral_hub.store.plan import Plan, Rule, Step, many
from referral_hub.store.row_making import resource_columns, resource_row
from referral_hub.store.statements import Statement, constant, whole

BATCH = 100

_r = schema.resource
_PAGE = Statement(
    "reindex_page",
    sa.select(*resource_columns(_r))
    .where(_r.c.row_id > whole("after"), _r.c.deleted == constant(0))
    .order_by(_r.c.row_id)
    .limit(whole("limit")),
)
"""The next resources by row id, which never changes."""


class Reindexer:
    """Replaces the index rows of every stored resource.

    Args:
        database: where they are read.
        bodies: opens what lies sealed.
        digests: the keyed digests of index rows.
        writer: applies the plans.
        index: gives the index rows of one resource.
        clock: the process clock, microseconds UTC.
        change_id: makes a fresh name for a plan.
    """

    def __init__(
        self,
        database: Database,
        bodies: Bodies,
        digests: Digests,
        writer: PlanWriter,
        *,
        index: Callable[[ResourceRow], Indexes],
        clock: Callable[[], int],
        change_id: Callable[[], str],
    ) -> None:
        self._database = database
        self._bodies = bodies
        self._digests = digests
        self._writer = writer
        self._index = index
        self._clock = clock
        self._change_id = change_id

    def run(self) -> Iterator[int]:
        """Goes through all resources; gives after each batch how many it replaced the rows of.

        A body that cannot be opened, because the person's key was destroyed or its organisation holds the key of its
        own file, keeps the rows it has.
        """
        after = -(2**62)
        while True:
            found = self._database.run(_PAGE, {"after": after, "limit": BATCH})
            if not found:
                return
            after = found[-1][0]
            steps = [one for one in map(self._steps_of, found) if one is not None]
            yield self._apply(steps)

    def _steps_of(self, found: Sequence[object]) -> tuple[Step, list[Step]] | None:
        try:
            row = resource_row(found, self._bodies)
        except HubError:
            return None
        if row.locked:
            return None
        made = self._index(row)
        write = ResourceWrite(
            "update",
            row.row_id,
            row.type,
            row.id,
            row.version,
            row.number,
            row.updated_us,
            row.author,
            row.written_by,
            b"",
            tokens=made.tokens,
            dates=made.dates,
            strings=made.strings,
            numbers=made.numbers,
            links=made.links,
        )
        rows = rows_of(self._digests, write)
        guard: Step = ("guard_version_written", Rule.FOUND, {"row_id": row.row_id, "version": row.version})
        steps: list[Step] = []
        for table in TABLES:
            steps += many(f"{table}_clear", [{"row_id": row.row_id}])
            steps += many(f"{table}_insert", rows[table])
        return guard, steps

    def _apply(self, found: list[tuple[Step, list[Step]]]) -> int:
        if not found:
            return 0
        plan = Plan(
            self._change_id(),
            self._clock(),
            tuple(guard for guard, _ in found),
            tuple(step for _, steps in found for step in steps),
        )
        try:
            self._writer.apply(plan)
        except GuardFailed:
            if len(found) == 1:
                return 0  # written meanwhile, with rows of the new kind
            return sum(self._apply([one]) for one in found)
        return len(found)
