"""FHIR XML becomes the JSON it says the same as.

What lives here: :func:`decode`. What does not: parsing the XML safely (:mod:`referral_hub.fhir.xml_parser`),
writing (:mod:`referral_hub.fhir.xml_writing`), and judging what was said (the validator): cardinality,
codes and patterns are asked of the JSON, whichever way it came.

Refused is everything JSON could not say: unknown elements and attributes, other namespaces, text between
elements, a second element where one belongs, another order than that of the standard, elements that say
nothing. Passed over are comments, processing instructions, blanks between elements, and
``xsi:schemaLocation``, which many tools write although the standard asks them not to.

Source: FHIR R4 ``xml.html``, ``json.html#xml``.
"""

import re
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, Final, NoReturn

from lxml import etree

from referral_hub.errors import InvalidResource, MalformedContent
from referral_hub.fhir import json_codec
from referral_hub.fhir.narrative import XHTML
from referral_hub.fhir.outcome import Issue
from referral_hub.fhir.primitives import EXPECTED
from referral_hub.fhir.validation_run import Enough, Path, Run
from referral_hub.fhir.xml_narrative import ForeignNode, div_text
from referral_hub.fhir.xml_parser import MOST_NODES, parse
from referral_hub.fhir.xml_tables import NAMESPACE, TAG, VALUE, Part, Slot, resource_tags, xml_part

Json = dict[str, Any]

_PASSED_OVER: Final = "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation"
_BLANKS = " \t\r\n"
_ONLY_VALUE: Final = [VALUE]
_KEPT_AS_WRITTEN = frozenset({"string", "markdown", "base64Binary"})
_INTEGER = re.compile(r"0|[-+]?[1-9][0-9]*").fullmatch
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?").fullmatch
_MORE = Issue("information", "informational", "There are more problems than are told here.")
_HAS_TEXT = etree.XPath("boolean(//f:*/text()[normalize-space()])", namespaces={"f": NAMESPACE})


def decode(data: bytes, *, levels: int = json_codec.LEVELS, most_nodes: int = MOST_NODES) -> Json:
    """Gives the JSON of a resource that came as XML, with every digit and character it was written with.

    Args:
        data: the body, UTF-8; its size is for the caller to limit.
        levels: how deep objects and lists of the JSON may be nested.
        most_nodes: how many elements and attributes the XML may have.

    Returns:
        the resource, its keys in the order of the XML; whether it is valid is for the validator to say.

    Raises:
        MalformedContent: not XML, unsafe XML, nested too deep, or no FHIR at all. 400 on the wire.
        InvalidResource: it is XML that is not FHIR XML; holds every problem with its place. 422 on the wire.

    Source: FHIR R4 ``xml.html``.

    >>> decode(b'<Patient xmlns="http://hl7.org/fhir"><birthDate value="1990"/></Patient>')
    {'resourceType': 'Patient', 'birthDate': '1990'}
    """
    root = parse(data, most_nodes=most_nodes)
    if not str(root.tag).startswith(TAG):
        raise MalformedContent(
            f"The XML is no resource: its root element is not in the namespace {NAMESPACE}."
        )
    has_text = bool(_HAS_TEXT(root))
    reading = _Reading(levels, has_text=has_text)
    found: Json | None = None
    try:
        found = reading.resource(root, None, levels - 1)
    except Enough:
        reading.run.issues.append(_MORE)
    if reading.run.issues or found is None or has_text:
        raise InvalidResource(reading.run.issues or [Issue("error", "structure", _TEXT)])
    return found


