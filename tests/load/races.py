"""``python -m tests.load.races``: reads, searches, exports and what is sent race withdrawals over several processes.

What lives here: the race and its verdict. What does not: what is asked (``tests.load.race_questions``), speed
(``tests.load.__main__``).

A **trial** is one read or search of a person's referral, or one file of an export, by the recipient, whose first byte
was sent after the acknowledgement of the withdrawal had been received by the process that sends it. One process sends
both, so the order is certain. Half of the connections read all the time; the others have just read the same, wait for
the acknowledgement, and ask again at once, so that trials reach every worker while it still holds everything it can
remember. What was under way when the acknowledgement came may go either way and is no trial.

Asked are the request, the person, the Task, the condition, each by id and by search, the recipient's whole list, and
the files of an export that was made before.
Disclosed is an answer that shows the person or the request: anything but 404 to a read of them, any entry to a
search by id, their ids in the Task (whose empty card stays) or in a list.

Before that, what the hub sends of itself races withdrawals too: notifications and deliveries
(``tests.load.race_notices``).

Beside it one connection is silent for a while, as in a client's pool, and is asked again: it must still be open.

Exit code 0 where no trial disclosed and no request was lost, else 1.
"""

import argparse
import multiprocessing
import select
import socket
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tests.api.outbound.partner_server import serving
from tests.load import race_notices, served
from tests.load.generator import Broken, connected, head_of
from tests.load.pooled import SILENT_S, Pooled
from tests.load.race_questions import QUESTIONS, Person, Question, persons
from tests.load.report import quantile, ratio
from tests.postgres import postgres_server
from tests.world import opened_world

READERS = 8
"""Reading connections of each process that asks."""
BATCHES = 2
"""Pipelined batches on each of them after the acknowledgement."""
ASKERS = 2
_READ = 1 << 18
_WAIT_MS = 100_000


@dataclass(slots=True)
class Seen:
    """What one process saw."""

    trials: int = 0
    of_exports: int = 0
    """Trials that fetched a file of an export."""
    disclosed: int = 0
    under_way: int = 0
    under_way_disclosed: int = 0
    acknowledged_us: list[float] = field(default_factory=list)
    behind_us: list[float] = field(default_factory=list)
    """How long after the acknowledgement each trial was sent."""
    examples: list[str] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)
    """The local ports of its reading connections."""


# --- one process that asks ------------------------------------------------------------------------------------


@dataclass(slots=True)
class Pipe:
    """One connection with several requests on their way, answered in order."""

    socket: socket.socket
    waiting: deque[tuple[Question, bool]] = field(default_factory=deque)
    received: bytes = b""
    sent_after: int = 0
    sent_s: float = field(default_factory=time.perf_counter)
    heard_s: float = field(default_factory=time.perf_counter)

    def send(self, questions: Sequence[Question], *, after: bool) -> None:
        self.sent_s = time.perf_counter()
        self.socket.sendall(b"".join(one.wire for one in questions))
        self.waiting.extend((one, after) for one in questions)

    def answers(self) -> Iterator[tuple[Question, bool, int, bytes]]:
        """Gives what has arrived, whole."""
        try:
            piece = self.socket.recv(_READ)
        except OSError as problem:
            raise Broken(f"{self.state()}: {problem}") from problem
        if not piece:
            raise Broken(f"the server closed a connection: {self.state()}")
        self.heard_s = time.perf_counter()
        received = self.received + piece
        while received:
            head = head_of(received)
            if head is None or len(received) < head[1] + head[2]:
                break
            status, begin, length = head
            question, after = self.waiting.popleft()
            yield question, after, status, received[begin : begin + length]
            received = received[begin + length :]
        self.received = received

    def state(self) -> str:
        """Tells in words what was going on here, for whoever looks for the reason of a failure."""
        now_s = time.perf_counter()
        return (
            f"local port {self.socket.getsockname()[1]}, {len(self.waiting)} answers outstanding, last asked "
            f"{now_s - self.sent_s:.1f} s ago, last heard {now_s - self.heard_s:.1f} s ago, "
            f"begun answer {self.received[:120]!r}"
        )


