"""Index rows: what a search finds a resource by, as keyed digests and folded texts.

What lives here: which rows a token, a date or a text becomes, and what is needed of the digests. What does
not: the digests (``keyring.digests``), the search that asks for them (``store.search_sql``), extraction
(``fhir``).

A coded value is kept under every spelling a search may use, so that each is found by one look:
``system|code``, ``code`` (any system), ``system|`` (any code). Coded without a system: ``|code`` and
``code``.

Source: FHIR R4 search, section 3.1.1.4.10 (token); ``performance.md`` 7, point 4.
"""

from collections.abc import Iterable
from typing import Protocol

from referral_hub.exchange.change import DateIndex, ResourceWrite, StringIndex, TokenIndex

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


def token_rows(digests: Digests, type_name: str, row_id: int, tokens: Iterable[TokenIndex]) -> list[IndexRow]:
    """Gives the rows of every token of a resource, each once."""
    token = digests.token
    hashes = {
        token(type_name, index.parameter, text): None
        for index in tokens
        for text in (PRESENT, *spellings(index.text))
    }
    return [{"hash": found, "row_id": row_id} for found in hashes]


def date_rows(digests: Digests, type_name: str, row_id: int, dates: Iterable[DateIndex]) -> list[IndexRow]:
    """Gives the rows of every date span of a resource, each once."""
    spans = {
        (digests.parameter(type_name, index.parameter), index.low_us, index.high_us): None for index in dates
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
        parameter = digests.parameter(type_name, index.parameter)
        if not index.identifying:
            found[parameter, index.text] = None
            continue
        for word in (index.text, *index.text.split()):
            found[parameter, digests.word(type_name, index.parameter, word)] = None
    return [{"parameter": parameter, "text": text, "row_id": row_id} for parameter, text in found]


def rows_of(digests: Digests, write: ResourceWrite) -> tuple[list[IndexRow], list[IndexRow], list[IndexRow]]:
    """Gives token, date and string rows of one write; a deleted resource has none."""
    if write.interaction == "delete":
        return [], [], []
    return (
        token_rows(digests, write.type, write.row_id, write.tokens),
        date_rows(digests, write.type, write.row_id, write.dates),
        string_rows(digests, write.type, write.row_id, write.strings),
    )
