"""FHIR XML, exact to the JSON.

What lives here: the two functions others use, :func:`encode` and :func:`decode`, and :func:`pretty` for
people. How they work is in :mod:`referral_hub.fhir.xml_writing` and :mod:`referral_hub.fhir.xml_reading`; what
is safe to parse, in :mod:`referral_hub.fhir.xml_parser`; JSON, in :mod:`referral_hub.fhir.json_codec`.

What comes back after JSON to XML to JSON is equal to the last digit and character, with these exceptions,
where XML has one way to say what JSON says in several:

- the order of keys is that of the standard, for XML prescribes it;
- a list of nothing but nulls beside its ``_`` sibling is left out;
- a narrative is spelled one way (:mod:`referral_hub.fhir.xml_narrative`);
- blanks around a value that cannot hold any (a date, a code, a number) are not kept.

Source: FHIR R4 ``xml.html``, ``json.html#xml``.
"""

import re
from typing import Final

from lxml import etree

from referral_hub.fhir.xml_parser import MOST_NODES, parse
from referral_hub.fhir.xml_reading import decode
from referral_hub.fhir.xml_tables import NAMESPACE, TAG
from referral_hub.fhir.xml_writing import DECLARATION, encode

__all__ = ["CONTENT_TYPE", "MOST_NODES", "NAMESPACE", "decode", "encode", "is_beyond_xml", "pretty"]

CONTENT_TYPE: Final = "application/fhir+xml"
"""The media type of FHIR XML."""


_BEYOND = re.compile(rb"(?<!\\)(?:\\\\)*\\(?:u00|[bf])|\xef\xbf[\xbe\xbf]")


def is_beyond_xml(written: bytes) -> bool:
    r"""Says whether JSON that the hub wrote holds a character that XML does not have, escaped or as such.

    Such a resource could be shown to nobody who speaks XML, nor could a page it is on.

    >>> is_beyond_xml(rb'{"text":"a\u0001"}'), is_beyond_xml(rb'{"text":"a\\u0001 \n"}')
    (True, False)
    """
    return (b"\\" in written or b"\xef\xbf" in written) and _BEYOND.search(written) is not None


def pretty(data: bytes) -> bytes:
    """Gives the same XML with line breaks and two spaces per level, for people (``_pretty=true``).

    The narrative stays as it is: blanks in it may be seen.

    >>> print(pretty(encode({"resourceType": "Patient", "active": True})).decode())
    <?xml version="1.0" encoding="UTF-8"?>
    <Patient xmlns="http://hl7.org/fhir">
      <active value="true"/>
    </Patient>
    """
    root = parse(data, most_nodes=len(data))
    _indent(root, "\n")
    return f"{DECLARATION}\n{etree.tostring(root, encoding='unicode')}".encode()


def _indent(element: etree._Element, around: str) -> None:
    if not str(element.tag).startswith(TAG) or not len(element):
        return
    inside = f"{around}  "
    element.text = inside
    for child in element:
        child.tail = inside
        _indent(child, inside)
    element[-1].tail = around
