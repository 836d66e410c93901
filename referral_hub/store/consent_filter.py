"""Which rows a caller's search may find: grants, refusals and referral_access as one SQL condition.

What lives here: the conditions, written once as SQLAlchemy Core for both databases, so that LIMIT, counts,
sorts and includes see only what is visible. What does not: their pure model (``access.grants.opened``),
which must say the same row by row, the decision itself (``access.decision``), and the searches that use
them (``store.search_sql``).

The caller is four parameters of every statement: ``organization``, ``purpose``, ``targets`` (the spellings
under which a refusal reaches it) and ``at_us``. Conditions take the resource table (or an alias of it) and
speak of rows that the caller did not write; its own need none.

Source: ``views.md`` 1, 5 and 9; ``consent.md`` 1.2, 5.4 and S-07 to S-13; ``access.views.cells_of``.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from referral_hub.store import schema
from referral_hub.store.columns import TEXT
from referral_hub.store.statements import constant, one_of, whole, words

Condition = ColumnElement[bool]
Rows = sa.FromClause
"""``schema.resource`` or an alias of it."""

NOTICE = constant("notice")
VERY_RESTRICTED = constant("very-restricted")
_EMPTY = constant("")
_NO = constant(0)
_YES = constant(1)
_ONE: ColumnElement[int] = sa.literal_column("1")
_SLASH = sa.literal_column("'/'", TEXT)
_REFERRAL_LINKS = {"ServiceRequest": "service_request", "Patient": "person"}

CARD_HIDES = frozenset({"patient", "subject", "focus"})
"""Parameters of elements that a Task shows in N or F only: cards K and H have no ``for``, no ``focus``."""
HISTORY_HIDES = frozenset({"business-status"})
"""Parameters of elements that card H lacks as well."""
AUTHOR_LACKS = frozenset({"output"})
"""Parameters of Task elements that the recipient writes and its requester sees by a return release only."""


def caller() -> dict[str, ColumnElement[Any]]:
    """Gives the parameters that say who asks, for what and when."""
    return {"organization": words("organization"), "purpose": words("purpose"), "at_us": whole("at_us")}


def own(r: Rows) -> Condition:
    """Holds for rows the caller's organisation wrote: it reads them verbatim, without consent."""
    return r.c.author == words("organization")


def custodian(r: Rows) -> Condition:
    """Holds for a Consent another organisation wrote and the caller keeps, once it accepted her referral.

    Source: ``views.md`` 9 (the return release: its custodian reads it only from ``accepted`` on).
    """
    access = schema.referral_access.alias()
    return sa.and_(
        r.c.custodian != _EMPTY,
        r.c.custodian == words("organization"),
        sa.exists(_ONE)
        .where(access.c.person == r.c.person, access.c.organization == words("organization"))
        .where(access.c.accepted == _YES, access.c.level == constant("full"), access.c.back == _NO)
        .correlate(r),
    )


def released(type_name: str, r: Rows) -> Condition:
    """Holds for rows of a person, written by another, that the caller sees at least in part.

    Args:
        type_name: the FHIR type of the rows.
        r: the rows.
    """
    if type_name == "Task":
        return sa.and_(r.c.never_release == _NO, _of_task(r))
    if type_name in _REFERRAL_LINKS:
        return sa.and_(
            r.c.never_release == _NO,
            sa.or_(_of_referral(type_name, r, nameless=True), _noticed(type_name, r)),
        )
    if type_name == "Consent":
        return sa.and_(
            r.c.never_release == _NO,
            r.c.custodian != words("organization"),
            _of_person(r, back=False),
            _grant_of_consent(r),
            ~refused(r, notice=True),
        )
    if type_name == "Binary":
        return sa.false()  # named through its DocumentReference: read, never searched for
    return sa.and_(
        r.c.never_release == _NO,
        r.c.category != constant("own"),
        sa.or_(
            sa.and_(_of_person(r, back=True), granted(r)),
            _answer_without_name(r),
        ),
        ~refused(r, notice=False),
    )


