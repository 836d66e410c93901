"""Rules of single data types that prose states and no expression does.

What lives here: codes against the code systems R4 holds, absolute systems, languages, labels that are there
twice, the size of an attachment, and which hand-written check belongs to which type. What does not: rules
that the standard writes in FHIRPath (:mod:`referral_hub.fhir.invariants`).

Source: FHIR R4 ``datatypes.html``, ``terminologies.html``.
"""

import binascii
import hashlib
import re
from typing import Any

from referral_hub.fhir import (
    answer_rules,
    bundle_rules,
    code_system_rules,
    contained_rules,
    definition_rules,
    extension_rules,
    questionnaire_rules,
    structure_definition_rules,
)
from referral_hub.fhir.code_tables import code_system, defined_codes
from referral_hub.fhir.element_tables import is_a, part_table
from referral_hub.fhir.object_rules import CrossCheck
from referral_hub.fhir.ucum_units import UCUM, is_unit, is_written
from referral_hub.fhir.validation_run import Json, Path, Run

_is_absolute = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:").match
_URI_SYSTEM = "urn:ietf:rfc:3986"
_VALUE_SET_PREFIXES = ("http://hl7.org/fhir/ValueSet/", "http://terminology.hl7.org/ValueSet/")
_SPACE = re.compile(r"\s+")
_SHA1_BYTES = 20
_LANGUAGES = "urn:ietf:bcp:47"
ANY_LANGUAGE = "http://hl7.org/fhir/ValueSet/all-languages"
"""The value set that no language leaves: every tag of BCP 47, and nothing else."""


def cross_checks(type_name: str) -> list[CrossCheck]:
    """Gives the hand-written checks of a type."""
    found = [_OF_TYPE[type_name]] if type_name in _OF_TYPE else []
    if is_a(type_name, "Quantity"):
        found = [quantity]
    return [contained_rules.check, *found] if is_a(type_name, "DomainResource") else found


def is_definition_url(type_name: str, element: str) -> bool:
    """Says whether an element is the canonical URL by which a definition names itself.

    Source: FHIR R4 ``references.html#canonical``.

    >>> is_definition_url("ValueSet", "url"), is_definition_url("Attachment", "url")
    (True, False)
    """
    if element != "url" or "." in type_name or not is_a(type_name, "DomainResource"):
        return False
    return {"status", "experimental"} <= {row.name for row in part_table(type_name).elements}


def coding(value: Json, path: Path, run: Run) -> None:
    """Checks that the system of a Coding is absolute and, where its codes are known, that it has the code.

    What is shown beside a code of the hub's own must be the words of that code. Nothing is said about codes of
    other systems, of a system in another version, or of a Coding without system.
    """
    system = value.get("system")
    if not isinstance(system, str):
        return
    codes = defined_codes(system)
    if codes is None:
        if system == UCUM:
            _check_unit(value, path, run)
        elif system.startswith(_VALUE_SET_PREFIXES):
            run.add(
                "code-invalid", "The system names a value set: name the code system.", (path, "system", -1)
            )
        elif not _is_absolute(system):
            run.add("code-invalid", "The system of a code must be an absolute URI.", (path, "system", -1))
        return
    code = value.get("code")
    if not isinstance(code, str):
        return
    if code in codes:
        if "display" in value:
            _check_display(value, system, path, run)
        return
    known = code_system(system)
    if known is None or (known.ignores_case and code.casefold() in codes):
        return
    if value.get("version", known.version) == known.version:
        text = f"The system has no such code; its {len(codes)} codes are published with it."
        run.add("code-invalid", text, (path, "code", -1))


def _check_display(value: Json, system: str, path: Path, run: Run) -> None:
    """What is shown must not say something other than the code; words in another language are not known here."""
    known = code_system(system)
    words = known.displays.get(value["code"]) if known is not None else None
    shown, language = value.get("display"), run.resource.get("language", "en")
    if not words or not isinstance(shown, str) or not str(language).startswith("en"):
        return
    if _folded(shown) not in {_folded(word) for word in words}:
        text = f"The display is not that of the code: write {' or '.join(words)}, or leave it out."
        run.add("code-invalid", text, (path, "display", -1))


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def identifier(value: Json, path: Path, run: Run) -> None:
    """Checks that the system of an Identifier is absolute, and that a value said to be a URI is one."""
    system = value.get("system")
    if not isinstance(system, str):
        return
    if not _is_absolute(system):
        run.add("code-invalid", "The system of an identifier must be an absolute URI.", (path, "system", -1))
    elif system == _URI_SYSTEM:
        text = value.get("value")
        if isinstance(text, str) and not _is_absolute(text):
            run.add(
                "code-invalid",
                f"With the system {_URI_SYSTEM} the value is a whole URI.",
                (path, "value", -1),
            )


