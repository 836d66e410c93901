"""The tables of a whole hub, out of one database and into another, of the same or the other kind.

What lives here: reading every table in one consistent state, and putting rows into empty tables in one transaction.
What does not: the file (``store.archive``), keys, what must not come back alive (``referral_hub.preserving``).

Only commands import this module, as ``store.migrate``. Columns are whole numbers, texts and bytes on both databases,
so rows go over as they are.

Source: ``engine.md`` 5 (columns), 4 (wrapped keys apart).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from referral_hub.errors import ConfigurationError
from referral_hub.store import schema
from referral_hub.store.columns import METADATA
from referral_hub.store.database import sqlite_path
from referral_hub.store.sqlite_group import WriterPaths, writing_lock
from referral_hub.store.versions import SCHEMA_VERSION

PAGE = 500
FEW = 16
"""Rows fetched at a time of tables whose rows may be large: a body has up to 32 MiB."""
PAGE_BYTES = 4 * 1024 * 1024
"""A page ends once it holds so much."""

RESTORING = "restoring"
"""Stands in place of the version of the schema until everything is closed that has to be: no hub opens meanwhile."""

KEYS: tuple[sa.Table, ...] = (schema.wrapped_key,)
"""What goes into the file of keys, with a retention of its own."""
NOT_COPIED = frozenset(
    {
        "browser_session",
        "export_entry",
        "export_job",
        "known_device",
        "lease",
        "oauth_code",
        "oauth_family",
        "oauth_launch",
        "oauth_pushed",
        "oauth_refresh",
        "oauth_token",
        "portal_link",
        "sign_in_attempts",
        "sign_in_ticket",
    }
)
"""What opens something for a while: tokens, sessions, links, tickets, exports. A restored hub begins without them."""

RECORDS: tuple[sa.Table, ...] = tuple(
    table for table in METADATA.sorted_tables if table not in KEYS and table.name not in NOT_COPIED
)
"""What goes into the file of records."""

Rows = tuple[str, list[str], list[list[Any]]]
"""A table's name, its columns, and some of its rows."""


@contextmanager
def reading_all(url: str) -> Iterator[Callable[[Iterable[sa.Table]], Iterator[Rows]]]:
    """Opens one consistent state of a database and gives what reads its tables, page by page.

    Args:
        url: of the database; the hub may run meanwhile.
    """
    with _engine(url) as engine, engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        with connection.begin():
            yield lambda tables: _pages(connection, tables)


def count_rows(url: str, tables: Iterable[sa.Table]) -> int:
    """Gives about how many rows tables have, for a bar that shows how far it is."""
    with _engine(url) as engine, engine.connect() as connection:
        return sum(connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0 for table in tables)


@contextmanager
def filling(url: str) -> Iterator["Filling"]:
    """Opens one transaction that fills an empty database; an exception takes everything back.

    Raises:
        ConfigurationError: something is in it already.
        Busy: a hub works on it.
    """
    path = sqlite_path(url)
    with _engine(url) as engine:
        if path is None:
            with engine.begin() as connection:
                yield Filling(connection)
            return
        with writing_lock(WriterPaths.of(path).lock, wait_s=1.0), engine.begin() as connection:
            yield Filling(connection)


class Filling:
    """One transaction into an empty database.

    Args:
        connection: inside a transaction.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        for table in METADATA.sorted_tables:
            if connection.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first() is not None:
                raise ConfigurationError(
                    "There is a hub in this database already. A backup is restored into an empty one."
                )
        self._mark(SCHEMA_VERSION, RESTORING)

    def add(self, rows: Rows, tables: Iterable[sa.Table]) -> int:
        """Adds some rows of one of these tables; gives how many.

        Raises:
            ConfigurationError: the backup names a table or column that does not belong there.
        """
        name, columns, values = rows
        table = next((one for one in tables if one.name == name), None)
        if table is None or set(columns) - set(table.c.keys()):
            raise ConfigurationError(
                "This backup is of another version of the program. Nothing was restored."
            )
        if values:
            self._connection.execute(table.insert(), [dict(zip(columns, row, strict=True)) for row in values])
        return len(values)

    def run(self, statement: sa.Executable, parameters: Mapping[str, Any] | None = None) -> None:
        """Runs one statement of the same transaction."""
        self._connection.execute(statement, parameters or {})

    def ids(self, statement: sa.Select[Any]) -> list[Any]:
        """Gives the first column of what a statement finds."""
        return [row[0] for row in self._connection.execute(statement)]

    def count_on(self) -> None:
        """Lets the database count on where the restored rows end."""
        if self._connection.dialect.name != "postgresql":
            return
        for table in METADATA.sorted_tables:
            for column in table.c:
                if column.identity is not None:
                    self._connection.exec_driver_sql(
                        f"SELECT setval(pg_get_serial_sequence('{table.name}', '{column.name}'), "  # noqa: S608 - own names
                        f"coalesce((SELECT max({column.name}) FROM {table.name}), 0) + 1, false)"
                    )

    def _mark(self, before: str, after: str) -> None:
        _mark(self._connection, before, after)


def open_to_hubs(url: str) -> None:
    """Lets hubs open a restored database: everything that had to be closed is."""
    with _engine(url) as engine, engine.begin() as connection:
        _mark(connection, RESTORING, SCHEMA_VERSION)


_VERSIONS = sa.table("alembic_version", sa.column("version_num", sa.Text()))


def _mark(connection: sa.Connection, before: str, after: str) -> None:
    changed = connection.execute(
        sa.update(_VERSIONS).where(_VERSIONS.c.version_num == before).values(version_num=after)
    )
    if changed.rowcount != 1:
        raise ConfigurationError(
            "The database is of another version of the program, or half restored: take a new one."
        )


def _pages(connection: sa.Connection, tables: Iterable[sa.Table]) -> Iterator[Rows]:
    for table in tables:
        columns = [str(column.name) for column in table.c]
        fetched = FEW if "body" in table.c else PAGE
        found = connection.execution_options(stream_results=True, yield_per=fetched).execute(sa.select(table))
        page: list[list[Any]] = []
        held = 0
        for row in found:
            page.append([_plain(value) for value in row])
            held += sum(len(value) for value in page[-1] if isinstance(value, bytes | str))
            if len(page) == PAGE or held > PAGE_BYTES:
                yield str(table.name), columns, page
                page, held = [], 0
        if page:
            yield str(table.name), columns, page


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview | bytearray) else value


@contextmanager
def _engine(url: str) -> Iterator[sa.Engine]:
    scheme, rest = url.split("://", 1)
    driver = "sqlite" if scheme == "sqlite" else "postgresql+psycopg"
    engine = sa.create_engine(f"{driver}://{rest}", poolclass=NullPool)
    if driver == "sqlite":
        # The driver would begin a transaction late, and not for reads: here one begins when it is asked for.
        sa.event.listen(engine, "connect", lambda raw, _: setattr(raw, "isolation_level", None))
        sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    try:
        yield engine
    finally:
        engine.dispose()
