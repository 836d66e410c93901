"""A scan that was handed in, or a drawing from a screen: whether its bytes are what a signed form may be.

What lives here: the look at the bytes. What does not: storing them (``casework.permission_forms``), the form
(``web.portal``).

The name and the type that a browser states are not asked: the bytes say what they are. Nothing is decoded, so nothing
in a picture or a document can do harm here; what is kept is given out again only apart from the hub's own pages.

Source: ISO 32000-2, 7.5 (PDF); ISO/IEC 10918-1 (JPEG); W3C PNG 5.2; ``consent.md`` C-05.
"""

import base64
import binascii
from struct import unpack

from referral_hub.errors import InvalidResource
from referral_hub.fhir.outcome import Issue

LARGEST = 4_000_000
"""Bytes of a scan at most."""
LARGEST_DRAWING = 20_000
"""Bytes of a drawing at most; a signature has a few thousand."""
PLACE = "Consent.source[x]"

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_END = b"IEND\xaeB`\x82"
_DRAWN = "data:image/png;base64,"
_SMALLEST_DRAWING = 8
_ACTIVE = (b"/JavaScript", b"/JS ", b"/JS(", b"/Launch", b"/EmbeddedFile", b"/OpenAction", b"/RichMedia")


def media_type_of(content: bytes) -> str:
    r"""Gives the media type that the bytes themselves show; empty where they are no PDF, JPEG or PNG.

    >>> media_type_of(b"%PDF-1.7\n1 0 obj\n%%EOF\n"), media_type_of(b"<html>")
    ('application/pdf', '')
    """
    if content.startswith(b"%PDF-") and b"%%EOF" in content[-1024:]:
        return "application/pdf"
    if content.startswith(b"\xff\xd8\xff") and content.rstrip(b"\0").endswith(b"\xff\xd9"):
        return "image/jpeg"
    if content.startswith(_PNG) and content[12:16] == b"IHDR" and content.endswith(_PNG_END):
        return "image/png"
    return ""


def scan_of(content: bytes) -> str:
    """Gives the media type of a scan.

    Raises:
        InvalidResource: it is empty, too large, or no scan (422).
    """
    if not content:
        raise _refused("Choose the scan or photo of the signed paper.")
    if len(content) > LARGEST:
        raise _refused("The file is larger than 4 MB. Scan it in grey, or with fewer dots.")
    media_type = media_type_of(content)
    if not media_type:
        raise _refused("This file is no PDF, JPEG or PNG. Scan the paper again, or take a photo of it.")
    if media_type == "application/pdf" and any(name in content for name in _ACTIVE):
        raise _refused(
            "This PDF can do things by itself. Print it to a plain PDF, or take a photo of the paper."
        )
    return media_type


def drawing_of(text: str) -> bytes:
    """Gives the PNG that was drawn on a screen.

    Args:
        text: the value of the form's field: a data URL.

    Raises:
        InvalidResource: nothing was drawn, or it is no drawing (422).
    """
    if not text:
        raise _refused("Nothing is drawn yet. She may also sign on paper, or with a mark.")
    try:
        content = (
            base64.b64decode(text.removeprefix(_DRAWN), validate=True) if text.startswith(_DRAWN) else b""
        )
    except (ValueError, binascii.Error):
        content = b""
    if len(content) > LARGEST_DRAWING or media_type_of(content) != "image/png":
        raise _refused("The drawing did not arrive whole. Draw it again, or sign on paper.")
    width, height = unpack(">II", content[16:24])
    if min(width, height) < _SMALLEST_DRAWING:
        raise _refused("Nothing is drawn yet. She may also sign on paper, or with a mark.")
    return content


def _refused(text: str) -> InvalidResource:
    return InvalidResource([Issue("error", "business-rule", text, PLACE)])
