"""What lies beside a row: the things it points at, who wrote them, and the epochs of whom they are about.

What lives here: one statement that brings all three, so that they are of one state without a transaction, and what
a process keeps of it. What does not: several questions of one state (``store.snapshot``), the row itself
(``store.read``), which also brings the states by which it is told that what was kept still is so.

Source: ``engine.md`` 2 (the epoch is read again where more than one statement passes).
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
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
from referral_hub.store.standing_sql import JsonRows
from referral_hub.store.statements import Statement, constant, one_of, words

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
    return Beside(rows, organizations, epochs, frozenset(wanted))


# --- what was looked up once ------------------------------------------------------------------------------

PLACES = ("beside0", "beside1", "beside2", "beside3", "beside4", "beside5")
"""The parameters for what a row points at; rows that point at more are looked up each time."""
NOTHING_BESIDE: Mapping[str, str] = dict.fromkeys(PLACES, "")
_states = msgspec.json.Decoder(list[tuple[str, str, int | None, int | None]])


def states_column() -> sa.ColumnElement[Any]:
    """Gives the states of the resources named by :data:`PLACES`: id, version, epoch, its author's version.

    NULL where none is named. Few single parameters: a list in one would cost as much again as the statement.
    """
    r, person, author = schema.resource.alias(), schema.person.alias(), schema.organization.alias()
    states = (
        sa.select(JsonRows(r.c.id, r.c.version, person.c.epoch, author.c.version))
        .select_from(
            r.outerjoin(person, person.c.row_id == r.c.person).outerjoin(author, author.c.id == r.c.author)
        )
        .where(sa.or_(*(r.c.id == words(place) for place in PLACES)))
        .scalar_subquery()
    )
    return sa.case((words(PLACES[0]) != constant(""), states), else_=sa.null())


class KeptBeside:
    """What lay beside one version of a row, and in which state: it counts as long as that state is the same."""

    __slots__ = ("_states", "_text", "beside", "parameters", "version")

    def __init__(self, row: ResourceRow, beside: Beside) -> None:
        self.version = row.version
        self.beside = beside
        ids = sorted({text.partition("/")[2] for text in beside.asked})
        self.parameters = {**NOTHING_BESIDE, **dict(zip(PLACES, ids, strict=False))}
        self._states = {
            (
                one.id,
                one.version,
                None if one.person is None else beside.epochs[one.person],
                beside.organizations[one.author].version if one.author in beside.organizations else None,
            )
            for one in beside.rows.values()
        }
        self._text: str | None = None

    def holds(self, row: ResourceRow, states: str | None) -> bool:
        """Tells whether nothing changed: the row, what it points at, their authors and the persons' permissions."""
        if row.version != self.version:
            return False
        if states is None or states != self._text:
            now = {
                (found, version, epoch, author)
                for found, version, epoch, author in _states.decode(states or "[]")
            }
            if now != self._states:
                return False
            self._text = states
        return True
