"""Accounts of people, their browser sessions, and what they sign in with.

What lives here: tables and their indexes. What does not: tokens (``tables.organizations``), column kinds
(``store.columns``).

No column shows a login, a code or a secret: logins and codes are keyed digests, secrets are sealed under the key of
the hub, cookies are SHA-256.
"""

import sqlalchemy as sa

from referral_hub.store.columns import CLUSTERED, METADATA, blob, index, number, number_or_none, text

_NONE: sa.ColumnElement[str] = sa.literal_column("''")

account = sa.Table(
    "account",
    METADATA,
    text("id", primary_key=True),
    number("version"),
    text("organization"),
    text("kind"),
    text("role"),
    text("practitioner"),
    number_or_none("person"),
    text("patient"),
    text("state"),
    text("password_hash"),
    number("password_us"),
    number("one_time"),
    number("one_time_until_us"),
    number("trained_until_us"),
    text("authorised_by"),
    number("on_call_from_us"),
    number("on_call_until_us"),
    number("unlocked_until_us"),
    number("my_set_up_us"),
    number("created_us"),
    number("removed_us"),
    text("login_digest"),
    blob("login"),
    text("code_digest"),
    text("given_by", server_default=""),
)
"""``login_digest`` and ``code_digest`` are empty where there is none, and once the account is removed.
``given_by``: the account that last handed out its one-time password."""
index("account_login", account.c.login_digest, unique=True, where=account.c.login_digest != _NONE)
index("account_code", account.c.code_digest, unique=True, where=account.c.code_digest != _NONE)
index("account_organization", account.c.organization)
index("account_person", account.c.person, where=account.c.person.is_not(None))

account_factor = sa.Table(
    "account_factor",
    METADATA,
    text("id", primary_key=True),
    text("account"),
    text("kind"),
    blob("handle"),
    blob("secret"),
    number("counter"),
    blob("label"),
    number("created_us"),
    number("used_us"),
)
"""``handle`` finds it: the digest of a passkey's credential id, of a recovery code, of the account for a TOTP."""
index("account_factor_handle", account_factor.c.kind, account_factor.c.handle, unique=True)
index("account_factor_account", account_factor.c.account)

browser_session = sa.Table(
    "browser_session",
    METADATA,
    blob("digest", primary_key=True),
    text("account"),
    number("created_us"),
    number("signed_in_us"),
    number("confirmed_us"),
    number("seen_us"),
    number("idle_us"),
    number("ends_us"),
    text("methods"),
    text("device"),
    **CLUSTERED,
)
index("browser_session_account", browser_session.c.account)
index("browser_session_ends", browser_session.c.ends_us)

known_device = sa.Table(
    "known_device",
    METADATA,
    blob("digest", primary_key=True),
    text("account", primary_key=True),
    number("created_us"),
    number("used_us"),
    number("expires_us"),
    **CLUSTERED,
)
index("known_device_account", known_device.c.account)
index("known_device_expires", known_device.c.expires_us)

sign_in_ticket = sa.Table(
    "sign_in_ticket",
    METADATA,
    blob("digest", primary_key=True),
    number("expires_us"),
    **CLUSTERED,
)
"""Steps of a sign-in that were answered: a ticket is sealed and given to the browser, and counts once."""
index("sign_in_ticket_expires", sign_in_ticket.c.expires_us)

sign_in_attempts = sa.Table(
    "sign_in_attempts",
    METADATA,
    text("key", primary_key=True),
    number("failures"),
    number("last_us"),
    number("next_us"),
    **CLUSTERED,
)
index("sign_in_attempts_last", sign_in_attempts.c.last_us)

identity_provider = sa.Table(
    "identity_provider",
    METADATA,
    text("id", primary_key=True),
    text("organization"),
    text("issuer"),
    text("client_id"),
    blob("secret"),
    text("name"),
    text("origin"),
    number("active"),
)
index("identity_provider_organization", identity_provider.c.organization)

account_identity = sa.Table(
    "account_identity",
    METADATA,
    text("provider", primary_key=True),
    text("subject", primary_key=True),
    text("account"),
    number("created_us"),
    **CLUSTERED,
)
index("account_identity_account", account_identity.c.account)
