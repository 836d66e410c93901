"""Access tokens: made, recognised, and turned into the facts about the caller.

What lives here: a fresh token and its digest, the digest of a presented one, whether its row is live, and the
Principal it stands for. What does not: who gets a token (``auth.server``) and what the Principal may see
(``exchange.gate``). A token is opaque: 256 random bits, kept as SHA-256 only, never logged.

Source: ``consent.md`` D-02; ``engine.md`` 2; RFC 6750 2.1.
"""

import hashlib
import re
import secrets
import threading
from collections.abc import Callable
from functools import lru_cache

from referral_hub.access.principal import Principal, refusal_targets
from referral_hub.access.scopes import ScopeSet
from referral_hub.errors import Forbidden, Unauthenticated
from referral_hub.exchange.ports import OrganizationRow, TokenRow

TOKEN_LIFE_S = 300
"""Seconds an access token lives, and the most SMART Backend Services recommends."""

_BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]{1,512}=*)", re.ASCII | re.IGNORECASE)


def new_token() -> tuple[str, bytes]:
    """Gives a fresh token of 256 random bits and the digest to keep of it.

    >>> text, digest = new_token()
    >>> digest_of(f"Bearer {text}") == digest
    True
    """
    text = secrets.token_urlsafe(32)
    return text, _digest(text)


def token_digest(token: str) -> bytes:
    """Gives the digest under which a token named in a form would be kept, whatever the text."""
    return _digest(token)


def digest_of(authorization: str | None) -> bytes:
    """Gives the digest of the token in an ``Authorization`` header.

    Args:
        authorization: the header's value; None where there is none.

    Raises:
        Unauthenticated: no header, another scheme than Bearer (a DPoP proof is not looked at here and so
            opens nothing), or a value that is no token: 401 on the wire.

    Source: RFC 6750 2.1.

    >>> digest_of("Bearer abc").hex()[:8]
    'ba7816bf'
    """
    match = _BEARER.fullmatch(authorization) if authorization else None
    if match is None:
        raise Unauthenticated("An access token is needed: send it as Authorization: Bearer.")
    return _digest(match.group(1))


def live(token: TokenRow | None, at_us: int) -> TokenRow:
    """Gives the token row, if the token may be used at this moment.

    Args:
        token: the row found, or None.
        at_us: the moment, microseconds since 1970 UTC. At ``expires_us`` the token has ended.

    Raises:
        Unauthenticated: unknown, ended, or revoked, in one text: 401 on the wire.
    """
    if token is None or token.revoked or at_us >= token.expires_us:
        raise Unauthenticated("The access token is not valid, or has ended. Ask for a new one.")
    return token


def principal_of(token: TokenRow, organization: OrganizationRow | None) -> Principal:
    """Gives the facts about the caller that this token stands for.

    Args:
        token: a live token row.
        organization: the row of the token's organisation.

    Returns:
        the Principal; its ``token_key`` is the digest in hex, by which a Change is guarded.

    Raises:
        Forbidden: the organisation is suspended, or no longer known: 403 on the wire, a fact about the caller
            alone.

    Source: ``views.md`` 7; ``consent.md`` D-10 to D-12.
    """
    if organization is None or organization.facts.id != token.organization or not organization.facts.active:
        raise Forbidden("This organisation's access is suspended. Ask the coordinator of the network.")
    return Principal(
        organization=organization.facts,
        oauth_client=token.oauth_client,
        scopes=_scopes(token.scope),
        purpose=token.purpose,
        token_key=token.digest.hex(),
        role=token.role,
        user=token.user,
        accepts_very_restricted=token.very_restricted,
        refusal_targets=refusal_targets(organization.facts),
    )


class Principals:
    """Principals by token, kept because they cannot change: their key carries both versions.

    The row of the token is read with every request; only what is worked out from it is kept. Safe for
    threads.

    Args:
        most: how many are kept at once.

    Source: ``engine.md`` 2.
    """

    def __init__(self, most: int = 4096) -> None:
        self._most = most
        self._kept: dict[tuple[bytes, int, int], Principal] = {}
        self._lock = threading.Lock()

    def of(
        self, token: TokenRow | None, at_us: int, organization: Callable[[str], OrganizationRow | None]
    ) -> Principal:
        """Gives the Principal of a presented token, after asking whether the token is live.

        Args:
            token: the row read for this request, or None.
            at_us: the moment of the request, microseconds since 1970 UTC.
            organization: reads an organisation's row; asked only when this token is new here.

        Raises:
            Unauthenticated: the token is not live: 401 on the wire.
            Forbidden: the organisation is suspended: 403 on the wire.
        """
        token = live(token, at_us)
        key = (token.digest, token.version, token.organization_version)
        found = self._kept.get(key)
        if found is not None:
            return found
        row = organization(token.organization)
        principal = principal_of(token, row)
        if row is not None and row.version == token.organization_version:
            self._keep(key, principal)
        return principal

    def _keep(self, key: tuple[bytes, int, int], principal: Principal) -> None:
        with self._lock:
            if len(self._kept) >= self._most:
                for oldest in list(self._kept)[: max(1, self._most // 8)]:
                    del self._kept[oldest]
            self._kept[key] = principal


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


@lru_cache(maxsize=1024)
def _scopes(text: str) -> ScopeSet:
    return ScopeSet.parse(text)
