"""A search plan as one statement: visible rows only, found by index, in order, one page.

What lives here: how branches of visibility, criteria, order and page become one statement, and what it is
given. What does not: who may see what (``store.visibility_sql``), single criteria (``store.criteria_sql``),
running it and opening what it found (``store.searching``).

A search is the union of branches that never overlap, each driven by an index of its own and cut to one page
before they meet: the caller's own rows, directory entries, what it keeps for others, what is released to it.
Where a criterion leads to the rows by itself (a person, an id, an identifier, the caller as owner), one branch
holds every way of seeing them. Statements are kept by their shape; a caller's words are bound, never written
into SQL.

Source: ``engine.md`` 2 and 5; ``performance.md`` 6 and 7; ``views.md`` 5.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement

from referral_hub.exchange.ports import Criterion, SearchPlan
from referral_hub.resources.catalog import DEFINITIONS
from referral_hub.store import schema, standing_sql, visibility_sql
from referral_hub.store.columns import TEXT
from referral_hub.store.criteria_sql import ByColumn, Finder, Values, finder
from referral_hub.store.index_rows import Digests
from referral_hub.store.referral_filter import REFERRAL_LINKS, Condition, Rows, reached
from referral_hub.store.row_making import resource_columns
from referral_hub.store.statements import DialectName, Statement, constant, whole, words
from referral_hub.store.visibility_sql import (
    AUTHOR_LACKS,
    CARD_HIDES,
    CONTENT,
    HISTORY_HIDES,
    SKELETON_SHOWS,
)

COUNT_LIMIT = 1_001
"""Where counting stops: a total beyond a thousand is told as more than a thousand (``engine.md`` 2)."""
LAST_UPDATED = "_lastUpdated"
VERSIONS = "_history"
"""As a sort: every version of the caller's own rows, the deleted ones too, newest first (type history)."""
_LAST_OF_ALL = 2**62
_PLACES = CARD_HIDES | HISTORY_HIDES | AUTHOR_LACKS


class Unindexed(FunctionElement[str]):
    """A column as it is, which SQLite does not look up in an index: a better way to the rows is known."""

    inherit_cache = True
    type = TEXT


@compiles(Unindexed, "sqlite")
def _unary_plus(element: Unindexed, compiler: SQLCompiler, **options: Any) -> str:
    return f"+{compiler.process(element.clauses, **options)}"


