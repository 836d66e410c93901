"""The index rows of a resource, by its type's declaration.

What lives here: turning the values of each declared search parameter into index rows. What does not: finding
the values (``fhir.search_values``), keyed digests (``store.index_rows``).

Source: FHIR R4 search; ``views.md`` 5.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, cast

from referral_hub.exchange.change import DateIndex, StringIndex, TokenIndex
from referral_hub.fhir.index_values import (
    DateValue,
    IndexValue,
    ReferenceValue,
    StringValue,
    TokenValue,
    UriValue,
)
from referral_hub.fhir.references import normalise
from referral_hub.fhir.search_parameters import ParameterType, SearchParameter, official
from referral_hub.fhir.search_values import Extractor, compile_extractor
from referral_hub.resources.catalog import DEFINITIONS
from referral_hub.resources.definition import ResourceDefinition, Searchable

Rows = tuple[tuple[TokenIndex, ...], tuple[DateIndex, ...], tuple[StringIndex, ...]]


def parameter_of(type_name: str, searchable: Searchable) -> SearchParameter:
    """Gives the parameter behind a declaration: R4's own, or the one the declaration spells out.

    >>> parameter_of("Task", Searchable("owner")).type
    'reference'
    """
    if searchable.expression:
        return SearchParameter(
            searchable.code,
            cast(ParameterType, searchable.kind),
            searchable.expression,
            searchable.targets,
        )
    return official(type_name)[searchable.code]


@cache
def parameters(type_name: str) -> Mapping[str, tuple[Searchable, SearchParameter]]:
    """Gives a type's declared parameters by code."""
    return {
        searchable.code: (searchable, parameter_of(type_name, searchable))
        for searchable in DEFINITIONS[type_name].search
    }


@cache
def _extractors(type_name: str) -> tuple[tuple[str, bool, Extractor], ...]:
    return tuple(
        (code, searchable.identifying, compile_extractor(parameter))
        for code, (searchable, parameter) in parameters(type_name).items()
    )


def extractor(type_name: str, code: str) -> Extractor | None:
    """Gives the compiled extractor of a declared parameter, or None where the type has none of this code."""
    return next((extract for name, _, extract in _extractors(type_name) if name == code), None)


def warm() -> None:
    """Compiles the extractors of every served type, so that no request waits for it."""
    for type_name in DEFINITIONS:
        _extractors(type_name)


def index_rows(definition: ResourceDefinition, body: dict[str, Any], own_bases: tuple[str, ...]) -> Rows:
    """Gives a body's token, date and string rows.

    Args:
        definition: the type's declaration.
        body: the decoded, valid resource.
        own_bases: the hub's own FHIR base URLs: references to them are indexed as relative ones.
    """
    tokens: list[TokenIndex] = []
    dates: list[DateIndex] = []
    strings: list[StringIndex] = []
    for code, identifying, extract in _extractors(definition.type_name):
        for value in extract(body):
            _add(code, value, tokens, dates, strings, own_bases, identifying=identifying)
    return tuple(tokens), tuple(dates), tuple(strings)


def _add(
    code: str,
    value: IndexValue,
    tokens: list[TokenIndex],
    dates: list[DateIndex],
    strings: list[StringIndex],
    own_bases: tuple[str, ...],
    *,
    identifying: bool,
) -> None:
    if isinstance(value, TokenValue):
        tokens.append(TokenIndex(code, value.text))
    elif isinstance(value, ReferenceValue):
        if value.identifier is not None:
            tokens.append(TokenIndex(f"{code}:identifier", value.text))
        elif value.url:
            tokens.append(TokenIndex(code, normalise(value.url, own_bases)))
        else:
            tokens.append(TokenIndex(code, value.text))
    elif isinstance(value, UriValue):
        tokens.append(TokenIndex(code, value.uri))
    elif isinstance(value, DateValue):
        dates.append(DateIndex(code, value.low_us, value.high_us))
    elif isinstance(value, StringValue):
        strings.append(StringIndex(code, value.folded, identifying=identifying))
