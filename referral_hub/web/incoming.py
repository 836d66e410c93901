"""A request as it arrives: its body is waited for outside the lane, and what ends a permission goes ahead.

An organisation that holds the key of its own file sends it along; it is at hand until the request is answered.

What lives here: ``Incoming``, a WSGI application before all others. What does not: how much of a body is read and
what it means (``web.negotiation``), the lane (``web.lane``).

A sender on a slow line would hold a whole worker, since one request computes at a time there and reading waits for
the sender. And whoever is refused before its body was read must hear that the connection ends with the answer, or it
would send the next request on a connection that is being closed and lose it.

Source: PEP 3333; RFC 9112 9.3 and 9.6 (a server that does not read a whole request says ``close``).
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication

from referral_hub.keyring.own_file import given
from referral_hub.web.proving import Proving

OWN_KEY = "HTTP_X_HUB_ORGANIZATION_KEY"
"""The header in which an organisation's software brings the key of its own file, as WSGI names it."""
Block = Callable[[], AbstractContextManager[None]]


class _Body:
    """The input of one request, as PEP 3333 wants it."""

    def __init__(self, stream: Any, away: Block) -> None:
        self._stream = stream
        self._away = away
        self.taken = 0
        self.is_over = False

    def read(self, size: int = -1) -> bytes:
        """Gives at most so many bytes; everything with a negative number."""
        with self._away():
            found: bytes = self._stream.read(size) if size >= 0 else self._stream.read()
        return self._count(found, ended=(size != 0 and len(found) < size) or size < 0)

    def readline(self, size: int = -1) -> bytes:
        """Gives one line, or its first so many bytes."""
        with self._away():
            found: bytes = self._stream.readline() if size < 0 else self._stream.readline(size)
        return self._count(found, ended=not found and size != 0)

    def readlines(self, _hint: int = -1) -> list[bytes]:
        """Gives all lines."""
        return list(self)

    def __iter__(self) -> Iterator[bytes]:
        """Gives line by line."""
        while line := self.readline():
            yield line

    def _count(self, found: bytes, *, ended: bool) -> bytes:
        self.taken += len(found)
        self.is_over = self.is_over or ended
        return found


class Incoming:
    """Lets bodies arrive outside the lane, and writes of a Consent before whatever else the worker has to do.

    Args:
        inner: answers; kept as an attribute.
        away: gives up the lane for a block that waits; does nothing without it.
        ahead: lets a block take the lane before others.
        proving: checks the proof of a request that brings one (``web.proving``).
    """

    def __init__(
        self, inner: WSGIApplication, away: Block, ahead: Block, proving: Proving | None = None
    ) -> None:
        self.inner = inner
        self._away = away
        self._ahead = ahead
        self._proving = proving

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answers one request; most have no body and go through untouched."""
        if OWN_KEY in environ:
            # It is taken out of the request: nothing further in can keep it or write it down.
            with given(environ.pop(OWN_KEY)):
                return self._ordered(environ, start_response)
        return self._ordered(environ, start_response)

    def _ordered(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        if (
            "\0" in path
        ):  # no id holds it, and a database may refuse to be asked: another character no id holds
            environ["PATH_INFO"] = path.replace("\0", "\x7f")
        if environ["REQUEST_METHOD"] != "GET" and (
            path.startswith("/fhir/Consent/") or path.endswith("/$withdraw")
        ):
            with self._ahead():
                return self._answer(environ, start_response)
        return self._answer(environ, start_response)

    def _answer(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        said: str = environ.get("CONTENT_LENGTH", "")
        if said in ("", "0") and "HTTP_TRANSFER_ENCODING" not in environ:
            if "HTTP_DPOP" in environ:
                return self._proved(environ, start_response)
            return self.inner(environ, start_response)
        body = environ["wsgi.input"] = _Body(environ["wsgi.input"], self._away)

        def start(status: str, headers: list[tuple[str, str]], problem: Any = None) -> Any:
            if not body.is_over and said != str(body.taken):
                headers = [*headers, ("Connection", "close")]
            return start_response(status, headers, problem) if problem else start_response(status, headers)

        return self._proved(environ, start) if "HTTP_DPOP" in environ else self.inner(environ, start)

    def _proved(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if self._proving is None:
            return self.inner(environ, start_response)
        return self._proving.answer(self.inner, environ, start_response)
