"""The content of a Binary as it is: given to whom asks for something else than FHIR, taken from whom sends such.

What lives here: a Binary to its bytes and back. What does not: whether somebody asks for bytes (``web.forms``), who
reads a Binary (``exchange.gate``): it is read as the resource first, so that what is hidden is the same 404.

The bytes come from somebody: a browser is told to keep them apart from the hub's own pages, whatever they claim to be.

Source: FHIR R4 binary.html#rest; RFC 9110 section 8.3; RFC 6266 (attachment).
"""

import base64
import re
from typing import Any

from referral_hub.errors import UnsupportedMedia
from referral_hub.fhir import json_codec
from referral_hub.web.forms import JSON_TYPES, XML_TYPES
from referral_hub.web.negotiation import BodySizes, body_bytes
from referral_hub.web.wire import Asked, Reply

UNKNOWN_TYPE = "application/octet-stream"
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}"  # noqa: S105 - a token of RFC 9110
_MEDIA_TYPE = re.compile(
    rf'{_TOKEN}/{_TOKEN}(?: ?; ?{_TOKEN}=(?:{_TOKEN}|"[ !#-\[\]-~]{{0,100}}")){{0,5}}', re.ASCII
)
_APART = (
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "sandbox; default-src 'none'"),
    ("Content-Disposition", "attachment"),
    ("Vary", "Accept"),
)
_KEPT = frozenset({"Cache-Control", "ETag", "Last-Modified"})


def content_reply(reply: Reply) -> Reply:
    """Gives the content of a Binary that was read, under its own media type; 204 where the reader has none of it.

    Args:
        reply: the answer with the resource, or 304.
    """
    if reply.http_status != 200:
        return reply
    resource = json_codec.decode_own(reply.body)
    data = resource.get("data")
    kept = [(name, value) for name, value in reply.headers if name in _KEPT]
    made = Reply(204, b"", kept)
    if isinstance(data, str):
        media_type = _media_type(resource.get("contentType"))
        made = Reply(200, base64.b64decode(data), [("Content-Type", media_type), *kept, *_APART])
    made.about = reply.about
    return made


def _media_type(stated: Any) -> str:
    r"""Gives the media type as it may stand in a header.

    >>> _media_type("text/plain; charset=utf-8"), _media_type("text/x\r\nSet-Cookie: a=b"), _media_type(None)
    ('text/plain; charset=utf-8', 'application/octet-stream', 'application/octet-stream')
    """
    return stated if isinstance(stated, str) and _MEDIA_TYPE.fullmatch(stated) else UNKNOWN_TYPE


def is_content(asked: Asked) -> bool:
    """Tells whether a body is no FHIR: then it is the content of a Binary."""
    media_type, _ = asked.media_type()
    return bool(media_type) and media_type not in JSON_TYPES and media_type not in XML_TYPES


def sent_binary(asked: Asked, sizes: BodySizes, public_id: str) -> dict[str, Any]:
    """Gives the Binary that a body of any other media type is the content of.

    ``X-Security-Context`` names the resource that says who may read it, as ``Binary.securityContext`` would.

    Args:
        asked: the request.
        sizes: the hub's limits.
        public_id: the id in the address; empty for a new one.

    Raises:
        UnsupportedMedia: the media type is none (415).
        TooLarge, MalformedContent: see :func:`web.negotiation.body_bytes`.
    """
    stated = asked.header("CONTENT_TYPE")
    if not _MEDIA_TYPE.fullmatch(stated):
        raise UnsupportedMedia("The Content-Type is no media type.")
    content = body_bytes(asked, sizes.binary * 3 // 4)  # as base64 it is a third longer
    found: dict[str, Any] = {"resourceType": "Binary"}
    if public_id:
        found["id"] = public_id
    found["contentType"] = stated
    context = asked.header("HTTP_X_SECURITY_CONTEXT")
    if context:
        found["securityContext"] = {"reference": context}
    found["data"] = base64.b64encode(content).decode("ascii")
    return found
