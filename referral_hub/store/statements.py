"""Statements: SQL written once, compiled once for each database, run on the bare driver.

What lives here: ``Statement``, the register of named ones, and the constructs that both databases spell
their own way. What does not: the statements themselves (beside those who use them), connections
(``store.database``).

A statement is compiled when it is used first and refuses what would go wrong: a value the driver would have to be
helped with, a list that has to be unfolded, a value that nobody named. A test compiles every statement there is.

Source: ``engine.md`` 5.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import BindParameter, ColumnElement
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.visitors import iterate

from referral_hub.store.columns import BLOB, INTEGER, TEXT

DialectName = Literal["sqlite", "postgresql"]
Value = int | str | bytes | None | list[int] | list[str]
Parameters = Mapping[str, Value]


class _Compiler(SQLiteCompiler):
    """SQLite without the ``OFFSET :param`` that SQLAlchemy adds to every LIMIT."""

    def limit_clause(self, select: Any, **options: Any) -> str:
        """Gives LIMIT, and OFFSET only where the statement has one."""
        if select._offset_clause is not None or select._limit_clause is None:
            return str(super().limit_clause(select, **options))  # type: ignore[no-untyped-call]
        return "\n LIMIT " + str(self.process(select._limit_clause, **options))


class _SQLite(SQLiteDialect_pysqlite):
    statement_compiler = _Compiler
    supports_statement_cache = True


_DIALECTS: dict[DialectName, sa.Dialect] = {
    "sqlite": _SQLite(paramstyle="named"),
    "postgresql": PGDialect_psycopg(),  # type: ignore[no-untyped-call]
}


class _ListType(sa.types.NullType):
    """The type of a parameter that is a list."""


class _RowsType(sa.types.NullType):
    """The type of the parameter that holds many rows."""


def whole(name: str) -> BindParameter[int]:
    """Gives a named INTEGER parameter."""
    return sa.bindparam(name, type_=INTEGER)


def words(name: str) -> BindParameter[str]:
    """Gives a named TEXT parameter."""
    return sa.bindparam(name, type_=TEXT)


def octets(name: str) -> BindParameter[bytes]:
    """Gives a named BLOB parameter."""
    return sa.bindparam(name, type_=BLOB)


def constant(value: int | str) -> "ColumnElement[Any]":
    """Gives a fixed value that belongs to the statement itself: a small number, or a text without quotes."""
    if isinstance(value, int):
        return sa.literal_column(str(value), INTEGER)
    if not value.replace("-", "").isalnum() and value != "":
        raise ValueError("a constant text is letters, digits and dashes")
    return sa.literal_column(f"'{value}'", TEXT)


class OneOf(FunctionElement[bool]):
    """True where the column is one of a list that is passed as a single parameter."""

    inherit_cache = True
    type = sa.Boolean()
    _is_implicitly_boolean = True  # without it SQLite gets "... = 1", which no index serves


def one_of(column: "ColumnElement[Any]", name: str) -> OneOf:
    """Gives the condition that an INTEGER or TEXT column is in the list passed under this name.

    The list is one parameter: a JSON text on SQLite, an array on PostgreSQL (``store.database`` makes it), so
    the statement is the same text for every length.
    """
    return OneOf(column, sa.bindparam(name, type_=_ListType()))


@compiles(OneOf, "sqlite")
def _one_of_json(element: OneOf, compiler: SQLCompiler, **options: Any) -> str:
    column, given = (compiler.process(clause, **options) for clause in element.clauses)
    return f"({column} IN (SELECT value FROM json_each({given})))"  # noqa: S608 - both sides are compiled


@compiles(OneOf, "postgresql")
def _one_of_array(element: OneOf, compiler: SQLCompiler, **options: Any) -> str:
    column, given = (compiler.process(clause, **options) for clause in element.clauses)
    kind = "BIGINT" if isinstance(next(iter(element.clauses)).type, sa.Integer) else "TEXT"
    return f"({column} = ANY({given}::{kind}[]))"


class GivenRows(FunctionElement[Any]):
    """Many rows, passed to PostgreSQL as a single JSON text; octets are base64 in it."""

    inherit_cache = True
    name = "json_to_recordset"


@compiles(GivenRows, "postgresql")
def _given_rows(element: GivenRows, compiler: SQLCompiler, **options: Any) -> str:
    (given,) = (compiler.process(clause, **options) for clause in element.clauses)
    return f"json_to_recordset({given}::json)"


def _given(columns: "Iterable[sa.Column[Any]]") -> "tuple[sa.TableValuedAlias, list[ColumnElement[Any]]]":
    """The rows of the parameter ``rows``, and their values as the columns hold them."""
    kinds = {c.name: sa.BigInteger() if isinstance(c.type, sa.Integer) else sa.Text() for c in columns}
    source = GivenRows(sa.bindparam("rows", type_=_RowsType()))
    given = source.table_valued(*(sa.column(name, kind) for name, kind in kinds.items()), name="given")
    given = given.render_derived(with_types=True)
    octets_in_text = {c.name for c in columns if c.type is BLOB}
    base64 = constant("base64")
    return given, [
        sa.func.decode(given.c[name], base64, type_=BLOB) if name in octets_in_text else given.c[name]
        for name in kinds
    ]


def many_rows(table: sa.Table, *left_out: str) -> Mapping[DialectName, Any]:
    """Gives the insert of many rows: run for each row on SQLite, once for all on PostgreSQL."""
    columns = [column for column in table.c if column.name not in left_out]
    _, values = _given(columns)
    return {
        "sqlite": sa.insert(table).values({c.name: sa.bindparam(c.name, type_=c.type) for c in columns}),
        "postgresql": sa.insert(table).from_select([c.name for c in columns], sa.select(*values)),
    }


def each_row(statement_where: Callable[[Any], Any], column: "sa.Column[int]") -> Mapping[DialectName, Any]:
    """Gives a statement about many rows by their number: run for each on SQLite, once on PostgreSQL.

    Args:
        statement_where: makes the statement from the condition.
        column: the column with the number, and the name of the parameter.
    """
    given, _ = _given([column])
    return {
        "sqlite": statement_where(column == whole(column.name)),
        "postgresql": statement_where(column.in_(sa.select(given.c[column.name]))),
    }


def each_deleted(table: sa.Table) -> Mapping[DialectName, Any]:
    """Gives the deletion of many rows by their whole key: run for each on SQLite, once on PostgreSQL."""
    key = list(table.primary_key.columns)
    given, _ = _given(key)
    each = sa.and_(*(column == sa.bindparam(column.name, type_=column.type) for column in key))
    them = sa.select(*(given.c[column.name] for column in key))
    return {
        "sqlite": sa.delete(table).where(each),
        "postgresql": sa.delete(table).where(sa.tuple_(*key).in_(them)),
    }


class _Texts(dict[DialectName, str]):
    """The SQL of a statement by dialect, each compiled when it is asked for first."""

    def __init__(self, statement: "Statement") -> None:
        super().__init__()
        self._statement = statement

    def __missing__(self, dialect: DialectName) -> str:
        compiled = self._statement.compiled(dialect)
        text = self[dialect] = str(compiled)
        return text


class Statement:
    """One named SQL text per database, and what it must be given.

    Compiling takes longer than everything else at start, so each text is compiled when it is used first, for the
    database that is used. :meth:`check` compiles all; a test does so for every statement there is.

    Args:
        name: how it is called in a Change, and in errors.
        expression: one SQLAlchemy Core expression for both databases, or one per dialect name where the lock
            differs.

    On PostgreSQL a statement of ``many_rows`` or ``each_row`` is given all rows in one JSON text (``takes_rows``).

    >>> from referral_hub.store.schema import person
    >>> asked = sa.select(person.c.epoch).where(person.c.row_id == whole("person"))
    >>> statement = Statement("doc_epoch", asked)
    >>> statement.parameters
    frozenset({'person'})
    >>> " ".join(statement.text["sqlite"].split())
    'SELECT person.epoch FROM person WHERE person.row_id = :person'
    """

    __slots__ = ("_variants", "lists", "name", "parameters", "takes_rows", "text")

    lists: frozenset[str]
    parameters: frozenset[str]
    takes_rows: bool

    def __init__(self, name: str, expression: Any) -> None:
        self.name = name
        self._variants: Mapping[DialectName, Any] = (
            expression if isinstance(expression, Mapping) else dict.fromkeys(_DIALECTS, expression)
        )
        self.text = _Texts(self)

    def compiled(self, dialect: DialectName) -> Any:
        """Gives the statement compiled for one database.

        Raises:
            ValueError: it holds what the bare driver cannot take.
        """
        compiled = self._variants[dialect].compile(dialect=_DIALECTS[dialect])
        _refuse_what_drivers_cannot(self.name, compiled)
        return compiled

    def check(self) -> None:
        """Compiles it for every database.

        Raises:
            ValueError: it holds what a bare driver cannot take, or the databases are given different parameters.
        """
        found = set()
        for dialect in self._variants:
            compiled = self.compiled(dialect)
            if not _given_kinds(compiled) & {_RowsType}:
                found.add(frozenset(compiled.params))
        if len(found) != 1 or found != {self.parameters}:
            raise ValueError(f"{self.name}: the two databases are given different parameters")

    def __getattr__(self, name: str) -> Any:
        """Finds out what it must be given, once, when that is asked for first."""
        if name == "takes_rows":
            rows = self._variants.get("postgresql")
            self.takes_rows = rows is not None and any(
                isinstance(one, BindParameter) and isinstance(one.type, _RowsType) for one in iterate(rows)
            )
        elif name in ("lists", "parameters"):
            dialect: DialectName = "sqlite" if "sqlite" in self._variants else "postgresql"
            compiled = self.compiled(dialect)
            self.text[dialect] = str(compiled)
            kinds = {key: type(bind.type) for key, bind in compiled.binds.items()}
            self.lists = frozenset(key for key, kind in kinds.items() if kind is _ListType)
            self.parameters = frozenset(compiled.params)
        else:
            raise AttributeError(name)
        return getattr(self, name)

    def __repr__(self) -> str:
        return f"Statement({self.name!r})"


def _given_kinds(compiled: Any) -> set[type]:
    return {type(bind.type) for bind in compiled.binds.values()}


def _refuse_what_drivers_cannot(name: str, compiled: Any) -> None:
    if compiled._bind_processors:
        raise ValueError(f"{name}: {sorted(compiled._bind_processors)} would need a bind processor")
    if compiled.post_compile_params or compiled.literal_execute_params or "POSTCOMPILE" in str(compiled):
        raise ValueError(f"{name}: a list is passed by one_of(), not unfolded")
    for key, bind in compiled.binds.items():
        if not bind.required:
            raise ValueError(f"{name}: {key} is a value nobody named; use whole(), words() or constant()")


class Register:
    """The statements a Change may name. The writer runs only these."""

    def __init__(self) -> None:
        self._statements: dict[str, Statement] = {}

    def add(self, name: str, expression: Any) -> Statement:
        """Keeps a statement under its name, which must be new."""
        if name in self._statements:
            raise ValueError(f"{name}: there is a statement of this name")
        statement = Statement(name, expression)
        self._statements[name] = statement
        return statement

    def __getitem__(self, name: str) -> Statement:
        return self._statements[name]

    def __contains__(self, name: str) -> bool:
        return name in self._statements

    def names(self) -> Iterable[str]:
        """Gives every name, sorted."""
        return sorted(self._statements)


WRITES = Register()
"""Every statement that changes rows. Modules add theirs at import; ``store.writing`` imports them all."""
