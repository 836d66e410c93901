"""How far a caller sees within what its organisation sees, as SQL conditions.

What lives here: the lens of a caller, and the conditions that come beside those of the organisation. What does not: the
same question about one row (``access.reach``), which must agree row by row, and what the organisation sees
(``store.visibility_sql``).

Software that acts for its whole organisation has the plain lens: nothing is added to its statements. The account, the
person and what a token is bound to are parameters.

Source: ``views.md`` 9 (Roles inside an organisation); ``practice.md`` 12; ``consent.md`` D-07 and D-20.
"""

from typing import Any

import sqlalchemy as sa

from referral_hub.access.principal import Binding
from referral_hub.access.reach import Kind, Reach, is_staff_type
from referral_hub.exchange.search_plan import SearchPlan
from referral_hub.resources.catalog import DEFINITIONS
from referral_hub.store import consent_filter, schema
from referral_hub.store.lens import Lens
from referral_hub.store.referral_filter import REFERRAL_LINKS, Condition, Rows
from referral_hub.store.span_sql import Values
from referral_hub.store.statements import constant, whole, words
from referral_hub.store.tables.assignments import ACTIVE

_ONE: sa.ColumnElement[int] = sa.literal_column("1")


def lens_of(plan: SearchPlan) -> Lens:
    """Gives the lens of a search."""
    return lens_for(plan.reach, plan.binding, plan.at_us, very_restricted=plan.very_restricted)


def lens_for(reach: Reach | None, binding: Binding | None, at_us: int, *, very_restricted: bool) -> Lens:
    """Gives the lens of a caller at a moment: what it is bound to may be over."""
    if reach is None:
        return Lens(very=very_restricted)
    kind: Kind = "nothing" if binding is not None and binding.not_after_us <= at_us else reach.kind
    return Lens(kind, reach.person is not None, reach.bound, very_restricted)


def values_for(lens: Lens, reach: Reach | None, account: str, binding: Binding | None) -> Values:
    """Gives what the conditions of a lens are given."""
    found: Values = {}
    if reach is None or lens.kind in ("nothing", "directory"):
        return found
    if lens.person:
        found["reach_person"] = reach.person
    if lens.kind in ("assigned", "intake"):
        found["reach_account"] = account
    if lens.bound and binding is not None:
        found["bound_consents"] = [consent for consent, _ in binding.consents]
        found["bound_categories"] = sorted(binding.categories)
    return found


def within(type_name: str, r: Rows, lens: Lens) -> list[Condition]:
    """Gives the conditions on rows that lie within reach, beside those on what the organisation sees."""
    if lens.kind == "nothing":
        return [sa.false()]
    nobody = _about_nobody(type_name, r, lens)
    if lens.kind == "directory":
        return [sa.false() if nobody is None else nobody]
    hers: list[Condition] = []
    if lens.person:
        hers.append(r.c.person == whole("reach_person"))
    if lens.bound:
        hers.append(consent_filter.notice_open(r, lens))
    if lens.kind == "assigned":
        hers.append(_assigned(r))
    elif lens.kind == "intake":
        ways = [_assigned(r)]
        if type_name == "Task" or type_name in REFERRAL_LINKS:
            ways.append(_asked(type_name, r))
        hers.append(sa.or_(*ways))
    if not hers:
        return []
    if nobody is None:
        return [r.c.person.is_not(None), *hers]
    return [sa.or_(nobody, sa.and_(r.c.person.is_not(None), *hers))]


def _about_nobody(type_name: str, r: Rows, lens: Lens) -> Condition | None:
    """Rows about no person: the directory, and for staff what belongs to it. None where a type has no such rows."""
    declared = DEFINITIONS.get(type_name)
    if declared is not None and declared.about_person and not (declared.directory or declared.listed):
        return None
    if lens.kind not in ("directory", "herself") and is_staff_type(type_name):
        return r.c.person.is_(None)
    return sa.and_(r.c.person.is_(None), r.c.directory == constant(1))


def _assigned(r: Rows) -> Condition:
    held = schema.case_assignment.alias()
    return r.c.person.in_(
        sa.select(held.c.person).where(
            held.c.account == words("reach_account"), held.c.state == constant(ACTIVE)
        )
    )


def assigned_column(
    person: "sa.ColumnElement[Any]", account: "sa.ColumnElement[str]"
) -> "sa.ColumnElement[Any]":
    """Gives 1 where the person is assigned to the account, as a column of the statement that reads the row."""
    held = schema.case_assignment.alias()
    return (
        sa.select(_ONE)
        .where(held.c.account == account, held.c.person == person, held.c.state == constant(ACTIVE))
        .scalar_subquery()
    )


def _asked(type_name: str, r: Rows) -> Condition:
    """A referral to the organisation that it has not answered yet leads to the row."""
    access = schema.referral_access.alias()
    link = access.c.task if type_name == "Task" else access.c[REFERRAL_LINKS[type_name]]
    return sa.and_(
        r.c.author != words("organization"),
        sa.exists(_ONE)
        .where(
            access.c.organization == words("organization"),
            link == r.c.row_id,
            access.c.back == constant(0),
            access.c.accepted == constant(0),
            access.c.level != constant("history"),
        )
        .correlate(r),
    )
