"""R4's own search parameters as definitions, for those types and codes that are searched here.

What lives here: a SearchParameter for each, so that what the CapabilityStatement points at can be read. What does not:
which they are (``resources``), how they are compared (:mod:`.search_match`), the other definitions of R4
(:mod:`.core_definitions`).

A parameter that several types share has one definition; ``base`` and ``expression`` speak of the types served here.

Source: the package ``hl7.fhir.r4.core#4.0.1``, CC0-1.0; FHIR R4 ``searchparameter.html``.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from referral_hub.fhir.core_definitions import CORE, PUBLISHED_ON, VERSION
from referral_hub.fhir.search_parameters import OF_EVERY_TYPE, SearchParameter

_HOME = f"{CORE}/SearchParameter/"


def core_parameters(searched: Mapping[str, Iterable[SearchParameter]]) -> Iterator[dict[str, Any]]:
    """Gives the definitions of the official parameters among these; each url once.

    Args:
        searched: by type, the parameters it is searched by; those of other publishers are left out.

    >>> from referral_hub.fhir.search_parameters import official
    >>> [one["id"] for one in core_parameters({"Flag": [official("Flag")["date"], official("Flag")["patient"]]})]
    ['clinical-date', 'clinical-patient']
    """
    found: dict[str, dict[str, SearchParameter]] = {}
    for type_name, parameters in searched.items():
        for parameter in parameters:
            if parameter.url.startswith(_HOME):
                base = "Resource" if parameter.code in OF_EVERY_TYPE else type_name
                found.setdefault(parameter.url, {}).setdefault(base, parameter)
    for url in sorted(found):
        yield _definition(url, found[url])


def _definition(url: str, by_type: Mapping[str, SearchParameter]) -> dict[str, Any]:
    one = next(iter(by_type.values()))
    made: dict[str, Any] = {
        "resourceType": "SearchParameter",
        "id": url.removeprefix(_HOME),
        "url": url,
        "version": VERSION,
        "name": one.code,
        "status": "active",
        "experimental": False,
        "date": PUBLISHED_ON,
        "publisher": "HL7 International",
        "description": f"Where this hub looks for {one.code}. The definition in full is published by HL7 at {url}",
        "code": one.code,
        "base": sorted(by_type),
        "type": one.type,
        "expression": " | ".join(dict.fromkeys(by_type[name].expression for name in sorted(by_type))),
    }
    targets = {target for parameter in by_type.values() for target in parameter.targets}
    if one.type == "reference" and targets:
        made["target"] = sorted(targets)
    if one.components:
        made["component"] = [
            {"definition": part.url, "expression": part.expression} for part in one.components
        ]
    return made
