"""Rows of people who let software act for them: how they are written, ended and read.

What lives here: the statements ``auth`` names in its Changes, and the rows it reads. What does not: OAuth (``auth``),
access tokens (``store.oauth_rows``), accounts.

Whoever ends something ends the family first and the tokens after it: a token that is being given in the same moment
touches its family first too, so one of the two waits for the other and sees what it did.

Source: ``consent.md`` D-32 and D-33; RFC 6749 4.1.2 and 10.4.
"""

from typing import Any

import sqlalchemy as sa

from referral_hub.exchange.sign_in import (
    ApprovedRow,
    AppRow,
    CodeRow,
    FamilyRow,
    LaunchableRow,
    LaunchRow,
    PushedRow,
    RefreshRow,
)
from referral_hub.store import schema
from referral_hub.store.database import Database
from referral_hub.store.statements import WRITES, Statement, constant, octets, whole, words
from referral_hub.store.write_statements import insert_or_replace

_FAMILY, _CODE, _REFRESH = schema.oauth_family, schema.oauth_code, schema.oauth_refresh
_PUSHED, _LAUNCH, _APPROVAL = schema.oauth_pushed, schema.oauth_launch, schema.oauth_approval
_TOKEN, _CLIENT, _ORGANIZATION = schema.oauth_token, schema.oauth_client, schema.organization
_KEY = schema.wrapped_key
_ZERO, _ONE = constant(0), constant(1)
_NOT_HERS = _FAMILY.c.context != constant("patient")


def _insert(table: sa.Table, **fixed: Any) -> Any:
    columns = {c.name: sa.bindparam(c.name, type_=c.type) for c in table.c}
    return sa.insert(table).values({**columns, **fixed})


def _ends(*conditions: Any) -> Any:
    return sa.update(_FAMILY).where(*conditions, _FAMILY.c.revoked == _ZERO).values(revoked=_ONE)


def _ends_tokens(*conditions: Any) -> Any:
    changed = {"revoked": _ONE, "version": _TOKEN.c.version + _ONE}
    return sa.update(_TOKEN).where(*conditions, _TOKEN.c.revoked == _ZERO).values(changed)


WRITES.add("oauth_app_insert", _insert(schema.oauth_app))
WRITES.add("oauth_approval_put", insert_or_replace(_APPROVAL, "account", "oauth_client"))
WRITES.add("oauth_family_insert", _insert(_FAMILY, used_us=_ZERO, revoked=_ZERO))
WRITES.add(
    "oauth_family_use",
    sa.update(_FAMILY)
    .where(
        _FAMILY.c.family == words("family"), _FAMILY.c.revoked == _ZERO, _FAMILY.c.ends_us > whole("at_us")
    )
    .values(used_us=whole("at_us"), jkt=words("jkt")),
)
"""Touches nothing where the family was ended or is over: the token of the same Change is not given then."""
WRITES.add("oauth_code_insert", _insert(_CODE, used=_ZERO))
WRITES.add(
    "oauth_code_use",
    sa.update(_CODE)
    .where(_CODE.c.digest == octets("digest"), _CODE.c.used == _ZERO, _CODE.c.expires_us > whole("at_us"))
    .values(used=_ONE),
)
WRITES.add("oauth_refresh_insert", _insert(_REFRESH, used=_ZERO))
WRITES.add(
    "oauth_refresh_use",
    sa.update(_REFRESH)
    .where(
        _REFRESH.c.digest == octets("digest"),
        _REFRESH.c.used == _ZERO,
        _REFRESH.c.expires_us > whole("at_us"),
    )
    .values(used=_ONE),
)
WRITES.add("oauth_pushed_insert", _insert(_PUSHED))
WRITES.add(
    "oauth_pushed_take",
    sa.delete(_PUSHED).where(_PUSHED.c.digest == octets("digest"), _PUSHED.c.expires_us > whole("at_us")),
)
WRITES.add("oauth_launch_insert", _insert(_LAUNCH))
WRITES.add(
    "oauth_launch_take",
    sa.delete(_LAUNCH).where(_LAUNCH.c.digest == octets("digest"), _LAUNCH.c.expires_us > whole("at_us")),
)

# --- what ends ---------------------------------------------------------------------------------------------

