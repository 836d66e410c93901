"""A search plan as one statement: visible rows only, found by index, in order, one page.

What lives here: how branches of visibility, criteria, order and page become one statement, and what it is
given. What does not: who may see what (``store.ways_sql``), single criteria (``store.criteria_sql``,
``store.link_sql``), running it and opening what it found (``store.searching``).

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
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from referral_hub.exchange.search_plan import Order, SearchPlan
from referral_hub.store import reach_sql, schema, standing_sql
from referral_hub.store.columns import TEXT
from referral_hub.store.criteria_sql import ByStatuses
from referral_hub.store.index_rows import Digests, number_parameter
from referral_hub.store.lens import Lens
from referral_hub.store.link_sql import asked_of, asks_status, values_of
from referral_hub.store.referral_filter import REFERRAL_LINKS, Condition, Rows
from referral_hub.store.row_making import resource_columns
from referral_hub.store.span_sql import Values
from referral_hub.store.statements import DialectName, Statement, constant, whole, words
from referral_hub.store.ways_sql import Asked, Reach, Unindexed, other_ways, own_way, reach_of

COUNT_LIMIT = 1_001
"""Where counting stops: a total beyond a thousand is told as more than a thousand (``engine.md`` 2)."""
VERSIONS = "versions"
"""As an order: every version of the caller's own rows, the deleted ones too (type history)."""
NAMED = ("row_id", "version", "author", "person")
"""What a page says of each row it finds; the row itself is read beside it, where it is not kept."""
_BEFORE_ALL, _BEHIND_ALL = -(2**62), 2**62
_BEHIND_EVERY_TEXT = sa.literal_column("'\U0010ffff'", TEXT)
_WHOLE_KEYS = frozenset({"updated", VERSIONS, "date"})
"""Orders whose key is a whole number; the others have a text."""


@dataclass(frozen=True, slots=True)
class _Shape:
    """Everything a statement's text depends on."""

    dialect: DialectName
    type: str
    criteria: tuple[Asked, ...]
    sort: tuple[tuple[str, bool], ...]
    after: bool
    reach: Reach
    counting: bool
    lens: Lens

    @property
    def versions(self) -> bool:
        """Tells whether versions are walked, not resources."""
        return self.sort[0][0] == VERSIONS

    @property
    def by_time(self) -> bool:
        """Tells whether the order is that of the indexes, which end with the time of the last change."""
        return len(self.sort) == 1 and self.sort[0][0] in ("updated", VERSIONS)

    @property
    def led(self) -> bool:
        """Tells whether a criterion leads to the rows, so that one branch holds every way of seeing them."""
        return any(asked.leads for asked in self.criteria)

    @property
    def led_by_owner(self) -> bool:
        """Tells whether the search starts from the Tasks the caller owns."""
        return any(asked.leads == "owner" for asked in self.criteria)

    @property
    def led_to_rows(self) -> bool:
        """Tells whether a criterion leads to single rows, and no index of many is to be walked."""
        return any(asked.leads == "rows" for asked in self.criteria)


