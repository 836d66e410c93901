"""The narrative: which XHTML a resource may carry.

What lives here: a strict reader for the ``div`` of a Narrative. It accepts only what it fully understands:
one well-formed ``div`` in the XHTML namespace with the elements and attributes of the standard's list,
links that lead to pages, mail or telephone, and pictures that are part of the resource. Scripts, forms,
frames, event handlers, style that loads or hides behind a function, entities of HTML and everything unknown
are problems. What does not: repairing or rendering XHTML.

Why no XML library: a reader that knows less can be fooled less. The text is read once, front to back, by
one pattern.

Source: FHIR R4 ``narrative.html``, rules txt-1 and txt-2; HTML 4.01 chapters 7 to 11 (without 9.4) and 15.
"""

import re
from dataclasses import dataclass, field

XHTML = "http://www.w3.org/1999/xhtml"

LEVELS = 200
"""How deep the elements of a narrative may be nested."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ELEMENTS = _words(
    "a abbr acronym address area b bdo big blockquote br caption cite code col colgroup dd dfn div dl dt em "
    "h1 h2 h3 h4 h5 h6 hr i img kbd li map ol p pre q samp small span strong sub sup table tbody td tfoot th "
    "thead tr tt ul var"
)
_ATTRIBUTES = _words(
    "abbr accesskey align axis char charoff class colspan dir headers id lang rowspan scope span style "
    "tabindex title valign width xml:lang xml:space"
)
_OWN_ATTRIBUTES = {
    "a": _words("charset coords href hreflang name rel rev shape type"),
    "area": _words("alt coords href nohref shape"),
    "blockquote": _words("cite"),
    "img": _words("alt border height ismap longdesc src usemap width"),
    "map": _words("name"),
    "q": _words("cite"),
    "table": _words("border cellpadding cellspacing frame rules summary"),
    "td": _words("nowrap"),
}
_NOT_IN_PARAGRAPH = _words("blockquote div ol p table ul")
_LINKS = frozenset({"href", "cite", "longdesc"})

_VALUE = r"""(?:"[^"<]*"|'[^'<]*')"""
_PIECE = re.compile(
    rf"(?P<text>[^<&]+)"
    rf"|<(?P<open>[A-Za-z][A-Za-z0-9]*)(?P<attributes>(?:\s+[A-Za-z_][\w:.\-]*\s*=\s*{_VALUE})*)\s*(?P<empty>/?)>"
    r"|</(?P<close>[A-Za-z][A-Za-z0-9]*)\s*>"
    r"|&(?P<entity>amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});"
    r"|<!--(?P<comment>(?:(?!--).)*)-->",
    re.DOTALL | re.ASCII,
)
_ATTRIBUTE = re.compile(rf"([A-Za-z_][\w:.\-]*)\s*=\s*({_VALUE})", re.ASCII)
_ENTITY = re.compile(r"&(#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6}|[A-Za-z]+);|&")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")
_LINK_SCHEMES = frozenset({"http", "https", "mailto", "tel"})
_LINK = re.compile(r"(?:[^\W_]|[;?:@&=+$.,/%\-_~#\[\]!'()*|])+")
_PICTURE = re.compile(r"data:image/(?:png|jpeg|gif);base64,[A-Za-z0-9+/]+={0,2}")
_STYLE_THAT_REACHES_OUT = re.compile(
    r"(?<!rgb)(?<!rgba)(?<!hsl)(?<!hsla)\(|//|expression|@|\\|/\*|behaviou?r\s*:|-moz-binding|javascript|<"
    r"|position\s*:|[\x00-\x08\x0b\x0c\x0e-\x1f]",
    re.IGNORECASE,
)
_NO_CHARACTER_OF_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(slots=True)
class _Reading:
    """What was seen so far."""

    open_elements: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)
    fragments: list[str] = field(default_factory=list)
    has_content: bool = False
    is_finished: bool = False


def problem(text: str) -> str | None:
    """Says what is wrong with the div of a narrative; None if nothing is.

    The sentence names elements and attributes, never the text of the narrative.

    >>> problem('<div xmlns="http://www.w3.org/1999/xhtml"><p>Nothing special.</p></div>') is None
    True
    >>> problem('<div xmlns="http://www.w3.org/1999/xhtml"><script>1</script></div>')
    'The element script is not allowed in a narrative.'
    """
    return _read(text, _Reading())


def open_fragments(text: str) -> list[str]:
    """Gives the targets of links like ``#a1`` that the narrative itself does not hold.

    They must then be ids inside the resource.

    Source: FHIR R4 ``narrative.html`` (links within a resource).
    """
    reading = _Reading()
    _read(text, reading)
    return [fragment for fragment in reading.fragments if fragment not in reading.anchors]


def _read(text: str, reading: _Reading) -> str | None:
    position = 0
    end = len(text.rstrip())
    if not text.startswith("<div"):
        return "The narrative must be one div element and start with it."
    if _NO_CHARACTER_OF_XML.search(text):
        return "The narrative holds a character that XML does not have."
    while position < end:
        match = _PIECE.match(text, position, end)
        if match is None:
            return _unreadable(text, position)
        found = _piece(match, reading)
        if found is not None:
            return found
        position = match.end()
    if reading.open_elements:
        return f"The element {reading.open_elements[-1]} is not closed."
    return None if reading.has_content else "The narrative says nothing: it needs some text or a picture."


