"""XML from outside becomes a tree, or is refused before it can do harm.

What lives here: :func:`parse`, the one door for XML bytes that others wrote. What does not: what the tree
means (:mod:`referral_hub.fhir.xml_reading`).

What is refused: a document type (and with it every entity, expansion and external file), any encoding but
UTF-8, XML that is not well formed, more elements and attributes than the caller allows, and depth beyond
what libxml2 takes. Nothing is loaded, included or looked up.

Why a thread now and then: libxml2 keeps every name it meets in a dictionary that lives as long as the
thread. Documents full of invented names would make a server grow and never shrink. So only a document whose
names, namespaces and line breaks are the ordinary ones is parsed in the caller's thread; any other is parsed
in a thread of its own, and what it left in memory goes with that thread and the tree.

Source: FHIR R4 ``xml.html`` (no DTD, UTF-8 only), ``security.html#narrative``; W3C XML 1.0, fifth edition.
"""

import re
from functools import cache
from threading import Thread

from lxml import etree

from referral_hub.errors import MalformedContent
from referral_hub.fhir.narrative import XHTML
from referral_hub.fhir.xml_tables import NAMESPACE, element_names

MOST_NODES = 500_000
"""The most elements and attributes of one document unless the caller says otherwise."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_OTHER_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")
_DOCUMENT_TYPE = re.compile(rb"<!(?:DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)")
_ENCODING = re.compile(rb"""<\?xml[^>]*?\sencoding\s*=\s*["']([^"'>]*)["']""")

_ORDINARY_ATTRIBUTES = (
    "value|url|id|version|encoding|align|alt|border|cellpadding|cellspacing|class|colspan|height|href|name|"
    "rowspan|src|style|title|valign|width"
)
_ORDINARY_TAG = re.compile(
    rf"""<([A-Za-z?][A-Za-z0-9]*)(?:\s+(?:(?:{_ORDINARY_ATTRIBUTES})\s*=\s*(?:"[^"<]*"|'[^'<]*')"""
    rf"""|xmlns="(?:{re.escape(NAMESPACE)}|{re.escape(XHTML)})"))*\s*[/?]?>""".encode("ascii")
)
_ODD_BLANKS = re.compile(rb">(?!(?:\r?\n(?: *|\t*)| *)[<&])[ \t\r\n]+[<&]")
_XHTML_NAMES = (
    "a b blockquote br caption code col colgroup dd div dl dt em h1 h2 h3 h4 h5 h6 hr i img li ol p pre small "
    "span strong sub sup table tbody td tfoot th thead tr tt ul"
)


def parse(data: bytes, *, most_nodes: int = MOST_NODES) -> etree._Element:
    """Gives the root element of XML that came from outside.

    Comments and processing instructions stay in the tree, for the reader to pass over.

    Args:
        data: the body, UTF-8; its size is for the caller to limit.
        most_nodes: how many elements and attributes it may have; estimated from above before parsing.

    Raises:
        MalformedContent: not well-formed XML, not UTF-8, with a document type, too many nodes or too deep.
            The text names line and column, never what stands there. 400 on the wire.

    >>> parse(b'<Patient xmlns="http://hl7.org/fhir"/>').tag
    '{http://hl7.org/fhir}Patient'
    """
    _refuse_unreadable(data)
    if data.count(b"<") + (data.count(b'"') + data.count(b"'")) // 2 > most_nodes:
        raise MalformedContent(f"The XML has too many elements and attributes: {most_nodes} are possible.")
    root = _parse(data) if _is_ordinary(data) else _parse_apart(data)
    # A second look: what the search above did not see, the parser did.
    if root.getroottree().docinfo.internalDTD is not None:
        raise MalformedContent(_NO_DOCUMENT_TYPE)
    return root


_NO_DOCUMENT_TYPE = (
    "The XML has a document type (DOCTYPE) or declares entities: leave it out. Characters are written as such "
    "or as &#...;."
)


def _refuse_unreadable(data: bytes) -> None:
    if data.startswith(_OTHER_BYTE_ORDER_MARKS):
        raise MalformedContent("The XML is not in UTF-8, the only encoding possible.")
    declared = _ENCODING.match(data.removeprefix(_BYTE_ORDER_MARK)) if b"<?xml" in data[:8] else None
    if declared is not None and declared[1].upper() != b"UTF-8":
        raise MalformedContent("The XML declares another encoding than UTF-8, the only one possible.")
    if b"<!" in data and _DOCUMENT_TYPE.search(data):
        raise MalformedContent(_NO_DOCUMENT_TYPE)


def _parse(data: bytes) -> etree._Element:
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        no_network=True,
        recover=False,
        huge_tree=False,
        collect_ids=False,
    )
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as problem:
        raise _refusal(data, problem) from None


def _refusal(data: bytes, problem: etree.XMLSyntaxError) -> MalformedContent:
    if not data.strip():
        return MalformedContent("The content is empty: XML of one resource is expected.")
    line, column = problem.position
    if problem.code == etree.ErrorTypes.ERR_UNDECLARED_ENTITY:
        return MalformedContent(
            f"XML has no entity of the name at line {line}, column {column}: write the character itself."
        )
    if problem.code == etree.ErrorTypes.ERR_INVALID_ENCODING:
        return MalformedContent(f"The content is not UTF-8 at line {line}, column {column}.")
    if problem.code == etree.ErrorTypes.ERR_RESOURCE_LIMIT or "depth" in str(problem.msg):
        return MalformedContent(f"The XML is nested too deep or a text in it is too long at line {line}.")
    return MalformedContent(f"The content is not well-formed XML at line {line}, column {column}.")


def _parse_apart(data: bytes) -> etree._Element:
    """Parses in a thread that ends, so that the names it met do not stay in memory."""
    outcome: list[etree._Element | MalformedContent] = []

    def work() -> None:
        try:
            outcome.append(_parse(data))
        except MalformedContent as refusal:
            outcome.append(refusal)

    thread = Thread(target=work, name="xml", daemon=True)
    thread.start()
    thread.join()
    if not outcome:
        raise MalformedContent("The content could not be read as XML.")
    if isinstance(outcome[0], MalformedContent):
        raise outcome[0]
    return outcome[0]


def _is_ordinary(data: bytes) -> bool:
    """Says whether every tag, namespace and run of blanks is such as FHIR documents have.

    Each ``<`` must begin an end tag or a start tag that is understood to its end; a comment, a processing
    instruction, CDATA, a prefix or a name that nobody knows makes the document another than ordinary.
    """
    names = _ORDINARY_TAG.findall(data)
    return (
        len(names) + data.count(b"</") == data.count(b"<")
        and _ordinary_names().issuperset(names)
        and _ODD_BLANKS.search(data) is None
    )


@cache
def _ordinary_names() -> frozenset[bytes]:
    names = (*element_names(), *_XHTML_NAMES.split(), "?xml")
    return frozenset(name.encode("ascii") for name in names)
