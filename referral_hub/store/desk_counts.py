"""How many Tasks of the desk and recalls wait in each organisation: numbers alone, never a person.

What lives here: the two statements and reading them. What does not: who is told (``exchange.desk_counts``).

Source: ``practice.md`` 12 (coordinators see counts, never people).
"""

import sqlalchemy as sa

from referral_hub.resources.task import BUSINESS_STATUS, DESK_CODES
from referral_hub.store import schema
from referral_hub.store.database import Connection
from referral_hub.store.statements import Statement, constant, whole

OVERDUE = f"{BUSINESS_STATUS}|overdue"
"""What a Task that is marked as late is found by."""
_r, _t = schema.resource, schema.index_token
_live = sa.and_(
    _r.c.type == sa.literal_column("'Task'"),
    _r.c.kind != sa.literal_column("''"),  # as the index says it, so that it is used
    _r.c.deleted == constant(0),
)

DESKS = Statement(
    "desk_counts",
    sa.select(_r.c.author, _r.c.kind, _r.c.status, sa.func.count())
    .where(_live, _r.c.kind.in_([sa.literal_column(f"'{kind}'") for kind in sorted(DESK_CODES)]))
    .group_by(_r.c.author, _r.c.kind, _r.c.status),
)
RECALLS = Statement(
    "recall_counts",
    sa.select(_r.c.owner, _r.c.status, sa.func.count())
    .where(_live, _r.c.kind == constant("recall"), _r.c.owner.is_not(None))
    .group_by(_r.c.owner, _r.c.status),
)
LATE = Statement(
    "recall_late_counts",
    sa.select(_r.c.owner, sa.func.count())
    .where(
        _live,
        _r.c.kind == constant("recall"),
        _r.c.owner.is_not(None),
        _r.c.status != constant("completed"),
        sa.exists(sa.literal_column("1")).where(_t.c.hash == whole("hash"), _t.c.row_id == _r.c.row_id),
    )
    .group_by(_r.c.owner),
)


def counts(connection: Connection, overdue: int) -> list[tuple[str, str, str, int]]:
    """Gives (organisation id, kind, status, number) of every kind that waits or waited anywhere.

    Args:
        connection: inside a read transaction.
        overdue: the digest by which Tasks that are marked as late are found.
    """
    found = [(author, kind, status, number) for author, kind, status, number in connection.run(DESKS, {})]
    found += [(owner, "recall", status, number) for owner, status, number in connection.run(RECALLS, {})]
    found += [
        (owner, "recall", "overdue", number) for owner, number in connection.run(LATE, {"hash": overdue})
    ]
    return found
