"""An endpoint that a server sends notifications to, in this process.

What lives here: keeping what arrives, by the last part of its address. What does not: what must be in it
(``conformance.checks.subscriptions``).
"""

import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, slots=True)
class Notification:
    """One POST that arrived."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def bundle(self) -> dict[str, Any]:
        """Gives the Bundle it holds; an empty object where it holds none."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def status(self) -> dict[str, Any]:
        """Gives the parameters of its first entry by name, each as its value."""
        entries = self.bundle.get("entry", [])
        told = entries[0].get("resource", {}).get("parameter", []) if entries else []
        return {one.get("name", ""): _value(one) for one in told}

    @property
    def kind(self) -> str:
        """Gives what it says it is: handshake, heartbeat, event-notification."""
        return str(self.status.get("type", ""))


def _value(parameter: dict[str, Any]) -> Any:
    if "part" in parameter:
        return parameter["part"]
    return next((value for name, value in parameter.items() if name.startswith("value")), None)


class Listener:
    """A small HTTP server on this machine; everything it is sent is kept.

    Args:
        host: the name under which others reach it.
        port: 0 takes a free one.
    """

    def __init__(self, host: str, port: int = 0) -> None:
        self._kept: dict[str, list[Notification]] = defaultdict(list)
        self.refusing: set[str] = set()
        self.silent = False
        self.bend: Callable[[bytes], bytes] | None = None
        self._server = ThreadingHTTPServer(("0.0.0.0" if host != "127.0.0.1" else host, port), _handler(self))  # noqa: S104
        self.base = f"http://{host}:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def keep(self, name: str, notification: Notification) -> None:
        """Keeps what arrived under a name, bent where the suite itself is being tried."""
        if self.bend is not None:
            notification = replace(notification, body=self.bend(notification.body))
        self._kept[name].append(notification)

    def arrived(self, name: str, kind: str = "") -> list[Notification]:
        """Gives what has arrived under a name, of one kind or of all."""
        return [one for one in list(self._kept[name]) if not kind or one.kind == kind]

    def waited(
        self, name: str, until: Callable[[list[Notification]], bool], most_s: float
    ) -> list[Notification]:
        """Waits until what has arrived is enough, at most some seconds; gives what there is then."""
        end = time.monotonic() + most_s
        while time.monotonic() < end and not until(self.arrived(name)):
            time.sleep(0.02)
        return self.arrived(name)

    def close(self) -> None:
        """Ends it."""
        self._server.shutdown()
        self._server.server_close()


def _handler(listener: Listener) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            name = self.path.rpartition("/")[2]
            listener.keep(name, Notification(dict(self.headers.items()), body))
            self.send_response(500 if name in listener.refusing else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    return Handler