_ACCOUNT, _APP = words("account"), words("oauth_client")
WRITES.add("oauth_family_end", _ends(_FAMILY.c.family == words("family")))
WRITES.add("oauth_family_end_client", _ends(_FAMILY.c.oauth_client == _APP))
WRITES.add("oauth_family_end_account", _ends(_FAMILY.c.account == _ACCOUNT))
WRITES.add("oauth_family_end_approved", _ends(_FAMILY.c.account == _ACCOUNT, _FAMILY.c.oauth_client == _APP))
WRITES.add(
    "oauth_family_end_session",
    _ends(_FAMILY.c.account == _ACCOUNT, _FAMILY.c.lasting == constant("online")),
)
WRITES.add(
    "oauth_family_end_person",
    _ends(_FAMILY.c.person == whole("person"), _FAMILY.c.organization == words("organization"), _NOT_HERS),
)
WRITES.add("oauth_token_end_family", _ends_tokens(_TOKEN.c.family == words("family")))
WRITES.add("oauth_token_end_account", _ends_tokens(_TOKEN.c.account == _ACCOUNT))
WRITES.add(
    "oauth_token_end_approved", _ends_tokens(_TOKEN.c.account == _ACCOUNT, _TOKEN.c.oauth_client == _APP)
)
_ONLINE = sa.select(_FAMILY.c.family).where(
    _FAMILY.c.account == _ACCOUNT, _FAMILY.c.lasting == constant("online")
)
WRITES.add(
    "oauth_token_end_session", _ends_tokens(_TOKEN.c.account == _ACCOUNT, _TOKEN.c.family.in_(_ONLINE))
)
WRITES.add(
    "oauth_approval_end",
    sa.delete(_APPROVAL).where(_APPROVAL.c.account == _ACCOUNT, _APPROVAL.c.oauth_client == _APP),
)
WRITES.add("oauth_approval_end_account", sa.delete(_APPROVAL).where(_APPROVAL.c.account == _ACCOUNT))
WRITES.add("oauth_launch_end_account", sa.delete(_LAUNCH).where(_LAUNCH.c.account == _ACCOUNT))
WRITES.add(
    "oauth_launch_end_person",
    sa.delete(_LAUNCH).where(
        _LAUNCH.c.person == whole("person"), _LAUNCH.c.organization == words("organization")
    ),
)
for _name, _column in (
    ("oauth_code_prune", _CODE.c.expires_us),
    ("oauth_refresh_prune", _REFRESH.c.expires_us),
    ("oauth_pushed_prune", _PUSHED.c.expires_us),
    ("oauth_launch_prune", _LAUNCH.c.expires_us),
    ("oauth_family_prune", _FAMILY.c.ends_us),
):
    WRITES.add(_name, sa.delete(_column.table).where(_column < whole("before_us")))

# --- what is read ------------------------------------------------------------------------------------------

_FAMILY_COLUMNS = tuple(_FAMILY.c[name] for name in FamilyRow.__dataclass_fields__)
FAMILY = Statement("oauth_family", sa.select(*_FAMILY_COLUMNS).where(_FAMILY.c.family == words("family")))
CODE = Statement(
    "oauth_code",
    sa.select(
        _CODE.c.redirect_uri,
        _CODE.c.challenge,
        _CODE.c.nonce,
        _CODE.c.expires_us,
        _CODE.c.used,
        *_FAMILY_COLUMNS,
    ).where(_CODE.c.digest == octets("digest"), _FAMILY.c.family == _CODE.c.family),
)
REFRESH = Statement(
    "oauth_refresh",
    sa.select(_REFRESH.c.issued_us, _REFRESH.c.expires_us, _REFRESH.c.used, *_FAMILY_COLUMNS).where(
        _REFRESH.c.digest == octets("digest"), _FAMILY.c.family == _REFRESH.c.family
    ),
)
PUSHED = Statement(
    "oauth_pushed",
    sa.select(_PUSHED.c.oauth_client, _PUSHED.c.request, _PUSHED.c.expires_us).where(
        _PUSHED.c.digest == octets("digest")
    ),
)
LAUNCH = Statement(
    "oauth_launch",
    sa.select(*(_LAUNCH.c[name] for name in LaunchRow.__dataclass_fields__ if name != "digest")).where(
        _LAUNCH.c.digest == octets("digest")
    ),
)
APPROVAL = Statement(
    "oauth_approval",
    sa.select(_APPROVAL.c.scope).where(_APPROVAL.c.account == _ACCOUNT, _APPROVAL.c.oauth_client == _APP),
)
APP = Statement(
    "oauth_app",
    sa.select(schema.oauth_app.c.launch_url, schema.oauth_app.c.require_par).where(
        schema.oauth_app.c.client_id == words("client_id")
    ),
)
_LIVE = sa.and_(
    _FAMILY.c.account == _APPROVAL.c.account,
    _FAMILY.c.oauth_client == _APPROVAL.c.oauth_client,
    _FAMILY.c.revoked == _ZERO,
    _FAMILY.c.ends_us > whole("at_us"),
)
APPROVED = Statement(
    "oauth_approved",
    sa.select(
        _APPROVAL.c.oauth_client,
        _CLIENT.c.name,
        _CLIENT.c.organization,
        _ORGANIZATION.c.name,
        _APPROVAL.c.scope,
        _APPROVAL.c.approved_us,
        sa.select(sa.func.max(_FAMILY.c.used_us)).where(_LIVE).correlate(_APPROVAL).scalar_subquery(),
        sa.select(sa.func.count()).select_from(_FAMILY).where(_LIVE).correlate(_APPROVAL).scalar_subquery(),
    )
    .where(
        _APPROVAL.c.account == _ACCOUNT,
        _CLIENT.c.client_id == _APPROVAL.c.oauth_client,
        _ORGANIZATION.c.id == _CLIENT.c.organization,
    )
    .order_by(_APPROVAL.c.approved_us.desc(), _APPROVAL.c.oauth_client),
)
LAUNCHABLE = Statement(
    "oauth_launchable",
    sa.select(_CLIENT.c.client_id, _CLIENT.c.name, schema.oauth_app.c.launch_url)
    .where(
        _CLIENT.c.organization == words("organization"),
        _CLIENT.c.active == _ONE,
        schema.oauth_app.c.client_id == _CLIENT.c.client_id,
        schema.oauth_app.c.launch_url != constant(""),
    )
    .order_by(_CLIENT.c.name, _CLIENT.c.client_id),
)
REDIRECTS = Statement(
    "oauth_redirects",
    sa.select(_CLIENT.c.redirect_uris).where(
        _CLIENT.c.active == _ONE,
        _CLIENT.c.kind == constant("public"),
        _CLIENT.c.redirect_uris != constant(""),
    ),
)
SIGNING = Statement(
    "signing_keys",
    sa.select(_KEY.c.name, _KEY.c.wrapped, _KEY.c.master, _KEY.c.created_us)
    .where(_KEY.c.name > words("after"), _KEY.c.name < words("before"), _KEY.c.wrapped.is_not(None))
    .order_by(_KEY.c.created_us, _KEY.c.name),
)


