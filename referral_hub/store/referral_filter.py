"""What the state of referrals opens to a caller, as SQL conditions on referral_access.

What lives here: conditions on the rows beside Tasks. What does not: what consents say
(``store.consent_filter``), and how the two together make rows visible (``store.visibility_sql``).

The caller is the parameters ``organization`` and ``at_us`` of the statement.

Source: ``views.md`` 1; ``access.views.cells_of``, which says the same of one row.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from referral_hub.store import schema
from referral_hub.store.statements import constant, whole, words

Condition = ColumnElement[bool]
Rows = sa.FromClause
"""``schema.resource`` or an alias of it."""

REFERRAL_LINKS = {"ServiceRequest": "service_request", "Patient": "person"}
"""The column of referral_access that leads to the row, beside ``task``."""

_NO = constant(0)
_YES = constant(1)
_ONE: ColumnElement[int] = sa.literal_column("1")


def meets(inner: "ColumnElement[Any]", outer: "ColumnElement[Any]") -> Condition:
    """Gives that two columns are the same, in a way that PostgreSQL looks up row by row.

    A bare equality inside EXISTS it may answer by a table of everything the caller has, made anew for each search:
    the time would grow with the caller's past and not with the page.
    """
    return sa.and_(inner == outer, inner <= outer)


def of_task(r: Rows, *, shown: bool = False, nameless: bool = False, full: bool = False) -> Condition:
    """The caller's own row of the Task; with ``shown`` one that is not a history card (yet)."""
    access, mine = _accesses()
    conditions = [mine, meets(access.c.task, r.c.row_id), access.c.back == _NO]
    if shown:
        conditions += [access.c.level != constant("history"), _not_past(access)]
    if nameless:
        conditions.append(access.c.nameless == _YES)
    if full:
        conditions.append(access.c.level == constant("full"))
    return sa.exists(_ONE).where(*conditions).correlate(r)


def of_referral(type_name: str, r: Rows, *, nameless: bool = False, full: bool = False) -> Condition:
    """A referral of this ServiceRequest or Patient that the caller still has before it."""
    access, mine = _accesses()
    conditions = [
        mine,
        meets(access.c[REFERRAL_LINKS[type_name]], r.c.row_id),
        access.c.back == _NO,
        access.c.level == constant("full") if full else access.c.level != constant("history"),
        _not_past(access),
    ]
    if nameless:
        conditions.append(access.c.nameless == _YES)
    return sa.exists(_ONE).where(*conditions).correlate(r)


def of_person(r: Rows, *, back: bool) -> Condition:
    """A referral of this person that is open in full; with ``back`` the caller's own one counts as such."""
    access, mine = _accesses()
    full = sa.and_(
        access.c.level == constant("full"), _not_past(access), access.c.back == _NO, access.c.nameless == _NO
    )
    if back:
        full = sa.or_(full, access.c.back == _YES)
    return sa.exists(_ONE).where(mine, meets(access.c.person, r.c.person), full).correlate(r)


def answer_without_name(r: Rows) -> Condition:
    """The caller's own no-name referral: it reads all of the answer, which carries no personal data."""
    access, mine = _accesses()
    return (
        sa.exists(_ONE)
        .where(mine, meets(access.c.person, r.c.person), access.c.back == _YES, access.c.nameless == _YES)
        .correlate(r)
    )


def accepted(type_name: str, r: Rows) -> Condition:
    """A referral of this Task, ServiceRequest or Patient that the caller accepted and has in full."""
    access, mine = _accesses()
    link = access.c.task if type_name == "Task" else access.c[REFERRAL_LINKS[type_name]]
    return (
        sa.exists(_ONE)
        .where(
            mine,
            meets(link, r.c.row_id),
            access.c.back == _NO,
            access.c.accepted == _YES,
            access.c.level == constant("full"),
        )
        .correlate(r)
    )


def kept_by_recipient(r: Rows) -> Condition:
    """The caller accepted a referral of the person: what it keeps about her for others is open to it.

    Source: ``views.md`` 9 (the custodian of a return release reads it only from ``accepted`` on).
    """
    access, mine = _accesses()
    return (
        sa.exists(_ONE)
        .where(
            mine,
            meets(access.c.person, r.c.person),
            access.c.back == _NO,
            access.c.accepted == _YES,
            access.c.level == constant("full"),
        )
        .correlate(r)
    )


def reached(type_name: str) -> "sa.Select[Any]":
    """Gives the row ids (other types: of persons) to which a referral still open leads the caller."""
    access, mine = _accesses()
    link = access.c[REFERRAL_LINKS.get(type_name, "person")]
    open_still = sa.and_(access.c.level != constant("history"), _not_past(access))
    if type_name in REFERRAL_LINKS:
        # The caller's own referrals lead it to no request and no person of others.
        return sa.select(link).where(mine, link.is_not(None), open_still, access.c.back == _NO)
    return sa.select(link).where(mine, link.is_not(None), sa.or_(open_still, access.c.back == _YES))


def _accesses() -> tuple[sa.FromClause, Condition]:
    access = schema.referral_access.alias()
    return access, access.c.organization == words("organization")


def _not_past(access: sa.FromClause) -> Condition:
    return sa.or_(access.c.until_us.is_(None), access.c.until_us > whole("at_us"))
