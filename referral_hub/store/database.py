"""The two databases behind one small door: statements in, plain rows out.

What lives here: opening, pooling and closing connections of ``sqlite3`` and ``psycopg``, one-statement
reads and consistent states. What does not: SQL (``store.statements``), the writing of a Change
(``store.apply``, ``store.sqlite_writer``).

Readers on SQLite cannot write: their connections are ``query_only``. On PostgreSQL one pool serves both.

Source: ``engine.md`` 1, 2 and 5.
"""

import os
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import sqlalchemy as sa

from referral_hub.errors import ConfigurationError, Unavailable
from referral_hub.store.columns import INTEGER
from referral_hub.store.statements import DialectName, Parameters, Statement, constant

if TYPE_CHECKING:
    import psycopg  # a hub on SQLite does not load the driver of the other database

Row = tuple[Any, ...]
Away = Callable[[], AbstractContextManager[Any]]
"""Gives up the worker's lane while the block waits for the network or the disk (``engine.md`` 1)."""

NO_PARAMETERS: Mapping[str, Any] = {}
_NOW = Statement(
    "now_us",
    {
        "sqlite": sa.select(constant(0)),
        "postgresql": sa.select(
            sa.literal_column("(extract(epoch FROM clock_timestamp()) * 1000000)::bigint", INTEGER)
        ),
    },
)
POSTGRES_CONNECTIONS = 20
BUSY_MS = 5_000


class Connection(Protocol):
    """One connection, inside a transaction or not."""

    def run(self, statement: Statement, parameters: Parameters = NO_PARAMETERS) -> list[Row]:
        """Gives every row of a statement as a plain tuple."""

    def first(self, statement: Statement, parameters: Parameters = NO_PARAMETERS) -> Row | None:
        """Gives the first row of a statement, or None."""


class Database(Protocol):
    """A database that statements are read from. Safe to use from many threads."""

    dialect: DialectName

    def run(self, statement: Statement, parameters: Parameters = NO_PARAMETERS) -> list[Row]:
        """Gives every row of one statement, which is one consistent state."""

    def first(self, statement: Statement, parameters: Parameters = NO_PARAMETERS) -> Row | None:
        """Gives the first row of one statement, or None."""

    def reading(self) -> AbstractContextManager[Connection]:
        """Opens one consistent state for several statements; the end of the block ends it."""

    def now_us(self) -> int:
        """Gives the time of the database's machine, microseconds UTC: `ready` compares it with the process."""

    def close(self) -> None:
        """Closes every connection that is not in use."""


def sqlite_path(url: str) -> Path | None:
    """Gives the file of a SQLite address, or None where the address is PostgreSQL's.

    Raises:
        ConfigurationError: where the address is neither.

    >>> sqlite_path("sqlite:///hub-data/hub.db").name
    'hub.db'
    """
    if url.startswith("sqlite:///"):
        return Path(url.removeprefix("sqlite:///"))
    if url.startswith(("postgresql://", "postgres://")):
        return None
    raise ConfigurationError("The database address must begin with sqlite:/// or postgresql://.")


def open_database(url: str, *, away: Away = nullcontext) -> "Database":
    """Opens the database of an address for reading.

    Args:
        url: ``sqlite:///path`` or ``postgresql://…``.
        away: gives up the lane while a statement waits for PostgreSQL; SQLite reads never wait.

    Raises:
        ConfigurationError: where the address cannot be used.
    """
    path = sqlite_path(url)
    return PostgresDatabase(url, away=away) if path is None else SqliteDatabase(path)


def open_sqlite(path: Path, *, writer: bool = False) -> sqlite3.Connection:
    """Opens one SQLite connection with the hub's settings.

    Args:
        path: the database file.
        writer: True for the one connection that writes: it waits for the disk on every commit.

    Raises:
        ConfigurationError: where the file is not there and the connection is a reader's.
    """
    if not writer and not path.exists():
        raise ConfigurationError("The database is not there yet: run `referral-hub init`.")
    if writer and not path.exists():
        # Readable by its owner alone; SQLite gives its journal the same mode.
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    connection = sqlite3.connect(
        path, timeout=BUSY_MS / 1000, isolation_level=None, check_same_thread=False, cached_statements=512
    )
    connection.execute("PRAGMA journal_mode=WAL")
    if writer:
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA wal_autocheckpoint=4000")
        connection.execute("PRAGMA secure_delete=FAST")
        connection.execute("PRAGMA cache_size=-32000")
    else:
        connection.execute("PRAGMA query_only=ON")
        connection.execute("PRAGMA cache_size=-8000")
    connection.execute("PRAGMA mmap_size=67108864")
    connection.execute("PRAGMA temp_store=MEMORY")
    return connection


def _listed(statement: Statement, parameters: Parameters) -> Parameters:
    """SQLite takes a list as JSON text."""
    return {
        name: msgspec.json.encode(value).decode() if name in statement.lists else value
        for name, value in parameters.items()
    }


class SqliteConnection:
    """One SQLite connection that runs statements."""

    __slots__ = ("driver",)

    def __init__(self, driver: sqlite3.Connection) -> None:
        self.driver = driver

    def run(self, statement: Statement, parameters: Parameters = NO_PARAMETERS) -> list[Row]:
        """Gives every row of a statement as a plain tuple."""
        if statement.lists:
            parameters = _listed(statement, parameters)
        return self.driver.execute(statement.text["sqlite"], parameters).fetchall()

    def first(self, statement: Statement, parameters: Parameters = NO_PARAMETERS) -> Row | None:
        """Gives the first row of a statement, or None."""
        if statement.lists:
            parameters = _listed(statement, parameters)
        cursor = self.driver.execute(statement.text["sqlite"], parameters)
        row: Row | None = cursor.fetchone()
        cursor.close()
        return row


