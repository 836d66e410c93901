"""A search as the hub understood it: the typed tree that the grammar makes.

What lives here: the parts of the tree. What does not: reading the text of a search (:mod:`.search_grammar`,
:mod:`.search_terms`), answering it (``exchange``, ``store``), or doing so in memory (:mod:`.search_match`).

Source: FHIR R4 ``search.html``.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from referral_hub.fhir.search_parameters import SearchParameter

Prefix = Literal["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"]
Summary = Literal["true", "text", "data", "count", "false"]
Total = Literal["none", "estimate", "accurate"]


@dataclass(frozen=True, slots=True)
class TokenTerm:
    """A code or identifier asked for.

    ``system`` None: any system, or none; empty: only values without one. ``code`` None: any code of the
    system.
    """

    system: str | None
    code: str | None

    @property
    def text(self) -> str:
        """Gives the term as it is written: ``code``, ``system|code``, ``|code`` or ``system|``.

        >>> TokenTerm("", "7").text, TokenTerm(None, "7").text, TokenTerm("urn:x", None).text
        ('|7', '7', 'urn:x|')
        """
        return self.code or "" if self.system is None else f"{self.system}|{self.code or ''}"


@dataclass(frozen=True, slots=True)
class StringTerm:
    """A text asked for, folded as the index is, and as written (for ``:exact``)."""

    folded: str
    exact: str


@dataclass(frozen=True, slots=True)
class ReferenceTerm:
    """A target asked for: ``id`` with or without ``type``, or a ``url`` elsewhere."""

    type: str = ""
    id: str = ""
    url: str = ""

    @property
    def text(self) -> str:
        """Gives ``Type/id``, the id alone where no type is said, or the url.

        >>> ReferenceTerm("Patient", "7").text, ReferenceTerm(id="7").text
        ('Patient/7', '7')
        """
        return self.url or (f"{self.type}/{self.id}" if self.type else self.id)


@dataclass(frozen=True, slots=True)
class DateTerm:
    """A span of time asked for, half-open, microseconds since 1970 UTC; for ``ap`` already widened."""

    prefix: Prefix
    low_us: int
    high_us: int


@dataclass(frozen=True, slots=True)
class NumberTerm:
    """A number asked for; ``low`` to ``high`` (half-open) is what its digits leave open, or ``ap`` allows."""

    prefix: Prefix
    value: Decimal
    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class QuantityTerm:
    """An amount asked for; ``system`` None: any; ``code`` None: any unit, else the unit's code or text."""

    number: NumberTerm
    system: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class UriTerm:
    """An address asked for, character by character."""

    uri: str


@dataclass(frozen=True, slots=True)
class MissingTerm:
    """Whether the element is asked to be absent (True) or present (False)."""

    is_missing: bool


PlainTerm = TokenTerm | StringTerm | ReferenceTerm | DateTerm | NumberTerm | QuantityTerm | UriTerm


@dataclass(frozen=True, slots=True)
class CompositeTerm:
    """Two values asked for in one element, written ``code$value``."""

    first: TokenTerm
    second: PlainTerm


Term = PlainTerm | CompositeTerm | MissingTerm


@dataclass(frozen=True, slots=True)
class Criterion:
    """One condition: one of its terms must match (for ``not``: none of them may).

    ``modifier`` is empty, ``missing``, ``not``, ``exact``, ``contains``, ``identifier``, ``above`` or
    ``below``. A type as modifier (``subject:Patient``) is already in the terms.
    """

    parameter: SearchParameter
    modifier: str
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """A condition on another resource: one this points at (chain), or one that points here (``_has``).

    Args:
        backwards: False: ``parameter`` of the searched type leads to a ``type`` that meets ``criterion``; True:
            ``parameter`` of a ``type`` that meets ``criterion`` leads here.
        parameter: the reference that joins the two.
        type: the other type.
        criterion: what the other one must meet.

    Source: FHIR R4 ``search.html#chaining``, ``search.html#has``.
    """

    backwards: bool
    parameter: str
    type: str
    criterion: Criterion


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key of the order, and whether the largest comes first."""

    parameter: SearchParameter
    descending: bool


@dataclass(frozen=True, slots=True)
class Include:
    """What else to send along: the reference ``parameter`` of ``source``, perhaps to ``target`` only.

    ``iterate``: also from what is sent along itself.
    """

    source: str
    parameter: str
    target: str = ""
    iterate: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A whole search: every criterion must hold, and one link of every group of ``links``.

    ``count`` None: the caller's page size; it is never 0, which becomes ``summary`` ``count``. ``unknown``
    names the parameters that were not understood, once each, in order: a lenient caller ignores them, a
    strict one refuses (:func:`.search_grammar.refuse_unknown`).
    """

    criteria: tuple[Criterion, ...] = ()
    links: tuple[tuple[Link, ...], ...] = ()
    sort: tuple[SortKey, ...] = ()
    count: int | None = None
    includes: tuple[Include, ...] = ()
    revincludes: tuple[Include, ...] = ()
    elements: tuple[str, ...] = ()
    summary: Summary | None = None
    total: Total | None = None
    format: str = ""
    pretty: bool = False
    unknown: tuple[str, ...] = ()
