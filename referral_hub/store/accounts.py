"""Accounts and sign-in as the store reads them, with their secrets opened.

What lives here: reads, keyed digests and seals of logins, codes and second factors. What does not: the writes
(``store.account_statements``), every rule (``auth.people``).

What is sealed carries the name of its row as associated data: moved to another account it does not open.

Source: ``engine.md`` 4 (keyed digests; sealed under the key of the hub).
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

import sqlalchemy as sa

from referral_hub.exchange.accounts import (
    REMOVED,
    STAFF,
    Account,
    Attempts,
    BrowserSession,
    Factor,
    Identity,
    IdentityProvider,
    KnownDevice,
)
from referral_hub.store import schema
from referral_hub.store.bodies import SEALED, Bodies, seal_under
from referral_hub.store.database import Database
from referral_hub.store.statements import Statement, constant, octets, one_of, whole, words

_ACCOUNT, _FACTOR, _SESSION = schema.account, schema.account_factor, schema.browser_session
_DEVICE, _ATTEMPTS = schema.known_device, schema.sign_in_attempts
_PROVIDER, _IDENTITY, _ORG = schema.identity_provider, schema.account_identity, schema.organization

_ACCOUNT_COLUMNS = tuple(_ACCOUNT.c[name] for name in Account.__dataclass_fields__)
_SESSION_COLUMNS = tuple(_SESSION.c[name] for name in BrowserSession.__dataclass_fields__)
_WIDTH = len(_ACCOUNT_COLUMNS)
_accounts = sa.select(*_ACCOUNT_COLUMNS)

BY_ID = Statement("account_by_id", _accounts.where(_ACCOUNT.c.id == words("id")))
BY_LOGIN = Statement(
    "account_by_login",
    _accounts.where(_ACCOUNT.c.login_digest == words("digest"), _ACCOUNT.c.login_digest != constant("")),
)
BY_CODE = Statement(
    "account_by_code",
    _accounts.where(_ACCOUNT.c.code_digest == words("digest"), _ACCOUNT.c.code_digest != constant("")),
)
BY_PERSON = Statement(
    "account_by_person",
    _accounts.where(_ACCOUNT.c.person == whole("person"), _ACCOUNT.c.removed_us == constant(0)),
)
LISTED = Statement(
    "accounts_of",
    sa.select(*_ACCOUNT_COLUMNS, _ACCOUNT.c.login)
    .where(_ACCOUNT.c.organization == words("organization"))
    .order_by(_ACCOUNT.c.created_us, _ACCOUNT.c.id),
)
STAFF_OF = Statement(
    "staff_of",
    sa.select(*_ACCOUNT_COLUMNS, _ACCOUNT.c.login)
    .where(
        _ACCOUNT.c.organization == words("organization"),
        _ACCOUNT.c.kind == constant(STAFF),
        _ACCOUNT.c.state != constant(REMOVED),
    )
    .order_by(_ACCOUNT.c.created_us, _ACCOUNT.c.id)
    .limit(whole("count")),
)
ORGANIZATION = Statement("account_organization", sa.select(_ORG.c.active).where(_ORG.c.id == words("id")))
LOGIN = Statement("account_login", sa.select(_ACCOUNT.c.login).where(_ACCOUNT.c.id == words("id")))

_has_second = (
    sa.select(sa.func.count())
    .where(_FACTOR.c.account == _SESSION.c.account, _FACTOR.c.kind != constant("recovery"))
    .scalar_subquery()
)
SESSION = Statement(
    "browser_session",
    sa.select(*_ACCOUNT_COLUMNS, *_SESSION_COLUMNS, _ORG.c.active, _has_second)
    .select_from(
        _SESSION.join(_ACCOUNT, _ACCOUNT.c.id == _SESSION.c.account).join(
            _ORG, _ORG.c.id == _ACCOUNT.c.organization
        )
    )
    .where(_SESSION.c.digest == octets("digest")),
)
SESSIONS = Statement(
    "browser_sessions_of",
    sa.select(*_SESSION_COLUMNS)
    .where(_SESSION.c.account == words("account"))
    .order_by(_SESSION.c.created_us.desc()),
)
_factors = sa.select(*(_FACTOR.c[name] for name in Factor.__dataclass_fields__))
FACTORS = Statement(
    "account_factors",
    _factors.where(_FACTOR.c.account == words("account")).order_by(_FACTOR.c.created_us, _FACTOR.c.id),
)
FACTOR = Statement(
    "account_factor", _factors.where(_FACTOR.c.kind == words("kind"), _FACTOR.c.handle == octets("handle"))
)
_devices = sa.select(*(_DEVICE.c[name] for name in KnownDevice.__dataclass_fields__))
DEVICES = Statement(
    "known_devices", _devices.where(_DEVICE.c.account == words("account")).order_by(_DEVICE.c.used_us.desc())
)
DEVICE = Statement(
    "known_device",
    _devices.where(_DEVICE.c.digest == octets("digest"), _DEVICE.c.account == words("account")),
)
ATTEMPTS = Statement(
    "sign_in_attempts",
    sa.select(*(_ATTEMPTS.c[name] for name in Attempts.__dataclass_fields__)).where(
        one_of(_ATTEMPTS.c.key, "keys")
    ),
)
_providers = sa.select(*(_PROVIDER.c[name] for name in IdentityProvider.__dataclass_fields__))
PROVIDER = Statement("identity_provider", _providers.where(_PROVIDER.c.id == words("id")))
PROVIDERS = Statement(
    "identity_providers", _providers.where(_PROVIDER.c.active == constant(1)).order_by(_PROVIDER.c.name)
)
_identities = sa.select(*(_IDENTITY.c[name] for name in Identity.__dataclass_fields__))
IDENTITY = Statement(
    "account_identity",
    _identities.where(_IDENTITY.c.provider == words("provider"), _IDENTITY.c.subject == words("subject")),
)
IDENTITIES = Statement("account_identities", _identities.where(_IDENTITY.c.account == words("account")))


class SeenSession(NamedTuple):
    """A browser session with its account, as one statement reads them."""

    session: BrowserSession
    account: Account
    organization_active: bool
    has_second: bool


class Words(Protocol):
    """The keyed digests of words that name a person."""

    def word(self, type_name: str, parameter: str, folded: str) -> str:
        """Gives the digest of a word."""


class Accounts:
    """Reads accounts and what belongs to them (``auth.people.ports.PeopleRows``). Safe for threads.

    Args:
        database: where the rows are.
        bodies: seals and opens under the key of the hub.
        digests: the keyed digests of logins and codes.
    """

    def __init__(self, database: Database, bodies: Bodies, digests: Words) -> None:
        self._database = database
        self._bodies = bodies
        self._digests = digests

    # --- what is secret ----------------------------------------------------------------------------------

    def digest(self, purpose: str, text: str) -> str:
        """Gives the keyed digest under which a login, a code or an address is found; it tells nothing."""
        return self._digests.word("Account", purpose, text)

    def seal(self, plain: bytes, label: str) -> bytes:
        """Seals something under the key of the hub; it opens under the same label only."""
        return seal_under(self._bodies.keys.hub, plain, label) if plain else b""

    def open(self, sealed: bytes, label: str) -> bytes:
        """Opens what was sealed under this label.

        Raises:
            Unavailable: it was sealed elsewhere, under another label, or was changed.
        """
        return self._bodies.open(sealed, SEALED, None, label) if sealed else b""

    # --- accounts ----------------------------------------------------------------------------------------

    def account(self, account_id: str) -> Account | None:
        """Gives an account, in whatever state."""
        return _account(self._database.first(BY_ID, {"id": account_id}))

    def account_of_login(self, digest: str) -> Account | None:
        """Gives the account with this login; a removed one has none."""
        return _account(self._database.first(BY_LOGIN, {"digest": digest}))

    def account_of_code(self, digest: str) -> Account | None:
        """Gives the account of the person who was handed this code."""
        return _account(self._database.first(BY_CODE, {"digest": digest}))

    def account_of_person(self, person: int) -> Account | None:
        """Gives the account of a person, by the row id of her record."""
        return _account(self._database.first(BY_PERSON, {"person": person}))

    def accounts_of(self, organization: str) -> list[tuple[Account, str]]:
        """Gives the accounts of an organisation, each with its login, the oldest first."""
        rows = self._database.run(LISTED, {"organization": organization})
        return [(_sure(row[:-1]), self._login(row[0], row[-1])) for row in rows]

    def staff_of(self, organization: str, count: int) -> list[tuple[Account, str]]:
        """Gives the staff of an organisation that was not removed, each with its login, the oldest first."""
        rows = self._database.run(STAFF_OF, {"organization": organization, "count": count})
        return [(_sure(row[:-1]), self._login(row[0], row[-1])) for row in rows]

    def is_organization_active(self, organization: str) -> bool:
        """Tells whether an organisation is there and not suspended."""
        return self._database.first(ORGANIZATION, {"id": organization}) == (1,)

    def login_of(self, account_id: str) -> str:
        """Gives the login of an account; empty where it has none."""
        row = self._database.first(LOGIN, {"id": account_id})
        return "" if row is None else self._login(account_id, row[0])

    def _login(self, account_id: str, sealed: bytes) -> str:
        return self.open(sealed, f"account/{account_id}").decode()

    # --- sessions and devices ------------------------------------------------------------------------------

    def session(self, digest: bytes) -> SeenSession | None:
        """Gives a browser session with its account, ended or not."""
        row = self._database.first(SESSION, {"digest": digest})
        if row is None:
            return None
        active, seconds = row[-2:]
        return SeenSession(_session(row[_WIDTH:-2]), _sure(row[:_WIDTH]), bool(active), bool(seconds))

    def sessions_of(self, account_id: str) -> list[BrowserSession]:
        """Gives the browser sessions of an account, the newest first."""
        return [_session(row) for row in self._database.run(SESSIONS, {"account": account_id})]

    def devices_of(self, account_id: str) -> list[KnownDevice]:
        """Gives the browsers an account is known in, the last used first."""
        return [KnownDevice(*row) for row in self._database.run(DEVICES, {"account": account_id})]

    def device(self, digest: bytes, account_id: str) -> KnownDevice | None:
        """Gives what is known of one browser and one account."""
        row = self._database.first(DEVICE, {"digest": digest, "account": account_id})
        return None if row is None else KnownDevice(*row)

    # --- what is signed in with ------------------------------------------------------------------------------

    def factors_of(self, account_id: str) -> list[Factor]:
        """Gives the second factors and recovery codes of an account, the oldest first."""
        return [self._factor(row) for row in self._database.run(FACTORS, {"account": account_id})]

    def factor(self, kind: str, handle: bytes) -> Factor | None:
        """Gives the factor of this kind that is found by this handle."""
        row = self._database.first(FACTOR, {"kind": kind, "handle": handle})
        return None if row is None else self._factor(row)

    def _factor(self, row: tuple[Any, ...]) -> Factor:
        made = Factor(*row)
        secret = self.open(made.secret, f"factor/{made.account}/{made.id}")
        label = self.open(row[6], f"factor-label/{made.account}/{made.id}").decode()
        return replace(made, secret=secret, label=label)

    def attempts(self, keys: Iterable[str]) -> dict[str, Attempts]:
        """Gives what failed under each of these keys; a key without a failure is absent."""
        rows = self._database.run(ATTEMPTS, {"keys": list(keys)})
        return {row[0]: Attempts(*row) for row in rows}

    # --- outside providers ---------------------------------------------------------------------------------

    def provider(self, provider_id: str) -> IdentityProvider | None:
        """Gives an outside provider, active or not."""
        row = self._database.first(PROVIDER, {"id": provider_id})
        return None if row is None else self._provider(row)

    def providers(self) -> list[IdentityProvider]:
        """Gives every provider that may be used, by name."""
        return [self._provider(row) for row in self._database.run(PROVIDERS)]

    def identity(self, provider: str, subject: str) -> Identity | None:
        """Gives the account's link to this name at this provider."""
        row = self._database.first(IDENTITY, {"provider": provider, "subject": subject})
        return None if row is None else Identity(*row)

    def identities_of(self, account_id: str) -> list[Identity]:
        """Gives the links of an account."""
        return [Identity(*row) for row in self._database.run(IDENTITIES, {"account": account_id})]

    def _provider(self, row: tuple[Any, ...]) -> IdentityProvider:
        made = IdentityProvider(*row)
        return replace(made, secret=self.open(row[4], f"provider/{made.id}").decode(), active=bool(row[6]))


def _account(row: tuple[Any, ...] | None) -> Account | None:
    return None if row is None else _sure(row)


def _sure(row: tuple[Any, ...]) -> Account:
    found: dict[str, Any] = dict(zip(Account.__dataclass_fields__, row, strict=True))
    found["one_time"] = bool(found["one_time"])
    return Account(**found)


def _session(row: tuple[Any, ...]) -> BrowserSession:
    found: dict[str, Any] = dict(zip(BrowserSession.__dataclass_fields__, row, strict=True))
    found["methods"] = tuple(found["methods"].split())
    return BrowserSession(**found)
