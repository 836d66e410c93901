"""From a published extension to a row.

What lives here: the pure reading of one StructureDefinition of an extension into the shape of
:mod:`referral_hub.fhir.extension_tables`. What does not: files and packages (the scripts), and judging an
extension (:mod:`referral_hub.fhir.extension_rules`).

Source: FHIR R4 ``defining-extensions.html``.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from referral_hub.fhir.extension_tables import ExtensionRow
from referral_hub.fhir.structure_rows import targets_of

Json = dict[str, Any]


def is_extension(structure: Json) -> bool:
    """Says whether a StructureDefinition defines an extension."""
    return structure["type"] == "Extension" and structure.get("derivation") == "constraint"


def extension_row_of(structure: Json) -> ExtensionRow:
    """Gives what may stand in an extension, and where the extension may stand."""
    elements = {element["id"]: element for element in structure["snapshot"]["element"]}
    return msgspec.structs.replace(
        _row(elements, "Extension"),
        contexts=tuple(context["expression"] for context in structure.get("context", [])),
        modifier=bool(elements["Extension"].get("isModifier")),
    )


def bindings_of(row: ExtensionRow) -> Iterator[str]:
    """Gives the value sets that the codes in an extension, and in its parts, must be from."""
    if row.binding:
        yield row.binding
    for inner in row.nested.values():
        yield from bindings_of(inner)


def _row(elements: dict[str, Json], place: str) -> ExtensionRow:
    value = elements.get(f"{place}.value[x]", {"max": "0"})
    binding = value.get("binding", {})
    own = value["max"] != "0"
    slices = [e for key, e in elements.items() if re.fullmatch(rf"{re.escape(place)}\.extension:[^.:]+", key)]
    return ExtensionRow(
        types=tuple(dict.fromkeys(kind["code"] for kind in value.get("type", []))) if own else (),
        targets=targets_of(value) if own else (),
        binding=binding["valueSet"].partition("|")[0]
        if own and binding.get("strength") == "required"
        else "",
        value=next((v for k, v in value.items() if k.startswith(("fixed", "pattern"))), None),
        min=elements[place]["min"] if place != "Extension" else 0,
        repeats=elements[place]["max"] == "*" if place != "Extension" else False,
        nested={elements[f"{e['id']}.url"]["fixedUri"]: _row(elements, e["id"]) for e in slices},
    )
