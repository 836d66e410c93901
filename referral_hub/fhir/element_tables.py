"""What every R4 type consists of, as tables.

What lives here: the shape of the generated tables under ``definitions/`` and the lazy reading of them: a
type is decoded when somebody asks for it, never before. What does not: making the tables
(:mod:`referral_hub.fhir.structure_rows` and ``scripts/compile_definitions.py``), judging a resource by them
(:mod:`referral_hub.fhir.validator`), and codes (:mod:`referral_hub.fhir.code_tables`).

Source: the package ``hl7.fhir.r4.core#4.0.1``, CC0-1.0.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

_FOLDER = Path(__file__).with_name("definitions")

UNBOUNDED = -1
"""The value of :attr:`ElementRow.max` for an element that may repeat without limit (``*``)."""

PROFILED_TYPES = {"SimpleQuantity": "Quantity"}
"""Profiles of a data type that resources use like a type of its own, with the type they are written as."""

Kind = Literal["resource", "complex-type", "primitive-type"]


class Invariant(msgspec.Struct, frozen=True, omit_defaults=True):
    """A rule of the standard in FHIRPath, with the sentence that explains it.

    Args:
        key: the name of the rule, such as ``pat-1``.
        expression: the FHIRPath expression, exactly as published.
        human: the published sentence.
        severity: ``error``, or ``warning`` for a best practice.
    """

    key: str
    expression: str
    human: str
    severity: Literal["error", "warning"] = "error"


class ElementRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """One element of a type.

    Args:
        name: the name without ``[x]``.
        types: the names of the types it may have; a part of a resource has its path as type
            (``Patient.contact``).
        min: how many there must be.
        max: how many there may be; :data:`UNBOUNDED` for ``*``.
        choice: the element is written ``name[x]``: its JSON name ends with its type.
        summary: it belongs to the summary of the resource (``_summary=true``).
        modifier: it changes the meaning of what it stands in.
        targets: the resource types a Reference may lead to; empty for any.
        binding: the value set of a required binding.
        widest_binding: the value set that even an extensible binding must not leave (maxValueSet).
        invariants: rules that hold for this element where it stands here.
    """

    name: str
    types: tuple[str, ...]
    min: int = 0
    max: int = 1
    choice: bool = False
    summary: bool = False
    modifier: bool = False
    targets: tuple[str, ...] = ()
    binding: str = ""
    widest_binding: str = ""
    invariants: tuple[Invariant, ...] = ()


class PartTable(msgspec.Struct, frozen=True, omit_defaults=True):
    """The elements of a type, or of one nested part of it.

    Args:
        base: the type it is made from: ``DomainResource``, ``Element``, ``BackboneElement``, ``Quantity`` ...
        elements: its elements, those of the base included, in the order of the standard.
        invariants: the rules that it adds to those of its base.
    """

    base: str
    elements: tuple[ElementRow, ...]
    invariants: tuple[Invariant, ...] = ()


class TypeEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One type with its parts; the first part is named as the type itself."""

    kind: Kind
    parts: dict[str, PartTable]
    abstract: bool = False


class Primitive(msgspec.Struct, frozen=True, omit_defaults=True):
    """One primitive type: what it is made from, and the pattern its text must match."""

    base: str
    pattern: str = ""


class Index(msgspec.Struct, frozen=True):
    """What is in the tables at a glance; the only part that is read at once."""

    package: str
    licence: str
    resource_types: frozenset[str]
    primitives: dict[str, Primitive]


class Property(msgspec.Struct, frozen=True):
    """One property a JSON object may have: the row it comes from and the type this spelling of it says."""

    row: ElementRow
    type_name: str


def definitions_file(name: str) -> bytes:
    """Gives the content of one generated file of the ``definitions`` folder."""
    return (_FOLDER / name).read_bytes()


@cache
def index() -> Index:
    """Gives the names of all resource types and primitives.

    >>> "Task" in index().resource_types, "DomainResource" in index().resource_types
    (True, False)
    """
    return msgspec.json.decode(definitions_file("index.json"), type=Index)


@cache
def _entries() -> dict[str, msgspec.Raw]:
    return msgspec.json.decode(definitions_file("structures.json"), type=dict[str, msgspec.Raw])


@cache
def type_entry(name: str) -> TypeEntry:
    """Gives a type with its parts.

    Raises:
        KeyError: R4 has no such type.
    """
    return msgspec.json.decode(_entries()[name], type=TypeEntry)


def part_table(name: str) -> PartTable:
    """Gives the elements of a type (``Patient``) or of a part of it (``Patient.contact``).

    Raises:
        KeyError: R4 has no such type or part.

    >>> [row.name for row in part_table("Patient.link").elements]
    ['id', 'extension', 'modifierExtension', 'other', 'type']
    """
    return type_entry(name.partition(".")[0]).parts[name]


def all_part_names() -> Iterator[str]:
    """Gives the names of all types and of all their parts; this decodes every table."""
    for name in _entries():
        yield from type_entry(name).parts


def is_known(name: str) -> bool:
    """Says whether R4 defines a type of this name, abstract and primitive ones included."""
    return name in index().primitives or name in _entries()


def is_primitive(name: str) -> bool:
    """Says whether a type is written as one JSON text, number or boolean.

    >>> is_primitive("code"), is_primitive("Coding")
    (True, False)
    """
    return name in index().primitives


def base_of(name: str) -> str:
    """Gives the type that a type is made from; empty for the roots ``Element`` and ``Resource``.

    >>> base_of("id"), base_of("Age"), base_of("Patient"), base_of("Patient.contact")
    ('string', 'Quantity', 'DomainResource', 'BackboneElement')
    """
    primitive = index().primitives.get(name)
    return part_table(name).base if primitive is None else primitive.base


def is_a(name: str, ancestor: str) -> bool:
    """Says whether a type is another one or made from it.

    >>> is_a("Age", "Quantity"), is_a("Age", "Element"), is_a("Quantity", "Age")
    (True, True, False)
    """
    while name:
        if name == ancestor:
            return True
        name = base_of(name)
    return False


@cache
def properties(name: str) -> dict[str, Property]:
    """Gives every JSON property that an object of this type may have, ``_``-siblings and resourceType aside.

    >>> sorted(key for key in properties("Patient") if key.startswith("deceased"))
    ['deceasedBoolean', 'deceasedDateTime']
    """
    found: dict[str, Property] = {}
    for row in part_table(name).elements:
        for type_name in row.types:
            key = json_name(row, type_name)
            found[key] = Property(row, type_name)
    return found


def json_name(row: ElementRow, type_name: str) -> str:
    """Gives the name an element has in JSON when it is of this type.

    >>> json_name(ElementRow("value", ("string", "Quantity"), choice=True), "string")
    'valueString'
    """
    if not row.choice:
        return row.name
    written = PROFILED_TYPES.get(type_name, type_name)
    return row.name + written[0].upper() + written[1:]
