"""A Bundle that asks for several things: each entry is answered as if it came alone.

What lives here: asking the FHIR API with one entry of a Bundle as its request. What does not: reading the entries
(``exchange.bundle_entries``), the writes of a transaction, which are one (``exchange.bundles``).

Source: FHIR R4 http.html#transaction, http.html#patch (a JSON Patch in a Bundle is a Binary).
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any
from urllib.parse import quote

from referral_hub.errors import HubError, InteractionNotSupported, InvalidResource, NotFound, TooMany
from referral_hub.exchange.bundle_entries import Entry
from referral_hub.exchange.proposal import Patch
from referral_hub.fhir import json_codec
from referral_hub.fhir.outcome import Issue
from referral_hub.fhir.patch import MEDIA_TYPE
from referral_hub.web.addresses import allowed_methods, matched
from referral_hub.web.error_handlers import error_reply
from referral_hub.web.forms import FHIR_JSON
from referral_hub.web.patches import json_patch_of, path_patch_of
from referral_hub.web.wire import Asked, Reply

MOST_WIDE = 20
"""The most entries of one Bundle that ask for much at once: a whole record, or all that was written."""
_WIDE = frozenset({"everything", "history_system", "copies.copy"})

Answers = Callable[..., Reply]
"""Gives the answer of a route: its name, the request, and the parts of the address by name."""

_ADDRESS = "".join(chr(code) for code in range(0x21, 0x7F))
_FROM_OUTER = ("HTTP_AUTHORIZATION", "HTTP_PREFER")


def check_width(entries: Sequence[Entry | Issue]) -> None:
    """Refuses a Bundle whose few entries would keep a worker from all others.

    Raises:
        TooMany: 422 on the wire.
    """
    asked = [entry for entry in entries if isinstance(entry, Entry) and not entry.body]
    found = (matched("GET", f"/{entry.path}") for entry in asked)
    if sum(1 for one in found if one is not None and one[0] in _WIDE) > MOST_WIDE:
        raise TooMany(
            f"One Bundle may ask for at most {MOST_WIDE} whole records or histories.", "Bundle.entry"
        )


def entry_reply(answers: Answers, outer: Asked, entry: Entry | Issue, *, is_full: bool = False) -> Reply:
    """Gives the answer to one entry, an OperationOutcome where it is refused.

    Args:
        answers: answers a route by its name.
        outer: the request the Bundle came in.
        entry: the entry, or what is wrong with it.
        is_full: the answers before it are as much as one Bundle may hold, so nothing is done any more.
    """
    try:
        if is_full:
            raise TooMany(
                "The answer of this Bundle is too large already; nothing was done. Ask for this apart."
            )
        if isinstance(entry, Issue):
            raise InvalidResource([entry])
        method = "GET" if entry.method == "HEAD" else entry.method
        found = matched(method, f"/{entry.path}")
        if found is None or found[0] == "bundle":
            if allowed_methods(f"/{entry.path}"):
                raise InteractionNotSupported("This address does not take this method.")
            raise NotFound
        name, values = found
        reply = answers(name, _asked(outer, entry, method), values)
    except HubError as error:
        return error_reply(error)
    if entry.method == "HEAD":
        reply.body = b""
    return reply


def _asked(outer: Asked, entry: Entry, method: str) -> Asked:
    body, content_type = _sent(entry)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": f"/fhir/{entry.path}",
        "QUERY_STRING": quote(entry.query, safe=_ADDRESS),
        "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body),
    }
    given = {
        "HTTP_IF_MATCH": entry.if_match,
        "HTTP_IF_NONE_MATCH": entry.if_none_match,
        "HTTP_IF_MODIFIED_SINCE": entry.if_modified_since,
        "HTTP_IF_NONE_EXIST": entry.if_none_exist,
    }
    environ.update({name: value for name, value in given.items() if value})
    environ.update({name: outer.environ[name] for name in _FROM_OUTER if name in outer.environ})
    return Asked(environ)


def _sent(entry: Entry) -> tuple[bytes, str]:
    if entry.body is None:
        return b"", ""
    if entry.method == "PATCH" and entry.body.get("resourceType") == "Binary":
        return patch_bytes(entry), MEDIA_TYPE
    return json_codec.encode(entry.body), FHIR_JSON


def patch_bytes(entry: Entry) -> bytes:
    """Gives the JSON Patch that a Bundle carries in a Binary.

    Raises:
        InvalidResource: the Binary is none of a JSON Patch (422).
    """
    body = entry.body or {}
    data = body.get("data")
    if body.get("contentType", MEDIA_TYPE) == MEDIA_TYPE and isinstance(data, str):
        try:
            return base64.b64decode(data, validate=True)
        except (binascii.Error, ValueError):
            pass
    text = f"A JSON Patch in a Bundle is a Binary with contentType {MEDIA_TYPE} and its data in base64."
    raise InvalidResource([Issue("error", "structure", text, f"{entry.place}.resource")])


def patch_of(entry: Entry) -> Patch:
    """Gives the patch an entry of a transaction carries: a Binary with a JSON Patch, or Parameters.

    Raises:
        InvalidResource: it is neither, or cannot be read (422).
        MalformedContent: it is no JSON Patch (400).
    """
    if entry.body is not None and entry.body.get("resourceType") == "Parameters":
        return path_patch_of(entry.body)
    return json_patch_of(patch_bytes(entry))
