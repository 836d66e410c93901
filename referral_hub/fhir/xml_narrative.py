"""The div of a narrative, from JSON text to XML and back.

What lives here: the check that a text may be put between XML elements as it is, and the writing of an XHTML
tree as the text that JSON holds. What does not: which XHTML a resource may carry
(:mod:`referral_hub.fhir.narrative`).

JSON to XML keeps the text as it is. XML to JSON writes one spelling of it: an element without content is
closed at once (``<br/>``), attributes stand in double quotes, characters are written as such, the XHTML
namespace is named once, on the div. Comments stay, processing instructions do not.

Source: FHIR R4 ``narrative.html``, ``xml.html``, ``json.html#xhtml``.
"""

from lxml import etree

from referral_hub.errors import MalformedContent
from referral_hub.fhir.narrative import XHTML
from referral_hub.fhir.xml_parser import parse

_TAG = f"{{{XHTML}}}"
_XML_ATTRIBUTE = "{http://www.w3.org/XML/1998/namespace}"
_MOST_ATTRIBUTES = 100
_IN_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_IN_ATTRIBUTE = _IN_TEXT | str.maketrans({'"': "&quot;", "\n": "&#10;", "\t": "&#9;"})


class ForeignNode(Exception):
    """The narrative holds an element or attribute of another namespace."""


def is_one_div(text: str) -> bool:
    """Says whether a text is exactly one XHTML div that is well formed wherever it stands.

    A text that closes what it did not open, or opens a second element, could change what is around it.

    >>> is_one_div('<div xmlns="http://www.w3.org/1999/xhtml">Hello</div>')
    True
    >>> is_one_div('<div xmlns="http://www.w3.org/1999/xhtml"/></text><active value="true"/><text>')
    False
    """
    try:
        around = parse(b"<p>%b</p>" % text.encode("utf-8"))
    except (MalformedContent, UnicodeEncodeError):
        return False
    if len(around) != 1 or around[0].tag != f"{_TAG}div":
        return False
    return not (around.text or "").strip() and not (around[0].tail or "").strip()


def same_narrative(one: object, other: object) -> bool:
    """Says whether two texts are the same XHTML div, however each is spelled.

    >>> same_narrative('<div xmlns="http://www.w3.org/1999/xhtml"><p id="a" class="b"/></div>',
    ...     "<x:div xmlns:x='http://www.w3.org/1999/xhtml'><x:p class='b' id='a'></x:p></x:div>")
    True
    """
    if one == other:
        return True
    if not isinstance(one, str) or not isinstance(other, str):
        return False
    try:
        return _canonical(parse(one.encode("utf-8"))) == _canonical(parse(other.encode("utf-8")))
    except (MalformedContent, UnicodeEncodeError):
        return False


def _canonical(element: etree._Element) -> tuple[object, ...]:
    """Gives what an element says: its name, its attributes in any order, its text and elements; no comments."""
    if len(element.attrib) > _MOST_ATTRIBUTES:
        raise MalformedContent("An element of the narrative has too many attributes.")
    content: list[object] = [element.text or ""]
    for child in element:
        if isinstance(child.tag, str):
            content += [_canonical(child), child.tail or ""]
        else:
            content[-1] = f"{content[-1]}{child.tail or ''}"
    return element.tag, frozenset(element.items()), tuple(content)


def div_text(div: etree._Element) -> str:
    """Gives the text that JSON holds for the div of a narrative.

    Raises:
        ForeignNode: something in it is of another namespace than XHTML.

    >>> div_text(parse(b"<h:div xmlns:h='http://www.w3.org/1999/xhtml'>a<h:br></h:br>&#66;</h:div>"))
    '<div xmlns="http://www.w3.org/1999/xhtml">a<br/>B</div>'
    """
    pieces: list[str] = []
    _write(div, f' xmlns="{XHTML}"', pieces)
    return "".join(pieces)


def _write(element: etree._Element, declaration: str, pieces: list[str]) -> None:
    tag = str(element.tag)
    if not tag.startswith(_TAG):
        raise ForeignNode
    name = tag[len(_TAG) :]
    pieces.append(f"<{name}{declaration}")
    # No element of XHTML has so many, and lxml's items() would look each of very many up.
    if len(element.attrib) > _MOST_ATTRIBUTES:
        raise ForeignNode
    for key, value in element.items():
        pieces.append(f' {_attribute(key)}="{value.translate(_IN_ATTRIBUTE)}"')
    if element.text is None and not len(element):
        pieces.append("/>")
        return
    pieces.append(">")
    if element.text:
        pieces.append(element.text.translate(_IN_TEXT))
    for child in element:
        if isinstance(child.tag, str):
            _write(child, "", pieces)
        elif isinstance(child, etree._Comment):
            pieces.append(f"<!--{child.text}-->")
        if child.tail:
            pieces.append(child.tail.translate(_IN_TEXT))
    pieces.append(f"</{name}>")


def _attribute(key: str) -> str:
    if key.startswith(_XML_ATTRIBUTE):
        return f"xml:{key[len(_XML_ATTRIBUTE) :]}"
    if key.startswith("{"):
        raise ForeignNode
    return key
