"""The writes of accounts and sign-in: each a named statement of a Change.

What lives here: SQL that adds, changes and ends accounts, browser sessions, factors, devices, tickets, attempts and
links to outside providers. What does not: reading and sealing (``store.accounts``), when each is used
(``auth.people``).

Source: ``engine.md`` 1 (one transaction, guards first) and 5.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as upsert

from referral_hub.store import schema
from referral_hub.store.statements import WRITES, constant, octets, whole, words
from referral_hub.store.write_statements import insert_ignoring, insert_or_replace

_ACCOUNT, _FACTOR, _SESSION = schema.account, schema.account_factor, schema.browser_session
_DEVICE, _TICKET, _ATTEMPTS = schema.known_device, schema.sign_in_ticket, schema.sign_in_attempts
_PROVIDER, _IDENTITY, _TOKEN = schema.identity_provider, schema.account_identity, schema.oauth_token

NEVER_CHANGED = frozenset(
    {"id", "version", "kind", "person", "patient", "created_us", "login_digest", "login", "code_digest"}
)
_seen = (_ACCOUNT.c.id == words("id"), _ACCOUNT.c.version == whole("seen_version"))


def _all(table: sa.Table, **fixed: Any) -> dict[str, Any]:
    return {**{c.name: sa.bindparam(c.name, type_=c.type) for c in table.c}, **fixed}


# --- accounts --------------------------------------------------------------------------------------------

# A login or a code that another account has conflicts with it too, and then nothing is inserted.
WRITES.add(
    "account_insert", upsert(_ACCOUNT).values(_all(_ACCOUNT, version=constant(1))).on_conflict_do_nothing()
)
WRITES.add(
    "account_put",
    sa.update(_ACCOUNT)
    .where(*_seen)
    .values(
        {
            **{c.name: sa.bindparam(c.name, type_=c.type) for c in _ACCOUNT.c if c.name not in NEVER_CHANGED},
            "version": _ACCOUNT.c.version + constant(1),
        }
    ),
)
WRITES.add("account_unchanged", sa.update(_ACCOUNT).where(*_seen).values(version=_ACCOUNT.c.version))
WRITES.add(
    "account_set_code",
    sa.update(_ACCOUNT).where(_ACCOUNT.c.id == words("id")).values(code_digest=words("code_digest")),
)
WRITES.add(
    "account_forget_login",
    sa.update(_ACCOUNT)
    .where(_ACCOUNT.c.id == words("id"))
    .values(login_digest=constant(""), code_digest=constant("")),
)

# --- browser sessions --------------------------------------------------

WRITES.add("browser_session_insert", sa.insert(_SESSION).values(_all(_SESSION)))
WRITES.add(
    "browser_session_seen",
    sa.update(_SESSION)
    .where(_SESSION.c.digest == octets("digest"), _SESSION.c.seen_us < whole("seen_us"))
    .values(seen_us=whole("seen_us")),
)
WRITES.add(
    "browser_session_confirm",
    sa.update(_SESSION)
    .where(_SESSION.c.digest == octets("digest"))
    .values(confirmed_us=whole("confirmed_us")),
)
WRITES.add("browser_session_end", sa.delete(_SESSION).where(_SESSION.c.digest == octets("digest")))
WRITES.add("browser_session_end_all", sa.delete(_SESSION).where(_SESSION.c.account == words("account")))
WRITES.add(
    "browser_session_end_others",
    sa.delete(_SESSION).where(_SESSION.c.account == words("account"), _SESSION.c.digest != octets("digest")),
)
WRITES.add("browser_session_prune", sa.delete(_SESSION).where(_SESSION.c.ends_us < whole("before_us")))

# --- contact with a person is lost: rows of the Change that says so ------------------------

WRITES.add(
    "account_pause_person",
    sa.update(_ACCOUNT)
    .where(_ACCOUNT.c.person == whole("person"), _ACCOUNT.c.state == constant("active"))
    .values(
        state=constant("paused"),
        my_set_up_us=constant(0),
        password_hash=constant(""),
        version=_ACCOUNT.c.version + constant(1),
    ),
)
WRITES.add(
    "browser_session_end_person",
    sa.delete(_SESSION).where(
        _SESSION.c.account.in_(sa.select(_ACCOUNT.c.id).where(_ACCOUNT.c.person == whole("person")))
    ),
)
WRITES.add(
    "oauth_token_end_own",
    sa.update(_TOKEN)
    .where(
        _TOKEN.c.account.in_(sa.select(_ACCOUNT.c.id).where(_ACCOUNT.c.person == whole("person"))),
        _TOKEN.c.revoked == constant(0),
    )
    .values(revoked=constant(1), version=_TOKEN.c.version + constant(1)),
)

# --- devices ---------------------------------------------------------------------------------------------

WRITES.add("known_device_put", insert_or_replace(_DEVICE, "digest", "account", keep=("created_us",)))
WRITES.add(
    "known_device_forget_others",
    sa.delete(_DEVICE).where(_DEVICE.c.account == words("account"), _DEVICE.c.digest != octets("digest")),
)
WRITES.add("known_device_forget_all", sa.delete(_DEVICE).where(_DEVICE.c.account == words("account")))
WRITES.add("known_device_prune", sa.delete(_DEVICE).where(_DEVICE.c.expires_us < whole("before_us")))

# --- second factors and recovery codes -------------------------------------------------------------------

WRITES.add("account_factor_insert", upsert(_FACTOR).values(_all(_FACTOR)).on_conflict_do_nothing())
WRITES.add(
    "account_factor_counted",
    sa.update(_FACTOR)
    .where(_FACTOR.c.id == words("id"), _FACTOR.c.counter == whole("seen_counter"))
    .values(counter=whole("counter"), used_us=whole("used_us")),
)
WRITES.add(
    "account_factor_spend",
    sa.update(_FACTOR)
    .where(_FACTOR.c.id == words("id"), _FACTOR.c.used_us == constant(0))
    .values(used_us=whole("used_us")),
)
WRITES.add(
    "account_factor_drop",
    sa.delete(_FACTOR).where(_FACTOR.c.id == words("id"), _FACTOR.c.account == words("account")),
)
WRITES.add(
    "account_factor_drop_kind",
    sa.delete(_FACTOR).where(_FACTOR.c.account == words("account"), _FACTOR.c.kind == words("kind")),
)
WRITES.add("account_factor_drop_all", sa.delete(_FACTOR).where(_FACTOR.c.account == words("account")))

# --- steps of a sign-in, and attempts --------------------------------------------------------------------

WRITES.add("sign_in_ticket_use", insert_ignoring(_TICKET, "digest"))
WRITES.add("sign_in_ticket_prune", sa.delete(_TICKET).where(_TICKET.c.expires_us < whole("before_us")))
WRITES.add("sign_in_attempts_first", insert_ignoring(_ATTEMPTS, "key"))
WRITES.add(
    "sign_in_attempts_next",
    sa.update(_ATTEMPTS)
    .where(
        _ATTEMPTS.c.key == words("key"),
        _ATTEMPTS.c.failures == whole("seen_failures"),
        _ATTEMPTS.c.last_us == whole("seen_last_us"),
    )
    .values(failures=whole("failures"), last_us=whole("last_us"), next_us=whole("next_us")),
)
WRITES.add("sign_in_attempts_forget", sa.delete(_ATTEMPTS).where(_ATTEMPTS.c.key == words("key")))
WRITES.add("sign_in_attempts_prune", sa.delete(_ATTEMPTS).where(_ATTEMPTS.c.last_us < whole("before_us")))

# --- outside providers -----------------------------------------------------------------------------------

WRITES.add("identity_provider_put", insert_or_replace(_PROVIDER, "id"))
WRITES.add("account_identity_insert", insert_ignoring(_IDENTITY, "provider", "subject"))
WRITES.add(
    "account_identity_drop",
    sa.delete(_IDENTITY).where(
        _IDENTITY.c.provider == words("provider"), _IDENTITY.c.account == words("account")
    ),
)
WRITES.add("account_identity_drop_all", sa.delete(_IDENTITY).where(_IDENTITY.c.account == words("account")))
