"""The index rows of a resource, by its type's declaration.

What lives here: turning the values of each declared search parameter into index rows. What does not: finding
the values (``fhir.search_values``), what a search asks of them (``exchange.criteria``), keyed digests
(``store.index_rows``).

Source: FHIR R4 search; ``views.md`` 5.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

from referral_hub.access.redact_rules import NEVER_SENT, never_sent
from referral_hub.exchange.change import (
    DateIndex,
    Indexes,
    LinkIndex,
    NumberIndex,
    StringIndex,
    TokenIndex,
)
from referral_hub.fhir.calendar_blocks import blocks_of
from referral_hub.fhir.index_values import (
    CompositeValue,
    DateValue,
    IndexValue,
    NumberValue,
    PlainValue,
    QuantityValue,
    ReferenceValue,
    StringValue,
    TokenValue,
    UriValue,
)
from referral_hub.fhir.number_keys import HIGHEST, LOWEST, number_key
from referral_hub.fhir.references import ancestors, normalise
from referral_hub.fhir.search_parameters import ParameterType, SearchParameter, official
from referral_hub.fhir.search_paths import bases, places, places_below
from referral_hub.fhir.search_values import Extractor, compile_extractor, compile_presence
from referral_hub.resources.catalog import DEFINITIONS, SERVED
from referral_hub.resources.definition import ResourceDefinition, Searchable

EXACT = ":exact"
"""Behind a parameter's name: the texts as they were written, case and accents included."""
BELOW = ":below"
"""Behind a parameter's name: an address and all that are above it."""
IDENTIFIER = ":identifier"
"""Behind a parameter's name: references by identifier."""
HIDDEN = ":hidden"
"""Behind a parameter's name: something of it is not shown to others, or nothing of it can be searched for."""

Present = Callable[[Mapping[str, Any]], bool]


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
        for searchable in SERVED[type_name].search
    }


SUBJECTS = frozenset({"patient", "subject"})
"""References that whoever sees a resource sees, and the person they lead to."""


SINGLE_SUBJECTS = (("for",), ("subject",), ("patient",))
"""Declared subjects that name one Patient, so that the column ``person`` says the same as the reference."""


@cache
def led_to(type_name: str) -> frozenset[str]:
    """Gives the reference parameters of a type that others see only where they see what the reference leads to.

    Source: ``views.md`` 4 (a reference to something hidden is dropped from the view).
    """
    if type_name in ("Task", "ServiceRequest"):
        return frozenset()  # their views have lists of their own, and the declarations say what is in them
    return frozenset(
        code
        for code, (searchable, parameter) in parameters(type_name).items()
        if parameter.type == "reference"
        and searchable.visibility != "own"
        and code not in SUBJECTS
        and any(place.type == "Reference" for place in places(parameter.expression))
    )


@cache
def is_coded(parameter: SearchParameter) -> bool:
    """Tells whether a token parameter is about concepts, of which some codes are never shown to others."""
    return any(place.type in ("CodeableConcept", "Coding") for place in places(parameter.expression))


def types_led_to(parameter: SearchParameter) -> tuple[str, ...]:
    """Gives the stored types a reference parameter may lead to; none where nearly every type is possible."""
    found = tuple(target for target in parameter.targets if target in DEFINITIONS)
    return found if len(found) <= _SEVERAL else ()


_SEVERAL = 10


def joined_by(type_name: str, code: str, target: str) -> str:
    """Gives the column of a type's rows that holds the row a reference leads to, where there is one.

    >>> joined_by("Task", "patient", "Patient"), joined_by("Task", "focus", "ServiceRequest")
    ('person', 'focus')
    >>> joined_by("Task", "owner", "Organization")
    ''
    """
    definition = DEFINITIONS[type_name]
    if code in SUBJECTS and target == "Patient" and definition.subject in SINGLE_SUBJECTS:
        return "person"
    return "focus" if (type_name, code, target) == ("Task", "focus", "ServiceRequest") else ""


@cache
def linked(type_name: str) -> frozenset[str]:
    """Gives the reference parameters of a type whose targets are looked at: by chains, ``_has``, or for others.

    Left out is what a column of the row leads to already.
    """
    onwards = {
        parameter
        for parameter, target, _ in (entry.split(".", 2) for entry in DEFINITIONS[type_name].chains)
        if not joined_by(type_name, parameter, target)
    }
    back = {
        parameter
        for definition in DEFINITIONS.values()
        for source, parameter, _ in (entry.split(":", 2) for entry in definition.has)
        if source == type_name and not joined_by(source, parameter, definition.type_name)
    }
    return led_to(type_name) | onwards | back


@dataclass(frozen=True, slots=True)
class _Indexed:
    """One declared parameter, ready to be taken out of a resource.

    ``marked``: its rows do not tell by themselves that there is a value, as those of dates and numbers do.
    ``roots``: the JSON keys of the resource under which its values stand; without any of them there is none. Empty
    where its absence is a value too.
    """

    code: str
    marked: bool
    identifying: bool
    linked: bool
    extract: Extractor
    present: Present
    roots: frozenset[str]


@cache
def _indexed(type_name: str) -> tuple[_Indexed, ...]:
    return tuple(
        _Indexed(
            code,
            parameter.type in ("token", "reference", "uri")
            or (parameter.type == "date" and searchable.identifying),
            searchable.identifying,
            code in linked(type_name),
            compile_extractor(parameter),
            _absent if parameter.type == "composite" else compile_presence(parameter),
            _roots(parameter),
        )
        for code, (searchable, parameter) in parameters(type_name).items()
    )


