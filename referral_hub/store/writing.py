"""All statements that may be named in a Change, loaded; and the writer a hub's address calls for.

What lives here: the imports that fill ``WRITES``, and ``open_writer``. What does not: the writers themselves.
"""

import signal
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

from referral_hub.store import (  # noqa: F401 - each of these adds its statements to WRITES
    account_statements,
    assignment_statements,
    audit_rows,
    erasing,
    exports,
    key_rows,
    leases,
    oauth_rows,
    organizations,
    outbox,
    own_file,
    partner_copies,
    portal_rows,
    sealer,
    segments,
    sign_in,
    subscriptions,
    timers,
    write_statements,
)
from referral_hub.store.apply import PlanWriter
from referral_hub.store.database import Away, Database, PostgresDatabase, SqliteDatabase
from referral_hub.store.sqlite_client import SocketWriter
from referral_hub.store.sqlite_group import LOCK_WAIT_S, LocalWriter, WriterPaths
from referral_hub.store.sqlite_writer import WriterProcess


def open_writer(database: Database, *, socket: Path | None = None, away: Away = nullcontext) -> PlanWriter:
    """Gives who applies plans to this database.

    On PostgreSQL that is the pool itself. On SQLite it is the writer process where one runs, and else this
    process, which takes the file lock until the writer is closed.

    Args:
        database: the opened database.
        socket: the socket of the writer process; by default beside the database file.
        away: gives up the lane while a commit is waited for.

    Raises:
        Busy: where another process writes and does not take Changes from others.
    """
    if isinstance(database, PostgresDatabase):
        from referral_hub.store.postgres_writer import PostgresWriter  # its driver is loaded where it is used

        return PostgresWriter(database)
    assert isinstance(database, SqliteDatabase)  # noqa: S101 - there are two kinds
    paths = WriterPaths.of(database.path, socket)
    client = SocketWriter(paths.socket, away=away)
    if client.answers():
        return client
    client.close()
    return LocalWriter(paths, away=away)


def run_writer(
    database: Path,
    socket: Path | None = None,
    *,
    ready: Callable[[], None] = lambda: None,
    lifeline: int | None = None,
    wait_s: float = LOCK_WAIT_S,
) -> None:
    """Runs the writer in this process until SIGTERM, SIGINT or the end of its parent.

    Args:
        database: the file of the embedded database.
        socket: where Changes are taken; by default beside the database file.
        ready: called once they are.
        lifeline: the read end of a pipe that the parent holds open.
        wait_s: how long another writer may take to end, in seconds.

    Raises:
        Busy: where another process holds the lock.
    """
    process = WriterProcess(WriterPaths.of(database, socket), ready=ready, lifeline=lifeline, wait_s=wait_s)
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, process.stop)
    process.run()
