"""The row of an access token, as it comes with the data it is asked for.

What lives here: the columns that say who holds a token, and ``Tokens``, which keeps what a version of a
token fixes. What does not: whether a token is live (``auth``, ``exchange.gate``), issuing and revoking it
(``auth``).

Nothing is kept by time: every statement brings the token's version, its revocation and the version of its
organisation; the rest of the row is the same while both versions are.

Source: ``engine.md`` 2; SMART App Launch 2.2 (Backend Services).
"""

from dataclasses import dataclass
from threading import Lock
from typing import Any

import msgspec
import sqlalchemy as sa

from referral_hub.access.principal import refusal_targets
from referral_hub.exchange.ports import TokenRow
from referral_hub.store import schema
from referral_hub.store.row_making import organization_facts
from referral_hub.store.standing_sql import JsonList
from referral_hub.store.statements import Statement, constant, octets, whole

TOKEN = schema.oauth_token
_CLIENT = schema.oauth_client
_ORGANIZATION = schema.organization

_REVOKED = sa.case(
    (sa.and_(TOKEN.c.revoked == constant(0), _CLIENT.c.active == constant(1)), constant(0)), else_=constant(1)
)
_FACTS = JsonList(
    TOKEN.c.oauth_client,
    TOKEN.c.organization,
    TOKEN.c.scope,
    TOKEN.c.purpose,
    TOKEN.c.role,
    TOKEN.c.user_id,
    TOKEN.c.issued_us,
    TOKEN.c.expires_us,
    TOKEN.c.very_restricted,
    TOKEN.c.context,
    TOKEN.c.account,
    TOKEN.c.person,
    TOKEN.c.patient,
    TOKEN.c.binding,
    TOKEN.c.jkt,
    TOKEN.c.family,
    _ORGANIZATION.c.ancestors,
    _ORGANIZATION.c.kind,
    _ORGANIZATION.c.governmental,
    _ORGANIZATION.c.country,
    _ORGANIZATION.c.active,
)
_facts = msgspec.json.Decoder(
    tuple[
        str,
        str,
        str,
        str,
        str,
        str,
        int,
        int,
        int,
        str,
        str,
        int | None,
        str,
        str,
        str,
        str,
        str | None,
        str | None,
        int | None,
        str | None,
        int | None,
    ]
)

TOKEN_WIDTH = 4


def token_columns() -> list[sa.ColumnElement[Any]]:
    """Gives version, organisation version, revoked, and the facts unless both versions are the known ones."""
    known = sa.and_(
        TOKEN.c.version == whole("token_version"), _ORGANIZATION.c.version == whole("organization_version")
    )
    return [TOKEN.c.version, _ORGANIZATION.c.version, _REVOKED, sa.case((known, sa.null()), else_=_FACTS)]


def token_joins() -> sa.FromClause:
    """Gives the token with its organisation and its software."""
    return TOKEN.outerjoin(_ORGANIZATION, _ORGANIZATION.c.id == TOKEN.c.organization).outerjoin(
        _CLIENT, _CLIENT.c.client_id == TOKEN.c.oauth_client
    )


TOKEN_READ = Statement(
    "token_read",
    sa.select(*token_columns()).select_from(token_joins()).where(TOKEN.c.digest == octets("digest")),
)
"""The token alone."""


@dataclass(frozen=True, slots=True)
class KnownToken:
    """A token row, and the spellings under which a refusal reaches its organisation."""

    token: TokenRow
    targets: tuple[str, ...]


class Tokens:
    """Makes token rows, keeping those whose versions are still the same.

    Args:
        size: how many are kept; the oldest goes first.
    """

    def __init__(self, size: int = 4096) -> None:
        self._size = size
        self._kept: dict[bytes, KnownToken] = {}
        self._lock = Lock()

    def kept(self, digest: bytes) -> KnownToken | None:
        """Gives what is kept of a token; it counts only beside a statement that brought the same versions."""
        return self._kept.get(digest)

    def known(self, digest: bytes, found: Any) -> KnownToken | None:
        """Gives the token row, or None where the facts of these versions are neither given nor kept.

        Args:
            digest: SHA-256 of the token.
            found: the values of :func:`token_columns`.
        """
        version, organization_version, revoked, facts = found
        if organization_version is None:
            organization_version = 0
        kept = self._kept.get(digest)
        if kept is not None:
            token = kept.token
            if (
                token.version == version
                and token.organization_version == organization_version
                and token.revoked == revoked
            ):
                return kept
        return None if facts is None else self._keep(digest, version, organization_version, revoked, facts)

    def _keep(
        self, digest: bytes, version: int, organization_version: int, revoked: int, facts: str
    ) -> KnownToken:
        (
            oauth_client,
            organization,
            scope,
            purpose,
            role,
            user,
            issued_us,
            expires_us,
            very_restricted,
            context,
            account,
            person,
            patient,
            binding,
            jkt,
            family,
            *described,
        ) = _facts.decode(facts)
        targets: tuple[str, ...] = ("*",)
        if described[0] is not None:
            targets = refusal_targets(organization_facts((organization, *described)))
        known = KnownToken(
            TokenRow(
                digest,
                version,
                oauth_client,
                organization,
                organization_version,
                scope,
                purpose,
                role,
                user,
                expires_us,
                revoked == 1,
                very_restricted == 1,
                issued_us,
                context,
                account,
                person,
                patient,
                binding,
                jkt,
                family,
            ),
            targets,
        )
        with self._lock:
            self._kept[digest] = known
            while len(self._kept) > self._size:
                self._kept.pop(next(iter(self._kept)))
        return known
