"""The writer process of an embedded database: workers send Changes, it commits them in groups.

What lives here: the loop on the Unix socket. What does not: the workers' end (``store.sqlite_client``), the
lock and the groups (``store.sqlite_group``).

The writer drains what is ready, gives each Change its own savepoint, commits once and waits for the disk
once, then answers everybody. What changes a permission is committed before the rest (``store.writer_turns``).
A Change whose guard fails is undone alone. A client that vanishes, stalls or sends nonsense costs its own
connection and nothing else.

Source: ``engine.md`` 1.
"""

import contextlib
import os
import selectors
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import msgspec

from referral_hub.errors import GuardFailed, Unavailable
from referral_hub.store.database import open_sqlite
from referral_hub.store.frames import (
    APPLIED,
    APPLY,
    ASK,
    FAILED,
    HEADER,
    LARGEST,
    STALE,
    UNKNOWN,
    WRONG,
    frame,
)
from referral_hub.store.plan import decode
from referral_hub.store.sqlite_checkpoints import Checkpoints
from referral_hub.store.sqlite_group import LOCK_WAIT_S, Group, Outcome, WriterPaths, writing_lock
from referral_hub.store.writer_turns import Turns

_READ_BYTES = 1 << 18
_LOOK_S = 0.5


@dataclass(slots=True)
class _Caller:
    """One connected worker: its end, and what it sent that is not complete yet."""

    socket: socket.socket
    received: bytearray = field(default_factory=bytearray)


_Request = tuple[_Caller, int, bytes]


class WriterProcess:
    """The writer's loop. Make it in the process that is to write, then ``run``.

    Args:
        paths: database, lock and socket.
        ready: called once the socket takes Changes.
        lifeline: a file descriptor whose end ends the writer too: the read end of a pipe its parent holds.
        wait_s: how long another writer may take to end, in seconds.
    """

    def __init__(
        self,
        paths: WriterPaths,
        *,
        ready: Callable[[], None] = lambda: None,
        lifeline: int | None = None,
        wait_s: float = LOCK_WAIT_S,
    ) -> None:
        self._paths = paths
        self._ready = ready
        self._lifeline = lifeline
        self._wait_s = wait_s
        self._stopping = False
        self._selector = selectors.DefaultSelector()
        self._turns = Turns[_Caller]()
        self._asked: list[tuple[_Caller, str]] = []

    def run(self) -> None:
        """Writes until ``stop``; gives back lock and socket at the end.

        Raises:
            Busy: where another process holds the lock.
        """
        with contextlib.ExitStack() as held:
            held.enter_context(writing_lock(self._paths.lock, wait_s=self._wait_s))
            connection = open_sqlite(self._paths.database, writer=True)
            held.callback(connection.close)
            listener = held.enter_context(_listen(self._paths.socket))
            held.callback(self._paths.socket.unlink, missing_ok=True)
            held.callback(self._drop_all)
            self._selector.register(listener, selectors.EVENT_READ)
            if self._lifeline is not None:
                self._selector.register(self._lifeline, selectors.EVENT_READ)
            checkpoints = Checkpoints(self._paths.database)
            held.callback(checkpoints.close)
            connection.execute("PRAGMA wal_autocheckpoint=0")
            group = Group(connection, checkpoints.wrote)
            self._ready()
            while not self._stopping:
                self._serve(group, listener)

    def stop(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """Ends the loop after the group that is being written; fit to be a signal handler."""
        self._stopping = True

    def _serve(self, group: Group, listener: socket.socket) -> None:
        """Takes what is ready, writes it in groups, answers."""
        self._look(listener, _LOOK_S)
        while self._turns:
            taken: list[_Caller] = []
            outcomes = group.apply(self._turns.group(lambda: self._look(listener, 0), taken))
            for caller, outcome in zip(taken, outcomes, strict=True):
                self._send(caller, _spoken(outcome))
        # What is asked about may have been among what waited.
        asked, self._asked = self._asked, []
        for caller, change_id in asked:
            self._send(caller, frame(APPLIED if group.is_applied(change_id) else UNKNOWN, b""))

    def _look(self, listener: socket.socket, wait_s: float) -> None:
        """Takes in what has arrived."""
        for key, _ in self._selector.select(timeout=wait_s):
            if key.fileobj is listener:
                self._accept(listener)
            elif key.fileobj == self._lifeline:
                self._stopping = not os.read(self._lifeline, 1)
            else:
                self._note(self._read(key.data))

    def _accept(self, listener: socket.socket) -> None:
        try:
            connected, _ = listener.accept()
        except OSError:
            return  # it went away before it was taken
        connected.settimeout(0)
        self._selector.register(connected, selectors.EVENT_READ, _Caller(connected))

    def _read(self, caller: _Caller) -> list[_Request]:
        """Gives the complete requests of one caller; a caller that is gone or talks nonsense is dropped."""
        try:
            piece = caller.socket.recv(_READ_BYTES)
        except BlockingIOError:
            return []
        except OSError:
            piece = b""
        if not piece:
            self._drop(caller)
            return []
        received = caller.received
        received += piece
        found: list[_Request] = []
        while len(received) >= HEADER.size:
            length, kind = HEADER.unpack_from(received)
            if length > LARGEST or kind not in (ASK, APPLY):
                self._drop(caller)
                break
            end = HEADER.size + length
            if len(received) < end:
                break
            found.append((caller, kind, bytes(received[HEADER.size : end])))
            del received[:end]
        return found

    def _note(self, requests: list[_Request]) -> None:
        for caller, kind, body in requests:
            try:
                if kind == APPLY:
                    self._turns.add(caller, decode(body))
                else:
                    self._asked.append((caller, body.decode()))
            except (msgspec.MsgspecError, UnicodeDecodeError):
                self._drop(caller)

    def _send(self, caller: _Caller, message: bytes) -> None:
        try:
            caller.socket.sendall(message)
        except OSError:
            self._drop(caller)  # it will ask by its change id

    def _drop(self, caller: _Caller) -> None:
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(caller.socket)
        caller.socket.close()

    def _drop_all(self) -> None:
        for key in list(self._selector.get_map().values()):
            if isinstance(key.data, _Caller):
                key.data.socket.close()
        self._selector.close()


def _spoken(outcome: Outcome) -> bytes:
    if outcome is None:
        return frame(APPLIED, b"")
    kind = WRONG
    if isinstance(outcome, GuardFailed):
        kind = STALE
    elif isinstance(outcome, Unavailable):
        kind = FAILED
    return frame(kind, outcome.text.encode())


def _listen(path: Path) -> socket.socket:
    """Opens the socket for its owner alone; one left behind by a killed writer is replaced."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(os.fspath(path))
    finally:
        os.umask(before)
    listener.listen(128)
    listener.settimeout(0)
    return listener
