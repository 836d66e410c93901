"""A resource from its JSON becomes FHIR XML.

What lives here: :func:`encode`. What does not: reading (:mod:`referral_hub.fhir.xml_reading`), and judging a
resource: it is taken to be valid, and only what XML could not carry, or would say differently, is refused.

Why by text and not by tree: what is written is simple, so it is joined from pieces prepared per element; the
only things that vary are values, which are escaped, and the narrative, which is checked to be one div.

Source: FHIR R4 ``xml.html``, ``json.html#xml``.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, NoReturn

from referral_hub.errors import InvalidResource, NotAcceptable
from referral_hub.fhir.outcome import Issue
from referral_hub.fhir.validator import validate
from referral_hub.fhir.xml_narrative import is_one_div
from referral_hub.fhir.xml_tables import NAMESPACE, Part, Slot, xml_part

DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>'

_SPECIAL = re.compile('[&<>"\x00-\x1f\ud800-\udfff\ufffe\uffff]')
_IMPOSSIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
)

Json = dict[str, Any]


class _Unwritable(Exception):
    """Something stands where the tables know of nothing like it."""


def encode(resource: Json) -> bytes:
    """Gives a resource as FHIR XML, with every digit and character that its JSON has.

    Elements stand in the order of the standard, whatever their order in JSON.

    Args:
        resource: a valid resource, as exact JSON decoding gave it.

    Raises:
        InvalidResource: it is not valid, in a way that cannot be written as XML; holds the validator's
            problems.
        NotAcceptable: a text holds a character that XML does not have; JSON is possible. 406 on the wire.

    Source: FHIR R4 ``xml.html``.

    >>> encode({"resourceType": "Patient", "birthDate": "1990", "active": True}).partition(b"?>")[2]
    b'<Patient xmlns="http://hl7.org/fhir"><active value="true"/><birthDate value="1990"/></Patient>'
    """
    pieces = [DECLARATION]
    try:
        _write_resource(resource, f' xmlns="{NAMESPACE}"', pieces)
    except (_Unwritable, KeyError, TypeError, AttributeError):
        _refuse(resource)
    return "".join(pieces).encode("utf-8")


def _refuse(resource: Json) -> NoReturn:
    issues = [issue for issue in validate(resource) if issue.is_error]
    text = "This resource cannot be written as XML: it holds something that is not of R4; JSON is possible."
    raise InvalidResource(issues or [Issue("error", "structure", text)]) from None


def _write_resource(resource: Json, declaration: str, pieces: list[str]) -> None:
    name = resource["resourceType"]
    part = xml_part(name)
    if not part.is_resource:
        raise _Unwritable
    start = len(pieces)
    pieces.append(f"<{name}{declaration}>")
    _write_content(resource, part, pieces)
    if len(pieces) == start + 1:
        pieces[start] = f"<{name}{declaration}/>"
    else:
        pieces.append(f"</{name}>")


def _write_content(owner: Json, part: Part, pieces: list[str]) -> None:
    find = part.by_key.get
    for key in sorted(owner, key=part.rank.__getitem__):
        slot = find(key)
        if slot is None:  # an attribute, or resourceType
            continue
        value = owner[key]
        if slot.is_primitive:
            sibling = owner.get(slot.sibling_key)
            if key != slot.key:
                if slot.key in owner:
                    continue
                value = None
            if sibling is not None or slot.repeats:
                _write_pairs(slot, value, sibling, pieces)
            else:
                pieces.append(f'{slot.opening_with_value}{_WRITE[slot.json_type](value)}"/>')
        elif slot.repeats:
            if type(value) is not list or not value:
                raise _Unwritable
            for item in value:
                _write_item(slot, item, pieces)
        else:
            _write_item(slot, value, pieces)


def _write_item(slot: Slot, item: Any, pieces: list[str]) -> None:
    if slot.is_xhtml:
        if type(item) is not str or not is_one_div(item):
            raise _Unwritable
        pieces.append(item)
    elif slot.is_resource:
        pieces.append(f"{slot.opening}>")
        _write_resource(item, "", pieces)
        pieces.append(slot.closing)
    else:
        _write_element(slot, item, "", pieces)


def _write_element(slot: Slot, item: Json, value: str, pieces: list[str]) -> None:
    """Writes an element with its attributes and what it holds.

    Args:
        slot: which element.
        item: the object, or for a primitive its sibling with id and extensions.
        value: the attribute with the value of a primitive, or nothing.
        pieces: where it is written.
    """
    if type(item) is not dict or not (item or value):
        raise _Unwritable
    part = slot.part
    start = len(pieces)
    head = slot.opening
    for name in part.attributes:
        if name in item:
            head = f'{head} {name}="{_text(item[name])}"'
    head += value
    pieces.append(f"{head}>")
    _write_content(item, part, pieces)
    if len(pieces) == start + 1:
        pieces[start] = f"{head}/>"
    else:
        pieces.append(slot.closing)


def _write_pairs(slot: Slot, value: Any, sibling: Any, pieces: list[str]) -> None:
    """Writes a primitive with its sibling; of one that repeats, the pairs of both lists by their place."""
    if not slot.repeats:
        _write_pair(slot, value, sibling, pieces)
        return
    values = [] if value is None else value
    siblings = [] if sibling is None else sibling
    if type(values) is not list or type(siblings) is not list or not (values or siblings):
        raise _Unwritable
    for position in range(max(len(values), len(siblings))):
        one = values[position] if position < len(values) else None
        other = siblings[position] if position < len(siblings) else None
        _write_pair(slot, one, other, pieces)


def _write_pair(slot: Slot, value: Any, sibling: Any, pieces: list[str]) -> None:
    if sibling is None:
        pieces.append(f'{slot.opening_with_value}{_WRITE[slot.json_type](value)}"/>')
    elif value is None:
        _write_element(slot, sibling, "", pieces)
    else:
        _write_element(slot, sibling, f' value="{_WRITE[slot.json_type](value)}"', pieces)


def _text(value: Any) -> str:
    if type(value) is not str or not value:
        raise _Unwritable
    if not _SPECIAL.search(value):
        return value
    if _IMPOSSIBLE.search(value):
        raise NotAcceptable("A text of this resource holds a character that XML does not have: ask for JSON.")
    return value.translate(_ESCAPES)


def _boolean(value: Any) -> str:
    if value is True:
        return "true"
    if value is False:
        return "false"
    raise _Unwritable


def _number(value: Any) -> str:
    if type(value) is int or (isinstance(value, Decimal) and value.is_finite()):
        return str(value)
    raise _Unwritable


_WRITE: dict[str, Callable[[Any], str]] = {"string": _text, "boolean": _boolean, "number": _number}
