"""Index rows: what a search finds a resource by, as keyed digests, spans, sortable numbers and folded texts.

What lives here: which rows each value becomes, and what is needed of the digests. What does not: the digests
(``keyring.digests``), the search that asks for them (``store.criteria_sql``), extraction (``fhir``).

A coded value is kept under every spelling a search may use, so that each is found by one look:
``system|code``, ``code`` (any system), ``system|`` (any code). Coded without a system: ``|code`` and
``code``. The second part of a composite is kept under every spelling of its first.

Source: FHIR R4 search, section 3.1.1.4.10 (token); ``performance.md`` 7, point 4.
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

from referral_hub.exchange.change import (
    DateIndex,
    LinkIndex,
    NumberIndex,
    ResourceWrite,
    StringIndex,
    TokenIndex,
)

IndexRow = dict[str, int | str]

PRESENT = ""
"""The spelling that every token parameter with a value is also found by."""


class Digests(Protocol):
    """Keyed digests of what searches ask for."""

    def token(self, type_name: str, parameter: str, text: str, /) -> int:
        """Gives the digest of one token spelling, as a signed 64-bit number."""

    def parameter(self, type_name: str, parameter: str, /) -> int:
        """Gives the digest that stands for a parameter of a type."""

    def word(self, type_name: str, parameter: str, folded: str, /) -> str:
        """Gives the digest of a word or whole text that names a person."""


def spellings(text: str) -> tuple[str, ...]:
    """Gives every text a search may use for this token.

    >>> spellings("http://loinc.org|1234-5")
    ('http://loinc.org|1234-5', '1234-5', 'http://loinc.org|')
    >>> spellings("|requested")
    ('|requested', 'requested')
    >>> spellings("Patient/a1")
    ('Patient/a1',)
    """
    system, bar, code = text.partition("|")
    if not bar:
        return (text,)
    found = [text]
    if code:
        found.append(code)
        if system:
            found.append(system + "|")
    return tuple(found)


def number_parameter(digests: Digests, type_name: str, parameter: str, under: str, unit: str) -> int:
    """Gives the digest that stands for a number parameter with one spelling of unit and first part."""
    return digests.token(type_name, f"{parameter}:number", f"{under}\n{unit}")


def span_parameter(digests: Digests, type_name: str, parameter: str, under: str) -> int:
    """Gives the digest that stands for a date or string parameter, in a composite with its first part."""
    return (
        digests.token(type_name, f"{parameter}:under", under)
        if under
        else digests.parameter(type_name, parameter)
    )


def pair_text(under: str, text: str) -> str:
    """Gives the text of two tokens of a composite together; of one alone where there is no composite."""
    return f"{under}\n{text}" if under else text


def link_parameter(digests: Digests, type_name: str, parameter: str, target: str) -> int:
    """Gives the digest that stands for a reference parameter that leads to one type."""
    return digests.token(type_name, f"{parameter}:link", target)


def token_rows(digests: Digests, type_name: str, row_id: int, tokens: Iterable[TokenIndex]) -> list[IndexRow]:
    """Gives the rows of every token of a resource, each once."""
    token = digests.token
    hashes: dict[int, None] = {}
    for index in tokens:
        texts = (index.text,) if index.whole else spellings(index.text)
        if index.under:
            texts = tuple(pair_text(under, text) for under in spellings(index.under) for text in texts)
        elif not index.whole:
            texts = (PRESENT, *texts)
        for text in texts:
            hashes[token(type_name, index.parameter, text)] = None
    return [{"hash": found, "row_id": row_id} for found in hashes]


def date_rows(digests: Digests, type_name: str, row_id: int, dates: Iterable[DateIndex]) -> list[IndexRow]:
    """Gives the rows of every date span of a resource, each once."""
    spans = {
        (span_parameter(digests, type_name, index.parameter, under), index.low_us, index.high_us): None
        for index in dates
        for under in _unders(index.under)
    }
    return [
        {"parameter": parameter, "low_us": low, "high_us": high, "row_id": row_id}
        for parameter, low, high in spans
    ]


def string_rows(
    digests: Digests, type_name: str, row_id: int, strings: Iterable[StringIndex]
) -> list[IndexRow]:
    """Gives the rows of every text of a resource, each once.

    A text that names a person is never kept: it becomes one keyed digest of the whole and one of each word.
    """
    found: dict[tuple[int, str], None] = {}
    for index in strings:
        for under in _unders(index.under):
            parameter = span_parameter(digests, type_name, index.parameter, under)
            if not index.identifying:
                found[parameter, index.text] = None
                continue
            for word in (index.text, *index.text.split()):
                found[parameter, digests.word(type_name, index.parameter, word)] = None
    return [{"parameter": parameter, "text": text, "row_id": row_id} for parameter, text in found]


def number_rows(
    digests: Digests, type_name: str, row_id: int, numbers: Iterable[NumberIndex]
) -> list[IndexRow]:
    """Gives the rows of every number of a resource, each once: one for each spelling of its unit."""
    found = {
        (number_parameter(digests, type_name, index.parameter, under, unit), index.low, index.high): None
        for index in numbers
        for under in _unders(index.under)
        for unit in index.units
    }
    return [
        {"parameter": parameter, "low": low, "high": high, "row_id": row_id} for parameter, low, high in found
    ]


def link_rows(digests: Digests, type_name: str, row_id: int, links: Iterable[LinkIndex]) -> list[IndexRow]:
    """Gives the rows of every reference that chains follow, each once."""
    found = {
        (link_parameter(digests, type_name, index.parameter, index.type), index.id): None for index in links
    }
    return [{"parameter": parameter, "target": target, "row_id": row_id} for parameter, target in found]


def _unders(under: str) -> tuple[str, ...]:
    return spellings(under) if under else ("",)


TABLES = ("index_token", "index_date", "index_string", "index_number", "index_link")
"""The tables of index rows, in the order in which they are written."""


def rows_of(digests: Digests, write: ResourceWrite) -> Mapping[str, list[IndexRow]]:
    """Gives the rows of one write by table; a deleted resource has none."""
    if write.interaction == "delete":
        return {name: [] for name in TABLES}
    return {
        "index_token": token_rows(digests, write.type, write.row_id, write.tokens),
        "index_date": date_rows(digests, write.type, write.row_id, write.dates),
        "index_string": string_rows(digests, write.type, write.row_id, write.strings),
        "index_number": number_rows(digests, write.type, write.row_id, write.numbers),
        "index_link": link_rows(digests, write.type, write.row_id, write.links),
    }