def _unreadable(text: str, position: int) -> str:
    if text[position] == "&":
        return (
            f"An & at character {position} starts no entity of XML: write the character itself instead of an "
            "entity of HTML, and &amp; for an ampersand."
        )
    return f"The narrative is not well-formed XHTML at character {position}."


def _piece(match: re.Match[str], reading: _Reading) -> str | None:
    kind = match.lastgroup
    if reading.is_finished:
        return "The narrative must be one div element; something follows after it."
    if kind == "entity" and _decoded(match[0]) is None:
        return "The narrative names a character that XML does not have."
    if kind in ("text", "entity"):
        reading.has_content = reading.has_content or kind == "entity" or not match["text"].isspace()
        return "The text ]]> is not allowed in XML." if kind == "text" and "]]>" in match["text"] else None
    if kind == "close":
        return _close(match["close"], reading)
    return _open(match, reading) if match["open"] else None


def _close(name: str, reading: _Reading) -> str | None:
    if reading.open_elements[-1] != name:
        return f"The element {reading.open_elements[-1]} is not closed before the end of another element."
    reading.open_elements.pop()
    reading.is_finished = not reading.open_elements
    return None


def _open(match: re.Match[str], reading: _Reading) -> str | None:
    name = match["open"]
    if name not in _ELEMENTS:
        shown = name if len(name) <= 20 else "found"
        return f"The element {shown} is not allowed in a narrative."
    if name in _NOT_IN_PARAGRAPH and "p" in reading.open_elements:
        return f"The element {name} is not allowed inside p."
    # Most elements inside the div have no attributes.
    if match["attributes"] or not reading.open_elements or name == "img":
        found = _read_attributes(name, match["attributes"], reading)
        if found is not None:
            return found
    if len(reading.open_elements) >= LEVELS:
        return f"The narrative is nested more than {LEVELS} levels deep."
    if match["empty"]:
        reading.is_finished = not reading.open_elements
    else:
        reading.open_elements.append(name)
    return None


def _read_attributes(name: str, text: str, reading: _Reading) -> str | None:
    attributes: dict[str, str] = {}
    for key, quoted in _ATTRIBUTE.findall(text):
        value = _decoded(quoted[1:-1])
        if key in attributes:
            return f"An element {name} has an attribute twice."
        if value is None:
            return f"An attribute of {name} holds an entity that XML does not have."
        attributes[key] = value
    found = _attributes_problem(name, attributes, is_outermost=not reading.open_elements)
    if found is None:
        _note(name, attributes, reading)
    return found


def _decoded(text: str) -> str | None:
    """Gives an attribute's value as a browser sees it; None if it holds an entity that XML does not have."""
    if "&" not in text:
        return text
    unknown = False

    def character(match: re.Match[str]) -> str:
        nonlocal unknown
        entity = match[1] or ""
        if entity.startswith("#"):
            code = int(entity[2:], 16) if entity[1] == "x" else int(entity[1:])
            named = chr(code) if code <= 0x10FFFF else "\0"
            unknown = unknown or _NO_CHARACTER_OF_XML.match(named) is not None
            return named
        unknown = unknown or entity not in _NAMED
        return _NAMED.get(entity, "")

    decoded = _ENTITY.sub(character, text)
    return None if unknown else decoded


def _attributes_problem(name: str, attributes: dict[str, str], *, is_outermost: bool) -> str | None:
    namespace = attributes.get("xmlns", XHTML if not is_outermost else "")
    if namespace != XHTML:
        return f'The div of a narrative needs xmlns="{XHTML}", and no other namespace is allowed.'
    own = _OWN_ATTRIBUTES.get(name, frozenset())
    for key, value in attributes.items():
        if key not in _ATTRIBUTES and key not in own and key != "xmlns":
            shown = key if len(key) <= 20 else "found"
            return f"The attribute {shown} is not allowed on the element {name} of a narrative."
        if key in _LINKS and not _is_safe_link(value):
            return f"The {key} of an element {name} must lead to a page, an address for mail or a telephone."
        if key == "src" and not (_PICTURE.fullmatch(value) or value.startswith("#")):
            return (
                "The src of an img must be a picture inside the resource (#id) or its data (data:image/...)."
            )
        if key == "style" and _STYLE_THAT_REACHES_OUT.search(value):
            return (
                f"The style of an element {name} may only say how it looks, not load, run or place anything."
            )
    return None


def _is_safe_link(target: str) -> bool:
    scheme = _SCHEME.match(target)
    if scheme is not None and scheme[1].lower() not in _LINK_SCHEMES:
        return False
    return _LINK.fullmatch(target) is not None


def _note(name: str, attributes: dict[str, str], reading: _Reading) -> None:
    """Remembers what links may point at, and which links point inside."""
    for key in ("id", "name") if name == "a" else ("id",):
        if key in attributes:
            reading.anchors.add(attributes[key])
    for key in ("href", "src"):
        target = attributes.get(key, "")
        if len(target) > 1 and target.startswith("#"):
            reading.fragments.append(target[1:])
    reading.has_content = reading.has_content or name == "img"
