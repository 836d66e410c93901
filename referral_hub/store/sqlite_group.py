"""Writing an embedded database: the lock, groups of Changes under one commit, writing in this process.

What lives here: what every writer of SQLite needs. What does not: the writer process
(``store.sqlite_writer``), plans (``store.apply``).

Source: ``engine.md`` 1, ``performance.md`` 5.1.
"""

import contextlib
import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from referral_hub.errors import Busy, GuardFailed, HubError, Unavailable
from referral_hub.store.database import Away, open_sqlite
from referral_hub.store.plan import Plan
from referral_hub.store.steps import refused_row, run_on_sqlite

GROUP = 256
"""The most Changes that share one commit."""
LOCK_WAIT_S = 10.0

CAREFUL_GROUPS = 8
"""After a refusal so many groups are written with a savepoint for each plan at once."""
_WRONG = (KeyError, TypeError, ValueError, OverflowError)

Outcome = HubError | None
"""What became of one plan: None where it is applied."""


@dataclass(frozen=True, slots=True)
class WriterPaths:
    """Where an embedded database, its writer's lock and its writer's socket are."""

    database: Path
    lock: Path
    socket: Path

    @classmethod
    def of(cls, database: Path, socket: Path | None = None) -> "WriterPaths":
        """Gives the paths beside a database file, as the settings name them."""
        lock = database.with_name(database.name + ".writer")
        return cls(database, lock, socket or database.with_name("writer.sock"))


@contextmanager
def writing_lock(path: Path, *, wait_s: float = LOCK_WAIT_S) -> Iterator[None]:
    """Holds the lock that only the one writer of a database holds; a killed holder gives it back.

    Raises:
        Busy: where another process keeps it for the whole wait.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        end = time.monotonic() + wait_s
        while not _locked(descriptor):
            if time.monotonic() >= end:
                raise Busy("Another process writes to this database; stop it or try again.")
            time.sleep(0.02)
        yield
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class Group:
    """Applies plans in groups on one connection: one commit for all, and whoever is refused is refused alone.

    Args:
        connection: the one that writes.
        committed: called with it after each commit.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        committed: Callable[[sqlite3.Connection], None] = lambda _connection: None,
    ) -> None:
        self._connection = connection
        self._committed = committed
        self._careful = 0

    def apply(self, plans: Iterable[Plan]) -> list[Outcome]:
        """Applies a group and waits for the disk; gives one outcome per plan, in their order.

        The plans are taken one after the other, each when the one before it was run.
        """
        taken: list[Plan] = []
        given = _noted(plans, taken)
        try:
            if self._careful:
                self._careful -= 1
                outcomes = self._each(given)
            else:
                outcomes = self._together(given) or self._each(chain([*taken], given))
        except sqlite3.Error:
            # The disk is full or failing: nothing of the group is there, and everybody is told so.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            text = "The database could not store this; nothing of it was stored. Try again later."
            return [Unavailable(text) for _ in chain([*taken], given)]
        self._committed(self._connection)
        return outcomes

    def _together(self, plans: Iterable[Plan]) -> list[Outcome]:
        """Applies all as one; where one of them is refused nothing of it stays, and an empty list is given.

        A savepoint keeps a copy of every page that is written after it. Nearly every group goes through whole.
        """
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        count = 0
        try:
            for plan in plans:
                run_on_sqlite(self._connection, plan)
                count += 1
        except (HubError, sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.InterfaceError, *_WRONG):
            execute("ROLLBACK")
            self._careful = CAREFUL_GROUPS
            return []
        execute("COMMIT")
        return [None] * count

    def _each(self, plans: Iterable[Plan]) -> list[Outcome]:
        """Applies each within its own savepoint, so that a refused one is undone alone."""
        self._connection.execute("BEGIN IMMEDIATE")
        outcomes = [self._one(plan) for plan in plans]
        self._connection.execute("COMMIT")
        return outcomes

    def _one(self, plan: Plan) -> Outcome:
        execute = self._connection.execute
        execute("SAVEPOINT change")
        try:
            run_on_sqlite(self._connection, plan)
        except GuardFailed as stale:
            outcome: Outcome = stale
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.InterfaceError) as problem:
            outcome = refused_row(problem)
        except _WRONG as problem:
            outcome = refused_row(problem)
        else:
            execute("RELEASE change")
            return None
        execute("ROLLBACK TO change")
        execute("RELEASE change")
        return outcome

    def is_applied(self, change_id: str) -> bool:
        """Tells whether a Change was applied, for a worker that lost its answer."""
        asked = "SELECT 1 FROM applied_change WHERE change_id = ?"
        return self._connection.execute(asked, (change_id,)).fetchone() is not None


def _noted(plans: Iterable[Plan], taken: list[Plan]) -> Iterator[Plan]:
    for plan in plans:
        taken.append(plan)
        yield plan


@dataclass(slots=True)
class _Waiting:
    """One plan on its way, and what became of it."""

    plan: Plan
    outcome: Outcome = None
    is_settled: bool = False

    def settle(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.is_settled = True


class LocalWriter:
    """Writes inside this process while it holds the lock: command line, imports, tests.

    Threads that apply at the same moment share a commit: whoever comes first writes for all.

    Args:
        paths: where database and lock are.
        away: gives up the lane while the disk is waited for.
        wait_s: how long another holder of the lock is waited for.

    Raises:
        Busy: where another process keeps the lock.
    """

    def __init__(self, paths: WriterPaths, *, away: Away = nullcontext, wait_s: float = LOCK_WAIT_S) -> None:
        self._held = contextlib.ExitStack()
        self._held.enter_context(writing_lock(paths.lock, wait_s=wait_s))
        connection = open_sqlite(paths.database, writer=True)
        self._held.callback(connection.close)
        self._group = Group(connection)
        self._away = away
        self._turn = threading.Condition()
        self._is_writing = False
        self._waiting: list[_Waiting] = []

    def apply(self, plan: Plan) -> None:
        """Applies a plan and waits for the disk.

        Raises:
            GuardFailed: a guard no longer holds.
            Unavailable: the disk could not take it.
        """
        mine = _Waiting(plan)
        with self._away():
            with self._turn:
                self._waiting.append(mine)
            while not mine.is_settled:
                taken = self._take_turn(mine)
                if taken:
                    self._write(taken)
        if mine.outcome is not None:
            raise mine.outcome

    def _take_turn(self, mine: _Waiting) -> list[_Waiting]:
        """Waits until this plan is settled, or gives the plans that are this thread's to write for all."""
        with self._turn:
            while self._is_writing and not mine.is_settled:
                self._turn.wait()
            if mine.is_settled:
                return []
            self._is_writing = True
            taken, self._waiting = self._waiting[:GROUP], self._waiting[GROUP:]
            return taken

    def _write(self, taken: list[_Waiting]) -> None:
        """Writes what waits; every plan taken is settled, whatever happens."""
        outcomes: list[Outcome] = []
        try:
            outcomes = self._group.apply([waiting.plan for waiting in taken])
        finally:
            interrupted = "Writing was interrupted; nothing of this was stored."
            with self._turn:
                for position, waiting in enumerate(taken):
                    waiting.settle(outcomes[position] if outcomes else Unavailable(interrupted))
                self._is_writing = False
                self._turn.notify_all()

    def close(self) -> None:
        """Closes the connection and gives back the lock."""
        self._held.close()
