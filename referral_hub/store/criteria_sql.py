"""One search criterion as SQL: by a hot column where the type has one, else by its index rows.

What lives here: the finders, each with its condition and the values it binds. What does not: dates and numbers
(``store.span_sql``), conditions on other resources (``store.link_sql``), for whom a criterion may match
(``store.visibility_sql``), how criteria become a page (``store.search_sql``), the grammar of searches (``fhir``).

A finder knows the shape of a criterion and none of its values: statements are kept by shape, and what a
caller typed is only ever bound. The alternatives of a criterion are one list, not a chain of ORs.

Source: FHIR R4 search 3.1.1.4 (token, reference, string, date with prefixes); ``performance.md`` 7, point 4.
"""

from dataclasses import dataclass
from typing import Protocol

import sqlalchemy as sa

from referral_hub.exchange.indexing import SINGLE_SUBJECTS
from referral_hub.exchange.search_plan import Criterion
from referral_hub.resources.catalog import DEFINITIONS
from referral_hub.store import schema
from referral_hub.store.index_rows import Digests, number_parameter, pair_text, span_parameter
from referral_hub.store.referral_filter import Condition, Rows
from referral_hub.store.span_sql import ByDate, ByNumber, Values, compared, found_in, span_values
from referral_hub.store.statements import one_of, whole, words

SELECTIVE = frozenset({"identifier", "group-identifier", "requisition"})
"""Parameters whose values belong to a few rows: the search starts from them."""
MOST_BRANCHES = 8
"""The most statuses that are looked up one by one: an inbox stays as fast as its page, however much is closed."""
_BEYOND = "\U0010ffff"


class Finder(Protocol):
    """One way to find rows; equal finders make equal SQL."""

    @property
    def leads(self) -> str:
        """Tells whether the search starts from it: from single rows (``rows``), a ``person``'s, or not (empty)."""

    def condition(self, r: Rows, name: str) -> Condition:
        """Gives the condition on the rows, its parameters named after ``name``."""

    def values(self, type_name: str, criterion: Criterion, name: str, digests: Digests) -> Values:
        """Gives what the condition is given."""


def finder(type_name: str, criterion: Criterion) -> Finder:
    """Gives how rows are found by this criterion.

    Raises:
        ValueError: where its kind is not known; the search that made it is at fault, not the caller.

    >>> finder("Task", Criterion("owner", "token", "notice", ("Organization/clinic-1",)))
    ByColumn(column='owner', several=False, leads='')
    >>> finder("Task", Criterion("code", "token", "notice", ("|recall", "|fulfill")))
    ByToken(several=True, leads='')
    """
    kind = criterion.kind
    if kind == "token":
        return _token(type_name, criterion)
    if kind == "id":
        return ById(several=len(criterion.texts) != 1)
    if kind == "updated":
        return ByUpdated(tuple(span[0] for span in criterion.spans))
    if kind == "date":
        return ByDate(tuple(span[0] for span in criterion.spans))
    if kind == "number":
        return ByNumber(tuple(number.prefix for number in criterion.numbers))
    if kind == "string":
        return ByWord() if criterion.identifying else ByText(criterion.modifier, len(criterion.texts))
    if kind == "missing":
        return Missing(
            criterion.parameter_type, missing=criterion.texts == ("true",), identifying=criterion.identifying
        )
    raise ValueError(f"a criterion of the unknown kind {kind!r}")


def _token(type_name: str, criterion: Criterion) -> Finder:
    several = len(criterion.texts) != 1
    parameter, texts = criterion.parameter, criterion.texts
    if criterion.under:
        return ByToken(several=several)
    definition = DEFINITIONS.get(type_name)
    if parameter in ("owner", "requester") and all(text.startswith("Organization/") for text in texts):
        if parameter == "requester" or type_name == "Task":
            return ByColumn(parameter, several=several)
    elif parameter == "status" and definition is not None and definition.status_element == "status":
        if not any("|" in text for text in texts):
            distinct = len(set(texts))
            return (
                ByStatuses(distinct) if 1 < distinct <= MOST_BRANCHES else ByColumn("status", several=several)
            )
    elif (
        parameter in ("patient", "subject")
        and definition is not None
        and definition.subject in SINGLE_SUBJECTS
        and all(text.startswith("Patient/") for text in texts)
    ):
        return ByPerson(several=several)
    selective = parameter in SELECTIVE or (type_name, parameter) == ("Provenance", "target")
    selective = selective and not criterion.negated
    return ByToken(several=several, leads="rows" if selective else "")


