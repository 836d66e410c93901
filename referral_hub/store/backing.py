"""Which FHIR types have something behind them for an organisation, so that a token may be scoped to them.

What lives here: one statement and its reading. What does not: the granting of scopes (``auth``, ``access.scopes``).

Source: ``views.md`` 7 (other types only where a live release or own data backs them).
"""

import sqlalchemy as sa

from referral_hub.resources.catalog import DEFINITIONS
from referral_hub.store import schema
from referral_hub.store.database import Database
from referral_hub.store.statements import Statement, constant, whole, words

_r = schema.resource
_g = schema.consent_grant
_ONE: sa.ColumnElement[int] = sa.literal_column("1")
RELEASED = ""
"""Stands, among the types found, for a live release."""

_authored = [
    sa.select(constant(name).label("backed")).where(
        sa.exists(_ONE).where(
            _r.c.type == constant(name), _r.c.author == words("organization"), _r.c.deleted == constant(0)
        )
    )
    for name in sorted(DEFINITIONS)
]
_released = sa.select(constant(RELEASED).label("backed")).where(
    sa.exists(_ONE).where(
        _g.c.organization == words("organization"),
        _g.c.purpose == words("purpose"),
        _g.c.valid_from_us <= whole("at_us"),
        _g.c.valid_until_us > whole("at_us"),
    )
)
BACKED = Statement("backed_types", sa.union_all(*_authored, _released))

ABOUT_PERSONS = frozenset(name for name, definition in DEFINITIONS.items() if definition.about_person)


class BackedTypes:
    """Tells which types have something behind them.

    Args:
        database: where it is looked up.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def backed_types(self, organization: str, purpose: str, at_us: int) -> frozenset[str]:
        """Gives the types the organisation authored, or that a live release may open to it for this purpose.

        A live release backs every type about persons: what it opens is decided row by row, not here.
        """
        found = {
            name
            for (name,) in self._database.run(
                BACKED, {"organization": organization, "purpose": purpose, "at_us": at_us}
            )
        }
        if RELEASED in found:
            found |= ABOUT_PERSONS
        if "Patient" in found:
            # The audit of an organisation's own persons is rendered from audit rows and never stored.
            found.add("AuditEvent")
        return frozenset(found - {RELEASED})
