"""Rows of the authorization server: partners' software, tokens, used assertions.

What lives here: the statements ``auth`` names in its Changes, and the rows it reads. What does not: OAuth
(``auth``), the token that comes in the same statement as the data (``store.read``).

Source: ``engine.md`` 2 (a token is its row, read each time), SMART App Launch 2.2 (Backend Services).
"""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as upsert

from referral_hub.store import schema
from referral_hub.store.database import Connection, Database
from referral_hub.store.statements import WRITES, Statement, constant, octets, whole, words
from referral_hub.store.write_statements import insert_ignoring

_CLIENT, _TOKEN, _JTI = schema.oauth_client, schema.oauth_token, schema.oauth_jti

WRITES.add(
    "oauth_client_insert",
    sa.insert(_CLIENT).values(
        {
            **{c.name: sa.bindparam(c.name, type_=c.type) for c in _CLIENT.c},
            "version": constant(1),
            "active": constant(1),
        }
    ),
)
WRITES.add(
    "oauth_client_insert_keyless",
    upsert(_CLIENT)
    .values(
        {
            **{c.name: sa.bindparam(c.name, type_=c.type) for c in _CLIENT.c},
            "version": constant(1),
            "active": constant(1),
        }
    )
    .on_conflict_do_nothing(),
)
WRITES.add(
    "oauth_client_set_active",
    sa.update(_CLIENT)
    .where(_CLIENT.c.client_id == words("client_id"))
    .values(active=whole("active"), version=_CLIENT.c.version + constant(1)),
)
WRITES.add(
    "oauth_client_revoke_tokens",
    sa.update(_TOKEN)
    .where(_TOKEN.c.oauth_client == words("oauth_client"), _TOKEN.c.revoked == constant(0))
    .values(revoked=constant(1), version=_TOKEN.c.version + constant(1)),
)
_OF_A_SYSTEM: dict[str, sa.ColumnElement[Any]] = {
    "context": constant("system"),
    "person": sa.null(),
    **dict.fromkeys(("account", "patient", "binding", "jkt", "family"), constant("")),
}
"""What a token of SMART Backend Services says in the columns of those who signed in, and of bindings."""
_FRESH: dict[str, sa.ColumnElement[Any]] = {
    **{c.name: sa.bindparam(c.name, type_=c.type) for c in _TOKEN.c},
    "version": constant(1),
    "revoked": constant(0),
}

WRITES.add("oauth_token_insert", sa.insert(_TOKEN).values({**_FRESH, **_OF_A_SYSTEM}))
WRITES.add("oauth_token_insert_bound", sa.insert(_TOKEN).values(_FRESH))
WRITES.add("oauth_token_insert_keyless", upsert(_TOKEN).values(_FRESH).on_conflict_do_nothing())
WRITES.add(
    "oauth_token_revoke",
    sa.update(_TOKEN)
    .where(
        _TOKEN.c.digest == octets("digest"),
        _TOKEN.c.oauth_client == words("oauth_client"),
        _TOKEN.c.revoked == constant(0),
    )
    .values(revoked=constant(1), version=_TOKEN.c.version + constant(1)),
)
WRITES.add(
    "oauth_token_end_person",
    sa.update(_TOKEN)
    .where(
        _TOKEN.c.person == whole("person"),
        _TOKEN.c.organization == words("organization"),
        _TOKEN.c.context != constant("patient"),
        _TOKEN.c.revoked == constant(0),
    )
    .values(revoked=constant(1), version=_TOKEN.c.version + constant(1)),
)
WRITES.add("oauth_jti_insert", insert_ignoring(_JTI, "oauth_client", "jti"))
WRITES.add("oauth_jti_prune", sa.delete(_JTI).where(_JTI.c.expires_us < whole("before_us")))
WRITES.add("oauth_token_prune", sa.delete(_TOKEN).where(_TOKEN.c.expires_us < whole("before_us")))

_READ = (
    "client_id",
    "version",
    "organization",
    "name",
    "kind",
    "jwks",
    "jwks_url",
    "secret_hash",
    "scope",
    "purposes",
    "redirect_uris",
    "require_dpop",
    "very_restricted",
    "active",
    "created_us",
)
CLIENT = Statement(
    "oauth_client",
    sa.select(*(_CLIENT.c[name] for name in _READ)).where(_CLIENT.c.client_id == words("client_id")),
)
CLIENTS_OF = Statement(
    "oauth_clients_of",
    sa.select(*(_CLIENT.c[name] for name in _READ))
    .where(_CLIENT.c.organization == words("organization"), _CLIENT.c.organization != constant(""))
    .order_by(_CLIENT.c.created_us, _CLIENT.c.client_id)
    .limit(constant(200)),
)
LAST_TOKEN = Statement(
    "oauth_client_last_token",
    sa.select(sa.func.max(_TOKEN.c.issued_us)).where(_TOKEN.c.oauth_client == words("client_id")),
)
WRITES.add(
    "oauth_client_rotate",
    sa.update(_CLIENT)
    .where(_CLIENT.c.client_id == words("client_id"), _CLIENT.c.version == whole("seen_version"))
    .values(
        jwks=words("jwks"),
        jwks_url=words("jwks_url"),
        secret_hash=words("secret_hash"),
        version=_CLIENT.c.version + constant(1),
    ),
)
WRITES.add(
    "oauth_client_allow",
    sa.update(_CLIENT)
    .where(_CLIENT.c.client_id == words("client_id"), _CLIENT.c.version == whole("seen_version"))
    .values(
        scope=words("scope"),
        purposes=words("purposes"),
        require_dpop=whole("require_dpop"),
        very_restricted=whole("very_restricted"),
        version=_CLIENT.c.version + constant(1),
    ),
)


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """A partner's software as the hub registered it."""

    client_id: str
    version: int
    organization: str
    name: str
    kind: str
    jwks: str
    jwks_url: str
    secret_hash: str
    scope: str
    purposes: tuple[str, ...]
    redirect_uris: tuple[str, ...]
    require_dpop: bool
    very_restricted: bool
    active: bool
    created_us: int


def oauth_client(source: Database | Connection, client_id: str) -> OAuthClient | None:
    """Gives the registration of this client, active or not."""
    row = source.first(CLIENT, {"client_id": client_id})
    return None if row is None else _made(row)


def oauth_clients_of(source: Database | Connection, organization: str) -> list[OAuthClient]:
    """Gives the software of an organisation, active or not, the oldest first."""
    return [_made(row) for row in source.run(CLIENTS_OF, {"organization": organization})]


def last_token_us(source: Database | Connection, client_id: str) -> int:
    """Gives when software last got a token that is still kept, microseconds UTC; 0 where none is."""
    row = source.first(LAST_TOKEN, {"client_id": client_id})
    return 0 if row is None or row[0] is None else int(row[0])


def _made(row: tuple[Any, ...]) -> OAuthClient:
    found = dict(zip(_READ, row, strict=True))
    for name in ("purposes", "redirect_uris"):
        found[name] = tuple(found[name].split())
    for name in ("require_dpop", "very_restricted", "active"):
        found[name] = bool(found[name])
    return OAuthClient(**found)
