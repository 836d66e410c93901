"""References: where a Reference element may lead.

What lives here: the check of one Reference for the resource types it may lead to, and of canonicals that lead
to a contained resource. What does not: reading
the text of a reference (:mod:`referral_hub.fhir.references`), and whether its target exists or may be seen
(``exchange``).

Source: FHIR R4 ``references.html``, rule ref-1; ``bundle.html#references``.
"""

import re
from typing import Any

from referral_hub.fhir import references
from referral_hub.fhir.element_tables import index
from referral_hub.fhir.object_rules import CrossCheck, ObjectCheck, ObjectRule
from referral_hub.fhir.validation_run import Json, Path, Run

_relative = re.compile(r"([A-Z][A-Za-z]+)/[A-Za-z0-9\-.]{1,64}").fullmatch
_ALTERNATIVES_TO_TEXT = frozenset({"identifier", "display", "extension", "_reference", "_display"})
_ANY_TYPE = frozenset({"Resource", "DomainResource"})
_CONDITIONAL_BUNDLES = frozenset({"transaction", "batch"})


def reference_check(rule: ObjectRule, targets: tuple[str, ...]) -> ObjectCheck:
    """Gives the check of a Reference.

    Args:
        rule: the check of the elements of a Reference.
        targets: the resource types it may lead to; empty for any.
    """
    allowed = frozenset(targets) or index().resource_types

    def check(value: Any, path: Path, run: Run) -> None:
        text = value.get("reference") if type(value) is dict else None
        match = _relative(text) if type(text) is str else None
        if match is not None and match[1] in allowed:
            if len(value) == 1:
                return
            if "type" not in value:
                rule.check(value, path, run)
                return
        rule.check(value, path, run)
        if isinstance(value, dict) and value:
            _judge(value, targets, path, run)

    return check


def leads_elsewhere(value: Json, targets: tuple[str, ...], run: Run) -> bool:
    """Says whether a Reference leads to another type than these, as far as that can be seen."""
    stated, text = value.get("type"), value.get("reference")
    if isinstance(stated, str) and stated not in targets:
        return True
    if not isinstance(text, str):
        return False
    inside = run.find(text)
    if inside is not None:
        return inside.get("resourceType") not in targets
    try:
        found = references.parse(text).type
    except ValueError:
        return False
    return found in index().resource_types and found not in targets


def canonicals_check(keys: tuple[str, ...]) -> CrossCheck:
    """Gives the check that a canonical like ``#id`` names a resource contained here.

    Args:
        keys: the properties of an object that hold canonicals.

    Source: FHIR R4 ``references.html#canonical``.
    """

    def check(value: Json, path: Path, run: Run) -> None:
        for key in keys:
            held = value.get(key)
            texts: list[Any] = held if isinstance(held, list) else [held]
            for position, text in enumerate(texts):
                if isinstance(text, str) and text[:1] == "#" and text[1:] not in run.contained():
                    place: Path = (path, key, position if texts is held else -1)
                    run.add("value", "No resource with this id is contained here.", place)

    return check


def _judge(value: Json, targets: tuple[str, ...], path: Path, run: Run) -> None:
    stated = value.get("type")
    if isinstance(stated, str):
        if targets and stated not in targets:
            run.add("value", f"A reference here leads to {_either(targets)}.", (path, "type", -1))
        elif stated not in index().resource_types and stated not in _ANY_TYPE:
            run.add("value", "The type is the name of a resource type, such as Patient.", (path, "type", -1))
    text = value.get("reference")
    if not isinstance(text, str) or not text:
        if _ALTERNATIVES_TO_TEXT.isdisjoint(value):
            run.add(
                "required",
                "A Reference needs a reference, an identifier or a display: it has none of them.",
                path,
            )
        return
    found = _target_type(text, path, run)
    if found is None:
        return
    if targets and found not in targets:
        run.add("value", f"A reference here leads to {_either(targets)}.", (path, "reference", -1))
    if isinstance(stated, str) and stated != found:
        run.add(
            "value", "The type says something other than the reference: they must agree.", (path, "type", -1)
        )


def _target_type(text: str, path: Path, run: Run) -> str | None:
    """Gives the type a reference leads to; None where it cannot be known. Notes what is wrong."""
    place: Path = (path, "reference", -1)
    try:
        reference = references.parse(text)
    except ValueError:
        run.add("value", f"This is no reference: {_FORMS}.", place)
        return None
    if text == "#" and run.resource is run.root:
        run.add(
            "value", "By # a contained resource refers to the one around it; nothing is around this.", place
        )
        return None
    inside = run.find(text)
    if inside is not None:
        name = inside.get("resourceType")
        return name if isinstance(name, str) else None
    if reference.kind == "contained":
        run.add("invariant", "ref-1: No resource with this id is contained here.", place)
        return None
    if reference.kind == "conditional" and not _may_search(run):
        run.add("value", f"A search can be a reference only in a transaction or batch: {_FORMS}.", place)
        return None
    if not reference.type:
        return None
    if reference.type in index().resource_types:
        return reference.type
    if reference.kind != "absolute":
        run.add("value", "R4 has no resource of the type this reference names.", place)
    return None


_FORMS = "possible are Type/id, an absolute URL, urn:uuid:, urn:oid: and #id of a contained resource"


def _may_search(run: Run) -> bool:
    return run.bundle is not None and str(run.bundle.get("type")) in _CONDITIONAL_BUNDLES


def _either(targets: tuple[str, ...]) -> str:
    return targets[0] if len(targets) == 1 else f"{', '.join(targets[:-1])} or {targets[-1]}"
