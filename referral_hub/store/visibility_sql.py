"""Which rows a caller's search may find, and on which of them it sees the element that is asked about.

What lives here: the rules by type as one SQL condition each, so that LIMIT, counts, sorts and includes see
only what is visible. What does not: what consents say (``store.consent_filter``), what the state of a
referral opens (``store.referral_filter``), the search itself (``store.search_sql``), the second line of
defence on each row (``exchange.gate``).

All conditions speak of rows that the caller did not write; its own it reads verbatim.

Source: ``views.md`` 1, 5 and 9; ``consent.md`` S-07 to S-13.
"""

import sqlalchemy as sa

from referral_hub.store import consent_filter as consents
from referral_hub.store import referral_filter as referrals
from referral_hub.store.lens import PLAIN, Lens
from referral_hub.store.referral_filter import REFERRAL_LINKS, Condition, Rows
from referral_hub.store.statements import constant, words

_NO = constant(0)

CARD_HIDES = frozenset({"patient", "subject", "focus"})
"""Parameters of elements that a Task shows in N or F only: cards K and H have no ``for``, no ``focus``."""
HISTORY_HIDES = frozenset({"business-status"})
"""Parameters of elements that card H lacks as well."""
SKELETON_SHOWS = frozenset({"patient", "subject"})
"""Parameters of elements that even the skeleton of a very restricted record shows."""
CONTENT = "content"
"""Stands for every parameter of an element that such a skeleton lacks."""
AUTHOR_LACKS = frozenset({"output"})
"""Parameters of Task elements that the recipient writes and its requester sees by a return release only."""


def custodian(r: Rows) -> Condition:
    """Holds for a Consent another organisation wrote and the caller keeps, once it accepted her referral."""
    return sa.and_(
        r.c.custodian != constant(""),
        r.c.custodian == words("organization"),
        referrals.kept_by_recipient(r),
    )


def released(type_name: str, r: Rows, lens: Lens = PLAIN) -> Condition:
    """Holds for rows of a person, written by another, that the caller sees at least in part.

    Args:
        type_name: the FHIR type of the rows.
        r: the rows.
        lens: of the caller.
    """
    if type_name == "Task":
        return sa.and_(r.c.never_release == _NO, referrals.of_task(r))
    if type_name in REFERRAL_LINKS:
        return sa.and_(
            r.c.never_release == _NO,
            sa.or_(
                referrals.of_referral(type_name, r, nameless=True),
                sa.and_(referrals.of_referral(type_name, r), consents.notice_open(r, lens)),
            ),
        )
    if type_name == "Consent":
        return sa.and_(
            r.c.never_release == _NO,
            r.c.custodian != words("organization"),
            referrals.of_person(r, back=False),
            consents.grant_of_consent(r, lens),
            ~consents.refused(r, notice=True),
        )
    if type_name == "Binary":
        return sa.false()  # named through its DocumentReference: read, never searched for
    return sa.and_(
        r.c.never_release == _NO,
        r.c.category != constant("own"),
        sa.or_(
            sa.and_(referrals.of_person(r, back=True), consents.granted(r, lens=lens)),
            referrals.answer_without_name(r),
        ),
        ~consents.refused(r, notice=False),
    )


def element_shown(
    type_name: str, parameter: str, visibility: str, r: Rows, lens: Lens = PLAIN
) -> Condition | None:
    """Holds where the caller sees, on a visible row of another, the element a search parameter indexes.

    Args:
        type_name: the FHIR type.
        parameter: the search parameter where it is one of those above, :data:`CONTENT`, or empty.
        visibility: ``notice``, ``accepted``, ``full`` or ``self`` (``resources.definition.Visibility``).
        r: the rows, already known to be visible.
        lens: of the caller.

    Returns:
        the condition, or None where every visible row shows it.

    Source: ``views.md`` 5: a parameter matches a row only where this caller may see the element it indexes.
    """
    referral = type_name in ("Task", *REFERRAL_LINKS)
    if parameter == CONTENT and not referral and type_name != "Consent":
        open_in_full = sa.and_(
            consents.granted(r, as_very=True, lens=lens), ~consents.refused(r, notice=False, as_very=True)
        )
        return sa.or_(~consents.skeleton(r), open_in_full)
    if visibility == "accepted" and referral:
        return referrals.accepted(type_name, r)
    if visibility == "full" and referral:
        return _full(type_name, r, lens)
    if type_name == "Task" and parameter in CARD_HIDES:
        return sa.or_(
            referrals.of_task(r, shown=True, nameless=True),
            sa.and_(referrals.of_task(r, shown=True), consents.notice_open(r, lens)),
        )
    if type_name == "Task" and parameter in HISTORY_HIDES:
        return referrals.of_task(r, shown=True)
    return None


def _full(type_name: str, r: Rows, lens: Lens) -> Condition:
    """F on the category of the service: the referral is open in full and a grant names the category."""
    if type_name == "Task":
        nameless = referrals.of_task(r, shown=True, nameless=True)
        full = referrals.of_task(r, shown=True, full=True)
    else:
        nameless = referrals.of_referral(type_name, r, nameless=True)
        full = referrals.of_referral(type_name, r, full=True)
    plain = sa.and_(
        ~consents.skeleton(r), consents.category_granted(r, lens=lens), ~consents.refused(r, notice=False)
    )
    very = sa.and_(
        consents.skeleton(r),
        consents.category_granted(r, as_very=True, lens=lens),
        ~consents.refused(r, notice=False, as_very=True),
    )
    return sa.or_(nameless, sa.and_(full, sa.or_(plain, very)))
