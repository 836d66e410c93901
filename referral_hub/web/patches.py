"""Reading the patch in a request, of whichever kind.

What lives here: telling JSON Patch from FHIRPath Patch. What does not: the patches themselves (``fhir.patch``,
``fhir.path_patch``), which elements a caller may change (``exchange``).

Source: FHIR R4 http.html#patch.
"""

from functools import partial
from typing import Any

from referral_hub.errors import MalformedContent, UnsupportedMedia
from referral_hub.exchange.proposal import Patch
from referral_hub.fhir import json_codec, path_patch
from referral_hub.fhir import patch as json_patch
from referral_hub.web.forms import JSON_TYPES, XML_TYPES, sent_resource
from referral_hub.web.negotiation import BodySizes, body_bytes
from referral_hub.web.wire import Asked

PATCH_TYPES = (json_patch.MEDIA_TYPE, "application/fhir+json", "application/fhir+xml")
_KINDS = (
    f"Send a JSON Patch as {json_patch.MEDIA_TYPE}, or a FHIRPath Patch (Parameters) as application/fhir+json or "
    "application/fhir+xml."
)


def sent_patch(asked: Asked, sizes: BodySizes) -> Patch:
    """Gives the patch in the body, read and ready to be applied.

    A list in plain ``application/json`` is taken as a JSON Patch too, as some clients send it.

    Raises:
        UnsupportedMedia: a kind of patch the hub does not know, such as XML Patch (415).
        MalformedContent: it cannot be read (400).
        InvalidResource: an operation of a FHIRPath Patch lacks a part (422).
    """
    media_type, charset = asked.media_type()
    if charset not in ("utf-8", "utf8"):
        raise UnsupportedMedia("Send it in UTF-8.")
    if media_type == json_patch.MEDIA_TYPE:
        return json_patch_of(body_bytes(asked, sizes.resource))
    if media_type not in JSON_TYPES | XML_TYPES:
        raise UnsupportedMedia(_KINDS)
    if media_type in XML_TYPES:
        return path_patch_of(sent_resource(asked, sizes))
    body = body_bytes(asked, sizes.resource)
    if body.lstrip()[:1] == b"[":
        return json_patch_of(body)
    parameters = json_codec.decode_object(body, levels=sizes.levels)
    if parameters.get("resourceType") != "Parameters":
        raise MalformedContent(_KINDS)
    return path_patch_of(parameters)


def json_patch_of(body: bytes) -> Patch:
    """Gives a JSON Patch ready to be applied.

    Raises:
        MalformedContent: it is none (400).
    """
    return partial(json_patch.apply, operations=json_patch.read(body))


def path_patch_of(parameters: dict[str, Any]) -> Patch:
    """Gives a FHIRPath Patch ready to be applied.

    Raises:
        InvalidResource: it is none, or an operation lacks a part (422).
    """
    return partial(path_patch.apply, operations=path_patch.read(parameters))
