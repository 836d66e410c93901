"""Organisations, their registered bases, and the software that speaks for them.

What lives here: tables and their indexes. What does not: their FHIR resources (``tables.resources``),
column kinds (``store.columns``).
"""

import sqlalchemy as sa

from referral_hub.store.columns import CLUSTERED, METADATA, blob, index, number, number_or_none, text

organization = sa.Table(
    "organization",
    METADATA,
    text("id", primary_key=True),
    number("version"),
    text("part_of"),
    text("ancestors"),
    text("kind"),
    number("governmental"),
    text("country"),
    number("active"),
    text("neutral_name"),
    text("name"),
    text("fhir_endpoint"),
    number("poll_seconds"),
    number("is_hub"),
    number("row_id"),
)
"""``ancestors``: the ids above it, nearest first; a move in the tree rewrites them and raises ``version``."""
index("organization_part_of", organization.c.part_of)

organization_base = sa.Table(
    "organization_base", METADATA, text("organization", primary_key=True), text("base_url", primary_key=True)
)

oauth_client = sa.Table(
    "oauth_client",
    METADATA,
    text("client_id", primary_key=True),
    number("version"),
    text("organization"),
    text("name"),
    text("kind"),
    text("jwks"),
    text("jwks_url"),
    text("secret_hash"),
    text("scope"),
    text("purposes"),
    text("redirect_uris"),
    number("require_dpop"),
    number("very_restricted"),
    number("active"),
    number("created_us"),
)

oauth_token = sa.Table(
    "oauth_token",
    METADATA,
    blob("digest", primary_key=True),
    number("version"),
    text("oauth_client"),
    text("organization"),
    text("scope"),
    text("purpose"),
    text("role"),
    text("user_id"),
    number("issued_us"),
    number("expires_us"),
    number("revoked"),
    number("very_restricted"),
    text("context"),
    text("account"),
    number_or_none("person"),
    text("patient"),
    text("binding"),
    text("jkt"),
    text("family"),
    **CLUSTERED,
)
"""``context``: system, user or patient. ``account``: who signed in. ``person`` and ``patient`` (row id and public
id): the one person the token is about, where it is about one. ``binding``: what a consent-bound token is bound to,
as JSON. ``jkt``: thumbprint of the key a DPoP token is bound to. ``family``: the approval it descends from."""
index("oauth_token_account", oauth_token.c.account, where=oauth_token.c.account != sa.literal_column("''"))
index("oauth_token_person", oauth_token.c.person, where=oauth_token.c.person.is_not(None))
index("oauth_token_family", oauth_token.c.family, where=oauth_token.c.family != sa.literal_column("''"))
index("oauth_token_client", oauth_token.c.oauth_client)
index("oauth_token_expires", oauth_token.c.expires_us)

oauth_jti = sa.Table(
    "oauth_jti",
    METADATA,
    text("oauth_client", primary_key=True),
    blob("jti", primary_key=True),
    number("expires_us"),
    **CLUSTERED,
)
index("oauth_jti_expires", oauth_jti.c.expires_us)