class SignInRows:
    """What people let software do, as it is stored.

    Args:
        database: where it is read.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def family(self, family: str) -> FamilyRow | None:
        """Gives an approval by its name, in force or not."""
        row = self._database.first(FAMILY, {"family": family})
        return None if row is None else _family(row)

    def code(self, digest: bytes) -> CodeRow | None:
        """Gives an authorization code, used or not."""
        row = self._database.first(CODE, {"digest": digest})
        if row is None:
            return None
        redirect_uri, challenge, nonce, expires_us, used, *family = row
        return CodeRow(digest, redirect_uri, challenge, nonce, expires_us, bool(used), _family(family))

    def refresh(self, digest: bytes) -> RefreshRow | None:
        """Gives a refresh token, used or not."""
        row = self._database.first(REFRESH, {"digest": digest})
        if row is None:
            return None
        issued_us, expires_us, used, *family = row
        return RefreshRow(digest, issued_us, expires_us, bool(used), _family(family))

    def pushed(self, digest: bytes) -> PushedRow | None:
        """Gives a request that was sent ahead and not taken yet."""
        row = self._database.first(PUSHED, {"digest": digest})
        return None if row is None else PushedRow(digest, *row)

    def launch(self, digest: bytes) -> LaunchRow | None:
        """Gives a launch that was not taken yet."""
        row = self._database.first(LAUNCH, {"digest": digest})
        return None if row is None else LaunchRow(digest, *row)

    def approved_scope(self, account: str, oauth_client: str) -> str | None:
        """Gives the scope an account approved for a software; None where it approved none."""
        row = self._database.first(APPROVAL, {"account": account, "oauth_client": oauth_client})
        return None if row is None else str(row[0])

    def approved(self, account: str, at_us: int) -> list[ApprovedRow]:
        """Gives what an account approved, the newest first."""
        rows = self._database.run(APPROVED, {"account": account, "at_us": at_us})
        return [ApprovedRow(*row) for row in rows]

    def app(self, client_id: str) -> AppRow | None:
        """Gives what only software has that people sign in with."""
        row = self._database.first(APP, {"client_id": client_id})
        return None if row is None else AppRow(row[0], bool(row[1]))

    def launchable(self, organization: str) -> list[LaunchableRow]:
        """Gives an organisation's software that can be started out of the hub."""
        rows = self._database.run(LAUNCHABLE, {"organization": organization})
        return [LaunchableRow(*row) for row in rows]

    def browser_addresses(self) -> frozenset[str]:
        """Gives every address that apps which cannot keep a secret return to: apps that run in a browser, or may."""
        return frozenset(uri for (uris,) in self._database.run(REDIRECTS, {}) for uri in uris.split())

    def signing_keys(self) -> list[tuple[str, bytes, str, int]]:
        """Gives the hub's signing keys, oldest first: name, wrapped key, its master's name, when it was made."""
        rows = self._database.run(SIGNING, {"after": "signing:", "before": "signing;"})
        return [(name, bytes(wrapped), master, created_us) for name, wrapped, master, created_us in rows]


def _family(row: Any) -> FamilyRow:
    found = dict(zip(FamilyRow.__dataclass_fields__, row, strict=True))
    for name in ("very_restricted", "revoked"):
        found[name] = bool(found[name])
    return FamilyRow(**found)
