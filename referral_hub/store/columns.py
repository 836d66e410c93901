"""The three kinds of column the hub knows, and how their tables are made.

What lives here: INTEGER (64 bits; times in microseconds UTC, truths as 0 and 1), TEXT (compared byte by byte
on both databases) and BLOB, and short ways to declare them. What does not: the tables (``store.schema``).

Source: ``engine.md`` 5 (columns are INTEGER, TEXT, BLOB only).
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import UserDefinedType


class Blob(UserDefinedType[bytes]):
    """Bytes as they are, without SQLAlchemy's bind processor, so that statements run on the bare driver."""

    cache_ok = True

    def get_col_spec(self, **_options: Any) -> str:
        """Gives the column type as SQLite writes it."""
        return "BLOB"


@compiles(Blob, "postgresql")
def _bytea(_type: Blob, _compiler: Any, **_options: Any) -> str:
    return "BYTEA"


INTEGER: sa.types.TypeEngine[int] = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT: sa.types.TypeEngine[str] = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BLOB: sa.types.TypeEngine[bytes] = Blob()

METADATA = sa.MetaData()

CLUSTERED: dict[str, Any] = {"sqlite_with_rowid": False}
"""Rows kept in the order of their key on SQLite (``WITHOUT ROWID``): for narrow tables read by that key."""


def number(name: str, **options: Any) -> "sa.Column[int]":
    """Gives an INTEGER column that is always filled."""
    return sa.Column(name, INTEGER, nullable=False, **options)


def number_or_none(name: str, **options: Any) -> "sa.Column[int | None]":
    """Gives an INTEGER column that may be empty."""
    return sa.Column(name, INTEGER, nullable=True, **options)


def text(name: str, **options: Any) -> "sa.Column[str]":
    """Gives a TEXT column that is always filled, with an empty text where there is nothing."""
    return sa.Column(name, TEXT, nullable=False, **options)


def text_or_none(name: str, **options: Any) -> "sa.Column[str | None]":
    """Gives a TEXT column that may be empty; used where an index leaves the empty ones out."""
    return sa.Column(name, TEXT, nullable=True, **options)


def blob(name: str, **options: Any) -> "sa.Column[bytes]":
    """Gives a BLOB column that is always filled."""
    return sa.Column(name, BLOB, nullable=False, **options)


def blob_or_none(name: str, **options: Any) -> "sa.Column[bytes | None]":
    """Gives a BLOB column that may be empty."""
    return sa.Column(name, BLOB, nullable=True, **options)


def row_key(name: str = "row_id") -> "sa.Column[int]":
    """Gives a primary key whose value the caller makes (on SQLite it is the rowid itself)."""
    return sa.Column(name, INTEGER, primary_key=True, autoincrement=False)


def counted_key(name: str) -> "sa.Column[int]":
    """Gives a primary key that the database counts up and never gives twice."""
    return sa.Column(name, INTEGER, sa.Identity(always=False), primary_key=True)


def index(name: str, *columns: "sa.Column[Any]", unique: bool = False, where: Any = None) -> None:
    """Adds an index to the table of its columns; with ``where``, only the rows that meet it are in it."""
    sa.Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)
