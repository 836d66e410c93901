"""How an organisation stands to a person, as a few columns of the statement that reads the data.

What lives here: the standing's rows gathered into JSON texts inside SQL, and their reading back. What does
not: the same rows as a condition (``store.consent_filter``), and who remembers them (``store.standings``).

One statement is one consistent state on both databases, so what comes with a row cannot be older or newer
than it.

Source: ``engine.md`` 2.
"""

from typing import Any, Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement

from referral_hub.access.rows import Grant, ReferralAccess, Refusal, RefusalException
from referral_hub.store import schema
from referral_hub.store.columns import TEXT


class JsonRows(FunctionElement[str]):
    """All rows of a subquery as one JSON text: a list of lists. NULL or ``[]`` where there is none."""

    inherit_cache = True
    type = TEXT


class JsonList(FunctionElement[str]):
    """Several columns of one row as one JSON text, a list."""

    inherit_cache = True
    type = TEXT


@compiles(JsonRows, "sqlite")
def _rows_on_sqlite(element: JsonRows, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_group_array(json_array({compiler.process(element.clauses, **options)}))"


@compiles(JsonRows, "postgresql")
def _rows_on_postgresql(element: JsonRows, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST(json_agg(json_build_array({compiler.process(element.clauses, **options)})) AS TEXT)"


@compiles(JsonList, "sqlite")
def _list_on_sqlite(element: JsonList, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_array({compiler.process(element.clauses, **options)})"


@compiles(JsonList, "postgresql")
def _list_on_postgresql(element: JsonList, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST(json_build_array({compiler.process(element.clauses, **options)}) AS TEXT)"


ACCESS_COLUMNS = (
    "task",
    "organization",
    "person",
    "service_request",
    "level",
    "until_us",
    "nameless",
    "back",
    "accepted",
)
_GRANT = (
    "consent",
    "consent_id",
    "consent_version",
    "person",
    "organization",
    "purpose",
    "category",
    "resource",
    "very_restricted",
    "valid_from_us",
    "valid_until_us",
    "data_from_us",
    "data_until_us",
)
_REFUSAL = (
    "consent",
    "person",
    "target",
    "purpose",
    "category",
    "resource",
    "at_least",
    "valid_from_us",
    "valid_until_us",
)
_EXCEPTION = ("consent", "person", "organization", "purpose", "resource", "valid_from_us", "valid_until_us")

Person = ColumnElement[Any]
Organization = ColumnElement[Any]


def accesses_column(person: Person, organization: Organization) -> ColumnElement[Any]:
    """Gives the organisation's referral_access rows about the person."""
    access = schema.referral_access.alias()
    return _gathered(access, ACCESS_COLUMNS, access.c.organization == organization, access.c.person == person)


def accesses_beside(r: sa.FromClause, organization: Organization) -> ColumnElement[Any]:
    """Gives :func:`accesses_column` of the person of a row; of a recall the Task's own, since it names nobody."""
    access = schema.referral_access.alias()
    own = _gathered(
        access, ACCESS_COLUMNS, access.c.organization == organization, access.c.task == r.c.row_id
    )
    return sa.case(
        (r.c.kind == sa.literal_column("'recall'"), own), else_=accesses_column(r.c.person, organization)
    )


def grants_column(person: Person, organization: Organization) -> ColumnElement[Any]:
    """Gives every grant of the person to the organisation, of any purpose and time."""
    grant = schema.consent_grant.alias()
    return _gathered(grant, _GRANT, grant.c.organization == organization, grant.c.person == person)


def refusals_column(person: Person) -> ColumnElement[Any]:
    """Gives every refusal of the person, whomever it stops: a few rows."""
    refusal = schema.refusal.alias()
    return _gathered(refusal, _REFUSAL, refusal.c.person == person)


def exceptions_column(person: Person, organization: Organization) -> ColumnElement[Any]:
    """Gives every exception of the person's refusals that names the organisation."""
    exception = schema.refusal_exception.alias()
    return _gathered(
        exception, _EXCEPTION, exception.c.person == person, exception.c.organization == organization
    )


def _gathered(
    rows: sa.FromClause, names: tuple[str, ...], *conditions: ColumnElement[bool]
) -> ColumnElement[Any]:
    return (
        sa.select(JsonRows(*(rows.c[name] for name in names)))
        .select_from(rows)
        .where(*conditions)
        .correlate_except(rows)
        .scalar_subquery()
    )


_Level = Literal["notice", "full", "history"]
_accesses = msgspec.json.Decoder(
    list[tuple[int, str, int | None, int | None, _Level, int | None, int, int, int]]
)
_grants = msgspec.json.Decoder(
    list[tuple[int, str, str, int, str, str, str, str, int, int, int, int | None, int | None]]
)
_refusals = msgspec.json.Decoder(list[tuple[int, int, str, str, str, str, str, int | None, int | None]])
_exceptions = msgspec.json.Decoder(list[tuple[int, int, str, str, str, int | None, int | None]])


def accesses(text: str | None) -> tuple[ReferralAccess, ...]:
    """Reads the text of :func:`accesses_column`.

    >>> accesses('[[1,"o",7,8,"notice",null,0,0,1]]')[0].accepted
    True
    """
    if not text:
        return ()
    return tuple(
        ReferralAccess(*found[:6], found[6] == 1, found[7] == 1, found[8] == 1)
        for found in _accesses.decode(text)
    )


def grants(text: str | None) -> tuple[Grant, ...]:
    """Reads the text of :func:`grants_column`."""
    if not text:
        return ()
    return tuple(Grant(*found[:8], found[8] == 1, *found[9:]) for found in _grants.decode(text))


def refusals(text: str | None) -> tuple[Refusal, ...]:
    """Reads the text of :func:`refusals_column`."""
    return tuple(Refusal(*found) for found in _refusals.decode(text)) if text else ()


def exceptions(text: str | None) -> tuple[RefusalException, ...]:
    """Reads the text of :func:`exceptions_column`."""
    return tuple(RefusalException(*found) for found in _exceptions.decode(text)) if text else ()
