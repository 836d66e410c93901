"""A search in the store's terms: what is asked of rows, in which order, and where a page goes on.

What lives here: the values only. What does not: how a query becomes them (``exchange.criteria``,
``exchange.ordering``), SQL (``store.search_sql``).
"""

from dataclasses import dataclass

from referral_hub.access.principal import Binding
from referral_hub.access.reach import Reach

Keyset = tuple[int | str, ...]
"""Where a page ended: the value of each key of the order, then the row id."""


@dataclass(frozen=True, slots=True)
class NumberSpan:
    """A number asked for, as texts that sort like numbers (``fhir.number_keys``).

    ``low`` to ``high`` (half-open) is what its digits leave open, or ``ap`` allows. ``unit`` is a spelling of
    ``index_rows``: empty for any, ``system|code``, or ``|code`` for the unit's code or text.
    """

    prefix: str
    value: str
    low: str
    high: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One AND part of a search in the store's terms: one of the alternatives must hold.

    ``visibility``: ``notice`` (any caller who sees the row), ``full`` (level full and the row's own category
    granted), ``own`` (the author's rows only), as ``resources.definition`` says. ``negated`` for ``:not``.

    ``kind`` says what is compared: ``token`` (``texts`` hold ``system|code`` / ``|code`` / ``system|`` / ``code``
    spellings), ``string`` (``texts`` folded), ``date`` and ``updated`` (``spans`` of (operator, low_us, high_us)),
    ``number`` (``numbers``), ``id`` (``texts``), ``missing`` (``texts`` = ("true",) or ("false",),
    ``parameter_type`` says of what), ``any`` (one of ``parts`` must hold), ``all`` (every one), ``chain`` (the
    reference ``parameter`` leads to a ``target`` that meets ``parts``), ``has`` (the reference ``parameter`` of a
    ``target`` that meets ``parts`` leads here).

    ``modifier`` is ``contains`` for strings; ``identifying`` strings are keyed digests. ``under``: the first part of
    a composite, of which this is the second. ``others``: how rows that others wrote are found, where that differs.
    """

    parameter: str
    kind: str
    visibility: str
    texts: tuple[str, ...] = ()
    spans: tuple[tuple[str, int, int], ...] = ()
    negated: bool = False
    modifier: str = ""
    identifying: bool = False
    parameter_type: str = ""
    numbers: tuple[NumberSpan, ...] = ()
    under: str = ""
    parts: "tuple[Criterion, ...]" = ()
    target: str = ""
    others: "Criterion | None" = None


@dataclass(frozen=True, slots=True)
class Order:
    """One key of the order of a search.

    ``kind``: ``updated`` (when it was last changed), ``versions`` (the same, of every version), ``id``, ``status``,
    ``date``, ``string`` or ``number`` (by the index rows of ``parameter``; without one it comes last).
    """

    parameter: str = "_lastUpdated"
    kind: str = "updated"
    descending: bool = True


NEWEST_FIRST = (Order(),)
OLDEST_FIRST = (Order(descending=False),)


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """A search in the store's terms, in this ``sort``, behind the keyset ``after`` or from the start.

    ``at_us`` is the moment of the decision. ``own_only`` limits to the caller's authored rows
    (sort by a maskable element, type history). ``count_only`` asks for a bounded total (1,001 at most). ``reach``,
    ``account`` and ``binding`` are the caller's, None and empty where it is its whole organisation;
    ``very_restricted`` whether what is very restricted may come with its token.
    """

    type: str
    organization: str
    purpose: str
    refusal_targets: tuple[str, ...]
    at_us: int
    criteria: tuple[Criterion, ...]
    count: int
    sort: tuple[Order, ...] = NEWEST_FIRST
    after: Keyset | None = None
    own_only: bool = False
    count_only: bool = False
    token_digest: bytes | None = None
    reach: Reach | None = None
    account: str = ""
    binding: Binding | None = None
    very_restricted: bool = True
