"""The extensions that R4 itself defines.

What lives here: where each of them may stand and what its value may be, read when asked for. What does not:
extensions of other publishers, of which the validator knows nothing, and the hub's own (``profiles/``).

Source: the package ``hl7.fhir.r4.core#4.0.1``, CC0-1.0; FHIR R4 ``defining-extensions.html``.
"""

from functools import cache

import msgspec

from referral_hub.fhir.element_tables import definitions_file


class ExtensionRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """One extension of the standard, or one of the extensions it is made of.

    Args:
        contexts: element paths and type names where it may stand; empty for one inside another.
        types: the types its value may have; empty if it has extensions instead.
        targets: the resource types that its Reference may lead to; empty for any.
        binding: the value set that its code must be from.
        modifier: it belongs into ``modifierExtension``.
        nested: the extensions it is made of, by their short url.
        min: how many of it there must be inside its parent.
        repeats: there may be several inside its parent.
    """

    contexts: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    binding: str = ""
    modifier: bool = False
    nested: dict[str, "ExtensionRow"] = {}
    min: int = 0
    repeats: bool = False


@cache
def _extensions() -> dict[str, msgspec.Raw]:
    return msgspec.json.decode(definitions_file("extensions.json"), type=dict[str, msgspec.Raw])


@cache
def core_extension(url: str) -> ExtensionRow | None:
    """Gives what R4 says about an extension of its own; None for any other.

    >>> birth_time = core_extension("http://hl7.org/fhir/StructureDefinition/patient-birthTime")
    >>> birth_time.contexts, birth_time.types
    (('Patient.birthDate',), ('dateTime',))
    """
    raw = _extensions().get(url)
    return None if raw is None else msgspec.json.decode(raw, type=ExtensionRow)
