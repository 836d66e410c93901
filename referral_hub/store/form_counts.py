"""How many Consents run under one version of the form: a number alone, never a person.

What lives here: the statement and reading it. What does not: who is told (``casework.form_counts``).

Source: ``consent.md`` C-34; ``practice.md`` 12.
"""

import sqlalchemy as sa

from referral_hub.store import schema
from referral_hub.store.database import Connection
from referral_hub.store.statements import Statement, constant, whole

_r, _t = schema.resource, schema.index_token

FORM_COUNT = Statement(
    "form_count",
    sa.select(sa.func.count())
    .select_from(_t.join(_r, _r.c.row_id == _t.c.row_id))
    .where(
        _t.c.hash == whole("hash"),
        _r.c.type == constant("Consent"),
        _r.c.status == constant("active"),
        _r.c.deleted == constant(0),
    ),
)


def form_count(connection: Connection, form: int) -> int:
    """Gives how many active Consents name a form.

    Args:
        connection: inside a read transaction.
        form: the digest by which Consents of this form are found.
    """
    [row] = connection.run(FORM_COUNT, {"hash": form})
    return int(row[0])
