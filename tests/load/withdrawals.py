"""``python -m tests.load.withdrawals``: how long the acknowledgement of a withdrawal takes, idle and beside a load.

What lives here: three phases, each with withdrawals one after the other on a connection of their own: nothing else
asked; the normal mix at the peak rate of a nation; readers that ask without a pause. What does not: whether
anything is disclosed afterwards (``tests.load.races``).

Between two withdrawals stands **the control**, an empty write that is as durable: another process is sent one byte over
a socket, appends one byte to a file beside the database, waits for the disk, and answers. It waits for processors and
for the disk as a withdrawal does, and does nothing else, so the ratio tells what is the hub's.

The mix arrives at fixed moments, whether or not the hub keeps up; its rate is divided by how much slower an empty
answer of plain Flask is here than on the machine the targets were set on. Exit code 0 whatever the figures are,
1 where an answer was wrong.
"""

import argparse
import multiprocessing
import os
import random
import select
import socket
import sys
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.load import budget, corpus, served
from tests.load.generator import Broken, Generators, connected, head_of
from tests.load.lanes import Ask, Lane, fault, request
from tests.load.report import quantile
from tests.world import opened_world

PEAK = 710
"""Requests per second of the normal mix at the peak hour of a nation (``performance.md`` 3)."""
REFERENCE_FLASK_US = 33.0
MIX = (
    ("search inbox", 45),
    ("granted read", 20),
    ("notice read", 15),
    ("create", 10),
    ("bundle", 5),
    ("search own", 5),
)
CONNECTIONS = 32
PAUSE_S = 0.05
"""Between an acknowledgement and the next withdrawal."""
_READ = 1 << 18


@dataclass(slots=True)
class Phase:
    """What one phase saw: microseconds each."""

    acknowledged_us: list[float] = field(default_factory=list)
    control_us: list[float] = field(default_factory=list)
    """How long the empty durable writes took, one after each withdrawal."""
    answered_us: list[float] = field(default_factory=list)
    seconds: float = 0.0
    late: int = 0
    """Requests of the mix that had to wait for a free connection."""


@dataclass(slots=True)
class _Line:
    """One connection with at most one request on its way."""

    socket: socket.socket
    ask: Ask | None = None
    due_s: float = 0.0
    received: bytes = b""


def mixed(lanes: Sequence[Lane], count: int) -> list[Ask]:
    """Gives so many requests of the mix, in an order that is always the same."""
    chance = random.Random(7)
    by_name = {lane.name: lane for lane in lanes}
    names = chance.choices([name for name, _ in MIX], [share for _, share in MIX], k=count)
    return [chance.choice(by_name[name].asks) for name in names]


class Mix:
    """Requests that arrive at fixed moments, over connections of their own.

    Args:
        port: where, on this machine.
        asks: what, over and over.
        rate: how many in a second.
        seen: where it is written down.
    """

    def __init__(self, port: int, asks: Sequence[Ask], rate: float, seen: Phase) -> None:
        self._asks = asks
        self._rate = rate
        self._seen = seen
        made = [connected(port) for _ in range(CONNECTIONS if asks else 0)]
        self.lines = {one.fileno(): _Line(one) for one in made}
        self._free = deque(self.lines.values())
        self._waiting = deque[tuple[Ask, float]]()
        self._begun_s = time.perf_counter()
        self._count = 0

    def next_s(self) -> float:
        """Gives when the next one arrives."""
        return self._begun_s + self._count / self._rate if self._asks else float("inf")

    def send(self, now_s: float) -> None:
        """Sends what has arrived, as far as a connection is free."""
        while self.next_s() <= now_s:
            self._waiting.append((self._asks[self._count % len(self._asks)], self.next_s()))
            self._count += 1
            self._seen.late += not self._free
        while self._waiting and self._free:
            line = self._free.popleft()
            line.ask, line.due_s = self._waiting.popleft()
            line.received = b""
            line.socket.sendall(line.ask.wire)

    def take(self, descriptor: int) -> None:
        """Takes what came on a connection."""
        line = self.lines[descriptor]
        line.received += _received(line.socket)
        answer = _whole(line.received)
        if answer is None or line.ask is None:
            return
        # The pages change while persons withdraw; that they are right is shown elsewhere.
        wrong = fault(line.ask, *answer) if line.ask.kind != "entries" else ""
        if wrong:
            raise Broken(wrong)
        self._seen.answered_us.append((time.perf_counter() - line.due_s) * 1e6)
        self._free.append(line)


