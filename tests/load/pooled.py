"""A client that keeps a connection in its pool and uses it again after a while: it must not lose a request.

What lives here: ``Pooled``. What does not: how long the server keeps connections (``referral_hub.serving``).
"""

import socket
import threading
import time

from tests.load.generator import Broken, connected, head_of
from tests.load.lanes import request

SILENT_S = 45.0
"""How long the connection is silent: longer than HTTP servers allow as a rule."""
_READ = 1 << 16


class Pooled(threading.Thread):
    """A client that keeps a connection in its pool: it asks, falls silent for a while, and asks again.

    Args:
        port: where, on this machine.
    """

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._port = port
        self.said = ""
        """Empty while it has not asked again."""

    def run(self) -> None:
        """Asks twice on one connection."""
        wire = request("GET", "/health/live", "")
        with connected(self._port) as connection:
            for pause_s in (0.0, SILENT_S):
                time.sleep(pause_s)
                try:
                    connection.sendall(wire)
                    status = _status(connection)
                except (OSError, Broken) as problem:
                    self.said = f"lost its request after {pause_s:.0f} s of silence: {problem!r}"
                    return
        self.said = f"answered with {status}"


def _status(connection: socket.socket) -> int:
    """Gives the status of an answer, once all of it is there."""
    received = b""
    while (head := head_of(received)) is None or len(received) < head[1] + head[2]:
        piece = connection.recv(_READ)
        if not piece:
            raise Broken("closed")
        received += piece
    return head[0]
