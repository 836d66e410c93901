"""Fields that hold single values.

What lives here: the checks of primitives, single or repeated, and of their ``_`` siblings with id and
extensions. What does not: what a value looks like (:mod:`referral_hub.fhir.primitives`), and putting fields
together (:mod:`referral_hub.fhir.field_rules`).

Source: FHIR R4 ``json.html#primitive``.
"""

import re
from typing import Any

from referral_hub.fhir import code_tables, datatype_rules, invariants, primitives
from referral_hub.fhir.element_tables import ElementRow, Invariant
from referral_hub.fhir.object_rules import Expectation, Field, ObjectRule, is_filled_list, report_value
from referral_hub.fhir.primitives import Check
from referral_hub.fhir.validation_run import Json, Path, Run

_OTHER_VERSION = re.compile(r"http://hl7\.org/fhir/[0-9]\.[0-9]/StructureDefinition/extension-")
_ELEMENT_ID = Expectation("string", written="text without blanks")
_CURRENCIES = "http://hl7.org/fhir/ValueSet/currencies"
_MEDIA_TYPES = "http://hl7.org/fhir/ValueSet/mimetypes"
# A CapabilityStatement and a TestScript also say "json" or "xml".
_WITH_MEDIA_TYPE = frozenset({"Attachment", "Binary", "Signature"})


def check_of(owner: str, row: ElementRow, type_name: str) -> tuple[Check, Expectation]:
    """Gives the check of one value of an element, and what the value should be."""
    if type_name == "code" and row.binding:
        codes = code_tables.codes_of(row.binding)
        if codes is not None:
            return codes.__contains__, Expectation("code", tuple(sorted(codes)))
    if type_name == "code" and row.widest_binding == datatype_rules.ANY_LANGUAGE:
        return primitives.LANGUAGE_TAG, Expectation("code", written="a language tag such as en or fr-CA")
    if row.binding == _CURRENCIES:
        return primitives.CURRENCY, Expectation("code", written="a currency such as EUR")
    if row.binding == _MEDIA_TYPES and owner in _WITH_MEDIA_TYPE:
        return primitives.MEDIA_TYPE, Expectation("code", written="a media type such as text/plain")
    if datatype_rules.is_definition_url(owner, row.name) or (owner, row.name) == ("Meta", "profile"):
        return primitives.ABSOLUTE_URI, Expectation("uri", written="an absolute URI, the same for everybody")
    return primitives.CHECKS[type_name], Expectation(type_name)


def element_id(value: Any, owner: Json, path: Path, run: Run) -> None:
    """Checks the id of an element inside a resource: text without blanks, once in its resource.

    Source: FHIR R4 ``element.html#id``.
    """
    if not primitives.holds(primitives.ELEMENT_ID, value):
        report_value(value, _ELEMENT_ID, (path, "id", -1), run)
    elif not run.is_first(value):
        run.add("duplicate", "Another element of the resource has this id.", (path, "id", -1))


def single(key: str, check: Check, expectation: Expectation, asked: tuple[Invariant, ...]) -> Field:
    """Gives the field of a primitive that does not repeat, with the rules that stand on it."""

    def field(value: Any, owner: Json, path: Path, run: Run) -> None:
        if not primitives.holds(check, value):
            report_value(value, expectation, (path, key, -1), run)
            return
        for rule in asked:
            if not invariants.value_holds(rule, value, expectation.type_name):
                run.add("invariant", f"{rule.key}: {rule.human}", (path, key, -1))

    return field


def repeated(key: str, check: Check, expectation: Expectation) -> Field:
    """Gives the field of a primitive that may repeat: a list, where null holds the place of a value."""

    def field(value: Any, owner: Json, path: Path, run: Run) -> None:
        if not is_filled_list(value, path, key, run):
            return
        for position, item in enumerate(value):
            try:
                if check(item):
                    continue
            except TypeError:
                pass
            if item is not None:
                report_value(item, expectation, (path, key, position), run)
            elif not _has_partner(owner.get(f"_{key}"), position):
                run.add("structure", _LONELY_NULL, (path, key, position))

    return field


_LONELY_NULL = (
    "A null in a list holds the place of a value that has an id or an extension: here it has neither."
)


def _has_partner(other: Any, position: int) -> bool:
    return isinstance(other, list) and position < len(other) and other[position] is not None


def sibling(key: str, element: ObjectRule, *, needs_value: bool) -> Field:
    """Gives the field ``_name``: id and extensions of a primitive that does not repeat."""

    def field(value: Any, owner: Json, path: Path, run: Run) -> None:
        has_value = owner.get(key) is not None
        if needs_value and not has_value and not _tells_other_version(value):
            text = "A code from the required value set is needed; an extension cannot stand in for it."
            run.add("code-invalid", text, (path, key, -1))
        _check_sibling(value, element, (path, key, -1), run, has_value=has_value)

    return field


def _tells_other_version(sibling: Any) -> bool:
    """Says whether a primitive carries what only a later version of FHIR has a code for.

    Source: FHIR R4 ``versions.html#extensions``.
    """
    extensions = sibling.get("extension") if isinstance(sibling, dict) else None
    return isinstance(extensions, list) and any(
        isinstance(item, dict) and _OTHER_VERSION.match(str(item.get("url"))) for item in extensions
    )


def repeated_sibling(key: str, element: ObjectRule) -> Field:
    """Gives the field ``_name`` of a primitive that may repeat: a list beside the list of values."""

    def field(value: Any, owner: Json, path: Path, run: Run) -> None:
        if not is_filled_list(value, path, key, run):
            return
        beside = owner.get(key)
        values = beside if isinstance(beside, list) else [None] * len(value)
        if len(values) != len(value):
            run.add("structure", f"{key} and _{key} must be lists of the same length.", (path, key, -1))
        for position, item in enumerate(value):
            has_value = position < len(values) and values[position] is not None
            if item is not None:
                _check_sibling(item, element, (path, key, position), run, has_value=has_value)
            elif not has_value and not isinstance(beside, list):
                run.add("structure", _LONELY_NULL, (path, key, position))

    return field


def _check_sibling(item: Any, element: ObjectRule, path: Path, run: Run, *, has_value: bool) -> None:
    if not has_value or not isinstance(item, dict) or item.keys() != {"id"}:
        element.check(item, path, run)
    else:
        # With a value beside it an id alone is enough, so the check of an object does not fit.
        element_id(item["id"], item, path, run)