class Asker:
    """Races one person after another."""

    def __init__(self, port: int) -> None:
        self._readers = [Pipe(connected(port)) for _ in range(READERS)]
        self._withdrawer = connected(port)
        self._poll = select.poll()
        self._by_descriptor = {reader.socket.fileno(): reader for reader in self._readers}
        for descriptor in (*self._by_descriptor, self._withdrawer.fileno()):
            self._poll.register(descriptor, select.POLLIN)
        self.seen = Seen(ports=[reader.socket.getsockname()[1] for reader in self._readers])
        self._begun_s = time.perf_counter()
        self._withdrawn_s: float | None = None
        """When the withdrawal that is under way was sent."""

    def state(self) -> str:
        """Tells how far this process has come, for whoever looks for the reason of a failure."""
        now_s = time.perf_counter()
        under_way = (
            ""
            if self._withdrawn_s is None
            else f", a withdrawal under way for {now_s - self._withdrawn_s:.1f} s"
        )
        return (
            f"{len(self.seen.acknowledged_us)} withdrawals in {now_s - self._begun_s:.1f} s, "
            f"the slowest {max(self.seen.acknowledged_us, default=0) / 1e3:.0f} ms{under_way}"
        )

    def race(self, person: Person) -> None:
        """Warms every connection, then withdraws while it reads, then reads on."""
        self._warm(person)
        seen = self.seen
        for reader in self._readers:
            reader.sent_after = 0
        for reader in self._readers[: READERS // 2]:
            reader.send(person.questions, after=False)
        sent_s = self._withdrawn_s = time.perf_counter()
        self._withdrawer.sendall(person.withdraw)
        acknowledged_s = 0.0
        answer = b""
        while True:
            for descriptor, _ in self._ready():
                if descriptor == self._withdrawer.fileno():
                    piece = self._withdrawer.recv(_READ)
                    if not piece:
                        raise Broken("the server closed the connection of the withdrawals")
                    answer += piece
                    if _is_whole(answer):
                        acknowledged_s = time.perf_counter()
                        self._withdrawn_s = None
                        seen.acknowledged_us.append((acknowledged_s - sent_s) * 1e6)
                        for reader in self._readers[READERS // 2 :]:
                            self._go_on(reader, person, acknowledged_s)
                    continue
                reader = self._by_descriptor[descriptor]
                for question, after, status, body in reader.answers():
                    self._judge(question, status, body, after=after)
                if not reader.waiting:
                    self._go_on(reader, person, acknowledged_s)
            if acknowledged_s and not any(reader.waiting for reader in self._readers):
                return

    def _go_on(self, reader: Pipe, person: Person, acknowledged_s: float) -> None:
        if not acknowledged_s:
            reader.send(person.questions, after=False)
        elif reader.sent_after < BATCHES:
            reader.sent_after += 1
            self.seen.behind_us.append((time.perf_counter() - acknowledged_s) * 1e6)
            reader.send(person.questions, after=True)

    def _judge(self, question: Question, status: int, body: bytes, *, after: bool) -> None:
        seen = self.seen
        disclosed = question.disclosed(status, body)
        if not after:
            seen.under_way += 1
            seen.under_way_disclosed += disclosed
            return
        seen.trials += 1
        seen.of_exports += question.of_export
        if status >= 500:
            raise Broken(f"{status} to {question.wire[:80]!r}")
        if disclosed:
            seen.disclosed += 1
            if len(seen.examples) < 5:
                line = question.wire.split(b"\r\n", 1)[0].decode()
                seen.examples.append(f"{line}: {status}, {body[:200]!r}")

    def _warm(self, person: Person) -> None:
        """Everything is disclosed before: a race that could not be lost would show nothing."""
        for reader in self._readers:
            reader.send(person.questions, after=False)
        while any(reader.waiting for reader in self._readers):
            for descriptor, _ in self._ready():
                for question, _, status, body in self._by_descriptor[descriptor].answers():
                    if not question.disclosed(status, body):
                        raise Broken(
                            f"not disclosed before: {status} to {question.wire[:90]!r}: {body[:200]!r}"
                        )

    def _ready(self) -> list[tuple[int, int]]:
        found = self._poll.poll(_WAIT_MS)
        if not found:
            raise Broken("no answer for 100 s")
        return found


def _is_whole(answer: bytes) -> bool:
    head = head_of(answer)
    if head is None or len(answer) < head[1] + head[2]:
        return False
    if head[0] != 200:
        raise Broken(f"a withdrawal was answered with {head[0]}: {answer[head[1] :][:300]!r}")
    return True


def _ask(end: Connection, port: int) -> None:
    listed: list[Person] = end.recv()
    asker = None
    try:
        asker = Asker(port)
        end.send(asker.seen.ports)
        for person in listed:
            asker.race(person)
        end.send(asker.seen)
    except (OSError, Broken) as problem:
        state = "before the first race" if asker is None else asker.state()
        end.send(RuntimeError(f"{type(problem).__name__}: {problem} ({state})"))


# --- a run ----------------------------------------------------------------------------------------------------


def raced(port: int, listed: Sequence[Person], pids: Sequence[int]) -> tuple[Seen, list[int]]:
    """Races all persons from some processes; gives what was seen, and connections by worker process."""
    context = multiprocessing.get_context("spawn")
    ends = []
    for number in range(ASKERS):
        ours, theirs = context.Pipe()
        process = context.Process(target=_ask, args=(theirs, port), daemon=True)
        process.start()
        ours.send(list(listed[number::ASKERS]))
        ends.append(ours)
    ports: list[int] = []
    for end in ends:
        ports += _received(end)
    time.sleep(0.5)  # by then each is taken by a worker
    spread = served.connections_of(ports, pids)
    whole = Seen()
    for end in ends:
        part = _part(end, pids)
        whole.trials += part.trials
        whole.of_exports += part.of_exports
        whole.disclosed += part.disclosed
        whole.under_way += part.under_way
        whole.under_way_disclosed += part.under_way_disclosed
        whole.acknowledged_us += part.acknowledged_us
        whole.behind_us += part.behind_us
        whole.examples += part.examples
    return whole, spread


def _part(end: Connection, pids: Sequence[int]) -> Seen:
    """Gives what one process saw; where it failed, the reason names workers that are gone."""
    try:
        found = _received(end)
    except RuntimeError as problem:
        gone = [pid for pid in pids if not Path(f"/proc/{pid}").exists()]
        raise RuntimeError(f"{problem}; workers that are gone: {gone or 'none'}") from problem
    assert isinstance(found, Seen)
    return found


def _received(end: Connection) -> Any:
    found = end.recv()
    if isinstance(found, Exception):
        raise found
    return found


@contextmanager
def _database(kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'hub.db'}"
        return
    with postgres_server() as server, server.database() as url:
        yield url


def main() -> int:
    """Races and prints the verdict."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.races", description=__doc__)
    parser.add_argument("--trials", type=int, default=100_000)
    parser.add_argument(
        "--told", type=int, default=200, help="persons of whom notifications and deliveries tell"
    )
    parser.add_argument("--processes", type=int, default=4, help="worker processes of the hub")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    options = parser.parse_args()
    begun = time.monotonic()
    receiver = race_notices.Receiver()
    with tempfile.TemporaryDirectory(prefix="hub-races-") as home, serving(partner=receiver):
        folder = Path(home) / "hub"
        origin = receiver.base.removesuffix("/fhir")
        with _database(options.database, folder) as url:
            per_person = READERS * BATCHES * QUESTIONS
            with opened_world(url, folder) as world:
                listed = persons(world, -(-options.trials // per_person))
                who = race_notices.cast(world, origin)
                base_url = world.parts.settings.base_url
            print(
                f"filled: {len(listed)} persons, {time.monotonic() - begun:.0f} s",
                file=sys.stderr,
                flush=True,
            )
            hub = served.start_hub(
                "hub",
                {
                    "REFERRAL_HUB_DATA_DIR": str(folder),
                    "REFERRAL_HUB_DATABASE_URL": url,
                    "REFERRAL_HUB_BASE_URL": base_url,
                    "REFERRAL_HUB_INNER_ORIGINS": origin,
                },
                workers=options.processes,
            )
            pooled = Pooled(hub.port)
            pooled.start()
            try:
                told = race_notices.raced(hub.port, who, receiver, options.told)
                seen, spread = raced(hub.port, listed, served.answering(hub.process.pid))
            finally:
                hub.stop()
    for example in (*told.examples[:5], *seen.examples):
        print(f"DISCLOSED: {example}")
    print(
        f"{seen.trials:,} trials ({seen.of_exports:,} of exports), {seen.disclosed} disclosed after the "
        f"acknowledgement ({options.database}, {options.processes} worker processes, {len(listed)} withdrawals)"
    )
    print(
        f"{told.trials:,} persons of notifications and deliveries, {told.disclosed} disclosed after the "
        f"acknowledgement; {told.came:,} others came, {told.on_its_way:,} were on their way at the acknowledgement"
    )
    print(
        f"under way at the acknowledgement, no trials: {seen.under_way:,} answers, "
        f"{seen.under_way_disclosed:,} of them disclosed"
    )
    print(
        f"acknowledgement p50 {quantile(seen.acknowledged_us, 0.5) / 1e3:.1f} ms, "
        f"p99 {quantile(seen.acknowledged_us, 0.99) / 1e3:.1f} ms, "
        f"slowest {max(seen.acknowledged_us, default=0) / 1e3:.1f} ms; "
        f"{ratio(sum(one < 1_000 for one in seen.behind_us), len(seen.behind_us)):.0%} of the trials were sent within "
        f"1 ms of it, on connections to {len(spread)} workers ({'/'.join(map(str, spread))}); "
        f"{time.monotonic() - begun:.0f} s in all"
    )
    print(f"a connection that was silent for {SILENT_S:.0f} s: {pooled.said or 'not asked again by then'}")
    is_lost = pooled.said not in ("", "answered with 200")
    return 1 if seen.disclosed or told.disclosed or seen.trials < options.trials or is_lost else 0


if __name__ == "__main__":
    sys.exit(main())
