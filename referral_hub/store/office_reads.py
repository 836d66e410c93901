"""What whoever runs the network looks at: organisations, what waits to leave, numbers of accounts. Never a person.

What lives here: the statements, and ``StoredOffice``. What does not: who may look (``auth.people.governing``), numbers
and chain of the audit (``store.audit_looks``).

Source: ``practice.md`` 12 (coordinators see counts, never people); ``interfaces.md`` 2.
"""

from collections.abc import Iterable

import sqlalchemy as sa

from referral_hub.exchange.accounts import ACTIVE, STAFF
from referral_hub.exchange.administration import (
    AccountCounts,
    AuditLines,
    ChainState,
    GivenUp,
    Looked,
    Queue,
)
from referral_hub.exchange.ports import OrganizationRow
from referral_hub.store import audit_looks, schema
from referral_hub.store.database import Database
from referral_hub.store.key_rows import KeyRows
from referral_hub.store.row_making import organization_columns, organization_row
from referral_hub.store.sealer import Signer
from referral_hub.store.statements import Statement, constant, whole, words

MOST_ORGANIZATIONS = 1_000
_SOON_US = 30 * 24 * 3_600_000_000
_ORG, _OUT, _ACCOUNT = schema.organization, schema.outbox, schema.account

ORGANIZATIONS = Statement(
    "office_organizations",
    sa.select(*organization_columns(_ORG))
    .order_by(_ORG.c.name, _ORG.c.id)
    .limit(constant(MOST_ORGANIZATIONS)),
)
_waits = (
    sa.select(
        _OUT.c.destination,
        sa.func.count().label("waiting"),
        sa.func.min(_OUT.c.queued_us).label("since_us"),
        sa.func.min(_OUT.c.sequence).label("head"),
    )
    .where(_OUT.c.state == constant(schema.OUTBOX_WAITING))
    .group_by(_OUT.c.destination)
    .subquery("waits")
)
QUEUES = Statement(
    "office_queues",
    sa.select(
        _waits.c.destination,
        _waits.c.waiting,
        _waits.c.since_us,
        _OUT.c.not_before_us,
        _OUT.c.attempts,
        _OUT.c.reason,
    )
    .select_from(_waits.join(_OUT, _OUT.c.sequence == _waits.c.head))
    .order_by(_waits.c.waiting.desc(), _waits.c.destination),
)
_dead = _OUT.c.state == constant(schema.OUTBOX_DEAD)
GIVEN_UP = Statement(
    "office_given_up",
    sa.select(
        _OUT.c.sequence, _OUT.c.destination, _OUT.c.kind, _OUT.c.attempts, _OUT.c.reason, _OUT.c.queued_us
    )
    .where(_dead)
    .order_by(_OUT.c.sequence)
    .limit(whole("count")),
)
GIVEN_UP_COUNT = Statement("office_given_up_count", sa.select(sa.func.count()).where(_dead))


def _number(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.coalesce(sa.func.sum(sa.case((condition, constant(1)), else_=constant(0))), constant(0))


ACCOUNT_COUNTS = Statement(
    "office_account_counts",
    sa.select(
        _number(_ACCOUNT.c.authorised_by == constant("")),
        _number(
            sa.and_(_ACCOUNT.c.trained_until_us > constant(0), _ACCOUNT.c.trained_until_us < whole("soon_us"))
        ),
    ).where(
        _ACCOUNT.c.kind == constant(STAFF),
        _ACCOUNT.c.state == constant(ACTIVE),
        sa.or_(words("organization") == constant(""), _ACCOUNT.c.organization == words("organization")),
    ),
)


class StoredOffice:
    """What the administration reads (``exchange.administration.OfficeReads``), on the store. Safe for threads.

    Args:
        database: where the rows are.
        signer: checks the signatures of checkpoints.
        families: the families of keys of the hub.
    """

    def __init__(self, database: Database, signer: Signer, families: Iterable[str]) -> None:
        self._families = tuple(families)
        self._database = database
        self._signer = signer

    def organizations(self) -> list[OrganizationRow]:
        """Gives the organisations of the network, by name."""
        return [organization_row(row) for row in self._database.run(ORGANIZATIONS)]

    def queues(self) -> list[Queue]:
        """Gives what waits, by destination."""
        return [Queue(*row) for row in self._database.run(QUEUES)]

    def given_up(self, count: int) -> list[GivenUp]:
        """Gives the messages that were given up, the oldest first."""
        return [GivenUp(*row) for row in self._database.run(GIVEN_UP, {"count": count})]

    def given_up_count(self) -> int:
        """Gives how many messages were given up."""
        row = self._database.first(GIVEN_UP_COUNT)
        return 0 if row is None else int(row[0])

    def account_counts(self, organization: str, now_us: int) -> AccountCounts:
        """Gives how many accounts of an organisation need somebody; of every one where it is empty."""
        named: dict[str, int | str] = {"organization": organization, "soon_us": now_us + _SOON_US}
        row = self._database.first(ACCOUNT_COUNTS, named)
        return AccountCounts(0, 0) if row is None else AccountCounts(int(row[0]), int(row[1]))

    def key_ages(self) -> list[tuple[str, int]]:
        """Gives each family of keys of the hub with when the newest was made, microseconds UTC."""
        rows = KeyRows(self._database)
        made = [(family, rows.generations(family)) for family in self._families]
        return [(family, generations[0][3]) for family, generations in made if generations]

    def audit_lines(self, since_us: int) -> tuple[list[AuditLines], bool]:
        """Gives the numbers since a moment, and whether there was more than is counted at once."""
        return audit_looks.lines_since(self._database, since_us)

    def chain(self) -> ChainState:
        """Gives where the chain stands."""
        return audit_looks.chain_state(self._database)

    def look_at_chain(self) -> Looked:
        """Looks whether the newest part of the chain holds."""
        return audit_looks.look_at_chain(self._database, self._signer)
