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
from referral_hub.store.plan import Plan, Rule
from referral_hub.store.statements import WRITES
from referral_hub.store.write_statements import MARK
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
_MASK = (1 << 62) - 1

Row = tuple[str, bool, Any]
"""Statement, whether it takes a list of parameters, parameters."""


@dataclass(frozen=True, slots=True)
class Written:
    """The rows of one Change of the hub, and which numbers and texts in them must be fresh each time."""

    change_id: str
    rows: tuple[Row, ...]
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
    rows = tuple((name, rule == Rule.MANY, parameters) for name, rule, parameters in plan.steps)
    numbers: dict[int, None] = {}
    texts: dict[str, None] = {plan.change_id: None}
    for name, is_list, parameters in rows:
        for one in parameters if is_list else (parameters,):
            if name == "resource_insert":
                numbers[one["row_id"]] = None
                texts[one["id"]] = None
            if name == "outbox_insert":
                texts[one["key"]] = None
    return Written(plan.change_id, rows, tuple(numbers), tuple(texts))


class Repeat:
    """Gives the rows of a Change under fresh ids, as cheaply as can be."""

    def __init__(self, written: Written, dialect: str) -> None:
        self._written = written
        self._steps: list[tuple[str, bool, Any, list[tuple[int, str, str]]]] = []
        self._mark = MARK.text[dialect]
        for name, is_list, parameters in written.rows:
            listed = [dict(one) for one in parameters] if is_list else [dict(parameters)]
            places = [
                (position, key, "number" if isinstance(value, int) else "text")
                for position, one in enumerate(listed)
                for key, value in one.items()
                if self._is_own(value)
            ]
            self._steps.append((WRITES[name].text[dialect], is_list, listed, places))

    def _is_own(self, value: Any) -> bool:
        if isinstance(value, str):
            known = (*self._written.texts, *map(str, self._written.numbers))
            return any(text in value for text in known)
        return value in self._written.numbers if isinstance(value, int) else False

    def fresh(self) -> list[tuple[str, bool, Any]]:
        """Gives statements with parameters; the first one marks the Change."""
        numbers = {number: random.getrandbits(62) & _MASK for number in self._written.numbers}
        texts = {text: str(uuid.uuid4()) for text in self._written.texts}
        texts.update({str(number): str(made) for number, made in numbers.items()})
        made: list[tuple[str, bool, Any]] = [
            (self._mark, False, {"change_id": secrets.token_hex(16), "at_us": time.time_ns() // 1000})
        ]
        for sql, is_list, listed, places in self._steps:
            rows = [dict(one) for one in listed]
            for position, key, kind in places:
                value = rows[position][key]
                if kind == "number":
                    rows[position][key] = numbers[value]
                    continue
                for old, new in texts.items():
                    if old in value:
                        value = value.replace(old, new)
                rows[position][key] = value
            made.append((sql, is_list, rows if is_list else rows[0]))
        return made


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
    repeats = {lane: Repeat(written, dialect) for lane, written in wanted.written.items()}
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


def _insert_sqlite(connection: Any, rows: Sequence[tuple[str, bool, Any]]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for sql, is_list, parameters in rows:
        if is_list:
            connection.executemany(sql, parameters)
        else:
            connection.execute(sql, parameters)
    connection.execute("COMMIT")


def _insert_postgres(connection: Any, rows: Sequence[tuple[str, bool, Any]]) -> None:
    with connection.transaction(), connection.pipeline():
        for sql, is_list, parameters in rows:
            if is_list:
                connection.cursor().executemany(sql, parameters)
            else:
                connection.execute(sql, parameters)