def quantity(value: Json, path: Path, run: Run) -> None:
    """Checks that the system of a unit is absolute, and that a unit of UCUM is one."""
    system = value.get("system")
    if not isinstance(system, str):
        return
    if system == UCUM:
        _check_unit(value, path, run)
    elif not _is_absolute(system):
        run.add("code-invalid", "The system of a unit must be an absolute URI.", (path, "system", -1))
    elif isinstance(code := value.get("code"), str) and not _is_unit_of(system, code):
        run.add("code-invalid", "The system of this unit has no such code.", (path, "code", -1))


def _is_unit_of(system: str, code: str) -> bool:
    """Says whether a known system has a code; R4's own examples write units like ``Tab`` in letters of any case."""
    codes = defined_codes(system)
    return codes is None or code in codes or code.casefold() in {known.casefold() for known in codes}


def _check_unit(value: Json, path: Path, run: Run) -> None:
    code = value.get("code")
    if not isinstance(code, str) or not code or is_unit(code):
        return
    if not is_written(code):
        text = "UCUM does not write units like this: write it as mg/dL, mm[Hg], Cel or {score}."
        run.add("code-invalid", text, (path, "code", -1))
    elif run.with_warnings:
        # R4's own examples have such units, and symbols are added to UCUM.
        text = (
            "UCUM knows no such unit as far as is known here: units look like mg/dL, mm[Hg], Cel or {score}."
        )
        run.add("code-invalid", text, (path, "code", -1), "warning")


def attachment(value: Json, path: Path, run: Run) -> None:
    """Checks that the size and the hash of an Attachment are those of its data.

    A hash of another length than that of SHA-1 is none, as in R4's own examples; it says nothing.
    """
    size, content = value.get("size"), _decoded(value.get("data"))
    if content is None:
        return
    if type(size) is int and len(content) != size:
        run.add(
            "structure",
            f"The data are {len(content)} bytes long; size says something else.",
            (path, "size", -1),
        )
    stated = _decoded(value.get("hash"))
    if stated is not None and len(stated) == _SHA1_BYTES and stated != hashlib.sha1(content).digest():  # noqa: S324
        run.add("value", "The hash is not the SHA-1 of the data.", (path, "hash", -1))


def _decoded(text: Any) -> bytes | None:
    try:
        return binascii.a2b_base64(_SPACE.sub("", text), strict_mode=True)
    except (TypeError, ValueError):
        return None


def meta(value: Json, path: Path, run: Run) -> None:
    """Checks that no security label of a resource is there twice.

    Source: FHIR R4 ``resource.html#Meta`` (labels are a set).
    """
    labels = value.get("security")
    seen: set[tuple[str, str]] = set()
    for position, item in enumerate(labels if isinstance(labels, list) else ()):
        if isinstance(item, dict) and "code" in item:
            if _pair(item) in seen:
                run.add(
                    "duplicate", "This label is there already: write it once.", (path, "security", position)
                )
            seen.add(_pair(item))


def language(value: Json, path: Path, run: Run) -> None:
    """Checks that one coding of a language is a tag of BCP 47, where any of them names a system.

    Source: FHIR R4 ``languages.html``; maxValueSet ``all-languages``.
    """
    codings: Any = value.get("coding")
    systems = [
        item["system"]
        for item in (codings if isinstance(codings, list) else ())
        if isinstance(item, dict) and "system" in item
    ]
    if systems and _LANGUAGES not in systems:
        run.add("code-invalid", f"A language has a code of {_LANGUAGES}, such as en or fr-CA.", path)


def bound_concept(concepts: frozenset[tuple[str, str]]) -> CrossCheck:
    """Gives the check that one coding of a CodeableConcept is from a value set.

    Source: FHIR R4 ``terminologies.html#required``.
    """
    shown = ", ".join(sorted({code for _, code in concepts})[:20])

    def check(value: Json, path: Path, run: Run) -> None:
        codings: Any = value.get("coding")
        if isinstance(codings, list):
            for item in codings:
                if isinstance(item, dict) and _pair(item) in concepts:
                    return
        run.add(
            "code-invalid",
            f"One coding must be from the required value set, with codes such as {shown}.",
            path,
        )

    return check


def _pair(item: Json) -> tuple[str, str]:
    return str(item.get("system")), str(item.get("code"))


_OF_TYPE: dict[str, CrossCheck] = {
    "Attachment": attachment,
    "Bundle": bundle_rules.check,
    "CodeSystem": code_system_rules.check,
    "Coding": coding,
    "ConceptMap": definition_rules.concept_map,
    "Extension": extension_rules.check,
    "Identifier": identifier,
    "Meta": meta,
    "Questionnaire": questionnaire_rules.check,
    "QuestionnaireResponse": answer_rules.check,
    "SearchParameter": definition_rules.search_parameter,
    "StructureDefinition": structure_definition_rules.check,
    "ValueSet": definition_rules.value_set,
}
