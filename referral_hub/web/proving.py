"""Requests whose token is bound to a key: the proof that came along is checked before anything else is.

What lives here: the step between the wire and the FHIR API for ``Authorization: DPoP``. What does not: the checks
(``auth.dpop``), requests with a Bearer token, which never come here.

Source: RFC 9449 7; ADR 0006 (the doors).
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication

from referral_hub.auth.dpop_requests import ProvenRequests
from referral_hub.errors import HubError
from referral_hub.exchange.ports import Clock
from referral_hub.web.error_handlers import error_reply
from referral_hub.web.finishing import finished_error
from referral_hub.web.wire import Asked


class Proving:
    """Checks the proof of one request, and lets it in or refuses it.

    Args:
        proven: checks and keeps proofs.
        held: holds the worker's lane for a block.
        clock: the process clock, microseconds since 1970 UTC.
    """

    def __init__(
        self, proven: ProvenRequests, held: Callable[[], AbstractContextManager[None]], clock: Clock
    ) -> None:
        self._proven = proven
        self._held = held
        self._clock = clock

    def answer(
        self, inner: WSGIApplication, environ: dict[str, Any], start_response: StartResponse
    ) -> Iterable[bytes]:
        """Answers a request that carries a ``DPoP`` header; only with a DPoP token does the header mean anything."""
        authorization: str = environ.get("HTTP_AUTHORIZATION", "")
        path: str = environ["PATH_INFO"]
        if authorization[:5].lower() != "dpop " or not path.startswith("/fhir"):
            return inner(environ, start_response)
        try:
            with self._held():
                environ["HTTP_AUTHORIZATION"], nonce = self._proven.at_the_api(
                    authorization,
                    environ["HTTP_DPOP"],
                    environ["REQUEST_METHOD"],
                    path.encode("latin1", "replace"),
                    self._clock(),
                )
        except HubError as error:
            reply = finished_error(Asked(environ), error_reply(error))
            start_response(*reply.start())
            return [reply.body]
        return inner(environ, _telling(start_response, nonce) if nonce else start_response)


def _telling(start_response: StartResponse, nonce: str) -> StartResponse:
    def start(status: str, headers: list[tuple[str, str]], problem: Any = None) -> Callable[[bytes], object]:
        told = [*headers, ("DPoP-Nonce", nonce)]
        return start_response(status, told, problem) if problem else start_response(status, told)

    return start
