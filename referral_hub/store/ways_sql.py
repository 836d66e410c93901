"""The ways in which a caller sees rows of a type, each with the elements a search asks about.

What lives here: own rows, directory entries, what is kept for others, what is released, as lists of SQL
conditions that never overlap. What does not: the rules behind them (``store.visibility_sql``), single criteria
(``store.criteria_sql``), pages (``store.search_sql``).

Source: ``views.md`` 1, 5 and 9.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement

from referral_hub.exchange.search_plan import Criterion
from referral_hub.resources.catalog import DEFINITIONS
from referral_hub.store import reach_sql, visibility_sql
from referral_hub.store.columns import TEXT
from referral_hub.store.criteria_sql import Finder
from referral_hub.store.lens import PLAIN, Lens
from referral_hub.store.referral_filter import REFERRAL_LINKS, Condition, Rows, reached
from referral_hub.store.statements import constant, whole, words
from referral_hub.store.visibility_sql import (
    AUTHOR_LACKS,
    CARD_HIDES,
    CONTENT,
    HISTORY_HIDES,
    SKELETON_SHOWS,
)

Reach = Literal["authored", "kept", "all"]
"""Whose rows can be found: the caller's own, also those it keeps for others, or any that it sees."""

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
class Asked:
    """The shape of one criterion.

    ``others`` is how rows of others are found, where that differs from the caller's own.
    """

    finder: Finder
    visibility: str
    place: str
    negated: bool
    leads: str
    others: Finder | None = None
    others_negated: bool = False

    def condition(self, r: Rows, name: str, *, own: bool = True) -> Condition:
        """Gives the condition on rows, own or of others."""
        if own or self.others is None:
            found = self.finder.condition(r, name)
            return ~found if self.negated else found
        found = self.others.condition(r, f"{name}_o")
        return ~found if self.others_negated else found


def may_match_others(type_name: str, criterion: Criterion, organization: str) -> bool:
    """Tells whether rows of others can match: not by an element for authors only, not by naming a third."""
    me = f"Organization/{organization}"
    if criterion.visibility == "self":
        return not criterion.negated and criterion.texts == (me,)
    if type_name == "Task" and criterion.parameter == "owner" and not criterion.negated:
        return criterion.kind != "token" or me in criterion.texts  # others' Tasks are seen by their owner
    return criterion.visibility != "own"


def reach_of(type_name: str, criteria: Sequence[Criterion], organization: str, *, refusable: bool) -> Reach:
    """Gives whose rows can match. A caller that no refusal could reach (``refusable``) finds its own alone."""
    if not refusable or any(not may_match_others(type_name, one, organization) for one in criteria):
        return "kept"
    return "all"


def place_of(type_name: str, criterion: Criterion) -> str:
    """Gives what the visibility of an element depends on beyond its declaration; empty where on nothing."""
    if type_name in REFERRAL_LINKS or criterion.kind == "has":
        return ""
    if type_name == "Task":
        return criterion.parameter if criterion.parameter in _PLACES else ""
    outside = criterion.kind in ("id", "updated") or criterion.parameter in SKELETON_SHOWS
    return "" if outside else CONTENT


def own_way(r: Rows, asked: Sequence[Asked], *, indexed: bool, lens: Lens = PLAIN) -> list[Condition]:
    """Gives the conditions on what the caller's organisation wrote; to herself, on what is about her."""
    if lens.herself:
        return [r.c.person == whole("reach_person"), r.c.never_release == constant(0)]
    author: ColumnElement[str] = r.c.author
    found: list[Condition] = [(author if indexed else Unindexed(author)) == words("organization")]
    if any(one.place in AUTHOR_LACKS for one in asked):
        found.append(r.c.foreign_elements == constant(0))
    return found


def other_ways(
    type_name: str, r: Rows, asked: Sequence[Asked], reach: Reach, *, led: bool, lens: Lens = PLAIN
) -> list[list[Condition]]:
    """Gives the conditions on what others wrote, one list for each way of seeing it; no row meets two.

    Args:
        type_name: the FHIR type.
        r: its rows.
        asked: the criteria, of which each tells what must be seen.
        reach: whose rows can match.
        led: a criterion leads to the rows already, so that nothing else need lead there.
        lens: of the caller.
    """
    if reach == "authored":
        return []
    own = r.c.author == words("organization")
    if lens.herself:
        own = r.c.person.is_not(None)  # what is about her is in the other way, and nobody else's is in any
    ways: list[list[Condition]] = []
    if type_name == "Consent" and not lens.herself:
        ways.append([~own, visibility_sql.custodian(r)])
    if reach == "kept":
        return ways
    definition = DEFINITIONS.get(type_name)
    public = definition is None or definition.directory or definition.listed
    if public and all(one.visibility in ("notice", "public", "self") for one in asked):
        listed = [~own, r.c.directory == constant(1)]
        if any(one.visibility == "public" for one in asked):
            listed.append(r.c.kind != constant("shelter"))  # nobody lists shelters by what they are
        ways.append(listed)
    if definition is None or not definition.opened or lens.herself:
        return ways
    shown = (visibility_sql.element_shown(type_name, one.place, one.visibility, r, lens) for one in asked)
    released = [~own, visibility_sql.released(type_name, r, lens), *(one for one in shown if one is not None)]
    if definition.directory or definition.listed:
        released.append(r.c.directory == constant(0))
    ways.append(released if led else [_led(type_name, r), *released])
    return ways


def always_shown(type_name: str, visibility: str, parameter: str, kind: str = "token") -> bool:
    """Tells whether whoever sees a row of a type sees this element: then its order tells nothing more."""
    definition = DEFINITIONS.get(type_name)
    if visibility != "notice" or definition is None:
        return False
    if not definition.opened:
        return True
    return place_of(type_name, Criterion(parameter, kind, visibility)) == ""


def _led(type_name: str, r: Rows) -> Condition:
    """Gives a condition that leads to the rows of others by index, without changing what is found."""
    if type_name == "Task":
        return r.c.owner == words("organization")  # whom the access row of a Task names
    column = r.c.row_id if type_name in REFERRAL_LINKS else r.c.person
    return column.in_(reached(type_name))


def visible(
    type_name: str, r: Rows, asked: Sequence[Asked], reach: Reach, name: str, lens: Lens = PLAIN
) -> Condition:
    """Holds for rows that the caller sees and that meet the criteria on what it sees of them.

    For conditions on another resource than the one that is searched for (``store.link_sql``).
    """
    ways = [
        sa.and_(
            *own_way(r, asked, indexed=False, lens=lens),
            *(one.condition(r, f"{name}_{place}") for place, one in enumerate(asked)),
        ),
        *(
            sa.and_(
                *way, *(one.condition(r, f"{name}_{place}", own=False) for place, one in enumerate(asked))
            )
            for way in other_ways(type_name, r, asked, reach, led=True, lens=lens)
        ),
    ]
    beside = reach_sql.within(type_name, r, lens)
    return sa.and_(r.c.type == constant(type_name), r.c.deleted == constant(0), *beside, sa.or_(*ways))
