"""What consents say to a caller, as SQL conditions on grants, refusals and exceptions.

What lives here: the conditions, written once as SQLAlchemy Core for both databases. What does not: their pure
model (``access.grants.opened``), which must say the same row by row, the decision itself
(``access.decision``), and how they make rows visible together with referrals (``store.visibility_sql``).

The caller is four parameters of every statement: ``organization``, ``purpose``, ``targets`` (the spellings
under which a refusal reaches it) and ``at_us``. Conditions take the resource table or an alias of it.

Source: ``consent.md`` 1.2 and 5.4; ``views.md`` 9.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from referral_hub.access.views import VERY_RESTRICTED_CATEGORIES
from referral_hub.store import schema
from referral_hub.store.columns import TEXT
from referral_hub.store.lens import PLAIN, Lens
from referral_hub.store.referral_filter import Condition, Rows, meets
from referral_hub.store.statements import constant, one_of, whole, words

NOTICE = constant("notice")
VERY_RESTRICTED = constant("very-restricted")
_EMPTY = constant("")
_YES = constant(1)
_ONE: ColumnElement[int] = sa.literal_column("1")
_SLASH = sa.literal_column("'/'", TEXT)


def _asked() -> dict[str, ColumnElement[Any]]:
    return {"organization": words("organization"), "purpose": words("purpose"), "at_us": whole("at_us")}


def _grants(r: Rows, lens: Lens) -> tuple[sa.FromClause, Condition]:
    grant = schema.consent_grant.alias()
    asked = _asked()
    return grant, sa.and_(
        *([one_of(grant.c.consent_id, "bound_consents")] if lens.bound else ()),
        grant.c.organization == asked["organization"],
        meets(grant.c.person, r.c.person),
        grant.c.purpose == asked["purpose"],
        grant.c.valid_from_us <= asked["at_us"],
        grant.c.valid_until_us > asked["at_us"],
    )


def granted(r: Rows, *, as_very: bool = False, lens: Lens = PLAIN) -> Condition:
    """Holds where a live grant opens the row: its category, or the row by name.

    What is very restricted needs a grant that says so. A grant bounded to a time opens only what tells of
    that time and says when.

    Args:
        r: the rows.
        as_very: True where what is very restricted in the row is asked for.
        lens: of the caller.
    """
    grant, live = _grants(r, lens)
    by_category = sa.and_(grant.c.resource == _EMPTY, grant.c.category == r.c.category)
    named = sa.and_(grant.c.resource != _EMPTY, grant.c.resource == name_of(r))
    found = sa.exists(_ONE).where(
        live,
        sa.or_(by_category, named),
        *_high_enough(grant, r, lens, as_very=as_very),
        inside(grant, r),
    )
    return found.correlate(r)


def _high_enough(grant: sa.FromClause, r: Rows, lens: Lens, *, as_very: bool) -> list[Condition]:
    """What is very restricted needs a grant that says so, and a token that it may come with."""
    very = grant.c.very_restricted == _YES if lens.very else sa.false()
    found: list[Condition] = [very if as_very else sa.or_(very, ~very_restricted(r))]
    if lens.bound:
        found.append(one_of(r.c.category, "bound_categories"))
    return found


def inside(grant: sa.FromClause, r: Rows) -> Condition:
    """The time a row tells of lies inside the one a grant is bounded to."""
    return sa.and_(
        sa.or_(_unbounded(grant), r.c.data_from_us.is_not(None) & r.c.data_until_us.is_not(None)),
        sa.or_(grant.c.data_from_us.is_(None), grant.c.data_from_us <= r.c.data_from_us),
        sa.or_(
            grant.c.data_until_us.is_(None),
            sa.and_(
                r.c.data_from_us < grant.c.data_until_us,
                r.c.data_until_us <= grant.c.data_until_us,
            ),
        ),
    )


def category_granted(r: Rows, *, as_very: bool = False, lens: Lens = PLAIN) -> Condition:
    """A live grant opens the row's category, whatever the time it tells of: what F shows beyond N."""
    grant, live = _grants(r, lens)
    by_category = sa.and_(grant.c.resource == _EMPTY, grant.c.category == r.c.category)
    high_enough = _high_enough(grant, r, lens, as_very=as_very)
    return sa.exists(_ONE).where(live, by_category, *high_enough, _unbounded(grant)).correlate(r)


