"""A proxy before a sound server that bends one behaviour at a time.

What lives here: passing requests on, and where a fault may reach in. What does not: the faults
(``conformance.faulty.faults``).
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

_HOP = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding", "host"}
)
_TIMEOUT_S = 30


@dataclass(frozen=True, slots=True)
class Asked:
    """A request on its way: method, path with query, headers by lower-case name, bytes."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def with_header(self, name: str, value: str | None) -> "Asked":
        """Gives it with a header set, or without it."""
        kept = {key: text for key, text in self.headers.items() if key != name.lower()}
        return replace(self, headers={**kept, name.lower(): value} if value is not None else kept)


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer on its way back."""

    http_status: int
    headers: dict[str, str]
    body: bytes

    def with_header(self, name: str, value: str | None) -> "Answered":
        """Gives it with a header set, or without it."""
        kept = {key: text for key, text in self.headers.items() if key.lower() != name.lower()}
        return replace(self, headers={**kept, name: value} if value is not None else kept)


Forward = Callable[[Asked], Answered]


@dataclass(frozen=True, slots=True)
class Fault:
    """One behaviour that is wrong: takes a request and the way on, and gives the answer.

    Args:
        what: the fault, as a sentence.
        bend: gives the answer; may change the request, the answer, or ask nobody.
        tell: changes a notification and its headers as it leaves the little server; False holds it back.
        arrive: changes the bytes of a notification as it arrives.
    """

    what: str
    bend: Callable[[Asked, Forward], Answered]
    tell: Callable[[dict[str, Any], dict[str, str]], bool | None] | None = None
    arrive: Callable[[bytes], bytes] | None = None


class Proxy:
    """A proxy on this machine.

    Args:
        port: where it listens.
        behind: the address of the sound server, such as ``http://127.0.0.1:8080``.
    """

    def __init__(self, port: int, behind: str) -> None:
        self.behind = behind
        self.fault: Fault | None = None
        self._local = threading.local()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def answer(self, asked: Asked) -> Answered:
        """Gives the answer to a request, bent by the fault of the moment."""
        return self.fault.bend(asked, self.forward) if self.fault else self.forward(asked)

    def forward(self, asked: Asked) -> Answered:
        """Asks the sound server."""
        found = self._session().request(
            asked.method,
            f"{self.behind}{asked.path}",
            data=asked.body or None,
            headers=asked.headers,
            timeout=_TIMEOUT_S,
            allow_redirects=False,
        )
        headers = {name: value for name, value in found.headers.items() if name.lower() not in _HOP}
        return Answered(found.status_code, headers, found.content)

    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
            self._local.session.trust_env = False
            self._local.session.headers.clear()
        found: requests.Session = self._local.session
        return found

    def close(self) -> None:
        """Ends it."""
        self._server.shutdown()
        self._server.server_close()


def _handler(proxy: Proxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16  # headers and body leave together
        disable_nagle_algorithm = True

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            sent = {name.lower(): value for name, value in self.headers.items() if name.lower() not in _HOP}
            answered = proxy.answer(Asked(self.command, self.path, sent, body))
            self.send_response_only(answered.http_status)
            for name, value in answered.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answered.body)))
            self.end_headers()
            if self.command != "HEAD" and answered.http_status not in (204, 304):
                self.wfile.write(answered.body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _pass_on  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    return Handler
