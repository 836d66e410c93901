"""The search parameters R4 defines.

What lives here: what a search parameter is, and the official ones of each type with the part of their
expression that is about this type. What does not: which of them the hub answers (``resources``), how a
search is written (:mod:`.search_grammar`), where the values are found (:mod:`.search_paths`).

Source: FHIR R4 ``searchparameter-registry.html``, package ``hl7.fhir.r4.core#4.0.1`` (CC0-1.0).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Literal, cast, get_args

import msgspec

from referral_hub.fhir.element_tables import definitions_file
from referral_hub.fhir.search_paths import NotUnderstood, places

ParameterType = Literal["token", "string", "reference", "date", "number", "quantity", "uri", "composite"]

OF_EVERY_TYPE = ("_id", "_lastUpdated")
"""The parameters every type answers without declaring them."""
_ANY = "Resource"


@dataclass(frozen=True, slots=True)
class SearchParameter:
    """One way to search a type.

    Args:
        code: the name in the URL, such as ``patient``.
        type: how its values are written and compared.
        expression: where they stand, in FHIRPath, for one type only.
        targets: for references, the types they may lead to; empty for any.
        url: the canonical URL of the definition; empty for one of the hub's own without a definition.
        components: of a composite, its parts, each with an expression that starts where the composite stands.
    """

    code: str
    type: ParameterType
    expression: str
    targets: tuple[str, ...] = ()
    url: str = ""
    components: "tuple[SearchParameter, ...]" = ()


@cache
def official(type_name: str) -> Mapping[str, SearchParameter]:
    """Gives the official R4 search parameters of a type by code, with ``_id`` and ``_lastUpdated``.

    Left out: special parameters, those without an expression, composites of other than two parts, and the
    other parameters of every type, which the hub refuses (:data:`.search_grammar.REFUSED`).

    Source: FHIR R4 ``searchparameter-registry.html``.

    >>> official("Task")["patient"].expression, official("Task")["patient"].targets
    ('Task.for.where(resolve() is Patient)', ('Patient',))
    """
    found = {
        row.code: _parameter(row) for row in _rows("Resource") if row.code in OF_EVERY_TYPE and row.is_usable
    }
    found.update({row.code: _parameter(row) for row in _rows(type_name) if row.is_usable})
    found.update({row.code: _composite(row, type_name) for row in _rows(type_name) if row.is_composite})
    return MappingProxyType(found)


class _Part(msgspec.Struct):
    """One part of a composite, as the shipped table has it."""

    definition: str
    expression: str


class _Row(msgspec.Struct):
    """One row of the shipped table."""

    code: str
    type: str
    url: str = ""
    expression: str = ""
    target: tuple[str, ...] = ()
    component: tuple[_Part, ...] = ()

    @property
    def is_composite(self) -> bool:
        """Tells whether it is made of two others."""
        return self.type == "composite" and len(self.component) == 2 and bool(self.expression)

    @property
    def is_usable(self) -> bool:
        """Leaves out what has no values of its own, and the examples the package carries."""
        is_example = self.url.rpartition("/")[2].startswith("example")
        is_simple = self.type in get_args(ParameterType) and self.type != "composite"
        return bool(self.expression) and is_simple and not is_example


@cache
def _tables() -> dict[str, msgspec.Raw]:
    return msgspec.json.decode(definitions_file("search_parameters.json"), type=dict[str, msgspec.Raw])


def _rows(type_name: str) -> list[_Row]:
    raw = _tables().get(type_name)
    return [] if raw is None else msgspec.json.decode(raw, type=list[_Row])


def _parameter(row: _Row) -> SearchParameter:
    kind = cast(ParameterType, row.type)
    targets = _targets(row.expression, row.target) if kind == "reference" else ()
    return SearchParameter(row.code, kind, row.expression, targets, row.url)


def _composite(row: _Row, type_name: str) -> SearchParameter:
    """Joins a composite with the official parameters that its parts name."""
    named = {one.url: one for one in _rows(type_name)}
    wholes = [named[part.definition] for part in row.component]
    if wholes[0].type != "token" and wholes[1].type == "token":
        wholes.reverse()  # DocumentReference.relatesTo: the published definitions of its two parts are crossed
    # Their own paths start at another place: what of it is meant stands in the part's expression.
    parts = [
        SearchParameter(whole.code, cast(ParameterType, whole.type), part.expression, whole.target, whole.url)
        for part, whole in zip(row.component, wholes, strict=True)
    ]
    return SearchParameter(row.code, "composite", row.expression, (), row.url, tuple(parts))


def _targets(expression: str, official_targets: tuple[str, ...]) -> tuple[str, ...]:
    """Narrows the official targets, which several types share, to what the elements of this type allow."""
    named = () if _ANY in official_targets else official_targets
    try:
        found = places(expression)
    except NotUnderstood:
        return named
    allowed: set[str] = set()
    for place in found:
        of_place = {place.target} if place.target else set(place.row.targets if place.row else ())
        if not of_place or _ANY in of_place:
            return named
        allowed |= of_place
    return tuple(sorted(allowed.intersection(named) if named else allowed)) or named
