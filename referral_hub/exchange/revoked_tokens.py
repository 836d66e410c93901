"""What a recipient's software holds for one person, ended with the permission it stood on.

What lives here: the rows a withdrawal adds to its own Change. What does not: the tables (``store``), tokens of an
organisation as a whole, which stay valid and find nothing of her any more.

Source: ``consent.md`` D-32 and D-33; ``views.md`` 8; RFC 9396.
"""

from collections.abc import Iterable

from referral_hub.exchange.change import Row

STATEMENTS = (
    "oauth_family_end_person",
    "oauth_launch_end_person",
    "oauth_token_end_person",
    "portal_link_end_person",
)
"""In the order they are applied: an approval before the tokens that descend from it; and links without an account."""


def revoked_with(person: int, organizations: Iterable[str]) -> tuple[Row, ...]:
    """Gives the rows that end approvals, codes, tokens and links about one person at these recipients.

    Her own tokens, those with which she looks at her own record, stay. Referrals about her that somebody is still
    writing go: they were thought out with a permission that is no more.

    Args:
        person: the row id of the Patient.
        organizations: ids of the recipients.
    """
    ended = (
        Row(statement, {"person": person, "organization": organization})
        for organization in sorted(set(organizations))
        for statement in STATEMENTS
    )
    return (*ended, Row("portal_draft_end_person", {"person": person}))