def _after_slash(texts: tuple[str, ...]) -> list[str]:
    return [text.partition("/")[2] for text in texts]


@dataclass(frozen=True, slots=True)
class ByColumn:
    """A hot column: ``status``, or ``owner`` and ``requester`` as bare organisation ids."""

    column: str
    several: bool
    leads: str = ""

    def condition(self, r: Rows, name: str) -> Condition:
        """Compares the column."""
        column = r.c[self.column]
        return one_of(column, name) if self.several else column == words(name)

    def values(self, type_name: str, criterion: Criterion, name: str, digests: Digests) -> Values:
        """Gives codes or organisation ids."""
        del type_name, digests
        texts = list(criterion.texts) if self.column == "status" else _after_slash(criterion.texts)
        return {name: texts if self.several else texts[0]}


@dataclass(frozen=True, slots=True)
class ByStatuses:
    """A few statuses: each may be a branch of its own, in the order of an index that begins with it."""

    count: int
    leads: str = ""

    def condition(self, r: Rows, name: str) -> Condition:
        """Compares the column with all of them."""
        return one_of(r.c.status, name)

    def each(self, r: Rows, name: str) -> list[Condition]:
        """Gives one condition for each of them."""
        return [r.c.status == words(f"{name}_{place}") for place in range(self.count)]

    def values(self, type_name: str, criterion: Criterion, name: str, digests: Digests) -> Values:
        """Gives the codes, together and one by one."""
        del type_name, digests
        texts = list(dict.fromkeys(criterion.texts))
        return {name: texts, **{f"{name}_{place}": text for place, text in enumerate(texts)}}


@dataclass(frozen=True, slots=True)
class ByPerson:
    """The Patient a row is about, by the column that leads to her."""

    several: bool
    leads: str = "person"

    def condition(self, r: Rows, name: str) -> Condition:
        """Compares the column with the row id behind the Patient's public id."""
        patient = schema.resource.alias()
        found = sa.select(patient.c.row_id).where(patient.c.type == sa.literal_column("'Patient'"))
        if self.several:
            return r.c.person.in_(found.where(one_of(patient.c.id, name)))
        return r.c.person == found.where(patient.c.id == words(name)).scalar_subquery()

    def values(self, type_name: str, criterion: Criterion, name: str, digests: Digests) -> Values:
        """Gives the public ids."""
        del type_name, digests
        ids = _after_slash(criterion.texts)
        return {name: ids if self.several else ids[0]}


@dataclass(frozen=True, slots=True)
class ByToken:
    """Digests of tokens, references and uris."""

    several: bool
    leads: str = ""

    def condition(self, r: Rows, name: str) -> Condition:
        """Looks for an index row with one of the digests."""
        index = schema.index_token.alias()
        matches = one_of(index.c.hash, name) if self.several else index.c.hash == whole(name)
        if self.leads:
            return r.c.row_id.in_(sa.select(index.c.row_id).where(matches))
        return found_in(index, r, matches)

    def values(self, type_name: str, criterion: Criterion, name: str, digests: Digests) -> Values:
        """Gives the digests."""
        found = [
            digests.token(type_name, criterion.parameter, pair_text(criterion.under, text))
            for text in criterion.texts
        ]
        return {name: found if self.several else found[0]}


@dataclass(frozen=True, slots=True)
class ById:
    """The public id."""

    several: bool
    leads: str = "rows"

    def condition(self, r: Rows, name: str) -> Condition:
        """Compares the id."""
        return one_of(r.c.id, name) if self.several else r.c.id == words(name)

    def values(self, type_name: str, criterion: Criterion, name: str, digests: Digests) -> Values:
        """Gives the ids."""
        del type_name, digests
        return {name: list(criterion.texts) if self.several else criterion.texts[0]}