class SqliteDatabase:
    """A SQLite file, read by as many connections as there are threads reading at one moment."""

    dialect: DialectName = "sqlite"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._idle: deque[SqliteConnection] = deque()

    def _take(self) -> SqliteConnection:
        try:
            return self._idle.pop()
        except IndexError:
            return SqliteConnection(open_sqlite(self.path))

    def run(self, statement: Statement, parameters: Parameters = NO_PARAMETERS) -> list[Row]:
        """Gives every row of one statement, which is one consistent state."""
        connection = self._take()
        try:
            return connection.run(statement, parameters)
        finally:
            self._idle.append(connection)

    def first(self, statement: Statement, parameters: Parameters = NO_PARAMETERS) -> Row | None:
        """Gives the first row of one statement, or None."""
        connection = self._take()
        try:
            return connection.first(statement, parameters)
        finally:
            self._idle.append(connection)

    @contextmanager
    def reading(self) -> Iterator[SqliteConnection]:
        """Opens one consistent state; it begins with the first statement and ends with the block."""
        connection = self._take()
        connection.driver.execute("BEGIN")
        try:
            yield connection
        finally:
            connection.driver.execute("ROLLBACK")
            self._idle.append(connection)

    def now_us(self) -> int:
        """Gives the time of this machine: an embedded database has no other."""
        self.first(_NOW)  # it must answer, too
        return time.time_ns() // 1000

    def close(self) -> None:
        """Closes every connection that is not in use."""
        while self._idle:
            self._idle.pop().driver.close()


class PostgresConnection:
    """One PostgreSQL connection that runs statements, giving up the lane while it waits."""

    __slots__ = ("_away", "driver")

    def __init__(self, driver: "psycopg.Connection[Row]", away: Away) -> None:
        self.driver = driver
        self._away = away

    def run(self, statement: Statement, parameters: Parameters = NO_PARAMETERS) -> list[Row]:
        """Gives every row of a statement as a plain tuple."""
        with self._away():
            return self.driver.execute(statement.text["postgresql"], parameters, binary=True).fetchall()

    def first(self, statement: Statement, parameters: Parameters = NO_PARAMETERS) -> Row | None:
        """Gives the first row of a statement, or None."""
        with self._away():
            return self.driver.execute(statement.text["postgresql"], parameters, binary=True).fetchone()


def _prepare(driver: "psycopg.Connection[Row]") -> None:
    driver.autocommit = True
    driver.prepare_threshold = 2
    driver.execute(
        "SELECT set_config('synchronous_commit', 'on', false), set_config('lock_timeout', '10s', false), "
        "set_config('idle_in_transaction_session_timeout', '60s', false), set_config('jit', 'off', false), "
        "set_config('application_name', 'referral-hub', false)"
    )


class PostgresDatabase:
    """A PostgreSQL database behind a pool; readers and Changes share it.

    Args:
        url: ``postgresql://…``.
        away: gives up the lane while a statement or the pool waits.
        connections: the most connections this process opens.
    """

    dialect: DialectName = "postgresql"

    def __init__(
        self, url: str, *, away: Away = nullcontext, connections: int = POSTGRES_CONNECTIONS
    ) -> None:
        from psycopg_pool import ConnectionPool

        self.away = away
        self._pool: ConnectionPool[psycopg.Connection[Row]] = ConnectionPool(
            url, min_size=1, max_size=connections, timeout=10, configure=_prepare, open=True
        )

    @contextmanager
    def connection(self) -> Iterator["psycopg.Connection[Row]"]:
        """Lends a connection outside any transaction.

        Raises:
            Unavailable: where none is free or the server does not answer.
        """
        import psycopg

        try:
            with self.away():
                driver = self._pool.getconn()
        except psycopg.OperationalError as problem:
            raise Unavailable("The database does not answer; try again in a moment.") from problem
        try:
            yield driver
        except psycopg.OperationalError as problem:
            raise Unavailable("The database does not answer; try again in a moment.") from problem
        finally:
            self._pool.putconn(driver)

    def run(self, statement: Statement, parameters: Parameters = NO_PARAMETERS) -> list[Row]:
        """Gives every row of one statement, which is one consistent state."""
        with self.connection() as driver:
            return PostgresConnection(driver, self.away).run(statement, parameters)

    def first(self, statement: Statement, parameters: Parameters = NO_PARAMETERS) -> Row | None:
        """Gives the first row of one statement, or None."""
        with self.connection() as driver:
            return PostgresConnection(driver, self.away).first(statement, parameters)

    @contextmanager
    def reading(self) -> Iterator[PostgresConnection]:
        """Opens one consistent state; the end of the block ends it."""
        with self.connection() as driver:
            driver.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            try:
                yield PostgresConnection(driver, self.away)
            finally:
                if not driver.closed:
                    driver.rollback()

    def now_us(self) -> int:
        """Gives the time of the database server's machine."""
        row = self.first(_NOW)
        assert row is not None  # noqa: S101 - it has no condition
        return int(row[0])

    def close(self) -> None:
        """Closes every connection of the pool."""
        self._pool.close()
