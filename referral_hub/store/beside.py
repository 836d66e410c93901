"""What lies beside a row: the things it points at, who wrote them, and the epochs of whom they are about.

What lives here: one statement that brings all three, so that they are of one state without a transaction. What
does not: several questions of one state (``store.snapshot``), the row itself (``store.read``).

Source: ``engine.md`` 2 (the epoch is read again where more than one statement passes).
"""

from collections.abc import Iterable

import sqlalchemy as sa

from referral_hub.exchange.ports import Beside, OrganizationRow, ResourceRow
from referral_hub.store import schema
from referral_hub.store.bodies import Bodies
from referral_hub.store.database import Database
from referral_hub.store.row_making import (
    ORGANIZATION_WIDTH,
    organization_columns,
    organization_row,
    resource_columns,
    resource_row,
)
from referral_hub.store.statements import Statement, one_of

_r = schema.resource
_person = schema.person
_author = schema.organization

BESIDE = Statement(
    "resources_beside",
    sa.select(_person.c.epoch, *organization_columns(_author), *resource_columns(_r))
    .select_from(
        _r.outerjoin(_person, _person.c.row_id == _r.c.person).outerjoin(_author, _author.c.id == _r.c.author)
    )
    .where(one_of(_r.c.id, "ids")),
)


def read_beside(database: Database, bodies: Bodies, references: Iterable[str]) -> Beside:
    """Gives current rows by ``Type/id``, deleted ones too, with their authors and their persons' epochs.

    Raises:
        Unavailable: where a body cannot be opened or the database does not answer: 503 on the wire.
    """
    wanted = set(references)
    ids = sorted({reference.partition("/")[2] for reference in wanted} - {""})
    rows: dict[str, ResourceRow] = {}
    organizations: dict[str, OrganizationRow] = {}
    epochs: dict[int, int] = {}
    start = 1 + ORGANIZATION_WIDTH
    for found in database.run(BESIDE, {"ids": ids}) if ids else ():
        row = resource_row(found[start:], bodies)
        name = f"{row.type}/{row.id}"
        if name not in wanted:
            continue
        rows[name] = row
        if row.person is not None:
            epochs[row.person] = found[0] or 0
        if row.author not in organizations and found[1] is not None:
            organizations[row.author] = organization_row(found[1:start])
    return Beside(rows, organizations, epochs)
