"""The hub as a client of partners' servers: SMART Backend Services, for those that ask for a token.

What lives here: finding a partner's token endpoint, signing the assertion, keeping a token while it lives. What
does not: the hub's own OAuth server (``auth``), the calls a token is for (``adapters.fhir_rest``), the guard
against addresses inside (``adapters.guarded_http``, handed in).

A partner without a registration here is called without a token. One with a registration is never called
without one: where no token can be had, the message waits.

Source: SMART App Launch 2.2 ``backend-services.html`` and ``client-confidential-asymmetric.html``; RFC 7523.
"""

import json
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from referral_hub.errors import DeliveryFailed, HubError
from referral_hub.exchange.ports import Clock, OrganizationRow
from referral_hub.outbound.ports import TokenRefused, TryLater

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_S = 240
"""How long an assertion lives; SMART allows five minutes."""
_SPARE_S = 30
_LONGEST_S = 3600
_ALGORITHMS = {"RSA": "RS384", "EC": "ES384"}


class Answer(Protocol):
    """What came back."""

    @property
    def http_status(self) -> int:
        """Gives the HTTP status."""

    @property
    def body(self) -> bytes:
        """Gives the body."""


class Http(Protocol):
    """Calls addresses of partners, guarded; raises ``Unavailable`` where there is no answer."""

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """Makes one call."""


@dataclass(frozen=True, slots=True)
class Registration:
    """How the hub is registered at one partner.

    ``token_url`` may be empty: then it is read from the partner's SMART configuration. ``key`` is the hub's
    private key whose public half the partner has (RSA for RS384, P-384 for ES384).
    """

    client_id: str
    scope: str
    key: RSAKey | ECKey
    token_url: str = ""


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    until_us: int


class SmartTokens:
    """The hub's tokens at partners' servers. Safe for threads.

    Args:
        http: the guarded HTTP client.
        registration_of: gives the hub's registration at a partner by organisation id, or None.
        clock: the process clock.
    """

    def __init__(
        self, http: Http, registration_of: Callable[[str], Registration | None], clock: Clock
    ) -> None:
        self._http = http
        self._registration_of = registration_of
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens: dict[str, _Token] = {}

    def of(self, destination: OrganizationRow) -> str:
        """Gives a live token for a partner's server, or an empty text where it asks for none.

        Raises:
            TryLater: the partner's token endpoint cannot be reached.
            TokenRefused: it refuses the hub.
            DeliveryFailed: its answer or its configuration cannot be used.
        """
        registration = self._registration_of(destination.facts.id)
        if registration is None:
            return ""
        now_us = self._clock()
        with self._lock:
            kept = self._tokens.get(destination.facts.id)
        if kept is not None and now_us < kept.until_us:
            return kept.text
        fresh = self._fetched(destination, registration, now_us)
        with self._lock:
            self._tokens[destination.facts.id] = fresh
        return fresh.text

    def forget(self, destination: OrganizationRow) -> None:
        """Forgets a token that was refused, so that the next call fetches another."""
        with self._lock:
            self._tokens.pop(destination.facts.id, None)

    def _fetched(self, destination: OrganizationRow, registration: Registration, now_us: int) -> _Token:
        url = registration.token_url or self._token_url(destination)
        form = urlencode(
            {
                "grant_type": "client_credentials",
                "scope": registration.scope,
                "client_assertion_type": ASSERTION_TYPE,
                "client_assertion": assertion(registration, url, now_us),
            }
        )
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        answer = self._asked("POST", url, headers, form.encode("ascii"))
        if answer.http_status in (400, 401, 403):
            raise TokenRefused("The partner gives the hub no token.")
        found = _object(answer)
        text, life_s = found.get("access_token"), found.get("expires_in", 60)
        is_bearer = str(found.get("token_type", "")).lower() == "bearer"
        if not is_bearer or not _is_token(text) or isinstance(life_s, bool) or not isinstance(life_s, int):
            raise TokenRefused("The partner's token cannot be used.")
        lives_s = max(0, min(life_s, _LONGEST_S) - _SPARE_S)
        return _Token(str(text), now_us + lives_s * 1_000_000)

    def _token_url(self, destination: OrganizationRow) -> str:
        base = destination.fhir_endpoint.rstrip("/")
        answer = self._asked(
            "GET", f"{base}/.well-known/smart-configuration", {"Accept": "application/json"}, None
        )
        url = _object(answer).get("token_endpoint")
        # A secure server that names an insecure place for tokens has been led astray.
        if not isinstance(url, str) or (urlsplit(base).scheme == "https" and not url.startswith("https://")):
            raise DeliveryFailed("The partner's SMART configuration names no token endpoint.", permanent=True)
        return url

    def _asked(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        try:
            answer = self._http.request(method, url, headers=headers, body=body)
        except HubError as failed:
            raise TryLater(failed.text) from None
        if answer.http_status >= 500 or answer.http_status == 429:
            raise TryLater(f"The partner's token endpoint answered with status {answer.http_status}.")
        return answer


def assertion(registration: Registration, token_url: str, now_us: int) -> str:
    """Gives a fresh signed client assertion for one token request.

    Args:
        registration: how the hub is registered.
        token_url: where it goes; its audience.
        now_us: now, microseconds UTC.

    Source: SMART App Launch 2.2 ``client-confidential-asymmetric.html``.
    """
    now_s = now_us // 1_000_000
    header: dict[str, Any] = {"alg": _ALGORITHMS[registration.key.key_type], "typ": "JWT"}
    if registration.key.kid:
        header["kid"] = registration.key.kid
    claims = {
        "iss": registration.client_id,
        "sub": registration.client_id,
        "aud": token_url,
        "iat": now_s,
        "exp": now_s + ASSERTION_S,
        "jti": secrets.token_urlsafe(24),
    }
    return jwt.encode(header, claims, registration.key, algorithms=list(_ALGORITHMS.values()))


def _object(answer: Answer) -> dict[str, Any]:
    try:
        found = json.loads(answer.body) if answer.http_status == 200 else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise TryLater("The partner's server answered with something else than was asked.", answered=True)
    return found


def _is_token(text: object) -> bool:
    """Says whether a text can stand in an Authorization header as it is."""
    return (
        isinstance(text, str)
        and 0 < len(text) <= 16_384
        and text.isascii()
        and text.isprintable()
        and " " not in text
    )