def statement_of(plan: SearchPlan, digests: Digests, dialect: DialectName) -> tuple[Statement, Values]:
    """Gives the statement of a plan and what it is given.

    The statement gives one key for each part of the order, the person's epoch, the caller's referral_access rows
    about the person, then what names the row and its version (:data:`NAMED`), in no order; of versions the columns
    of each (``row_making.resource_columns``) behind that; when counting, one number.

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
    lens = reach_sql.lens_of(plan)
    parameters.update(reach_sql.values_for(lens, plan.reach, plan.account, plan.binding))
    refusable = bool(plan.refusal_targets)
    reach = reach_of(plan.type, plan.criteria, plan.organization, refusable=refusable)
    asked = []
    for place, criterion in enumerate(plan.criteria):
        one = asked_of(
            plan.type,
            criterion,
            plan.organization,
            refusable=refusable,
            lens=lens,
            authored=plan.own_only and not lens.herself,
        )
        parameters.update(values_of(plan.type, criterion, one, f"c{place}", digests))
        asked.append(one)
    sort = plan.sort
    if plan.count_only and sort[0].kind != VERSIONS:
        sort = (Order(),)
    for place, order in enumerate(sort):
        if order.kind in ("date", "string"):
            parameters[f"sort_{place}"] = digests.parameter(plan.type, order.parameter)
        elif order.kind == "number":
            parameters[f"sort_{place}"] = number_parameter(digests, plan.type, order.parameter, "", "")
    after = None if plan.count_only else plan.after
    for place, value in enumerate(after or ()):
        parameters[f"after_{place}"] = value
    shape = _Shape(
        dialect=dialect,
        type=plan.type,
        criteria=tuple(asked),
        sort=tuple((order.kind, order.descending) for order in sort),
        after=after is not None,
        reach="authored" if plan.own_only else reach,
        counting=plan.count_only,
        lens=lens,
    )
    return _statement(shape), parameters


@lru_cache(maxsize=512)
def _statement(shape: _Shape) -> Statement:
    r: Rows = (schema.resource_version if shape.versions else schema.resource).alias("r")
    branches = _branches(shape, r)
    if shape.counting:
        each = [sa.select(r.c.row_id).where(*conditions).limit(whole("limit")) for conditions in branches]
        visible = _united(each).limit(whole("limit")).subquery("visible")
        return _compiled(shape, sa.select(sa.func.count()).select_from(visible))
    keys = _keys(shape, r)
    if len(branches) == 1 and shape.by_time:
        # One index gives the rows in their order: no list of row ids comes between.
        return _compiled(shape, _ordered(shape, _whole_rows(shape, r, r, keys), keys, r, branches[0]))
    named = [key.label(f"key_{place}") for place, key in enumerate(keys)]
    each = [_ordered(shape, sa.select(r.c.row_id, *named), keys, r, conditions) for conditions in branches]
    found = _united(each).subquery("found")
    page = (
        sa.select(found)
        .order_by(*_order(shape, [found.c[key.name] for key in named], found.c.row_id))
        .limit(whole("limit"))
        .subquery("page")
    )
    w = schema.resource.alias("w")
    source = page.join(w, w.c.row_id == page.c.row_id)
    return _compiled(shape, _whole_rows(shape, w, source, [page.c[key.name] for key in named]))


def _united(branches: "list[sa.Select[Any]]") -> "sa.Select[Any]":
    if len(branches) == 1:
        return branches[0]
    together = sa.union_all(*(sa.select(branch.subquery()) for branch in branches))
    return sa.select(together.subquery("together"))


def _compiled(shape: _Shape, expression: Any) -> Statement:
    return Statement(f"search_{shape.type}", {shape.dialect: expression})


def _branches(shape: _Shape, r: Rows) -> list[list[Condition]]:
    """Gives each branch's conditions, no row in two of them; one alone where a criterion leads to rows."""
    beside = [] if shape.versions else [r.c.deleted == constant(0)]
    beside += reach_sql.within(shape.type, r, shape.lens)

    def matching(*, own: bool, without: int | None = None) -> list[Condition]:
        return [
            *(
                asked.condition(r, f"c{place}", own=own)
                for place, asked in enumerate(shape.criteria)
                if place != without
            ),
            *beside,
        ]

    walked = not shape.led_to_rows and not shape.lens.by_person
    own = own_way(r, shape.criteria, indexed=walked, lens=shape.lens)
    others = other_ways(shape.type, r, shape.criteria, shape.reach, led=shape.led, lens=shape.lens)
    statuses = _statuses(shape)
    if shape.led:
        of_type = _of_type(r, indexed=not shape.led_to_rows)
        split = statuses if shape.led_by_owner else None
        if not any(asked.others for asked in shape.criteria):
            ways = sa.or_(*(sa.and_(*way) for way in (own, *others)))
            return _each_status(shape, r, split, [of_type, ways, *matching(own=True, without=split)])
        leading = [
            asked.condition(r, f"c{place}") for place, asked in enumerate(shape.criteria) if asked.leads
        ]
        mine = sa.and_(*own, *matching(own=True, without=split))
        seen = [sa.and_(*way, *matching(own=False, without=split)) for way in others]
        return _each_status(shape, r, split, [of_type, *leading, sa.or_(mine, *seen)])
    row_ids = shape.type in REFERRAL_LINKS  # of which others' rows are found by
    split = statuses if walked else None
    mine_whole = [
        _of_type(r, indexed=True),
        *own,
        *_with_status(shape, r),
        *matching(own=True, without=split),
    ]
    found = _each_status(shape, r, split, mine_whole)
    split = statuses if shape.type == "Task" else None
    for way in others:
        whole_way = [_of_type(r, indexed=not row_ids), *way, *matching(own=False, without=split)]
        found += _each_status(shape, r, split, whole_way)
    return found


def _statuses(shape: _Shape) -> int | None:
    """Gives which criterion is a few statuses, each of which may be a branch of its own."""
    for place, asked in enumerate(shape.criteria):
        if isinstance(asked.finder, ByStatuses) and not asked.negated and asked.others is None:
            return place
    return None


def _with_status(shape: _Shape, r: Rows) -> list[Condition]:
    """Gives what the index of own rows by status says of them, where a status is asked for."""
    return [r.c.status != constant("")] if asks_status(shape.criteria) else []