def element_shown(type_name: str, parameter: str, visibility: str, r: Rows) -> Condition | None:
    """Holds where the caller sees, on a visible row of another, the element a search parameter indexes.

    Args:
        type_name: the FHIR type.
        parameter: the search parameter.
        visibility: ``notice``, ``accepted``, ``full`` or ``self`` (``resources.definition.Visibility``).
        r: the rows, already known to be visible.

    Returns:
        the condition, or None where every visible row shows it.

    Source: ``views.md`` 5: a parameter matches a row only where this caller may see the element it indexes.
    """
    if visibility == "accepted":
        return _accepted(type_name, r)
    if visibility == "full":
        return _full(type_name, r)
    if type_name == "Task" and parameter in CARD_HIDES:
        return sa.or_(
            _of_task(r, shown=True, nameless=True), sa.and_(_of_task(r, shown=True), _notice_open(r))
        )
    if type_name == "Task" and parameter in HISTORY_HIDES:
        return _of_task(r, shown=True)
    return None


# --- grants and refusals -----------------------------------------------------------------------------------


def _grants(r: Rows) -> tuple[sa.FromClause, Condition]:
    grant = schema.consent_grant.alias()
    asked = caller()
    return grant, sa.and_(
        grant.c.organization == asked["organization"],
        grant.c.person == r.c.person,
        grant.c.purpose == asked["purpose"],
        grant.c.valid_from_us <= asked["at_us"],
        grant.c.valid_until_us > asked["at_us"],
    )


