"""The vocabulary of redaction: what may stay of a code, a reference, a note or a text.

What lives here: one rule per kind of element. What does not: the lists that use them
(``access.redact_task`` and its neighbours), the table that applies them (``access.redact_table``).

A rule takes a value and the Reading and gives what may stay, or None. None of them lets extensions or
display texts stay.

Source: ``views.md`` 4; ``consent.md`` 3.3 (S-20 to S-22); ``practice.md`` 6.
"""

from collections.abc import Mapping
from typing import Any

from referral_hub.access.redact_table import Reading, Rule, Table
from referral_hub.fhir.canonical import code_system

DATA_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"

_ICD_10_CM = (
    "T74.5", "T74.6", "T76.5", "T76.6", "Z04.81", "Z04.82", "Z62.813", "Z91.42",
    "T745", "T746", "T765", "T766", "Z0481", "Z0482", "Z62813", "Z9142",
)  # fmt: skip
NEVER_SENT: Mapping[str, tuple[str, ...]] = {
    "http://hl7.org/fhir/sid/icd-10-cm": _ICD_10_CM,
    "urn:oid:2.16.840.1.113883.6.90": _ICD_10_CM,
    code_system("hub-sensitivity"): ("",),
}
"""Codes that say a person was trafficked, by system: whatever begins like this leaves no organisation.

Forced labour and sexual exploitation, confirmed, suspected, examined for, or in her history (ICD-10-CM
since 2019); and the hub's own sensitivity tags. No such table is complete: a sender still chooses codes
that say what to do, not what happened. Source: ``practice.md`` 6; ``consent.md`` L-04.
"""


def never_sent(system: str, code: str) -> bool:
    """Tells whether a code leaves no organisation, so that others find nothing by it either.

    >>> never_sent("http://hl7.org/fhir/sid/icd-10-cm", "T74.51XA"), never_sent("http://loinc.org", "T74.51XA")
    (True, False)
    """
    never = NEVER_SENT.get(system)
    return never is not None and code.startswith(never)


# Rules for values that carry no text of their own.


def keep(value: Any, reading: Reading) -> Any:
    """Lets a code, date, number or boolean stay, or a list of them."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return [item for item in value if item is not None and not isinstance(item, (dict, list))] or None
    return None if isinstance(value, dict) else value


def plain(value: Any, reading: Reading) -> Any:
    """Lets a value of a simple type stay (Period, Quantity, Timing, …), without texts beside its codes."""
    return _without(value, _BESIDE_CODES)


def written(value: Any, reading: Reading) -> Any:
    """Lets a name, an address or a contact point stay as it is written, without extensions."""
    return _without(value, _BESIDE_VALUES)


_BESIDE_VALUES = frozenset(("id", "extension", "modifierExtension"))
_BESIDE_CODES = _BESIDE_VALUES | {"display", "text"}


def _without(value: Any, names: frozenset[str]) -> Any:
    if isinstance(value, dict):
        shown = {
            name: stays
            for name, inner in value.items()
            if name not in names and name[0] != "_" and (stays := _without(inner, names)) is not None
        }
        return shown or None
    if isinstance(value, list):
        return [stays for item in value if (stays := _without(item, names)) is not None] or None
    return value


# Rules for codes.


def coding(value: Any, reading: Reading) -> dict[str, Any] | None:
    """Lets the code of a Coding stay, never its display; nothing of a code that is never sent."""
    if not isinstance(value, dict):
        return None
    system = value.get("system")
    code = value.get("code")
    if isinstance(system, str) and isinstance(code, str) and never_sent(system, code):
        return None
    shown: dict[str, Any] = {} if system is None else {"system": system}
    if code is not None:
        shown["code"] = code
    for name in ("version", "userSelected"):
        if name in value:
            shown[name] = value[name]
    return shown or None


def codings(value: Any, reading: Reading) -> list[dict[str, Any]] | None:
    """Does the same for a list of Codings."""
    if not isinstance(value, list):
        return None
    return [stays for item in value if (stays := coding(item, reading))] or None


def concept(value: Any, reading: Reading) -> dict[str, Any] | None:
    """Lets the codes of a CodeableConcept stay, and its text where free text is open."""
    if not isinstance(value, dict):
        return None
    shown: dict[str, Any] = {}
    stay = codings(value.get("coding"), reading)
    if stay:
        shown["coding"] = stay
    if reading.free and isinstance(value.get("text"), str):
        shown["text"] = value["text"]
    return shown or None


def concepts(value: Any, reading: Reading) -> list[dict[str, Any]] | None:
    """Does the same for a list of CodeableConcepts."""
    return [stays for item in _items(value) if (stays := concept(item, reading))] or None


def unknown() -> dict[str, Any]:
    """Gives an element that is there and says nothing, for where R4 demands one.

    Source: FHIR R4 ``extension-data-absent-reason.html``. ``unknown`` and not ``masked``: that something is
    hidden is nobody's business.
    """
    return {"extension": [{"url": DATA_ABSENT, "valueCode": "unknown"}]}


def absent(place: tuple[str, Any], reading: Reading) -> dict[str, Any]:
    """Fills a required element of a complex type."""
    return {place[0]: unknown()}


def absent_list(place: tuple[str, Any], reading: Reading) -> dict[str, Any]:
    """Fills a required list of a complex type."""
    return {place[0]: [unknown()]}


def absent_primitive(place: tuple[str, Any], reading: Reading) -> dict[str, Any]:
    """Fills a required primitive: the value is absent, what stands beside it says so."""
    return {f"_{place[0]}": unknown()}


# Rules for references.


def reference(value: Any, reading: Reading) -> dict[str, Any] | None:
    """Lets a reference stay where the reader may know what it points at; never its display or identifier."""
    if not isinstance(value, dict):
        return None
    text = value.get("reference")
    if not isinstance(text, str):
        return None
    bare = text.partition("/_history/")[0]
    if not reading.sees(bare):
        return None
    return _pointing(bare, value.get("type"))


def _pointing(bare: str, target: Any) -> dict[str, Any]:
    if target is not None and target == bare.partition("/")[0]:
        return {"reference": bare, "type": target}
    return {"reference": bare}


def references(value: Any, reading: Reading) -> list[dict[str, Any]] | None:
    """Does the same for a list of references."""
    return [stays for item in _items(value) if (stays := reference(item, reading))] or None


def local_reference(value: Any, reading: Reading) -> dict[str, Any] | None:
    """Lets a reference into the hub stay whatever it points at: the view itself opens its target.

    An absolute address would tell whose server it is: it stays only where it is visible by name.
    """
    text = value.get("reference") if isinstance(value, dict) else None
    if isinstance(text, str) and text[:1].isalpha() and text.count("/") == 1 and ":" not in text:
        return _pointing(text, value.get("type"))
    return reference(value, reading)


def masked(place: tuple[str, Any], reading: Reading) -> dict[str, Any]:
    """Fills a required reference to something hidden: its type and an identifier that tells nothing.

    Source: ``views.md`` 4.
    """
    return {place[0]: masked_reference(place[1], reading)}


def masked_reference(value: Any, reading: Reading) -> dict[str, Any]:
    """Gives the reference that stands for a hidden one."""
    shown: dict[str, Any] = {}
    if isinstance(value, dict):
        text = value.get("reference")
        head = text.partition("/")[0] if isinstance(text, str) else ""
        for target in (value.get("type"), head):
            if isinstance(target, str) and target[:1].isupper() and target.isalpha():
                shown["type"] = target
                break
    shown["identifier"] = reading.opaque_identifier()
    return shown


# Rules for text and what is made of it.


def text(value: Any, reading: Reading) -> str | None:
    """Lets free text stay where free text is open."""
    return value if reading.free and isinstance(value, str) else None


def note(value: Any, reading: Reading) -> dict[str, Any] | None:
    """Lets a note's text and time stay where free text is open; who wrote it only where visible."""
    if not reading.free or not isinstance(value, dict) or not isinstance(value.get("text"), str):
        return None
    shown: dict[str, Any] = {}
    writer = reference(value.get("authorReference"), reading)
    if writer:
        shown["authorReference"] = writer
    if "time" in value:
        shown["time"] = value["time"]
    shown["text"] = value["text"]
    return shown


