"""Which codes R4 itself defines.

What lives here: the value sets of required bindings with their codes, and the code systems that the R4
package holds completely, both read when asked for. What does not: code systems kept by others (LOINC,
SNOMED CT, UCUM, languages, media types, currencies): their codes are not judged.

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
    """All codes of a code system, in the version that R4 was published with."""

    codes: tuple[str, ...]
    version: str = ""
    ignores_case: bool = False


@cache
def _value_sets() -> dict[str, msgspec.Raw]:
    return msgspec.json.decode(definitions_file("value_sets.json"), type=dict[str, msgspec.Raw])


@cache
def _code_systems() -> dict[str, msgspec.Raw]:
    return msgspec.json.decode(definitions_file("code_systems.json"), type=dict[str, msgspec.Raw])


@cache
def value_set(url: str) -> ValueSet | None:
    """Gives a value set of a required binding; None where its codes cannot be known.

    >>> sorted(value_set("http://hl7.org/fhir/ValueSet/link-type").codes)
    ['http://hl7.org/fhir/link-type']
    >>> value_set("http://hl7.org/fhir/ValueSet/mimetypes") is None
    True
    """
    raw = _value_sets().get(url)
    if raw is None:
        return None
    found = msgspec.json.decode(raw, type=ValueSet)
    return None if found.is_open else found


@cache
def codes_of(url: str) -> frozenset[str] | None:
    """Gives all codes of a value set whatever their system, which is what an element of type ``code`` needs.

    >>> sorted(codes_of("http://hl7.org/fhir/ValueSet/link-type"))
    ['refer', 'replaced-by', 'replaces', 'seealso']
    """
    found = value_set(url)
    return None if found is None else frozenset(code for codes in found.codes.values() for code in codes)


@cache
def concepts_of(url: str) -> frozenset[tuple[str, str]] | None:
    """Gives all (system, code) pairs of a value set, which is what a CodeableConcept needs."""
    found = value_set(url)
    if found is None:
        return None
    return frozenset((system, code) for system, codes in found.codes.items() for code in codes)


@cache
def code_system(url: str) -> CodeSystem | None:
    """Gives a code system that R4 holds completely; None for any other.

    >>> code_system("http://hl7.org/fhir/link-type").version, code_system("http://loinc.org")
    ('4.0.1', None)
    """
    raw = _code_systems().get(url)
    return None if raw is None else msgspec.json.decode(raw, type=CodeSystem)


@cache
def defined_codes(url: str) -> frozenset[str] | None:
    """Gives the codes of a completely known system, lower case where the system ignores case."""
    found = code_system(url)
    if found is None:
        return None
    return (
        frozenset(code.casefold() for code in found.codes) if found.ignores_case else frozenset(found.codes)
    )