def _each_status(
    shape: _Shape, r: Rows, place: int | None, conditions: list[Condition]
) -> list[list[Condition]]:
    """Gives one branch for each status: where its owner or author leads to a row, an index has the page's order.

    Together they would make a walk through all that is closed, to find the few that are open.
    """
    if place is None:
        return [conditions]
    finder = shape.criteria[place].finder
    assert isinstance(finder, ByStatuses)  # noqa: S101 - as _statuses found it
    return [[*conditions, one] for one in finder.each(r, f"c{place}")]


def _of_type(r: Rows, *, indexed: bool) -> Condition:
    column: ColumnElement[str] = r.c.type
    return (column if indexed else Unindexed(column)) == words("type")


def _ordered(
    shape: _Shape,
    found: "sa.Select[Any]",
    keys: Sequence[ColumnElement[Any]],
    r: Rows,
    conditions: Sequence[Condition],
) -> "sa.Select[Any]":
    """Gives one page of a branch, behind the row the last page ended with."""
    found = found.where(*conditions)
    if shape.after:
        found = found.where(_behind(shape, keys, r.c.row_id))
    return found.order_by(*_order(shape, keys, r.c.row_id)).limit(whole("limit"))


def _behind(shape: _Shape, keys: Sequence[ColumnElement[Any]], row_id: ColumnElement[Any]) -> Condition:
    columns = [*keys, row_id]
    last = shape.sort[-1][1]
    directions = [descending for _, descending in shape.sort] + [last]
    given = [
        whole(f"after_{place}") if kind in _WHOLE_KEYS else words(f"after_{place}")
        for place, (kind, _) in enumerate(shape.sort)
    ]
    given.append(whole(f"after_{len(given)}"))
    if len(set(directions)) == 1:
        here, there = sa.tuple_(*columns), sa.tuple_(*given)
        return here < there if last else here > there
    # Keys of both directions: behind by the last one alone, or by one before it.
    behind: Condition = sa.false()
    for column, value, descending in reversed(list(zip(columns, given, directions, strict=True))):
        beyond = column < value if descending else column > value
        behind = sa.or_(beyond, sa.and_(column == value, behind))
    return behind


def _keys(shape: _Shape, r: Rows) -> list[ColumnElement[Any]]:
    return [_key(r, kind, f"sort_{place}", down=down) for place, (kind, down) in enumerate(shape.sort)]


def _key(r: Rows, kind: str, name: str, *, down: bool) -> ColumnElement[Any]:
    """Gives what a row is ordered by; without such a value it comes last, in both directions."""
    if kind in ("updated", VERSIONS):
        return r.c.updated_us
    if kind in ("id", "status"):
        return r.c[kind]
    index = {"date": schema.index_date, "string": schema.index_string, "number": schema.index_number}[
        kind
    ].alias()
    low, high = {"date": ("low_us", "high_us"), "string": ("text", "text"), "number": ("low", "high")}[kind]
    edge = sa.func.max(index.c[high]) if down else sa.func.min(index.c[low])
    found = (
        sa.select(edge)
        .where(index.c.row_id == r.c.row_id, index.c.parameter == whole(name))
        .correlate(r)
        .scalar_subquery()
    )
    if kind == "date":
        return sa.func.coalesce(found, constant(_BEFORE_ALL if down else _BEHIND_ALL))
    return sa.func.coalesce(found, constant("") if down else _BEHIND_EVERY_TEXT, type_=TEXT)


def _order(shape: _Shape, keys: Sequence[ColumnElement[Any]], row_id: ColumnElement[Any]) -> tuple[Any, ...]:
    """Gives the order of the keys; equal rows are told apart by their number, in the direction of the last key."""
    found = [
        key.desc() if descending else key.asc() for key, (_, descending) in zip(keys, shape.sort, strict=True)
    ]
    return (*found, row_id.desc() if shape.sort[-1][1] else row_id.asc())


def _whole_rows(
    shape: _Shape, r: Rows, source: sa.FromClause, keys: Sequence[ColumnElement[Any]]
) -> "sa.Select[Any]":
    person = schema.person.alias("p")
    if shape.type == "Task":
        accesses = standing_sql.accesses_beside(r, words("organization"))
    else:
        accesses = standing_sql.accesses_column(r.c.person, words("organization"))
    theirs = sa.and_(r.c.author != words("organization"), r.c.person.is_not(None))
    return sa.select(
        *(key.label(f"key_{place}") for place, key in enumerate(keys)),
        person.c.epoch,
        sa.null() if shape.reach == "authored" else sa.case((theirs, accesses), else_=sa.null()),
        *(r.c[name] for name in NAMED),
        *(resource_columns(r) if shape.versions else ()),
    ).select_from(source.outerjoin(person, person.c.row_id == sa.case((theirs, r.c.person))))
