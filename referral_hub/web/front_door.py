"""The door before Flask: the addresses that are asked most are answered without Flask's machinery.

What lives here: reads, searches, creates, updates and Bundles under ``/fhir``, told by method and address
alone. What does not: the interactions (``web.fhir_api``, the very same functions that Flask's routes call), every
other address, and every answer to a wrong method or an unknown address, which Flask gives.

A read costs some fifty microseconds beside Flask, and Flask costs as much again. Taking the door away changes the
speed and nothing else.

Source: PEP 3333; ADR 0006.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication

from referral_hub.resources.catalog import SERVED
from referral_hub.web.beat import Beat
from referral_hub.web.error_handlers import unforeseen_reply
from referral_hub.web.fhir_api import FhirApi
from referral_hub.web.finishing import answered, finished_error
from referral_hub.web.wire import Asked, Reply

Answer = Callable[[Asked], Reply]
_ONE = {"GET": "read_one", "PUT": "update", "PATCH": "patch"}
_ALL = {"GET": "search_type", "POST": "create"}


class FrontDoor:
    """A WSGI application before another one.

    Args:
        api: the interactions.
        held: holds the worker's lane for a block.
        inner: answers everything that is not answered here.
        shows_faults: True where an unforeseen error is raised to the caller, as tests want it.
        beat: holds back what may tell of something hidden.
    """

    def __init__(
        self,
        api: FhirApi,
        held: Callable[[], AbstractContextManager[None]],
        inner: WSGIApplication,
        shows_faults: Callable[[], bool],
        beat: Beat,
    ) -> None:
        self._api = api
        self._held = held
        self._inner = inner
        self._shows_faults = shows_faults
        self._beat = beat
        self._one = {method: getattr(api, name) for method, name in _ONE.items()}
        self._all = {method: getattr(api, name) for method, name in _ALL.items()}

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answers one request."""
        path: str = environ["PATH_INFO"]
        if not path.startswith("/fhir"):
            return self._inner(environ, start_response)
        begun_s, method = self._beat.now(), environ["REQUEST_METHOD"]
        answer = self._answer(method, path)
        if answer is None:
            return self._in_flask(environ, start_response, begun_s)
        reply = self._reply(answer, Asked(environ))
        if self._beat.holds(method, path, reply.http_status):
            self._beat.keep(begun_s)
        start_response(*reply.start())
        return [reply.body]  # the server takes a list at once, and walks through anything else

    def _in_flask(
        self, environ: dict[str, Any], start_response: StartResponse, begun_s: float
    ) -> Iterable[bytes]:
        """Lets Flask answer; what it begins to send waits here for the beat, after the lane was given back."""
        said: list[int] = []

        def start(status: str, headers: list[tuple[str, str]], problem: Any = None) -> Any:
            said.append(int(status[:3]))
            return start_response(status, headers, problem) if problem else start_response(status, headers)

        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        chunks = self._inner(environ, start)
        if said and self._beat.holds(method, path, said[-1]):
            self._beat.keep(begun_s)
        return chunks

    def _answer(self, method: str, path: str) -> Answer | None:
        """Gives what answers this address, or None where Flask does."""
        parts = path.split("/")
        if len(parts) == 4 and parts[2] in SERVED:
            one = self._one.get(method)
            type_name, public_id = parts[2], parts[3]
            # What begins with _ or $ is no id.
            if one is not None and public_id and public_id.isascii() and public_id[0] not in "_$":
                return lambda asked: one(asked, type_name, public_id)
        elif len(parts) == 3 and parts[2] in SERVED:
            every = self._all.get(method)
            if every is not None:
                return lambda asked: every(asked, parts[2])
        elif path in ("/fhir", "/fhir/") and method == "POST":
            return self._api.bundle
        return None

    def _reply(self, answer: Answer, asked: Asked) -> Reply:
        try:
            with self._held():
                return answered(asked, answer)
        except Exception as error:
            if self._shows_faults():
                raise
            return finished_error(asked, unforeseen_reply(error))
