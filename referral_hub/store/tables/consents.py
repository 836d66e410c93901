"""Persons, what referrals open, and what consents compile to: the rows every visibility join reads.

What lives here: tables and their indexes. What does not: the resources themselves (``tables.resources``),
column kinds (``store.columns``).
"""

import sqlalchemy as sa

from referral_hub.store.columns import (
    CLUSTERED,
    METADATA,
    index,
    number,
    number_or_none,
    row_key,
    text,
    text_or_none,
)

person = sa.Table("person", METADATA, row_key(), number("epoch"), text_or_none("key"))
"""One row per Patient: the consent epoch, and the name of the data key (NULL once it was destroyed)."""

referral_access = sa.Table(
    "referral_access",
    METADATA,
    number("task", primary_key=True, autoincrement=False),
    text("organization", primary_key=True),
    number("back", primary_key=True, autoincrement=False),
    number_or_none("person"),
    number_or_none("service_request"),
    text("level"),
    number_or_none("until_us"),
    number("nameless"),
    number("accepted"),
    **CLUSTERED,
)
index("referral_access_person", referral_access.c.person, where=referral_access.c.person.is_not(None))
index(
    "referral_access_organization",
    referral_access.c.organization,
    referral_access.c.person,
    referral_access.c.service_request,
)
index(
    "referral_access_request",
    referral_access.c.service_request,
    referral_access.c.organization,
    where=referral_access.c.service_request.is_not(None),
)

consent_grant = sa.Table(
    "consent_grant",
    METADATA,
    text("organization", primary_key=True),
    number("person", primary_key=True, autoincrement=False),
    text("purpose", primary_key=True),
    text("category", primary_key=True),
    text("resource", primary_key=True),
    number("consent", primary_key=True, autoincrement=False),
    number("position", primary_key=True, autoincrement=False),
    text("consent_id"),
    text("consent_version"),
    number("very_restricted"),
    number("valid_from_us"),
    number("valid_until_us"),
    number_or_none("data_from_us"),
    number_or_none("data_until_us"),
    **CLUSTERED,
)
index("consent_grant_consent", consent_grant.c.consent)
index("consent_grant_person", consent_grant.c.person)

refusal = sa.Table(
    "refusal",
    METADATA,
    number("person", primary_key=True, autoincrement=False),
    text("target", primary_key=True),
    number("consent", primary_key=True, autoincrement=False),
    number("position", primary_key=True, autoincrement=False),
    text("purpose"),
    text("category"),
    text("resource"),
    text("at_least"),
    number_or_none("valid_from_us"),
    number_or_none("valid_until_us"),
    **CLUSTERED,
)
index("refusal_consent", refusal.c.consent)

refusal_exception = sa.Table(
    "refusal_exception",
    METADATA,
    number("person", primary_key=True, autoincrement=False),
    text("organization", primary_key=True),
    number("consent", primary_key=True, autoincrement=False),
    number("position", primary_key=True, autoincrement=False),
    text("purpose"),
    text("resource"),
    number_or_none("valid_from_us"),
    number_or_none("valid_until_us"),
    **CLUSTERED,
)
index("refusal_exception_consent", refusal_exception.c.consent)