def write_empty(end: socket.socket, path: Path) -> None:
    """Appends a byte and waits for the disk, for each byte that comes: the control, in a process of its own."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    while piece := end.recv(1):
        os.write(descriptor, piece)
        os.fsync(descriptor)
        end.sendall(piece)
    os.close(descriptor)


def phase(
    port: int, withdrawals: Sequence[bytes], asks: Sequence[Ask], rate: float, control: socket.socket
) -> Phase:
    """Withdraws one after the other while the mix arrives, in turn with the control."""
    seen = Phase()
    mix = Mix(port, asks, rate, seen)
    ours = connected(port)
    poll = select.poll()
    for descriptor in (*mix.lines, ours.fileno(), control.fileno()):
        poll.register(descriptor, select.POLLIN)
    empty_s = 0.0
    begun_s = time.perf_counter()
    left, next_s, sent_s, answer = deque(withdrawals), begun_s + PAUSE_S, 0.0, b""
    while left or sent_s or empty_s:
        now_s = time.perf_counter()
        mix.send(now_s)
        if left and not sent_s and not empty_s and now_s >= next_s:
            sent_s, answer = time.perf_counter(), b""
            ours.sendall(left.popleft())
        until_s = min(mix.next_s(), now_s + 1.0 if sent_s or empty_s else next_s)
        for descriptor, _ in poll.poll(max(0.0, (until_s - now_s) * 1000)):
            if descriptor == control.fileno():
                control.recv(1)
                next_s = time.perf_counter() + PAUSE_S
                seen.control_us.append((next_s - PAUSE_S - empty_s) * 1e6)
                empty_s = 0.0
                continue
            if descriptor != ours.fileno():
                mix.take(descriptor)
                continue
            answer += _received(ours)
            whole = _whole(answer)
            if whole is not None:
                if whole[0] != 200:
                    raise Broken(f"a withdrawal was answered with {whole[0]}")
                empty_s = time.perf_counter()
                seen.acknowledged_us.append((empty_s - sent_s) * 1e6)
                sent_s = 0.0
                control.sendall(b".")
    seen.seconds = time.perf_counter() - begun_s
    for one in (ours, *(line.socket for line in mix.lines.values())):
        one.close()
    return seen


def _whole(received: bytes) -> tuple[int, bytes] | None:
    """Gives status and body, or None while they are not all there."""
    head = head_of(received)
    if head is None or len(received) < head[1] + head[2]:
        return None
    return head[0], received[head[1] : head[1] + head[2]]


def _received(connection: socket.socket) -> bytes:
    piece = connection.recv(_READ)
    if not piece:
        raise Broken("the server closed a connection")
    return piece


def _told(name: str, seen: Phase) -> str:
    text = (
        f"{name:<44} p50 {quantile(seen.acknowledged_us, 0.5) / 1e3:6.1f} ms, "
        f"p99 {quantile(seen.acknowledged_us, 0.99) / 1e3:6.1f} ms, "
        f"slowest {max(seen.acknowledged_us) / 1e3:6.1f} ms of {len(seen.acknowledged_us)}; "
        f"the control p50 {quantile(seen.control_us, 0.5) / 1e3:.2f} ms, "
        f"p99 {quantile(seen.control_us, 0.99) / 1e3:.1f} ms"
    )
    if seen.answered_us:
        text += (
            f"; the mix: {len(seen.answered_us) / seen.seconds:,.0f}/s, "
            f"p99 {quantile(seen.answered_us, 0.99) / 1e3:.0f} ms, {seen.late} waited for a connection"
        )
    return text


def main() -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.withdrawals", description=__doc__)
    parser.add_argument("--withdrawals", type=int, default=200, help="in each phase")
    parser.add_argument("--rate", type=float, help="of the mix, requests per second")
    options = parser.parse_args()
    slower = budget.plain_flask_us() / REFERENCE_FLASK_US
    rate = options.rate or PEAK / slower
    with tempfile.TemporaryDirectory(prefix="hub-withdrawals-") as home:
        folder = Path(home) / "hub"
        url = f"sqlite:///{folder / 'hub.db'}"
        with opened_world(url, folder) as world:
            filled = corpus.filled(world, persons=120, say=lambda text: print(text, file=sys.stderr))
            lanes = [*corpus.reading_lanes(filled), *corpus.writing_lanes(filled)]
            wanted = [
                request("POST", f"/fhir/{consent}/$revoke", filled.writer.token)
                for consent in corpus.read_by_a_clinic(world, filled, 3 * options.withdrawals)
            ]
            base_url = world.parts.settings.base_url
        settings = {
            "REFERRAL_HUB_DATA_DIR": str(folder),
            "REFERRAL_HUB_DATABASE_URL": url,
            "REFERRAL_HUB_BASE_URL": base_url,
        }
        control, theirs = socket.socketpair()
        spawned = multiprocessing.get_context("spawn")
        spawned.Process(target=write_empty, args=(theirs, folder / "empty-writes"), daemon=True).start()
        hub = served.start_hub("hub", settings, workers=2)
        generators = Generators.start({lane.name: lane for lane in lanes}, 2)
        try:
            count = options.withdrawals
            mix = mixed(lanes, 4_000)
            for name in ("granted read", "search inbox"):
                generators.run(name, hub.port, 8, 0.5)  # every worker has seen everything once
            print(_told("nothing else asked", phase(hub.port, wanted[:count], (), rate, control)))
            beside = phase(hub.port, wanted[count : 2 * count], mix, rate, control)
            print(_told(f"the normal mix, {rate:,.0f}/s ({PEAK}/s scaled)", beside))
            for end in generators.ends:
                end.send(("granted read", hub.port, 8, count * (PAUSE_S + 0.15)))
            time.sleep(0.5)
            print(
                _told(
                    "16 connections read without a pause",
                    phase(hub.port, wanted[2 * count :], (), rate, control),
                )
            )
            for end in generators.ends:
                end.recv()
        finally:
            generators.stop()
            hub.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
