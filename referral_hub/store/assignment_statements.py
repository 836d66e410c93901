"""Statements about who works with whom.

What lives here: reading and writing ``case_assignment``. What does not: who may assign (``exchange.assignments``), the
same rows as a condition of a search (``store.reach_sql``).
"""

import sqlalchemy as sa

from referral_hub.access.rows import CaseAssignment
from referral_hub.store import schema
from referral_hub.store.database import Connection
from referral_hub.store.statements import WRITES, Statement, constant, one_of, whole, words
from referral_hub.store.tables.assignments import ACTIVE
from referral_hub.store.write_statements import insert_ignoring

_HELD = schema.case_assignment
_READ = tuple(_HELD.c[name] for name in CaseAssignment.__slots__)
_pair = (_HELD.c.account == words("account"), _HELD.c.person == whole("person"))

WRITES.add("assignment_insert", insert_ignoring(_HELD, "account", "person"))
WRITES.add(
    "assignment_update",
    sa.update(_HELD)
    .where(
        *_pair,
        _HELD.c.organization == words("organization"),
        _HELD.c.version == whole("version") - constant(1),
    )
    .values(
        state=words("state"),
        version=whole("version"),
        asked_by=words("asked_by"),
        asked_us=whole("asked_us"),
        confirmed_by=words("confirmed_by"),
        changed_us=whole("changed_us"),
    ),
)
WRITES.add(
    "assignment_holds",
    sa.update(_HELD).where(*_pair, _HELD.c.state == constant(ACTIVE)).values(version=_HELD.c.version),
)

ASSIGNED = Statement(
    "assigned",
    sa.select(_HELD.c.person).where(
        _HELD.c.account == words("account"),
        one_of(_HELD.c.person, "persons"),
        _HELD.c.state == constant(ACTIVE),
    ),
)
ASSIGNMENTS = Statement(
    "assignments", sa.select(*_READ).where(_HELD.c.person == whole("person")).order_by(_HELD.c.account)
)


def assignments_of(connection: Connection, person: int) -> list[CaseAssignment]:
    """Gives who works with a person, or did."""
    return [CaseAssignment(*row) for row in connection.run(ASSIGNMENTS, {"person": person})]