def granted(r: Rows) -> Condition:
    """Holds where a live grant opens the row: its category, or the row by name.

    What is very restricted needs a grant that says so. A grant bounded to a time opens only what tells of
    that time and says when.
    """
    grant, live = _grants(r)
    by_category = sa.and_(grant.c.resource == _EMPTY, grant.c.category == r.c.category)
    named = sa.and_(grant.c.resource != _EMPTY, grant.c.resource == name_of(r))
    inside = sa.and_(
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
    matching = sa.or_(by_category, named)
    return sa.exists(_ONE).where(live, matching, _high_enough(grant, r), inside).correlate(r)


def _category_granted(r: Rows) -> Condition:
    """A live grant opens the row's category, whatever the time it tells of: what F shows beyond N."""
    grant, live = _grants(r)
    by_category = sa.and_(grant.c.resource == _EMPTY, grant.c.category == r.c.category)
    return sa.exists(_ONE).where(live, by_category, _high_enough(grant, r), _unbounded(grant)).correlate(r)


def _high_enough(grant: sa.FromClause, r: Rows) -> Condition:
    return sa.or_(grant.c.very_restricted == _YES, ~_very_restricted(r))


def _unbounded(grant: sa.FromClause) -> Condition:
    return sa.and_(grant.c.data_from_us.is_(None), grant.c.data_until_us.is_(None))


def _notice_granted(r: Rows) -> Condition:
    grant, live = _grants(r)
    return sa.exists(_ONE).where(live, grant.c.category == NOTICE).correlate(r)


def _notice_open(r: Rows) -> Condition:
    return sa.and_(_notice_granted(r), ~refused(r, notice=True))


def _grant_of_consent(r: Rows) -> Condition:
    grant, live = _grants(r)
    return sa.exists(_ONE).where(live, grant.c.consent == r.c.row_id).correlate(r)


def refused(r: Rows, *, notice: bool) -> Condition:
    """Holds where a refusal of the person stops the caller, and no exception silences it.

    Args:
        r: the rows.
        notice: True where the bare notice is asked for: a refusal of some data only leaves it alone, and any
            exception for the caller's purpose lets it through, because the notice goes with the letter.
    """
    refusal = schema.refusal.alias()
    asked = caller()
    stops = [
        refusal.c.person == r.c.person,
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
            sa.or_(refusal.c.at_least != constant("V"), _very_restricted(r), unknown),
        ]
    return sa.exists(_ONE).where(*stops, ~_silenced(refusal, r, notice=notice)).correlate(r)


def _silenced(refusal: sa.FromClause, r: Rows, *, notice: bool) -> Condition:
    exception = schema.refusal_exception.alias()
    asked = caller()
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


def _very_restricted(r: Rows) -> Condition:
    return sa.or_(r.c.confidentiality != constant("R"), r.c.category == VERY_RESTRICTED)


# --- referral_access
# -----------------------------------------------------------------------------------------


def _accesses(*conditions: Condition) -> tuple[sa.FromClause, Condition]:
    access = schema.referral_access.alias()
    return access, sa.and_(access.c.organization == words("organization"), *conditions)


def _not_past(access: sa.FromClause) -> Condition:
    return sa.or_(access.c.until_us.is_(None), access.c.until_us > whole("at_us"))


def _of_task(r: Rows, *, shown: bool = False, nameless: bool = False, full: bool = False) -> Condition:
    """The caller's own row of the Task; with ``shown`` one that is not a history card (yet)."""
    access, mine = _accesses()
    conditions = [mine, access.c.task == r.c.row_id, access.c.back == _NO]
    if shown:
        conditions += [access.c.level != constant("history"), _not_past(access)]
    if nameless:
        conditions.append(access.c.nameless == _YES)
    if full:
        conditions.append(access.c.level == constant("full"))
    return sa.exists(_ONE).where(*conditions).correlate(r)


def _of_referral(type_name: str, r: Rows, *, nameless: bool = False, full: bool = False) -> Condition:
    """A referral of this ServiceRequest or Patient that the caller still has before it."""
    access, mine = _accesses()
    conditions = [
        mine,
        access.c[_REFERRAL_LINKS[type_name]] == r.c.row_id,
        access.c.back == _NO,
        access.c.level == constant("full") if full else access.c.level != constant("history"),
        _not_past(access),
    ]
    if nameless:
        conditions.append(access.c.nameless == _YES)
    return sa.exists(_ONE).where(*conditions).correlate(r)


def _noticed(type_name: str, r: Rows) -> Condition:
    return sa.and_(_of_referral(type_name, r), _notice_open(r))


def _of_person(r: Rows, *, back: bool) -> Condition:
    """A referral of this person that is open in full; with ``back`` the caller's own one counts as such."""
    access, mine = _accesses()
    full = sa.and_(
        access.c.level == constant("full"), _not_past(access), access.c.back == _NO, access.c.nameless == _NO
    )
    if back:
        full = sa.or_(full, access.c.back == _YES)
    return sa.exists(_ONE).where(mine, access.c.person == r.c.person, full).correlate(r)


def _answer_without_name(r: Rows) -> Condition:
    """The caller's own no-name referral: it reads all of the answer, which carries no personal data."""
    access, mine = _accesses()
    return (
        sa.exists(_ONE)
        .where(mine, access.c.person == r.c.person, access.c.back == _YES, access.c.nameless == _YES)
        .correlate(r)
    )


def _accepted(type_name: str, r: Rows) -> Condition | None:
    if type_name not in ("Task", "ServiceRequest", "Patient"):
        return None
    access, mine = _accesses()
    link = access.c.task if type_name == "Task" else access.c[_REFERRAL_LINKS[type_name]]
    return (
        sa.exists(_ONE)
        .where(
            mine,
            link == r.c.row_id,
            access.c.back == _NO,
            access.c.accepted == _YES,
            access.c.level == constant("full"),
        )
        .correlate(r)
    )


def _full(type_name: str, r: Rows) -> Condition | None:
    """F on the row's own category; other data of a person are visible only where that holds already."""
    if type_name == "Task":
        nameless = _of_task(r, shown=True, nameless=True)
        full = _of_task(r, shown=True, full=True)
    elif type_name in _REFERRAL_LINKS:
        nameless = _of_referral(type_name, r, nameless=True)
        full = _of_referral(type_name, r, full=True)
    else:
        return None
    return sa.or_(nameless, sa.and_(full, _category_granted(r), ~refused(r, notice=False)))
