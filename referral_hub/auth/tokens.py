"""Access tokens: made, recognised, and turned into the facts about the caller.

What lives here: a fresh token and its digest, the digest of a presented one, whether its row is live, and the
Principal it stands for. What does not: who gets a token (``auth.server``) and what the Principal may see
(``exchange.gate``). A token is opaque: 256 random bits, kept as SHA-256 only, never logged.

A token bound to a key carries the key's thumbprint behind a dot, and its digest is made of both in a way no Bearer
token's is. So it is found only by who proved that key; sent as a plain Bearer token, or with a proof of another key,
it is a token nobody knows, and no part of the hub has to remember to ask.

Source: ``consent.md`` 0.2 and D-02; ``engine.md`` 2; RFC 6750 2.1; RFC 9449 6 and 7.
"""

import hashlib
import re
import secrets
import threading
from collections.abc import Callable
from functools import lru_cache

from referral_hub.access.principal import Binding, Principal, refusal_targets
from referral_hub.access.scopes import ScopeSet
from referral_hub.auth.bindings import binding_of
from referral_hub.errors import Forbidden, Unauthenticated
from referral_hub.exchange.ports import OrganizationRow, TokenRow

TOKEN_LIFE_S = 300
"""Seconds an access token lives, and the most SMART Backend Services recommends."""

_BEARER = re.compile(r"bearer +([A-Za-z0-9_~+/-]{1,512}=*)", re.ASCII | re.IGNORECASE)
_BOUND = re.compile(r"(?:bearer|dpop) +([A-Za-z0-9_-]{43}\.([A-Za-z0-9_-]{43}))", re.ASCII | re.IGNORECASE)


class Proven(str):
    """An ``Authorization: DPoP`` header whose proof was checked for this request, with the digest it stands for.

    Only ``auth.dpop_requests`` makes one; a header as it came over the wire never is one.
    """

    __slots__ = ("digest",)
    digest: bytes


class ProofNeeded(Unauthenticated):
    """A token that is bound to a key came without a proof that holds: 401 on the wire, with a DPoP challenge.

    Args:
        text: what happened and what is possible.
        error: the error code of RFC 9449 or RFC 6750.
        nonce: the nonce to use from now on; empty where there is none to tell.
    """

    def __init__(self, text: str, error: str, nonce: str = "") -> None:
        super().__init__(text)
        self.error = error
        self.nonce = nonce


def new_token(jkt: str = "") -> tuple[str, bytes]:
    """Gives a fresh token of 256 random bits and the digest to keep of it.

    Args:
        jkt: the thumbprint of the key it is bound to; empty for a Bearer token.

    >>> text, digest = new_token()
    >>> digest_of(f"Bearer {text}") == digest
    True
    """
    text = secrets.token_urlsafe(32)
    if not jkt:
        return text, _digest(text)
    return f"{text}.{jkt}", bound_digest(f"{text}.{jkt}", jkt)


def bound_digest(token: str, jkt: str) -> bytes:
    """Gives the digest of a token that came with a proof of the key of this thumbprint.

    >>> bound_digest("a", "k") == token_digest("a")
    False
    """
    return _digest(f"DPoP {jkt} {token}")


def bound_token(authorization: str) -> str:
    """Gives the token of an ``Authorization: DPoP`` header; empty where it holds none."""
    match = _BOUND.fullmatch(authorization) if authorization[:5].lower() == "dpop " else None
    return match.group(1) if match else ""


def token_digest(token: str) -> bytes:
    """Gives the digest under which a token named in a form would be kept, whatever the text."""
    match = _BOUND.fullmatch(f"dpop {token}")
    return bound_digest(token, match.group(2)) if match else _digest(token)


def digest_of(authorization: str | None) -> bytes:
    """Gives the digest of the token in an ``Authorization`` header.

    Args:
        authorization: the header's value; None where there is none.

    Raises:
        ProofNeeded: a token that is bound to a key, as Bearer or without a proof: 401 with a DPoP challenge.
        Unauthenticated: no header, another scheme, or a value that is no token: 401 on the wire.

    Source: RFC 6750 2.1; RFC 9449 7.

    >>> digest_of("Bearer abc").hex()[:8]
    'ba7816bf'
    """
    match = _BEARER.fullmatch(authorization) if authorization else None
    if match is not None:
        return _digest(match.group(1))
    if isinstance(authorization, Proven):
        return authorization.digest
    if authorization and _BOUND.fullmatch(authorization):
        raise ProofNeeded(
            "This access token is bound to a key: send it as Authorization: DPoP, with a proof.",
            "invalid_token" if authorization[0] in "Bb" else "invalid_dpop_proof",
        )
    raise Unauthenticated(
        "An access token is needed: send it as Authorization: Bearer, or DPoP with a proof."
    )


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
        context=token.context,
        account=token.account,
        person=token.person,
        patient=token.patient,
        binding=_binding(token.binding),
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
def _binding(text: str) -> Binding | None:
    return binding_of(text)


@lru_cache(maxsize=1024)
def _scopes(text: str) -> ScopeSet:
    return ScopeSet.parse(text)