class _Reading:
    """One document being read.

    Args:
        levels: how deep the JSON may be nested, for the sentence about it.
        has_text: text stands between elements somewhere, so every place is looked at for it.
    """

    __slots__ = ("has_text", "levels", "run")

    def __init__(self, levels: int, *, has_text: bool) -> None:
        self.levels = levels
        self.has_text = has_text
        self.run = Run({}, {})

    def resource(self, element: etree._Element, path: Path | None, left: int) -> Json | None:
        """Reads an element that must be a resource.

        Args:
            element: the element that is named as the type.
            path: the place of the resource; None for the outermost.
            left: how many levels of JSON may follow below it.
        """
        name = resource_tags().get(str(element.tag))
        if name is None:
            text = "R4 has no resource of this type; type names start with a capital letter."
            self.run.add("not-supported", text, path or (None, "Resource", -1))
            return None
        if left < 0:
            self._refuse_depth()
        found: Json = {"resourceType": name}
        self._read_into(found, element, xml_part(name), path or (None, name, -1), left)
        return found

    def _read_into(self, found: Json, element: etree._Element, part: Part, path: Path, left: int) -> None:
        """Reads the attributes and the children of an element into an object."""
        # keys(), never items(): of an element with very many attributes, items() looks each of them up.
        for name in element.keys():  # noqa: SIM118
            if name in part.attributes:
                self._attribute(found, name, element.get(name), path)
            elif not (name == VALUE and part.name == "Element"):
                self._unknown_attribute(name, part.name, path)
        if self.has_text:
            self._look_for_text(element, path)
        find = part.by_tag.get
        last = -1
        uneven: list[Slot] = []
        for child in element:
            slot = find(str(child.tag))
            if slot is None:
                if isinstance(child.tag, str):
                    self._unknown(child.tag, part, path)
                continue
            if slot.position <= last and not (slot.repeats and slot.position == last):
                self._misplaced(slot, part, path, is_late=slot.position < last)
                continue
            last = slot.position
            if slot.is_primitive:
                if self._primitive(found, child, slot, path, left) and slot not in uneven:
                    uneven.append(slot)
            else:
                self._object(found, child, slot, path, left)
        for slot in uneven:
            _even_out(found, slot)

    # ---- values ----

    def _primitive(self, found: Json, child: etree._Element, slot: Slot, path: Path, left: int) -> bool:
        """Reads a primitive; says whether it repeats and has an id or extensions."""
        key = slot.key
        text = child.get(VALUE) if child.keys() == _ONLY_VALUE else None
        if text is not None and not len(child) and not self.has_text:
            if slot.repeats:
                values = found.setdefault(key, [])
                if left < 1:
                    self._refuse_depth()
                values.append(self._value(text, slot, (path, slot.told, len(values))))
            else:
                found[key] = self._value(text, slot, (path, slot.told, -1))
            return False
        return self._primitive_with_sibling(found, child, slot, path, left)

    def _primitive_with_sibling(
        self, found: Json, child: etree._Element, slot: Slot, path: Path, left: int
    ) -> bool:
        values: list[Any] = found.setdefault(slot.key, []) if slot.repeats else []
        place: Path = (path, slot.told, len(values) if slot.repeats else -1)
        left -= 2 if slot.repeats else 1
        sibling: Json = {}
        text = child.get(VALUE)
        if text is None or len(child.attrib) > 1 or len(child) or self.has_text:
            self._read_into(sibling, child, slot.part, place, left)
        if sibling and left < 0:
            self._refuse_depth()
        value = None if text is None else self._value(text, slot, place)
        if text is None and not sibling and not self.has_text:
            self.run.add("value", _EMPTY, place)
        if not slot.repeats:
            if value is not None:
                found[slot.key] = value
            if sibling:
                found[slot.sibling_key] = sibling
            return False
        if sibling:
            siblings = found.setdefault(slot.sibling_key, [])
            siblings.extend([None] * (len(values) - len(siblings)))
            siblings.append(sibling)
        values.append(value)
        return True

    def _value(self, text: str, slot: Slot, place: Path) -> Any:
        """Gives the JSON value for the text of an attribute; None, with a note, if it is none of its type."""
        if not text:
            self.run.add("value", "The value is empty: leave the element out.", place)
            return None
        type_name = slot.type_name
        if type_name in _KEPT_AS_WRITTEN:
            return text
        text = text.strip(_BLANKS)
        if slot.json_type == "string":
            return text
        try:
            return _CONVERT.get(type_name, _integer)(text)
        except (ValueError, MalformedContent):
            written = EXPECTED[type_name].removesuffix(", without quotes")
            self.run.add("value", f"This is no valid {type_name}: write {written}.", place)
            return None

    # ---- elements with parts ----

    def _object(self, found: Json, child: etree._Element, slot: Slot, path: Path, left: int) -> None:
        if slot.repeats:
            items = found.setdefault(slot.key, [])
            place: Path = (path, slot.told, len(items))
            item = self._item(child, slot, place, left - 2)
            items.append(item)
        else:
            found[slot.key] = self._item(child, slot, (path, slot.told, -1), left - 1)

    def _item(self, child: etree._Element, slot: Slot, place: Path, left: int) -> Any:
        if slot.is_xhtml:
            return self._narrative(child, place)
        if left < 0:
            self._refuse_depth()
        if slot.is_resource:
            return self._resource_inside(child, place, left)
        item: Json = {}
        self._read_into(item, child, slot.part, place, left)
        if not item and not self.has_text:
            self.run.add("value", _EMPTY, place)
        return item

    def _resource_inside(self, element: etree._Element, place: Path, left: int) -> Json | None:
        for name in element.keys():  # noqa: SIM118
            self._unknown_attribute(name, "The element around a resource", place)
        if self.has_text:
            self._look_for_text(element, place)
        inner = [child for child in element if isinstance(child.tag, str)]
        if len(inner) != 1:
            self.run.add(
                "structure", "Exactly one resource belongs in here, as an element named as its type.", place
            )
            return None
        return self.resource(inner[0], place, left)

    def _narrative(self, div: etree._Element, place: Path) -> str:
        try:
            return div_text(div)
        except ForeignNode:
            text = f"Only elements of XHTML ({XHTML}) with its own attributes may stand in the div of a narrative."
            self.run.add("structure", text, place)
            return ""

    # ---- what cannot be said in JSON ----

    def _attribute(self, found: Json, name: str, text: str | None, path: Path) -> None:
        if text:
            found[name] = text
        else:
            self.run.add("value", "The attribute is empty: leave it out.", (path, name, -1))

    def _unknown_attribute(self, name: str, owner: str, path: Path) -> None:
        if name == _PASSED_OVER:
            return
        if name == VALUE:
            text = f"{owner} has parts, not a value: write them as elements inside it."
        elif name.startswith("{"):
            text = "An attribute of another namespace stands here: FHIR has none, leave it out."
        elif owner == "Element":
            text = "A single value has no such attribute: possible are value, and id."
        else:
            text = f"{owner} has no such attribute: what it consists of is written as elements inside it."
        self.run.add("structure", text, path)

    def _look_for_text(self, element: etree._Element, path: Path) -> None:
        between = (element.text, *(child.tail for child in element))
        if any(text and text.strip(_BLANKS) for text in between):
            self.run.add("structure", _TEXT, path)

    def _unknown(self, tag: str, part: Part, path: Path) -> None:
        namespace, _, name = tag.rpartition("}")
        place: Path = (path, name, -1) if name.isidentifier() and len(name) <= 64 else path
        if f"{namespace}}}" != TAG and namespace[1:] != XHTML:
            text = f"An element of another namespace stands here: elements of FHIR are in {NAMESPACE}."
        elif namespace[1:] == XHTML:
            text = "An element of XHTML stands here: only the div of a narrative, in its text, is XHTML."
        elif f"{{{XHTML}}}{name}" in part.by_tag:
            text = f'The div of a narrative is XHTML: it needs xmlns="{XHTML}".'
        elif name in part.attributes:
            text = f"{part.name} writes its {name} as an attribute."
        else:
            known = sorted(slot.key for slot in part.by_tag.values())
            near = (
                get_close_matches(name, known, n=3) if len(name) <= 64 and len(self.run.issues) < 20 else []
            )
            hint = f"did you mean {' or '.join(near)}?" if near else f"possible are {', '.join(known)}."
            text = f"{part.name} has no such element: {hint}"
        self.run.add("structure", text, place)

    def _misplaced(self, slot: Slot, part: Part, path: Path, *, is_late: bool) -> None:
        if is_late:
            text = f"The element {slot.key} stands too late: {part.name} has its elements in the order of the standard."
        elif slot.row_name.endswith("[x]"):
            text = f"Only one element may stand for {slot.row_name} of {part.name}: choose one type and write it once."
        else:
            text = f"The element {slot.key} stands twice: {part.name} has it once."
        self.run.add("structure", text, (path, slot.told, -1))

    def _refuse_depth(self) -> NoReturn:
        raise MalformedContent(f"The content is nested more than {self.levels} levels deep.")


_TEXT = "Text stands between the elements: a value is written in the attribute value of its element."
_EMPTY = "The element says nothing: give it a value, parts or an extension, or leave it out."


def _even_out(found: Json, slot: Slot) -> None:
    """Gives both lists of a repeated primitive the same length; a list without any value is left out."""
    values, siblings = found[slot.key], found.get(slot.sibling_key)
    if siblings is not None:
        siblings.extend([None] * (len(values) - len(siblings)))
        if all(value is None for value in values):
            del found[slot.key]


def _integer(text: str) -> int:
    if len(text) > _LONGEST_INTEGER or not _INTEGER(text):
        raise ValueError
    return int(text)


def _decimal(text: str) -> Any:
    if not _DECIMAL(text):
        raise ValueError
    return json_codec.decode(text.encode("ascii"))


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError
    return text == "true"


_LONGEST_INTEGER = 32
_CONVERT: dict[str, Callable[[str], Any]] = {"boolean": _boolean, "decimal": _decimal}