@compiles(Unindexed, "postgresql")
def _as_it_is(element: Unindexed, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


@dataclass(frozen=True, slots=True)
class _Asked:
    """The shape of one criterion."""

    finder: Finder
    visibility: str
    place: str
    negated: bool
    leads: str


@dataclass(frozen=True, slots=True)
class _Shape:
    """Everything a statement's text depends on."""

    dialect: DialectName
    type: str
    criteria: tuple[_Asked, ...]
    sort: str
    descending: bool
    after: bool
    reach: Literal["authored", "kept", "all"]
    counting: bool

    @property
    def led(self) -> bool:
        """Tells whether a criterion leads to the rows, so that one branch holds every way of seeing them."""
        return any(asked.leads for asked in self.criteria)

    @property
    def led_to_rows(self) -> bool:
        """Tells whether a criterion leads to single rows, and no index of many is to be walked."""
        return any(asked.leads == "rows" for asked in self.criteria)


def statement_of(plan: SearchPlan, digests: Digests, dialect: DialectName) -> tuple[Statement, Values]:
    """Gives the statement of a plan and what it is given.

    The statement gives ``key``, the person's epoch, the caller's referral_access rows about the person, then
    the columns of the row (``row_making.resource_columns``), in no order; when counting, one number.

    Args:
        plan: the search.
        digests: keyed digests of what is searched for.
        dialect: the database.
    """
    parameters: Values = {
        "type": plan.type,
        "organization": plan.organization,
        "purpose": plan.purpose,
        "targets": ["*", *plan.refusal_targets],
        "at_us": plan.at_us,
        "limit": COUNT_LIMIT if plan.count_only else plan.count + 1,
    }
    asked = []
    reach: Literal["authored", "kept", "all"] = "all"
    if not plan.refusal_targets or any(
        not _may_match_others(plan.type, criterion, plan.organization) for criterion in plan.criteria
    ):
        reach = "kept"
    if plan.own_only or plan.sort[0] not in (LAST_UPDATED, ""):
        reach = "authored"
    for place, criterion in enumerate(plan.criteria):
        found = finder(plan.type, criterion)
        name = f"c{place}"
        parameters.update(found.values(plan.type, criterion, name, digests))
        asked.append(
            _Asked(
                found,
                criterion.visibility,
                _place(plan.type, criterion),
                criterion.negated,
                _lead(found, criterion, plan.organization),
            )
        )
    sort = LAST_UPDATED if plan.count_only and plan.sort[0] != VERSIONS else plan.sort[0] or LAST_UPDATED
    if sort not in (LAST_UPDATED, VERSIONS):
        parameters["sort"] = digests.parameter(plan.type, sort)
    after = None if plan.count_only else plan.after
    if after is not None:
        parameters["after_key"], parameters["after_row"] = after
    shape = _Shape(
        dialect=dialect,
        type=plan.type,
        criteria=tuple(asked),
        sort=sort,
        descending=plan.sort[1] or plan.count_only,
        after=after is not None,
        reach=reach,
        counting=plan.count_only,
    )
    return _statement(shape), parameters


def _may_match_others(type_name: str, criterion: Criterion, organization: str) -> bool:
    """Tells whether rows of others can match: not by an element for authors only, not by naming a third."""
    me = f"Organization/{organization}"
    if criterion.visibility == "self":
        return not criterion.negated and criterion.texts == (me,)
    if type_name == "Task" and criterion.parameter == "owner" and not criterion.negated:
        return criterion.kind != "token" or me in criterion.texts  # others' Tasks are seen by their owner
    return criterion.visibility != "own"


def _lead(found: Finder, criterion: Criterion, organization: str) -> str:
    """Gives what the search starts from: what the finder leads to, or the caller as owner or requester."""
    if criterion.negated:
        return ""
    if isinstance(found, ByColumn) and criterion.texts == (f"Organization/{organization}",):
        return found.column
    return found.leads


def _place(type_name: str, criterion: Criterion) -> str:
    """Gives what the visibility of an element depends on beyond its declaration; empty where on nothing."""
    if type_name == "Task":
        return criterion.parameter if criterion.parameter in _PLACES else ""
    outside = criterion.kind in ("id", "updated") or criterion.parameter in SKELETON_SHOWS
    return "" if outside else CONTENT


@lru_cache(maxsize=512)
def _statement(shape: _Shape) -> Statement:
    r: Rows = (schema.resource_version if shape.sort == VERSIONS else schema.resource).alias("r")
    branches = _branches(shape, r)
    if shape.counting:
        each = [sa.select(r.c.row_id).where(*conditions).limit(whole("limit")) for conditions in branches]
        visible = _united(each).limit(whole("limit")).subquery("visible")
        return _compiled(shape, sa.select(sa.func.count()).select_from(visible))
    key = _key(shape, r)
    if len(branches) == 1 and shape.sort in (LAST_UPDATED, VERSIONS):
        # One index gives the rows in their order: no list of row ids comes between.
        return _compiled(shape, _ordered(shape, _whole_rows(shape, r, r, key), key, r, branches[0]))
    each = [
        _ordered(shape, sa.select(r.c.row_id, key.label("key")), key, r, conditions)
        for conditions in branches
    ]
    found = _united(each).subquery("found")
    page = (
        sa.select(found)
        .order_by(*_order(shape, found.c.key, found.c.row_id))
        .limit(whole("limit"))
        .subquery("page")
    )
    w = schema.resource.alias("w")
    return _compiled(shape, _whole_rows(shape, w, page.join(w, w.c.row_id == page.c.row_id), page.c.key))


def _united(branches: "list[sa.Select[Any]]") -> "sa.Select[Any]":
    if len(branches) == 1:
        return branches[0]
    together = sa.union_all(*(sa.select(branch.subquery()) for branch in branches))
    return sa.select(together.subquery("together"))


def _compiled(shape: _Shape, expression: Any) -> Statement:
    return Statement(f"search_{shape.type}", {shape.dialect: expression})


def _branches(shape: _Shape, r: Rows) -> list[list[Condition]]:
    """Gives each branch's conditions, no row in two of them; one alone where a criterion leads to rows."""
    matching = [_matched(asked, r, f"c{place}") for place, asked in enumerate(shape.criteria)]
    if shape.sort != VERSIONS:
        matching.append(r.c.deleted == constant(0))
    ways = _ways(shape, r)
    if shape.led:
        of_type = _of_type(r, indexed=not shape.led_to_rows)
        return [[of_type, sa.or_(*(sa.and_(*way) for way in ways)), *matching]]
    own, *others = ways
    row_ids = shape.type in REFERRAL_LINKS  # of which others' rows are found by
    return [
        [_of_type(r, indexed=True), *own, *matching],
        *([_of_type(r, indexed=not row_ids), *way, *matching] for way in others),
    ]


def _of_type(r: Rows, *, indexed: bool) -> Condition:
    column: ColumnElement[str] = r.c.type
    return (column if indexed else Unindexed(column)) == words("type")


def _ways(shape: _Shape, r: Rows) -> list[list[Condition]]:
    """Gives every way in which the caller sees rows of the type, with the elements that are asked about."""
    author: ColumnElement[str] = r.c.author
    own = (Unindexed(author) if shape.led_to_rows else author) == words("organization")
    ways: list[list[Condition]] = [[own]]
    if any(asked.place in AUTHOR_LACKS for asked in shape.criteria):
        ways[0].append(r.c.foreign_elements == constant(0))
    if shape.reach == "authored":
        return ways
    if shape.type == "Consent":
        ways.append([~own, visibility_sql.custodian(r)])
    if shape.reach == "kept":
        return ways
    definition = DEFINITIONS.get(shape.type)
    if definition is None or definition.directory or not definition.about_person:
        if all(asked.visibility in ("notice", "self") for asked in shape.criteria):
            ways.append([~own, r.c.directory == constant(1)])
        return ways
    shown = (
        visibility_sql.element_shown(shape.type, asked.place, asked.visibility, r) for asked in shape.criteria
    )
    released = [~own, visibility_sql.released(shape.type, r), *(one for one in shown if one is not None)]
    ways.append(released if shape.led else [_led(shape.type, r), *released])
    return ways


def _led(type_name: str, r: Rows) -> Condition:
    """Gives a condition that leads to the rows of others by index, without changing what is found."""
    if type_name == "Task":
        return r.c.owner == words("organization")  # whom the access row of a Task names
    column = r.c.row_id if type_name in REFERRAL_LINKS else r.c.person
    return column.in_(reached(type_name))


def _matched(asked: _Asked, r: Rows, name: str) -> Condition:
    condition = asked.finder.condition(r, name)
    return ~condition if asked.negated else condition


def _ordered(
    shape: _Shape,
    found: "sa.Select[Any]",
    key: ColumnElement[Any],
    r: Rows,
    conditions: Sequence[Condition],
) -> "sa.Select[Any]":
    """Gives one page of a branch, behind the row the last page ended with."""
    found = found.where(*conditions)
    if shape.after:
        here, there = sa.tuple_(key, r.c.row_id), sa.tuple_(whole("after_key"), whole("after_row"))
        found = found.where(here < there if shape.descending else here > there)
    return found.order_by(*_order(shape, key, r.c.row_id)).limit(whole("limit"))


def _key(shape: _Shape, r: Rows) -> ColumnElement[Any]:
    if shape.sort in (LAST_UPDATED, VERSIONS):
        return r.c.updated_us
    index = schema.index_date.alias()
    edge = sa.func.max(index.c.high_us) if shape.descending else sa.func.min(index.c.low_us)
    dated = (
        sa.select(edge)
        .where(index.c.row_id == r.c.row_id, index.c.parameter == whole("sort"))
        .correlate(r)
        .scalar_subquery()
    )
    return sa.func.coalesce(dated, constant(-_LAST_OF_ALL if shape.descending else _LAST_OF_ALL))


def _order(shape: _Shape, key: ColumnElement[Any], row_id: ColumnElement[Any]) -> tuple[Any, ...]:
    return (key.desc(), row_id.desc()) if shape.descending else (key.asc(), row_id.asc())


def _whole_rows(shape: _Shape, r: Rows, source: sa.FromClause, key: ColumnElement[Any]) -> "sa.Select[Any]":
    person = schema.person.alias("p")
    if shape.type == "Task":
        accesses = standing_sql.accesses_beside(r, words("organization"))
    else:
        accesses = standing_sql.accesses_column(r.c.person, words("organization"))
    theirs = sa.and_(r.c.author != words("organization"), r.c.person.is_not(None))
    return sa.select(
        key.label("key"),
        person.c.epoch,
        sa.null() if shape.reach == "authored" else sa.case((theirs, accesses), else_=sa.null()),
        *resource_columns(r),
    ).select_from(source.outerjoin(person, person.c.row_id == r.c.person))
