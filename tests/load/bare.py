"""The bare database: the same rows, without a server, a check or a decision in between.

What lives here: processes that read bodies by id, read pages, and insert the rows of a create or a referral with
one commit each. What does not: the hub's own way to them.

What is inserted is what the hub wrote itself: the rows of one create and of one referral are recorded from the
hub's own Change and repeated under fresh ids, with all their index, history, audit and outbox rows, in one
transaction that waits for the disk. Reads are the shortest statement that gives the same stored bytes.
"""

import multiprocessing
import os
import random
import secrets
import sqlite3
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psycopg

from referral_hub.app import create_app, open_hub
from referral_hub.store.database import open_sqlite, sqlite_path
from referral_hub.store.plan import Plan, Rule, Step
from referral_hub.store.steps import run_on_postgres, run_on_sqlite
from tests.load.corpus import PAGE, Corpus
from tests.load.lanes import Answered, Lane
from tests.world import World

_BODY = {
    "sqlite": "SELECT body FROM resource WHERE id = ?",
    "postgresql": "SELECT body FROM resource WHERE id = %s",
}
_PAGE = (
    "SELECT body FROM resource WHERE type = '{}' AND {} = {} AND deleted = 0 "
    "ORDER BY updated_us DESC, row_id DESC LIMIT {}"
)


@dataclass(frozen=True, slots=True)
class Written:
    """The rows of one Change of the hub, and which numbers and texts in them must be fresh each time."""

    steps: tuple[Step, ...]
    numbers: tuple[int, ...]
    texts: tuple[str, ...]


@dataclass(slots=True)
class _Recorder:
    """A writer that keeps what passes through it."""

    writer: Any
    plans: list[Plan] = field(default_factory=list)

    def apply(self, plan: Plan) -> None:
        self.plans.append(plan)
        self.writer.apply(plan)

    def close(self) -> None:
        """The writer belongs to the world."""


def recorded(world: World, corpus: Corpus, lanes: Sequence[Lane]) -> dict[str, Written]:
    """Gives the rows that one request of each writing lane becomes."""
    recorder = _Recorder(world.parts.writer)
    parts = open_hub(world.parts.settings, writer=recorder)
    client = create_app(parts).test_client()
    found = {}
    for lane in lanes:
        head, _, body = lane.asks[0].wire.partition(b"\r\n\r\n")
        path = head.split(b" ", 2)[1].decode()
        recorder.plans.clear()
        answer = client.post(
            path,
            data=body,
            headers={
                "Authorization": f"Bearer {corpus.writer.token}",
                "Content-Type": "application/fhir+json",
            },
        )
        assert answer.status_code in (200, 201), answer.get_data(as_text=True)
        found[lane.name] = _written(recorder.plans[-1])
    parts.spool.close()
    parts.database.close()
    return found


def _written(plan: Plan) -> Written:
    numbers: dict[int, None] = {}
    texts: dict[str, None] = {plan.change_id: None}
    for name, rule, parameters in plan.steps:
        for row in parameters if rule == Rule.MANY else (parameters,):
            if name == "resource_insert":
                numbers[row["row_id"]] = None
                texts[row["id"]] = None
            if name == "outbox_insert":
                texts[row["key"]] = None
    return Written(plan.steps, tuple(numbers), tuple(texts))


