"""A worker's end of the writer's socket: plans go out, answers come back, nothing is guessed.

What lives here: ``SocketWriter``. What does not: the writer (``store.sqlite_writer``).

Where the connection is lost between sending and the answer, the worker asks by the change id. A Change the
writer does not know is sent again under the same id, so it is applied once whatever happened to the first
one.

Source: ``engine.md`` 1.
"""

import socket
import time
from collections import deque
from contextlib import nullcontext
from pathlib import Path

from referral_hub.errors import Busy, GuardFailed, HubError, Unavailable
from referral_hub.store.database import Away
from referral_hub.store.frames import APPLIED, APPLY, ASK, FAILED, HEADER, STALE, WRONG, frame
from referral_hub.store.plan import Plan, encode

ANSWER_S = 30.0
AWAY_S = 15.0
"""How long a writer may be gone, for instance while it is started again, before the worker gives up."""


class SocketWriter:
    """Applies plans through the writer process. Safe to use from many threads.

    Args:
        path: the writer's socket.
        away: gives up the lane while the commit is waited for.
        patience_s: how long a lost writer is waited for.
    """

    def __init__(self, path: Path, *, away: Away = nullcontext, patience_s: float = AWAY_S) -> None:
        self._path = path
        self._away = away
        self._patience_s = patience_s
        self._idle: deque[socket.socket] = deque()

    def answers(self) -> bool:
        """Tells whether a writer takes Changes here."""
        try:
            self._idle.append(self._connect())
        except OSError:
            return False
        return True

    def apply(self, plan: Plan) -> None:
        """Has a plan applied and waits until it is on the disk.

        Raises:
            GuardFailed: a guard no longer holds. Busy: there is no writer; nothing was stored. Unavailable:
            the disk could not take it; or the writer was lost and it is not known whether the Change
                was stored.
        """
        message = frame(APPLY, encode(plan))
        with self._away():
            kind, text = self._settle(plan.change_id, message)
        if kind == STALE:
            raise GuardFailed(text)
        if kind == FAILED:
            raise Unavailable(text)
        if kind == WRONG:
            raise HubError(text)

    def _settle(self, change_id: str, message: bytes) -> tuple[int, str]:
        """Sends until there is an answer; between two attempts it asks whether the last one arrived."""
        end = time.monotonic() + self._patience_s
        sent = False
        question = frame(ASK, change_id.encode())
        while True:
            try:
                connection = self._take()
                if sent:
                    kind, text = _exchange(connection, question)
                    if kind == APPLIED:
                        self._idle.append(connection)
                        return kind, text
                sent = True
                answer = _exchange(connection, message)
            except OSError:
                self.close()  # connections of a writer that is gone are of no use
                if time.monotonic() >= end:
                    raise _lost(sent=sent) from None
                time.sleep(0.05)
            else:
                self._idle.append(connection)
                return answer

    def _take(self) -> socket.socket:
        try:
            return self._idle.pop()
        except IndexError:
            return self._connect()

    def _connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(ANSWER_S)
            connection.connect(str(self._path))
        except OSError:
            connection.close()
            raise
        return connection

    def close(self) -> None:
        """Closes the connections that are not in use."""
        while self._idle:
            self._idle.pop().close()


def _exchange(connection: socket.socket, message: bytes) -> tuple[int, str]:
    """Sends one request and reads its answer; a connection that fails is closed."""
    try:
        connection.sendall(message)
        length, kind = HEADER.unpack(_read(connection, HEADER.size))
        return kind, _read(connection, length).decode()
    except OSError:
        connection.close()
        raise


def _read(connection: socket.socket, length: int) -> bytes:
    received = b""
    while len(received) < length:
        piece = connection.recv(length - len(received))
        if not piece:
            raise ConnectionResetError
        received += piece
    return received


def _lost(*, sent: bool) -> HubError:
    if sent:
        return Unavailable("The writer was lost; it is not known whether this was stored. Send it again.")
    return Busy("The writer does not take changes now and nothing was stored; try again in a moment.")
