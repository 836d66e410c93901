"""Browser apps of other origins: which may ask, and what they may read of an answer.

What lives here: ``CrossOrigin``, a WSGI application before all others, and whom it lets ask: the origins the operator
named, and those of registered apps that cannot keep a secret. What does not: who an app is and what it may do, which
its token says.

No answer ever allows credentials: a browser sends no cookie along, and a token is put in by the app itself. Another
origin than those named gets the same answer without these headers, which its browser keeps from it.

Source: WHATWG Fetch, CORS protocol; SMART App Launch 2.2 (browser apps need CORS on the FHIR API and the token
endpoint).
"""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIApplication

from referral_hub.auth.app_registrations import origin_of
from referral_hub.errors import Unavailable

_OPEN = (
    "/fhir",
    "/oauth/token",
    "/oauth/par",
    "/oauth/revoke",
    "/.well-known/smart-configuration",
    "/.well-known/openid-configuration",
)
LOOKED_S = 30.0
"""How long a process goes on with the origins of registered apps that it read."""
_EXPOSED = (
    "Allow, Content-Location, DPoP-Nonce, ETag, Expires, Last-Modified, Link, Location, Retry-After, "
    "WWW-Authenticate, X-Progress"
)
_METHODS = "DELETE, GET, HEAD, PATCH, POST, PUT"
_SENT = (
    "Accept, Authorization, Cache-Control, Content-Type, DPoP, If-Match, If-Modified-Since, If-None-Exist, "
    "If-None-Match, Prefer, X-Hub-Organization-Key, X-Requested-With, X-Security-Context"
)
_PORTS = {"http": 80, "https": 443}


class CrossOrigin:
    """Says to browsers which apps may read the answers.

    Args:
        inner: answers; kept as an attribute.
        origins: who may ask from a browser, each with its port written (``https://app.example:443``).
        registered: further ones, which may change while the hub runs.
    """

    def __init__(
        self,
        inner: WSGIApplication,
        origins: frozenset[str],
        registered: Callable[[], frozenset[str]] = frozenset,
    ) -> None:
        self.inner = inner
        self._origins = origins
        self._registered = registered

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answers one request; one that comes from no browser app goes through untouched."""
        origin: str | None = environ.get("HTTP_ORIGIN")
        path: str = environ["PATH_INFO"]
        if origin is None or not path.startswith(_OPEN):
            return self.inner(environ, start_response)
        named = with_port(origin)
        allowed = named in self._origins or (named != "" and named in self._registered())
        if (
            allowed
            and environ["REQUEST_METHOD"] == "OPTIONS"
            and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ
        ):
            start_response("204 No Content", _preflight(origin))
            return ()
        return self.inner(environ, _telling(start_response, origin if allowed else ""))


class RegisteredOrigins:
    """The origins of apps that people sign in with, read again now and then.

    What an origin may ask is decided by tokens: here it is only said whose pages may read the answer.

    Args:
        addresses: gives the addresses such apps return to.
        now_s: a clock that only goes forward, in seconds.
    """

    def __init__(
        self, addresses: Callable[[], Iterable[str]], now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._addresses = addresses
        self._now_s = now_s
        self._kept: frozenset[str] = frozenset()
        self._looked_s = now_s() - LOOKED_S

    def __call__(self) -> frozenset[str]:
        """Gives the origins, each with its port written."""
        now_s = self._now_s()
        if now_s - self._looked_s >= LOOKED_S:
            self._looked_s = now_s
            with suppress(Unavailable):  # then those read last go on
                self._kept = frozenset(with_port(origin_of(address)) for address in self._addresses())
        return self._kept


def _preflight(origin: str) -> list[tuple[str, str]]:
    return [
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Allow-Methods", _METHODS),
        ("Access-Control-Allow-Headers", _SENT),
        ("Access-Control-Max-Age", "600"),
        ("Vary", "Origin"),
    ]


def _telling(start_response: StartResponse, origin: str) -> StartResponse:
    def start(status: str, headers: list[tuple[str, str]], problem: Any = None) -> Callable[[bytes], object]:
        told = [*headers, ("Vary", "Origin")]
        if origin and not any(name == "Access-Control-Allow-Origin" for name, _ in headers):
            told += [("Access-Control-Allow-Origin", origin), ("Access-Control-Expose-Headers", _EXPOSED)]
        return start_response(status, told, problem) if problem else start_response(status, told)

    return start


@lru_cache(maxsize=256)
def with_port(origin: str) -> str:
    """Gives an origin with its port written; empty for anything that is none.

    >>> with_port("https://app.example"), with_port("http://localhost:5173"), with_port("null")
    ('https://app.example:443', 'http://localhost:5173', '')
    """
    try:
        parts = urlsplit(origin)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return ""
    if port is None or not parts.hostname or parts.path or parts.query or parts.username is not None:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{port}"