def _roots(parameter: SearchParameter) -> frozenset[str]:
    if parameter.type != "composite":
        found = places(parameter.expression)
        return frozenset() if found[0].is_truth else frozenset(place.steps[0].key for place in found)
    first = parameter.components[0].expression
    return frozenset(
        (base.steps or place.steps)[0].key
        for base in bases(parameter.expression)
        for place in places_below(base, first)
    )


def _absent(_resource: Mapping[str, Any]) -> bool:
    return False


def extractor(type_name: str, code: str) -> Extractor | None:
    """Gives the compiled extractor of a declared parameter, or None where the type has none of this code."""
    return next((one.extract for one in _indexed(type_name) if one.code == code), None)


def warm() -> None:
    """Compiles the extractors of every served type, so that no request waits for it."""
    for type_name in DEFINITIONS:
        _indexed(type_name)


def index_rows(definition: ResourceDefinition, body: dict[str, Any], own_bases: tuple[str, ...]) -> Indexes:
    """Gives a body's index rows.

    Args:
        definition: the type's declaration.
        body: the decoded, valid resource.
        own_bases: the hub's own FHIR base URLs: references to them are indexed as relative ones.
    """
    rows = _Rows(own_bases)
    there = body.keys()
    for one in _indexed(definition.type_name):
        if one.roots and one.roots.isdisjoint(there):
            continue
        values = one.extract(body)
        for value in values:
            rows.add(one, value)
        if one.marked if values else one.present(body):
            # That it is there, for :missing, also where nothing of it can be searched for.
            rows.tokens.append(TokenIndex(one.code, "", whole=True))
            if not values:
                rows.tokens.append(TokenIndex(one.code + HIDDEN, "", whole=True))
    return Indexes(
        tuple(rows.tokens), tuple(rows.dates), tuple(rows.strings), tuple(rows.numbers), tuple(rows.links)
    )


@dataclass(slots=True)
class _Rows:
    """The rows of one resource while they are being made."""

    own_bases: tuple[str, ...]
    tokens: list[TokenIndex] = field(default_factory=list)
    dates: list[DateIndex] = field(default_factory=list)
    strings: list[StringIndex] = field(default_factory=list)
    numbers: list[NumberIndex] = field(default_factory=list)
    links: list[LinkIndex] = field(default_factory=list)

    def add(self, one: _Indexed, value: IndexValue) -> None:
        """Adds what one value is found by."""
        if isinstance(value, CompositeValue):
            self._plain(one, value.second, value.first.text)
        else:
            self._plain(one, value, "")

    def _plain(self, one: _Indexed, value: PlainValue, under: str) -> None:
        code = one.code
        if isinstance(value, TokenValue):
            self.tokens.append(TokenIndex(code, value.text, under=under))
            if value.system in NEVER_SENT and never_sent(value.system, value.code):
                self.tokens.append(TokenIndex(code + HIDDEN, "", whole=True))
        elif isinstance(value, ReferenceValue):
            self._reference(one, value, under)
        elif isinstance(value, UriValue):
            self.tokens.append(TokenIndex(code, value.uri, whole=True, under=under))
            for above in () if under else (value.uri, *ancestors(value.uri)):
                self.tokens.append(TokenIndex(code + BELOW, above, whole=True))
        elif isinstance(value, DateValue):
            if one.identifying:
                self.tokens.extend(TokenIndex(code, block, whole=True) for block in blocks_of(value))
            else:
                self.dates.append(DateIndex(code, value.low_us, value.high_us, under))
        elif isinstance(value, StringValue):
            self.strings.append(StringIndex(code, value.folded, one.identifying, under))
            if not under:
                self.tokens.append(TokenIndex(code + EXACT, value.exact, whole=True))
        else:
            self._number(code, value, under)

    def _reference(self, one: _Indexed, value: ReferenceValue, under: str) -> None:
        if value.identifier is not None:
            self.tokens.append(TokenIndex(one.code + IDENTIFIER, value.text, under=under))
            self.tokens.append(TokenIndex(one.code + HIDDEN, "", whole=True))
            return
        text = normalise(value.url, self.own_bases) if value.url else value.text
        self.tokens.append(TokenIndex(one.code, text, whole=True, under=under))
        type_name, slash, public_id = text.partition("/")
        if value.url and text == value.url:
            self.tokens.append(TokenIndex(one.code + HIDDEN, "", whole=True))
        if one.linked and slash and type_name in DEFINITIONS:
            self.links.append(LinkIndex(one.code, type_name, public_id))

    def _number(self, code: str, value: NumberValue | QuantityValue, under: str) -> None:
        low = LOWEST if value.low is None else number_key(value.low)
        high = HIGHEST if value.high is None else number_key(value.high)
        units = ("",) if isinstance(value, NumberValue) else unit_spellings(value)
        self.numbers.append(NumberIndex(code, low, high, units, under))


def unit_spellings(value: QuantityValue) -> tuple[str, ...]:
    """Gives every way a search may name a unit: any, ``system|code``, ``|code`` and ``|unit``.

    >>> unit_spellings(QuantityValue(None, None, "http://unitsofmeasure.org", "Cel", "degrees"))
    ('', 'http://unitsofmeasure.org|Cel', '|Cel', '|degrees')
    """
    found = [""]
    if value.code:
        found += [f"{value.system}|{value.code}", f"|{value.code}"]
    if value.unit:
        found.append(f"|{value.unit}")
    return tuple(dict.fromkeys(found))
