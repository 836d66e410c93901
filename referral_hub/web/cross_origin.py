"""Browser apps of other origins: which may ask, and what they may read of an answer.

What lives here: ``CrossOrigin``, a WSGI application before all others; it is there only where the operator named
origins. What does not: who an app is and what it may do, which its token says.

No answer ever allows credentials: a browser sends no cookie along, and a token is put in by the app itself. Another
origin than those named gets the same answer without these headers, which its browser keeps from it.

Source: WHATWG Fetch, CORS protocol; SMART App Launch 2.2 (browser apps need CORS on the FHIR API and the token
endpoint).
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIApplication

_OPEN = ("/fhir", "/oauth/token", "/oauth/revoke", "/.well-known/smart-configuration")
_EXPOSED = (
    "Allow, Content-Location, ETag, Expires, Last-Modified, Link, Location, Retry-After, "
    "WWW-Authenticate, X-Progress"
)
_METHODS = "DELETE, GET, HEAD, PATCH, POST, PUT"
_SENT = (
    "Accept, Authorization, Cache-Control, Content-Type, DPoP, If-Match, If-Modified-Since, If-None-Exist, "
    "If-None-Match, Prefer, X-Requested-With"
)
_PORTS = {"http": 80, "https": 443}


class CrossOrigin:
    """Says to browsers which apps may read the answers.

    Args:
        inner: answers.
        origins: who may ask from a browser, each with its port written (``https://app.example:443``).
    """

    def __init__(self, inner: WSGIApplication, origins: frozenset[str]) -> None:
        self._inner = inner
        self._origins = origins

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answers one request; one that comes from no browser app goes through untouched."""
        origin: str | None = environ.get("HTTP_ORIGIN")
        path: str = environ["PATH_INFO"]
        if origin is None or not path.startswith(_OPEN):
            return self._inner(environ, start_response)
        allowed = with_port(origin) in self._origins
        if (
            allowed
            and environ["REQUEST_METHOD"] == "OPTIONS"
            and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ
        ):
            start_response("204 No Content", _preflight(origin))
            return ()
        return self._inner(environ, _telling(start_response, origin if allowed else ""))


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