def skeleton(r: Rows) -> Condition:
    """Holds for rows of which, without V, only that they are there is shown (``access.views``)."""
    return sa.or_(*(r.c.category == constant(name) for name in sorted(VERY_RESTRICTED_CATEGORIES)))


def _unbounded(grant: sa.FromClause) -> Condition:
    return sa.and_(grant.c.data_from_us.is_(None), grant.c.data_until_us.is_(None))


def _notice_granted(r: Rows, lens: Lens) -> Condition:
    grant, live = _grants(r, lens)
    return sa.exists(_ONE).where(live, grant.c.category == NOTICE).correlate(r)


def notice_open(r: Rows, lens: Lens = PLAIN) -> Condition:
    """Holds where a live release opens the bare notice and no refusal stops it."""
    return sa.and_(_notice_granted(r, lens), ~refused(r, notice=True))


def grant_of_consent(r: Rows, lens: Lens = PLAIN) -> Condition:
    """Holds for a Consent of which a grant to the caller is live."""
    grant, live = _grants(r, lens)
    return sa.exists(_ONE).where(live, grant.c.consent == r.c.row_id).correlate(r)


def refused(r: Rows, *, notice: bool, as_very: bool = False) -> Condition:
    """Holds where a refusal of the person stops the caller, and no exception silences it.

    Args:
        r: the rows.
        notice: True where the bare notice is asked for: a refusal of some data only leaves it alone, and any
            exception for the caller's purpose lets it through, because the notice goes with the letter.
        as_very: True where what is very restricted in the row is asked for.
    """
    refusal = schema.refusal.alias()
    asked = _asked()
    stops = [
        meets(refusal.c.person, r.c.person),
        one_of(refusal.c.target, "targets"),
        sa.or_(
            refusal.c.purpose == _EMPTY,
            refusal.c.purpose == asked["purpose"],
            asked["purpose"] == _EMPTY,
        ),
        *_within(refusal, asked["at_us"]),
    ]
    if notice:
        stops += [
            refusal.c.category == _EMPTY,
            refusal.c.resource == _EMPTY,
            refusal.c.at_least != constant("V"),
        ]
    else:
        unknown = sa.or_(r.c.category == VERY_RESTRICTED, r.c.category == _EMPTY)
        stops += [
            sa.or_(refusal.c.category == _EMPTY, refusal.c.category == r.c.category, unknown),
            sa.or_(refusal.c.resource == _EMPTY, refusal.c.resource == name_of(r)),
            sa.true()
            if as_very
            else sa.or_(refusal.c.at_least != constant("V"), very_restricted(r), unknown),
        ]
    return sa.exists(_ONE).where(*stops, ~_silenced(refusal, r, notice=notice)).correlate(r)


def _silenced(refusal: sa.FromClause, r: Rows, *, notice: bool) -> Condition:
    exception = schema.refusal_exception.alias()
    asked = _asked()
    matches = [
        exception.c.person == refusal.c.person,
        exception.c.organization == asked["organization"],
        exception.c.consent == refusal.c.consent,
        exception.c.purpose == asked["purpose"],
        *_within(exception, asked["at_us"]),
    ]
    if not notice:
        matches.append(exception.c.resource == name_of(r))
    return sa.exists(_ONE).where(*matches).correlate(refusal, r)


def _within(rows: sa.FromClause, at_us: ColumnElement[Any]) -> tuple[Condition, Condition]:
    return (
        sa.or_(rows.c.valid_from_us.is_(None), rows.c.valid_from_us <= at_us),
        sa.or_(rows.c.valid_until_us.is_(None), rows.c.valid_until_us > at_us),
    )


def name_of(r: Rows) -> ColumnElement[str]:
    """Gives ``Type/id``, the spelling under which a consent names a single instance."""
    return r.c.type.concat(_SLASH).concat(r.c.id)


def very_restricted(r: Rows) -> Condition:
    """Holds for rows that are very restricted as a whole."""
    return sa.or_(r.c.confidentiality != constant("R"), r.c.category == VERY_RESTRICTED)
