"""The extensions that R4 and the hub define.

What lives here: where each of them may stand and what its value may be, read when asked for. What does not:
extensions of other publishers, of which the validator knows nothing.

Source: the package ``hl7.fhir.r4.core#4.0.1``, CC0-1.0; FHIR R4 ``defining-extensions.html``.
"""

from functools import cache
from typing import Any

import msgspec

from referral_hub.fhir.element_tables import definitions_file


class ExtensionRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """One extension of the standard, or one of the extensions it is made of.

    Args:
        contexts: element paths and type names where it may stand; empty for one inside another.
        types: the types its value may have; empty if it has extensions instead.
        targets: the resource types that its Reference may lead to; empty for any.
        binding: the value set that its code must be from.
        value: what its value must be or hold at least; None for anything.
        modifier: it belongs into ``modifierExtension``.
        nested: the extensions it is made of, by their short url.
        min: how many of it there must be inside its parent.
        repeats: there may be several inside its parent.
    """

    contexts: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    binding: str = ""
    value: Any = None
    modifier: bool = False
    nested: dict[str, "ExtensionRow"] = {}
    min: int = 0
    repeats: bool = False


@cache
def _extensions() -> dict[str, msgspec.Raw]:
    found: dict[str, msgspec.Raw] = {}
    for name in ("extensions.json", "hub_extensions.json"):
        found |= msgspec.json.decode(definitions_file(name), type=dict[str, msgspec.Raw])
    return found


def known_extension(url: str) -> ExtensionRow | None:
    """Gives what R4 or the hub says about an extension of its own; None for any other.

    >>> birth_time = known_extension("http://hl7.org/fhir/StructureDefinition/patient-birthTime")
    >>> birth_time.contexts, birth_time.types
    (('Patient.birthDate',), ('dateTime',))
    """
    # Urls come from outside: only what is known is kept.
    return _row(url) if url in _extensions() else None


@cache
def _row(url: str) -> ExtensionRow:
    return msgspec.json.decode(_extensions()[url], type=ExtensionRow)
