"""Extensions.

What lives here: what holds for every extension (rule ext-1, absolute urls), and what R4 says about the
extensions it defines itself: where they may stand and of which type their value is. What does not:
extensions of others, which may stand anywhere and are not judged.

Source: FHIR R4 ``extensibility.html``, ``defining-extensions.html#context``.
"""

import re
from typing import Any

from referral_hub.fhir import code_tables, reference_rules
from referral_hub.fhir.canonical import CANONICAL
from referral_hub.fhir.element_tables import base_of, is_primitive, properties
from referral_hub.fhir.extension_tables import ExtensionRow, known_extension
from referral_hub.fhir.outcome import Severity
from referral_hub.fhir.slicing_rules import is_bound
from referral_hub.fhir.validation_run import Json, Path, Run
from referral_hub.fhir.value_matching import holds_pattern

_is_absolute = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:").match
_EXTENSIONS = ("extension", "modifierExtension")


def check(value: Json, path: Path, run: Run) -> None:
    """Checks one extension."""
    if bool(_value_keys(value)) is ("extension" in value):
        run.add("invariant", "ext-1: An extension has either a value or extensions, and not both.", path)
    url = value.get("url")
    if not isinstance(url, str):
        return
    if not _is_absolute(url):
        if path[0][1] not in _EXTENSIONS:
            run.add(
                "value",
                "The url of an extension must be absolute; only one inside another may be short.",
                path,
            )
        return
    known = known_extension(url)
    if known is not None:
        _check_core(known, value, path, run)
    elif "|" in url:
        run.add("value", "The url of an extension names no version: leave out the | and what follows.", path)
    elif run.knows_extensions and not _is_of_nobody(url):
        # Since R4 HL7 has published many more extensions at addresses like R4's own.
        severity: Severity = "warning" if _OF_HL7(url) else "error"
        text = "Nobody here defines this extension, so nothing can be said about it."
        run.add("extension", text, path, severity)


_OF_HL7 = re.compile(r"http://hl7\.org/fhir/StructureDefinition/[A-Za-z0-9\-.]+").fullmatch
_HL7_WORKSHOP = re.compile(r"http://hl7\.org/fhir/(?:tools|test|[1-9]\.[0-9])/StructureDefinition/")
_DOCUMENTATION = ("example.org", "example.com", "example.net", "acme.com", "acme.org", "nema.org")
_RESERVED_ENDINGS = (".example", ".test", ".invalid", ".localhost")


def _is_of_nobody(url: str) -> bool:
    """Says whether an address is one that documentation, tests and tools use without a definition.

    HL7's own examples and its validator do so; ``.example`` and the like are reserved by RFC 2606. Elements of
    other versions of FHIR have addresses with the version in them (FHIR R4 ``versions.html#extensions``).
    """
    host = _HOST.match(url)
    name = host[1].lower() if host else ""
    if url.startswith(CANONICAL):
        return False
    return (
        _HL7_WORKSHOP.match(url) is not None
        or name.endswith(_RESERVED_ENDINGS)
        or any(name == one or name.endswith(f".{one}") for one in _DOCUMENTATION)
    )


_HOST = re.compile(r"[a-z]+://([^/:?#]+)")


def _value_keys(value: Json) -> list[str]:
    return [key for key in value if key.startswith(("value", "_value"))]


def _check_core(known: ExtensionRow, value: Json, path: Path, run: Run) -> None:
    _check_content(known, value, path, run)
    belongs = "modifierExtension" if known.modifier else "extension"
    if path[1] in _EXTENSIONS and path[1] != belongs:
        run.add("structure", f"This extension belongs into {belongs}.", path)
    if "Element" in known.contexts or run.resource.get("resourceType") == "StructureDefinition":
        # The standard's own StructureDefinitions carry extensions in other places than they state.
        return
    if _contexts(path[0], run).isdisjoint(known.contexts):
        run.add("extension", f"This extension belongs only on {', '.join(known.contexts)}.", path)


def _check_content(known: ExtensionRow, value: Json, path: Path, run: Run) -> None:
    spellings = {f"value{name[0].upper()}{name[1:]}" for name in known.types}
    if any(key.removeprefix("_") not in spellings for key in _value_keys(value)):
        wanted = " or ".join(sorted(spellings)) or "extensions inside it instead of a value"
        run.add("structure", f"This extension is defined with {wanted}.", path)
    found = next((value[key] for key in spellings if key in value), None)
    if known.binding and found is not None and is_bound(found, known.binding) is False:
        codes = sorted(code_tables.codes_of(known.binding) or ())
        text = f"This code is not possible here: possible are {', '.join(codes[:20])}."
        run.add("code-invalid", text, (path, "value", -1))
    if known.value is not None and found is not None and not holds_pattern(found, known.value):
        run.add("value", f"Here only {str(known.value).lower()} is possible.", (path, "value", -1))
    target = value.get("valueReference")
    if (
        known.targets
        and isinstance(target, dict)
        and reference_rules.leads_elsewhere(target, known.targets, run)
    ):
        text = f"In this extension a reference leads to {' or '.join(known.targets)}."
        run.add("value", text, (path, "value", -1))
    if known.nested:
        _check_nested(known, value.get("extension"), path, run)


def _check_nested(known: ExtensionRow, items: Any, path: Path, run: Run) -> None:
    counts = dict.fromkeys(known.nested, 0)
    for position, item in enumerate(items if isinstance(items, list) else []):
        url = item.get("url") if isinstance(item, dict) else None
        if not isinstance(url, str) or _is_absolute(url):
            continue
        place: Path = (path, "extension", position)
        row = known.nested.get(url)
        if row is None:
            run.add("structure", f"This extension is made of {', '.join(known.nested)} only.", place)
            continue
        counts[url] += 1
        if counts[url] == 2 and not row.repeats:
            run.add("structure", f"The part {url} of this extension does not repeat.", place)
        _check_content(row, item, place, run)
    for name, count in counts.items():
        if count < known.nested[name].min:
            run.add("required", f"This extension needs its part {name}, which is missing.", path)


def _contexts(path: Path, run: Run) -> set[str]:
    """Gives every name by which a definition may say "here": the path from the resource, types and bases."""
    names: list[str] = []
    place: Path | None = path
    while place is not None:
        names.append(place[1])
        place = place[0]
    names.reverse()
    current, trail, found = names[0], [names[0]], set[str]()
    for name in names[1:]:
        known = None if is_primitive(current) else properties(current).get(name)
        if known is None:
            current = "Element"
            continue
        found = {f"{base}.{known.row.name}" for base in _bases(current)}
        trail.append(known.row.name)
        current = known.type_name
        if current == "Resource":
            current = str(run.resource.get("resourceType"))
            trail, found = [current], set()
    found.update(_bases(current))
    if len(trail) == 1 and "url" in properties(current):
        # The standard puts the extensions of a StructureDefinition on all its definitions.
        found.add("StructureDefinition")
    found.add(".".join(trail))
    found |= {f"{name}[x]" for name in found if "." in name}
    return found


def _bases(name: str) -> list[str]:
    found = []
    while name:
        found.append(name)
        name = base_of(name)
    return found
