"""Conditions on another resource as SQL: chains along a reference, ``_has`` against one, and any of several.

What lives here: the finders of links, and how a criterion becomes the shape of itself. What does not: conditions on
the row itself (``store.criteria_sql``), which rows a caller sees (``store.ways_sql``).

The resource at the other end is looked at as the caller would see it: it must be visible, and so must the element
that is asked about. What is hidden meets nothing, as if it were not there.

Source: FHIR R4 search 3.1.1.5.1 (chaining), 3.1.1.5.2 (``_has``); ``views.md`` 5; ``consent.md`` S-10 and S-11.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from referral_hub.exchange.indexing import joined_by
from referral_hub.exchange.search_plan import Criterion
from referral_hub.store import schema
from referral_hub.store.criteria_sql import ByColumn, ByStatuses, Finder, finder
from referral_hub.store.index_rows import Digests, link_parameter
from referral_hub.store.lens import PLAIN, Lens
from referral_hub.store.reach_sql import within
from referral_hub.store.referral_filter import Condition, Rows
from referral_hub.store.span_sql import Values
from referral_hub.store.statements import constant, whole
from referral_hub.store.ways_sql import Asked, Reach, own_way, place_of, reach_of, visible


def asked_of(
    type_name: str,
    criterion: Criterion,
    organization: str,
    *,
    refusable: bool,
    lens: Lens = PLAIN,
    authored: bool = False,
) -> Asked:
    """Gives the shape of a criterion on rows of a type.

    Args:
        type_name: whose rows.
        criterion: what is asked of them.
        organization: the caller's.
        refusable: refusals can be seen to reach the caller; without, it finds its own rows alone.
        lens: of the caller.
        authored: only what the caller's organisation wrote is looked at, at the other end of a link as well.
    """

    def found_by(one: Criterion) -> Finder:
        return finder_of(type_name, one, organization, refusable=refusable, lens=lens, authored=authored)

    found = found_by(criterion)
    others = None if criterion.others is None else found_by(criterion.others)
    return Asked(
        found,
        criterion.visibility if criterion.kind != "has" else "notice",
        place_of(type_name, criterion),
        criterion.negated,
        _lead(found, criterion, organization) if others is None else "",
        others,
        others_negated=criterion.others is not None and criterion.others.negated,
    )


def asks_status(criteria: Sequence[Asked]) -> bool:
    """Tells whether one of the criteria is a status, or a few of them."""
    return any(
        isinstance(asked.finder, ByStatuses)
        or (isinstance(asked.finder, ByColumn) and asked.finder.column == "status")
        for asked in criteria
        if not asked.negated
    )


def values_of(type_name: str, criterion: Criterion, asked: Asked, name: str, digests: Digests) -> Values:
    """Gives what the conditions of a criterion are given, on own rows and on those of others."""
    found = asked.finder.values(type_name, criterion, name, digests)
    if asked.others is not None and criterion.others is not None:
        found.update(asked.others.values(type_name, criterion.others, f"{name}_o", digests))
    return found


def finder_of(
    type_name: str,
    criterion: Criterion,
    organization: str,
    *,
    refusable: bool,
    lens: Lens = PLAIN,
    authored: bool = False,
) -> Finder:
    """Gives how rows are found by a criterion of any kind."""
    if criterion.kind in ("any", "all"):
        parts = tuple(
            finder_of(type_name, part, organization, refusable=refusable, lens=lens, authored=authored)
            for part in criterion.parts
        )
        negated = tuple(part.negated for part in criterion.parts)
        return Several(criterion.kind == "any", parts, negated)
    if criterion.kind not in ("chain", "has"):
        return finder(type_name, criterion)
    target = criterion.target
    # On the way back the reference stands in the other resource: it must be seen there as well.
    joined = (
        (Criterion(criterion.parameter, "link", criterion.visibility),) if criterion.kind == "has" else ()
    )
    asked = tuple(
        asked_of(target, part, organization, refusable=refusable, lens=lens, authored=authored)
        for part in criterion.parts
    )
    seen = tuple(
        Asked(_Seen(), one.visibility, place_of(target, one), negated=False, leads="") for one in joined
    )
    reach = reach_of(target, (*criterion.parts, *joined), organization, refusable=refusable)
    if authored:
        reach = "authored"
    leads = "rows" if any(one.leads == "rows" for one in asked) else ""
    backwards = criterion.kind == "has"
    column = joined_by(
        *((target, criterion.parameter, type_name) if backwards else (type_name, criterion.parameter, target))
    )
    return ByLink(backwards, target, (*asked, *seen), reach, column, leads, lens)


def _lead(found: Finder, criterion: Criterion, organization: str) -> str:
    """Gives what the search starts from: what the finder leads to, or the caller as owner or requester."""
    if criterion.negated:
        return ""
    if isinstance(found, ByColumn) and criterion.texts == (f"Organization/{organization}",):
        return found.column
    return found.leads


@dataclass(frozen=True, slots=True)
class _Seen:
    """Asks nothing of a row: only that an element of it is seen."""

    leads: str = ""

    def condition(self, r: Rows, name: str) -> Condition:
        """Holds always."""
        del r, name
        return sa.true()

    def values(self, type_name: str, criterion: Criterion, name: str, digests: Digests) -> Values:
        """Gives nothing."""
        del type_name, criterion, name, digests
        return {}


@dataclass(frozen=True, slots=True)
class Several:
    """Any of several ways, or all: the types a chain may lead to, the values of a composite."""

    any_of: bool
    parts: tuple[Finder, ...]
    negated: tuple[bool, ...]

    @property
    def leads(self) -> str:
        """Tells whether every way starts from single rows."""
        return "rows" if self.any_of and all(part.leads == "rows" for part in self.parts) else ""

    def condition(self, r: Rows, name: str) -> Condition:
        """Holds where one of the ways does, or all."""
        found = [part.condition(r, f"{name}_{place}") for place, part in enumerate(self.parts)]
        found = [~one if negated else one for one, negated in zip(found, self.negated, strict=True)]
        return sa.or_(*found) if self.any_of else sa.and_(*found)

    def values(self, type_name: str, criterion: Criterion, name: str, digests: Digests) -> Values:
        """Gives what each way is given."""
        found: Values = {}
        for place, (part, one) in enumerate(zip(self.parts, criterion.parts, strict=True)):
            found.update(part.values(type_name, one, f"{name}_{place}", digests))
        return found


@dataclass(frozen=True, slots=True)
class ByLink:
    """What the row points at (a chain), or what points at it (``backwards``), of one type and as asked."""

    backwards: bool
    target: str
    asked: tuple[Asked, ...]
    reach: Reach
    column: str
    leads: str = ""
    lens: Lens = PLAIN

    def condition(self, r: Rows, name: str) -> Condition:
        """Looks for a visible resource at the other end; starts there where that leads to few."""
        index, other = schema.index_link.alias(), schema.resource.alias()
        meets = visible(self.target, other, self.asked, self.reach, name, self.lens)
        if self.column:
            return self._by_column(r, other, meets, name)
        along = index.c.parameter == whole(name)
        if self.backwards:
            both = index.join(other, other.c.row_id == index.c.row_id)
            here, there = r.c.id, index.c.target
        else:
            both = index.join(other, other.c.id == index.c.target)
            here, there = r.c.row_id, index.c.row_id
        if self.leads:
            return here.in_(sa.select(there).select_from(both).where(along, meets))
        found: sa.Select[Any] = sa.select(sa.literal_column("1")).select_from(both)
        return found.where(along, here == there, meets).correlate(r).exists()

    @property
    def _own_by_status(self) -> bool:
        """Tells whether the other end is found by its status among what the caller's organisation wrote.

        One list of what is open serves every row, where else each row asked for its own.
        """
        return self.reach == "authored" and not self.lens.by_person and asks_status(self.asked)

    def _own(self, other: Rows, name: str) -> list[Condition]:
        return [
            other.c.type == constant(self.target),
            other.c.deleted == constant(0),
            other.c.status != constant(""),
            *own_way(other, self.asked, indexed=True, lens=self.lens),
            *(one.condition(other, f"{name}_{place}") for place, one in enumerate(self.asked)),
            *within(self.target, other, self.lens),
        ]

    def _by_column(self, r: Rows, other: Rows, meets: Condition, name: str) -> Condition:
        here, there = r.c[self.column], other.c.row_id
        if self.backwards:
            here, there = r.c.row_id, other.c[self.column]
        elif self._own_by_status and not self.leads:
            return here.in_(sa.select(there).where(*self._own(other, name)))
        if self.leads:
            return here.in_(sa.select(there).where(there.is_not(None), meets))
        return sa.exists(sa.literal_column("1")).where(here == there, meets).correlate(r)

    def values(self, type_name: str, criterion: Criterion, name: str, digests: Digests) -> Values:
        """Gives the digest of the reference, and what the criteria at the other end are given."""
        source, leads_to = (self.target, type_name) if self.backwards else (type_name, self.target)
        found: Values = {}
        if not self.column:
            found[name] = link_parameter(digests, source, criterion.parameter, leads_to)
        for place, (one, part) in enumerate(zip(self.asked, criterion.parts, strict=False)):
            found.update(values_of(self.target, part, one, f"{name}_{place}", digests))
        return found
