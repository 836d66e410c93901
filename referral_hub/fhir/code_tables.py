"""Which codes R4 and the hub define.

What lives here: the value sets of bindings with their codes, and the code systems that the R4 package holds
completely or that are the hub's own, all read when asked for. What does not: code systems kept by others
(LOINC, SNOMED CT, languages, media types, currencies): their codes are not judged.

Source: the package ``hl7.fhir.r4.core#4.0.1``, CC0-1.0; FHIR R4 ``terminologies.html#required``.
"""

from functools import cache

import msgspec

from referral_hub.fhir.element_tables import definitions_file


class ValueSet(msgspec.Struct, frozen=True, omit_defaults=True):
    """The codes of a value set.

    Args:
        codes: by code system.
        is_open: it holds codes from outside the package, so that nothing can be said about a code.
    """

    codes: dict[str, tuple[str, ...]] = {}
    is_open: bool = False


class CodeSystem(msgspec.Struct, frozen=True, omit_defaults=True):
    """All codes of a code system, in the version that R4 or the hub was published with.

    Args:
        codes: all of them.
        version: the version they are of.
        ignores_case: letters of any case mean the same code.
        displays: the words that may stand beside a code; only for the hub's own systems.
    """

    codes: tuple[str, ...]
    version: str = ""
    ignores_case: bool = False
    displays: dict[str, tuple[str, ...]] = {}


@cache
def _value_sets() -> dict[str, msgspec.Raw]:
    return _lines("value_sets.json") | _lines("hub_value_sets.json")


@cache
def _code_systems() -> dict[str, msgspec.Raw]:
    return _lines("code_systems.json") | _lines("hub_code_systems.json")


def _lines(name: str) -> dict[str, msgspec.Raw]:
    return msgspec.json.decode(definitions_file(name), type=dict[str, msgspec.Raw])


def value_set(url: str) -> ValueSet | None:
    """Gives a value set of a binding; None where its codes cannot be known.

    >>> sorted(value_set("http://hl7.org/fhir/ValueSet/link-type").codes)
    ['http://hl7.org/fhir/link-type']
    >>> value_set("http://hl7.org/fhir/ValueSet/mimetypes") is None
    True
    """
    # What callers ask for comes from outside: only what is known is kept.
    return _value_set(url) if url in _value_sets() else None


@cache
def _value_set(url: str) -> ValueSet | None:
    found = msgspec.json.decode(_value_sets()[url], type=ValueSet)
    return None if found.is_open else found


def codes_of(url: str) -> frozenset[str] | None:
    """Gives all codes of a value set whatever their system, which is what an element of type ``code`` needs.

    >>> sorted(codes_of("http://hl7.org/fhir/ValueSet/link-type"))
    ['refer', 'replaced-by', 'replaces', 'seealso']
    """
    return _codes(url) if url in _value_sets() else None


@cache
def _codes(url: str) -> frozenset[str] | None:
    found = _value_set(url)
    return None if found is None else frozenset(code for codes in found.codes.values() for code in codes)


def concepts_of(url: str) -> frozenset[tuple[str, str]] | None:
    """Gives all (system, code) pairs of a value set, which is what a CodeableConcept needs."""
    return _concepts(url) if url in _value_sets() else None


@cache
def _concepts(url: str) -> frozenset[tuple[str, str]] | None:
    found = _value_set(url)
    if found is None:
        return None
    return frozenset((system, code) for system, codes in found.codes.items() for code in codes)


def code_system(url: str) -> CodeSystem | None:
    """Gives a code system that R4 holds completely, or one of the hub's own; None for any other.

    >>> code_system("http://hl7.org/fhir/link-type").version, code_system("http://loinc.org")
    ('4.0.1', None)
    """
    return _code_system(url) if url in _code_systems() else None


@cache
def _code_system(url: str) -> CodeSystem:
    return msgspec.json.decode(_code_systems()[url], type=CodeSystem)


def defined_codes(url: str) -> frozenset[str] | None:
    """Gives the codes of a completely known system, lower case where the system ignores case."""
    return _defined(url) if url in _code_systems() else None


@cache
def _defined(url: str) -> frozenset[str]:
    found = _code_system(url)
    return (
        frozenset(code.casefold() for code in found.codes) if found.ignores_case else frozenset(found.codes)
    )
