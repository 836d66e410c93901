"""How each R4 type is written in XML, ready for the reader and the writer.

What lives here: :class:`Slot`, one element (or its ``_`` sibling in JSON), and :class:`Part`, the slots of a
type by their JSON name and by their XML tag, in the order of the standard. Both are made from the element
tables when a type is met for the first time, and kept. What does not: reading
(:mod:`referral_hub.fhir.xml_reading`), writing (:mod:`referral_hub.fhir.xml_writing`), and which values are
good (:mod:`referral_hub.fhir.validator`).

Source: FHIR R4 ``xml.html``, ``json.html#xml``.
"""

from functools import cache, cached_property

from referral_hub.fhir.element_tables import (
    PROFILED_TYPES,
    UNBOUNDED,
    ElementRow,
    all_part_names,
    index,
    is_primitive,
    json_name,
    part_table,
)
from referral_hub.fhir.narrative import XHTML
from referral_hub.fhir.primitives import json_type
from referral_hub.fhir.validation_run import Spelling

NAMESPACE = "http://hl7.org/fhir"
"""The namespace of every FHIR element."""

TAG = f"{{{NAMESPACE}}}"
"""What the XML name of a FHIR element begins with."""

VALUE = "value"
"""The attribute that holds the value of a primitive."""

_PRIMITIVE_ELEMENT = "Element"


class Slot:
    """One element of a type, under one of the spellings it may have.

    Args:
        row: the element as the tables have it.
        type_name: the type that this spelling of it says.
        position: where it stands in the order of the standard.
    """

    def __init__(self, row: ElementRow, type_name: str, position: int) -> None:
        self.key = json_name(row, type_name)
        self.sibling_key = f"_{self.key}"
        self.told = Spelling(self.key, row.name) if row.choice else self.key
        self.row_name = f"{row.name}[x]" if row.choice else row.name
        self.type_name = PROFILED_TYPES.get(type_name, type_name)
        self.position = position
        self.repeats = row.max == UNBOUNDED or row.max > 1
        self.is_xhtml = type_name == "xhtml"
        self.is_resource = type_name == "Resource"
        self.is_primitive = is_primitive(type_name) and not self.is_xhtml
        self.json_type = json_type(type_name) if self.is_primitive else "object"
        self.tag = f"{{{XHTML}}}{self.key}" if self.is_xhtml else TAG + self.key
        self.opening = f"<{self.key}"
        self.opening_with_value = f'<{self.key} {VALUE}="'
        self.closing = f"</{self.key}>"

    @cached_property
    def part(self) -> "Part":
        """Gives what an element of this kind consists of; of a primitive that is its id and extensions."""
        return xml_part(_PRIMITIVE_ELEMENT if self.is_primitive else self.type_name)


class Part:
    """The elements of a type, or of one nested part of it.

    Args:
        name: the FHIR type (``Patient``) or the path of a part (``Patient.contact``).

    >>> part = Part("Extension")
    >>> part.attributes, part.by_key["valueCode"].tag
    (('id', 'url'), '{http://hl7.org/fhir}valueCode')
    """

    __slots__ = ("attributes", "by_key", "by_tag", "is_resource", "name", "rank")

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_resource = name in index().resource_types
        self.attributes = () if self.is_resource else ("id", "url") if name == "Extension" else ("id",)
        self.by_key: dict[str, Slot] = {}
        self.by_tag: dict[str, Slot] = {}
        self.rank: dict[str, int] = {"resourceType": -1} if self.is_resource else {}
        for position, row in enumerate(part_table(name).elements):
            for type_name in row.types:
                self._add(Slot(row, type_name, position))

    def _add(self, slot: Slot) -> None:
        self.rank[slot.key] = slot.position
        if slot.key in self.attributes:
            return
        self.by_key[slot.key] = self.by_tag[slot.tag] = slot
        if slot.is_primitive:
            self.rank[slot.sibling_key] = slot.position
            self.by_key[slot.sibling_key] = slot


@cache
def xml_part(name: str) -> Part:
    """Gives the slots of a type or of a part of it.

    Raises:
        KeyError: R4 has no such type or part.
    """
    return Part(name)


@cache
def resource_tags() -> dict[str, str]:
    """Gives the resource type for each XML name that a resource may have."""
    return {TAG + name: name for name in index().resource_types}


@cache
def element_names() -> frozenset[str]:
    """Gives the names of all elements of R4, those of resources included; this decodes every table once."""
    names = set(index().resource_types)
    for part in all_part_names():
        for row in part_table(part).elements:
            names.update(json_name(row, type_name) for type_name in row.types)
    return frozenset(names)
