"""Versions in the order they were made: the history of what an organisation wrote of a type.

What lives here: one statement, and its forms for callers who do not see all of it. What does not: the versions of one
resource (``store.view_queries``), who may have which (``exchange.histories``).

It walks the index of versions by type, author and time and stops after one page.

Source: ``views.md`` 5; ``consent.md`` S-06; FHIR R4 http.html#history.
"""

from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from referral_hub.store import schema
from referral_hub.store.lens import Lens
from referral_hub.store.reach_sql import within
from referral_hub.store.referral_filter import Condition
from referral_hub.store.row_making import resource_columns
from referral_hub.store.statements import Statement, constant, whole, words

_v = schema.resource_version
_next = schema.resource_version.alias("following")
_replaced = sa.exists(sa.literal_column("1")).where(
    _next.c.row_id == _v.c.row_id,
    _next.c.number == _v.c.number + constant(1),
    _next.c.updated_us <= whole("replaced_us"),
)


def _authored(*within: Condition) -> Any:
    return (
        sa.select(*resource_columns(_v))
        .where(
            _v.c.type == words("type"),
            _v.c.author == words("author"),
            _v.c.updated_us >= whole("since_us"),
            _v.c.updated_us < whole("before_us"),
            sa.tuple_(_v.c.updated_us, _v.c.row_id) < sa.tuple_(whole("key"), whole("row")),
            sa.or_(_v.c.deleted == constant(0), _v.c.updated_us >= whole("replaced_us")),
            ~_replaced,
            *within,
        )
        .order_by(_v.c.updated_us.desc(), _v.c.row_id.desc())
        .limit(whole("limit"))
    )


AUTHORED = Statement("versions_authored", _authored())
"""A version replaced at or before ``replaced_us``, or a deletion before it, was not current afterwards."""


@lru_cache(maxsize=256)
def authored_within(type_name: str, lens: Lens) -> Statement:
    """Gives the same for a caller who does not see all that its organisation wrote."""
    return Statement(f"versions_authored_{type_name}", _authored(*within(type_name, _v, lens)))