@dataclass(frozen=True, slots=True)
class ByUpdated:
    """When the row was last changed, a moment of one microsecond."""

    operators: tuple[str, ...]
    leads: str = ""

    def condition(self, r: Rows, name: str) -> Condition:
        """Compares the moment with each span."""
        updated = r.c.updated_us
        return sa.or_(
            *(
                compared(operator, updated, updated + sa.literal_column("1"), f"{name}_{place}")
                for place, operator in enumerate(self.operators)
            )
        )

    def values(self, type_name: str, criterion: Criterion, name: str, digests: Digests) -> Values:
        """Gives the spans."""
        del type_name, digests
        return span_values(criterion, name)


@dataclass(frozen=True, slots=True)
class ByText:
    """Folded texts that begin as asked, or with the modifier hold it (``contains``)."""

    modifier: str
    count: int
    leads: str = ""

    def condition(self, r: Rows, name: str) -> Condition:
        """Looks for an index row that compares as asked with one of the texts."""
        index = schema.index_string.alias()
        text = index.c.text
        if self.modifier == "contains":
            matches = sa.or_(
                *(text.like(words(f"{name}_{place}"), escape="/") for place in range(self.count))
            )
        else:
            matches = sa.or_(
                *(
                    sa.and_(text >= words(f"{name}_{place}"), text < words(f"{name}_{place}_end"))
                    for place in range(self.count)
                )
            )
        return found_in(index, r, index.c.parameter == whole(name), matches)

    def values(self, type_name: str, criterion: Criterion, name: str, digests: Digests) -> Values:
        """Gives the parameter's digest and each text, or the range of texts that begin with it."""
        found: Values = {name: span_parameter(digests, type_name, criterion.parameter, criterion.under)}
        for place, text in enumerate(criterion.texts):
            if self.modifier == "contains":
                escaped = text.replace("/", "//").replace("%", "/%").replace("_", "/_")
                found[f"{name}_{place}"] = f"%{escaped}%"
            else:
                found[f"{name}_{place}"] = text
                found[f"{name}_{place}_end"] = text + _BEYOND
        return found


@dataclass(frozen=True, slots=True)
class ByWord:
    """Texts that name a person: whole texts or whole words, by keyed digest."""

    leads: str = "rows"

    def condition(self, r: Rows, name: str) -> Condition:
        """Starts from the digests, which belong to a few rows."""
        index = schema.index_string.alias()
        found = sa.select(index.c.row_id).where(
            index.c.parameter == whole(name), one_of(index.c.text, f"{name}_words")
        )
        return r.c.row_id.in_(found)

    def values(self, type_name: str, criterion: Criterion, name: str, digests: Digests) -> Values:
        """Gives the parameter's digest and the digests of the texts."""
        digest_of = digests.word
        return {
            name: span_parameter(digests, type_name, criterion.parameter, criterion.under),
            f"{name}_words": [digest_of(type_name, criterion.parameter, text) for text in criterion.texts],
        }


@dataclass(frozen=True, slots=True)
class Missing:
    """Whether a row has any value for a parameter.

    A mark among the tokens tells of one; dates, texts and numbers tell of themselves and have a mark only where
    nothing of them can be searched for.
    """

    parameter_type: str
    missing: bool
    identifying: bool = False
    leads: str = ""

    def condition(self, r: Rows, name: str) -> Condition:
        """Looks for the mark, and for any row of the parameter."""
        mark = schema.index_token.alias()
        found = found_in(mark, r, mark.c.hash == whole(f"{name}_mark"))
        table = self._table()
        if table is not None:
            index = table.alias()
            found = sa.or_(found, found_in(index, r, index.c.parameter == whole(name)))
        return ~found if self.missing else found

    def values(self, type_name: str, criterion: Criterion, name: str, digests: Digests) -> Values:
        """Gives the digests of the mark and of the parameter."""
        found: Values = {f"{name}_mark": digests.token(type_name, criterion.parameter, "")}
        if self.parameter_type in ("number", "quantity"):
            found[name] = number_parameter(digests, type_name, criterion.parameter, "", "")
        elif self._table() is not None:
            found[name] = digests.parameter(type_name, criterion.parameter)
        return found

    def _table(self) -> sa.Table | None:
        if self.parameter_type == "date" and self.identifying:
            return None  # kept as digests, which are tokens
        return _BY_PARAMETER.get(self.parameter_type)


_BY_PARAMETER = {
    "date": schema.index_date,
    "string": schema.index_string,
    "number": schema.index_number,
    "quantity": schema.index_number,
}
