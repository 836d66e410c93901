"""Which permissions of the persons one account works with end soon: ids alone, for the pages that ask for them.

What lives here: the statement and reading it. What does not: whether the account may read these Consents (they are
searched for through the gate), when she is told (``outbound.timers``).

Source: ``views.md`` 8 (the caseworker is told before a permission ends).
"""

import sqlalchemy as sa

from referral_hub.store import schema
from referral_hub.store.database import Database
from referral_hub.store.statements import Statement, constant, whole, words
from referral_hub.store.tables.assignments import ACTIVE

MOST = 51
"""So many are named at most."""
_g, _a, _r = schema.consent_grant, schema.case_assignment, schema.resource
_first_end = sa.func.min(_g.c.valid_until_us)

ENDING = Statement(
    "ending_permissions",
    sa.select(_g.c.consent_id, _first_end)
    .select_from(
        _a.join(_g, _g.c.person == _a.c.person).join(
            _r, sa.and_(_r.c.row_id == _g.c.consent, _r.c.author == _a.c.organization)
        )
    )
    .where(
        _a.c.account == words("account"),
        _a.c.state == constant(ACTIVE),
        _g.c.valid_until_us > whole("from_us"),
        _g.c.valid_until_us <= whole("until_us"),
    )
    .group_by(_g.c.consent_id)
    .order_by(_first_end, _g.c.consent_id)
    .limit(constant(MOST)),
)


def ending(database: Database, account: str, from_us: int, until_us: int) -> list[tuple[str, int]]:
    """Gives (Consent id, when its first permit ends) of permissions that end in a span, the next one first.

    Args:
        database: the database.
        account: who works with the persons.
        from_us, until_us: the span, microseconds UTC.
    """
    rows = database.run(ENDING, {"account": account, "from_us": from_us, "until_us": until_us})
    return [(row[0], row[1]) for row in rows]