class Repeat:
    """Gives the rows of a Change under fresh ids, as cheaply as can be."""

    def __init__(self, written: Written) -> None:
        self._written = written
        self._steps: list[tuple[Step, list[dict[str, Any]], list[tuple[int, str]]]] = []
        known = (*written.texts, *map(str, written.numbers))
        for step in written.steps:
            listed = step[2] if step[1] == Rule.MANY else [step[2]]
            places = [
                (position, key)
                for position, row in enumerate(listed)
                for key, value in row.items()
                if value in written.numbers
                or (isinstance(value, str) and any(text in value for text in known))
            ]
            self._steps.append((step, listed, places))

    def fresh(self) -> Plan:
        """Gives the next one, without guards: nothing was decided."""
        numbers: dict[Any, int] = {number: random.getrandbits(62) for number in self._written.numbers}
        texts = {text: str(uuid.uuid4()) for text in self._written.texts}
        texts.update({str(number): str(made) for number, made in numbers.items()})
        steps: list[Step] = []
        for (name, rule, _), listed, places in self._steps:
            rows = [dict(row) for row in listed]
            for position, key in places:
                value = rows[position][key]
                if isinstance(value, int):
                    value = numbers[value]
                else:
                    for old, new in texts.items():
                        value = value.replace(old, new)
                rows[position][key] = value
            steps.append((name, rule, rows if rule == Rule.MANY else rows[0]))
        return Plan(secrets.token_hex(16), time.time_ns() // 1000, (), tuple(steps))


# --- the processes ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the processes of the bare database need: its address, what to read, what to write."""

    url: str
    ids: tuple[str, ...]
    pages: Mapping[str, tuple[str, str, str]]
    """By lane: type, column, value."""
    written: Mapping[str, Written]


def wanted(url: str, corpus: Corpus, written: Mapping[str, Written]) -> Wanted:
    """Gives what the bare database reads and writes for this corpus."""
    clinic = corpus.clinics[0].organization
    return Wanted(
        url,
        tuple(one.request.rpartition("/")[2] for one in corpus.referrals),
        {
            "search own": ("ServiceRequest", "author", corpus.shelter.organization),
            "search inbox": ("Task", "owner", clinic),
            "search granted": ("Task", "owner", clinic),
        },
        written,
    )


@dataclass(slots=True)
class Bare:
    """Processes that each hold one connection."""

    ends: list[Connection] = field(default_factory=list)
    processes: list[Any] = field(default_factory=list)

    @classmethod
    def start(cls, wanted: Wanted, count: int, *, preload: Path | None = None) -> "Bare":
        """Starts them; ``preload`` is loaded before the C library."""
        context = multiprocessing.get_context("spawn")
        found = cls()
        before = os.environ.get("LD_PRELOAD")
        if preload is not None:
            os.environ["LD_PRELOAD"] = str(preload)
        try:
            for _ in range(count):
                ours, theirs = context.Pipe()
                process = context.Process(target=_bare, args=(theirs, wanted), daemon=True)
                process.start()
                theirs.close()
                found.ends.append(ours)
                found.processes.append(process)
        finally:
            if before is None:
                os.environ.pop("LD_PRELOAD", None)
            else:
                os.environ["LD_PRELOAD"] = before
        for end in found.ends:
            end.recv()
        return found

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self.processes]

    def run(self, lane: str, seconds: float, *, processes: int) -> Answered:
        """Runs one slice on so many of them and adds up."""
        used = self.ends[:processes]
        for end in used:
            end.send((lane, seconds))
        whole = Answered()
        for end in used:
            part = end.recv()
            if isinstance(part, Exception):
                raise part
            whole.count += part.count
            whole.seconds = max(whole.seconds, part.seconds)
            whole.latencies_us += part.latencies_us
        return whole

    def stop(self) -> None:
        for end in self.ends:
            end.send(None)
        for process in self.processes:
            process.join(5)


def _bare(end: Connection, wanted: Wanted) -> None:
    path = sqlite_path(wanted.url)
    opened: Any = (
        psycopg.connect(wanted.url, autocommit=True, prepare_threshold=1)
        if path is None
        else open_sqlite(path, writer=True)
    )
    dialect = "postgresql" if path is None else "sqlite"
    repeats = {lane: Repeat(written) for lane, written in wanted.written.items()}
    with closing(opened) as connection:
        end.send("ready")
        while (asked := end.recv()) is not None:
            lane, seconds = asked
            try:
                end.send(_slice(_act(connection, dialect, wanted, repeats, lane), seconds))
            except (sqlite3.Error, psycopg.Error, AssertionError) as problem:
                end.send(RuntimeError(f"bare {lane}: {type(problem).__name__}: {problem}"))


def _slice(act: Callable[[], None], seconds: float) -> Answered:
    answered = Answered()
    clock = time.perf_counter
    start = now = clock()
    end = start + seconds
    while now < end:
        act()
        before, now = now, clock()
        answered.latencies_us.append((now - before) * 1e6)
    answered.seconds = now - start
    answered.count = len(answered.latencies_us)
    return answered


def _act(
    connection: Any, dialect: str, wanted: Wanted, repeats: Mapping[str, Repeat], lane: str
) -> Callable[[], None]:
    binary: dict[str, Any] = {} if dialect == "sqlite" else {"binary": True}
    mark = "?" if dialect == "sqlite" else "%s"
    if lane in repeats:
        insert = _insert_sqlite if dialect == "sqlite" else _insert_postgres
        return lambda: insert(connection, repeats[lane].fresh())
    if lane in wanted.pages:
        type_name, column, value = wanted.pages[lane]
        page = _PAGE.format(type_name, column, mark, PAGE)

        def read_page() -> None:
            found = connection.execute(page, (value,), **binary).fetchall()
            assert len(found) == PAGE, f"{len(found)} rows"

        return read_page
    ids = wanted.ids
    body = _BODY[dialect]

    def read_one() -> None:
        found = connection.execute(body, (random.choice(ids),), **binary).fetchone()
        assert found is not None

    return read_one


def _insert_sqlite(connection: Any, plan: Plan) -> None:
    connection.execute("BEGIN IMMEDIATE")
    run_on_sqlite(connection, plan)
    connection.execute("COMMIT")


def _insert_postgres(connection: Any, plan: Plan) -> None:
    with connection.transaction():
        run_on_postgres(connection, plan)
