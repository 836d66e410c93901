"""What a recipient's software holds for one person, ended with the permission it stood on.

What lives here: the rows a withdrawal adds to its own Change. What does not: the tables (``store``), tokens of an
organisation as a whole, which stay valid and find nothing of her any more.

Source: ``consent.md`` D-32 and D-33; ``views.md`` 8; RFC 9396.
"""

from collections.abc import Iterable

from referral_hub.exchange.change import Row

STATEMENTS = ("oauth_family_end_person", "oauth_launch_end_person", "oauth_token_end_person")
"""In the order they are applied: an approval before the tokens that descend from it."""


def revoked_with(person: int, organizations: Iterable[str]) -> tuple[Row, ...]:
    """Gives the rows that end approvals, codes and tokens about one person at these recipients.

    Her own tokens, those with which she looks at her own record, stay.

    Args:
        person: the row id of the Patient.
        organizations: ids of the recipients.
    """
    return tuple(
        Row(statement, {"person": person, "organization": organization})
        for organization in sorted(set(organizations))
        for statement in STATEMENTS
    )
