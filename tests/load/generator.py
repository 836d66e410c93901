"""Processes that ask in a closed loop: as many requests on their way as there are connections, never more.

What lives here: a small HTTP/1.1 keep-alive client over plain sockets, and the processes that use it. What does
not: what is asked and what is right (``tests.load.lanes``).

One thread looks after all connections of a process, so the order of events inside it is certain and its own cost
is small; it is recorded, since generator and server share the processors.
"""

import multiprocessing
import select
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from tests.load.lanes import Answered, Ask, Lane, fault

_READ = 1 << 18
_PATIENCE_S = 30.0
_MOST_WRONG = 5


class Broken(Exception):
    """The other side closed a connection or sent no HTTP."""


@dataclass(slots=True)
class Wire:
    """One keep-alive connection with at most one request on its way."""

    socket: socket.socket
    position: int = 0
    sent_s: float = 0.0
    received: bytes = b""
    need: int = 0
    ask: Ask | None = None

    def fileno(self) -> int:
        return self.socket.fileno()


def connected(port: int) -> socket.socket:
    """Opens one connection to this machine."""
    made = socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE_S)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def head_of(received: bytes) -> tuple[int, int, int] | None:
    r"""Gives (status, where the body begins, its length), or None while the head is not whole.

    >>> head_of(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")
    (200, 38, 2)
    """
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = received[:end].lower()
    if not head.startswith(b"http/1.1 "):
        raise Broken(f"no HTTP: {received[:80]!r}")
    at = head.find(b"content-length:")
    length = 0
    if at >= 0:
        stop = head.find(b"\r", at)
        length = int(head[at + 15 : stop if stop >= 0 else len(head)])
    return int(head[9:12]), end + 4, length


def ask_once(port: int, wire: bytes) -> tuple[int, bytes]:
    """Gives status and body of one request on a connection of its own."""
    with connected(port) as connection:
        connection.sendall(wire)
        received = b""
        while True:
            head = head_of(received)
            if head is not None and len(received) >= head[1] + head[2]:
                return head[0], received[head[1] : head[1] + head[2]]
            piece = connection.recv(_READ)
            if not piece:
                raise Broken("closed before the answer")
            received += piece


def closed_loop(port: int, lane: Lane, connections: int, seconds: float, offset: int) -> Answered:
    """Asks for so many seconds and waits for what is on its way then.

    Args:
        port: where, on this machine.
        lane: what.
        connections: how many requests are on their way at any moment.
        seconds: for how long new ones are sent.
        offset: where in the lane's list this process begins.
    """
    asks = lane.asks
    total = len(asks)
    answered = Answered()
    latencies = answered.latencies_us
    poll = select.poll()
    wires: dict[int, Wire] = {}
    clock = time.perf_counter
    try:
        for number in range(connections):
            wire = Wire(connected(port), position=(offset + number * (total // connections or 1)) % total)
            wires[wire.fileno()] = wire
            poll.register(wire.fileno(), select.POLLIN)
        cpu = time.process_time()
        start = clock()
        end = start + seconds
        for wire in wires.values():
            _send(wire, asks, total, clock())
        open_wires = connections
        while open_wires:
            ready = poll.poll(_PATIENCE_S * 1000)
            if not ready:
                raise Broken("no answer for half a minute")
            for descriptor, _ in ready:
                wire = wires[descriptor]
                body = _receive(wire)
                if body is None:
                    continue
                now = clock()
                latencies.append((now - wire.sent_s) * 1e6)
                status, text = body
                wrong = fault(wire.ask, status, text) if wire.ask is not None else ""
                if wrong and len(answered.wrong) < _MOST_WRONG:
                    answered.wrong.append(wrong)
                if now < end:
                    _send(wire, asks, total, now)
                else:
                    open_wires -= 1
                    poll.unregister(descriptor)
        answered.seconds = clock() - start
        answered.cpu_s = time.process_time() - cpu
    finally:
        for wire in wires.values():
            wire.socket.close()
    answered.count = len(latencies)
    return answered


def _send(wire: Wire, asks: Any, total: int, now: float) -> None:
    ask = asks[wire.position]
    wire.position = (wire.position + 1) % total
    wire.ask = ask
    wire.received = b""
    wire.need = 0
    wire.sent_s = now
    wire.socket.sendall(ask.wire)


def _receive(wire: Wire) -> tuple[int, bytes] | None:
    """Gives status and body once the whole answer is there."""
    piece = wire.socket.recv(_READ)
    if not piece:
        raise Broken("the server closed a connection")
    received = wire.received = wire.received + piece if wire.received else piece
    if len(received) < wire.need:
        return None
    head = head_of(received)
    if head is None:
        return None
    status, begin, length = head
    wire.need = begin + length
    if len(received) < wire.need:
        return None
    return status, received[begin : wire.need]


# --- the processes ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class Generators:
    """Several generator processes that are told together what to ask."""

    ends: list[Connection] = field(default_factory=list)
    processes: list[Any] = field(default_factory=list)

    @classmethod
    def start(cls, lanes: Mapping[str, Lane], count: int) -> "Generators":
        """Starts them and gives each the lanes, once."""
        context = multiprocessing.get_context("spawn")
        found = cls()
        for number in range(count):
            ours, theirs = context.Pipe()
            process = context.Process(target=_generate, args=(theirs, number, count), daemon=True)
            process.start()
            theirs.close()
            ours.send(dict(lanes))
            found.ends.append(ours)
            found.processes.append(process)
        for end in found.ends:
            end.recv()
        return found

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self.processes]

    def run(self, lane: str, port: int, connections: int, seconds: float) -> Answered:
        """Runs one slice on all of them (on one, where one connection is wanted) and adds up what they saw."""
        used = self.ends[: min(len(self.ends), connections)]
        for end in used:
            end.send((lane, port, connections // len(used), seconds))
        whole = Answered()
        for end in used:
            part = end.recv()
            if isinstance(part, Exception):
                raise part
            whole.count += part.count
            whole.seconds = max(whole.seconds, part.seconds)
            whole.latencies_us += part.latencies_us
            whole.wrong += part.wrong
            whole.cpu_s += part.cpu_s
        return whole

    def stop(self) -> None:
        for end in self.ends:
            end.send(None)
        for process in self.processes:
            process.join(5)


def _generate(end: Connection, number: int, count: int) -> None:
    lanes: dict[str, Lane] = end.recv()
    end.send("ready")
    turn = 0
    while (wanted := end.recv()) is not None:
        name, port, connections, seconds = wanted
        lane = lanes[name]
        turn += 1
        offset = len(lane.asks) * number // count + turn * 37
        try:
            end.send(closed_loop(port, lane, connections, seconds, offset))
        except (OSError, Broken) as problem:
            end.send(RuntimeError(f"{name}: {type(problem).__name__}: {problem}"))
