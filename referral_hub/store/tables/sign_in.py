"""People who let software act for them: approvals, codes, refresh tokens, requests sent ahead, launches.

What lives here: tables and their indexes. What does not: accounts and browser sessions, access tokens
(``store.tables.organizations``), column kinds (``store.columns``). Codes, tokens and handles are kept as SHA-256.
"""

import sqlalchemy as sa

from referral_hub.store.columns import CLUSTERED, METADATA, blob, index, number, number_or_none, text

oauth_app = sa.Table(
    "oauth_app",
    METADATA,
    text("client_id", primary_key=True),
    text("launch_url"),
    number("require_par"),
    **CLUSTERED,
)
"""What only software has that people sign in with; its addresses to return to stand in ``oauth_client``."""

oauth_approval = sa.Table(
    "oauth_approval",
    METADATA,
    text("account", primary_key=True),
    text("oauth_client", primary_key=True),
    text("scope"),
    number("approved_us"),
    **CLUSTERED,
)
"""What an account approved once and need not be asked again for the same software and scope."""

oauth_family = sa.Table(
    "oauth_family",
    METADATA,
    text("family", primary_key=True),
    text("oauth_client"),
    text("organization"),
    text("account"),
    text("context"),
    number_or_none("person"),
    text("patient"),
    text("scope"),
    text("purpose"),
    text("role"),
    text("fhir_user"),
    text("task"),
    number("very_restricted"),
    number("auth_us"),
    text("acr"),
    text("amr"),
    text("lasting"),
    text("jkt"),
    number("created_us"),
    number("used_us"),
    number("ends_us"),
    number("revoked"),
)
"""One approval and all that came of it; ``used_us`` is 0 until it gave a token."""
index("oauth_family_account", oauth_family.c.account, oauth_family.c.oauth_client)
index("oauth_family_client", oauth_family.c.oauth_client)
index("oauth_family_person", oauth_family.c.person, where=oauth_family.c.person.is_not(None))
index("oauth_family_ends", oauth_family.c.ends_us)

oauth_code = sa.Table(
    "oauth_code",
    METADATA,
    blob("digest", primary_key=True),
    text("family"),
    text("redirect_uri"),
    text("challenge"),
    text("nonce"),
    number("expires_us"),
    number("used"),
    **CLUSTERED,
)
index("oauth_code_expires", oauth_code.c.expires_us)

oauth_refresh = sa.Table(
    "oauth_refresh",
    METADATA,
    blob("digest", primary_key=True),
    text("family"),
    number("issued_us"),
    number("expires_us"),
    number("used"),
    **CLUSTERED,
)
"""Used ones stay until their family ends: a second use of one ends the family."""
index("oauth_refresh_expires", oauth_refresh.c.expires_us)

oauth_pushed = sa.Table(
    "oauth_pushed",
    METADATA,
    blob("digest", primary_key=True),
    text("oauth_client"),
    text("request"),
    number("expires_us"),
    **CLUSTERED,
)
index("oauth_pushed_expires", oauth_pushed.c.expires_us)

oauth_launch = sa.Table(
    "oauth_launch",
    METADATA,
    blob("digest", primary_key=True),
    text("oauth_client"),
    text("account"),
    text("organization"),
    number_or_none("person"),
    text("patient"),
    text("task"),
    number("expires_us"),
    **CLUSTERED,
)
index("oauth_launch_expires", oauth_launch.c.expires_us)
index("oauth_launch_person", oauth_launch.c.person, where=oauth_launch.c.person.is_not(None))