def notes(value: Any, reading: Reading) -> list[dict[str, Any]] | None:
    """Does the same for a list of notes."""
    return [stays for item in _items(value) if (stays := note(item, reading))] or None


def attachment(value: Any, reading: Reading) -> dict[str, Any] | None:
    """Lets an attachment's content stay where free text is open, else only what kind of file it is.

    An address outside the hub is never shown: it tells where the person is looked after.
    """
    if not isinstance(value, dict):
        return None
    names = (
        ("contentType", "language", "data", "size", "hash", "title", "creation")
        if reading.free
        else ("contentType",)
    )
    shown = {name: value[name] for name in names if name in value}
    url = value.get("url")
    if reading.free and isinstance(url, str) and (reading.sees(url) or url.startswith("Binary/")):
        shown["url"] = url
    return shown or None


# Builders of rules.


def very(rule: Rule) -> Rule:
    """Gives the rule for a V element: nothing stays unless V is open."""
    return lambda value, reading: rule(value, reading) if reading.very else None


def group(table: Table) -> Rule:
    """Gives the rule for one element that has elements of its own."""

    def apply(value: Any, reading: Reading) -> Any:
        return (table.apply(value, reading) or None) if isinstance(value, dict) else None

    return apply


def groups(table: Table) -> Rule:
    """Gives the rule for a list of such elements; what cannot stand goes."""

    def apply(value: Any, reading: Reading) -> Any:
        items = (table.apply(item, reading) for item in _items(value) if isinstance(item, dict))
        return [stays for stays in items if stays] or None

    return apply


def choice(name: str, **rules: Rule) -> dict[str, Rule]:
    """Gives the rules of a choice element: ``choice("onset", DateTime=keep)`` names ``onsetDateTime``."""
    return {f"{name}{type_name}": rule for type_name, rule in rules.items()}


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


ANY_VALUE: Mapping[str, Rule] = choice(
    "value",
    Boolean=keep, Code=keep, Date=keep, DateTime=keep, Instant=keep, Time=keep,
    Decimal=keep, Integer=keep, PositiveInt=keep, UnsignedInt=keep,
    String=text, Markdown=text, Uri=text, Url=text, Canonical=text, Oid=text, Uuid=text, Id=text,
    Base64Binary=text,
    CodeableConcept=concept, Coding=coding, Reference=reference, Annotation=note,
    Quantity=plain, Age=plain, Count=plain, Distance=plain, Duration=plain, Money=plain,
    Period=plain, Range=plain, Ratio=plain, Timing=plain,
    Attachment=very(attachment), Address=very(written), ContactPoint=very(written), HumanName=very(written),
)  # fmt: skip
"""Rules for ``value[x]`` of every type that can be shown; the rest (Signature, Expression, …) never is."""

VALUES = frozenset(ANY_VALUE)
