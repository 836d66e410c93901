"""What form a request has and its answer shall have: media types, Prefer, ETags, sizes.

What lives here: reading headers. What does not: making answers (``web.answers``), rules.

Source: FHIR R4 http.html#mime-type, #ops, #concurrency; RFC 7240 (Prefer).
"""

from dataclasses import dataclass

from flask import Request

from referral_hub.errors import MalformedContent, NotAcceptable, TooLarge, UnsupportedMedia
from referral_hub.fhir.patch import MEDIA_TYPE as JSON_PATCH

JSON_TYPES = frozenset({"application/fhir+json", "application/json", "text/json", "json"})
_ANY = frozenset({"*/*", "application/*"})
_ONLY_JSON = "This hub answers application/fhir+json."


@dataclass(frozen=True, slots=True)
class Preferences:
    """What the caller prefers: ``returned`` is ``representation``, ``minimal`` or ``OperationOutcome``."""

    returned: str = "representation"
    strict: bool = False
    pretty: bool = False


@dataclass(frozen=True, slots=True)
class BodySizes:
    """The most bytes of a body, by what it is. Source: ``interfaces.md`` 5."""

    resource: int
    binary: int
    levels: int


def check_accepts(request: Request) -> None:
    """Refuses a caller that takes no form the hub speaks.

    Raises:
        NotAcceptable: 406 on the wire.
    """
    asked = request.args.get("_format")
    if asked:
        if asked.partition(";")[0].strip().lower() not in JSON_TYPES:
            raise NotAcceptable(_ONLY_JSON)
        return
    header = request.headers.get("Accept")
    if not header:
        return
    for part in header.split(","):
        media, _, parameters = part.partition(";")
        name = media.strip().lower()
        if name not in JSON_TYPES and name not in _ANY:
            continue
        settings = {
            key.strip(): value.strip() for key, _, value in (p.partition("=") for p in parameters.split(";"))
        }
        if settings.get("q") in ("0", "0.0", "0.00", "0.000"):
            continue
        if settings.get("fhirVersion", "4.0").startswith("4.0"):
            return
    raise NotAcceptable(_ONLY_JSON)


def check_sends_json(request: Request) -> None:
    """Refuses a body in a form the hub does not read.

    Raises:
        UnsupportedMedia: 415 on the wire.
    """
    _check_sends(request, JSON_TYPES, "Send application/fhir+json.")


def check_sends_patch(request: Request) -> None:
    """Refuses a patch in a form the hub does not read.

    Raises:
        UnsupportedMedia: 415 on the wire.
    """
    _check_sends(request, frozenset({JSON_PATCH}), f"Send a JSON Patch as {JSON_PATCH}.")


def _check_sends(request: Request, possible: frozenset[str], text: str) -> None:
    if request.mimetype.lower() not in possible:
        raise UnsupportedMedia(text)
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if charset not in ("utf-8", "utf8"):
        raise UnsupportedMedia("Send JSON in UTF-8.")


def body_bytes(request: Request, most: int) -> bytes:
    """Gives the body, read only as far as it may be long.

    Raises:
        TooLarge: 413 on the wire.
        MalformedContent: there is no body (400).
    """
    if request.content_length is not None and request.content_length > most:
        raise TooLarge(f"A body may have at most {most} bytes here.")
    read = request.stream.read(most + 1)
    if len(read) > most:
        raise TooLarge(f"A body may have at most {most} bytes here.")
    if not read:
        raise MalformedContent("A body is needed.")
    return read


def preferences_of(request: Request) -> Preferences:
    """Gives what the caller prefers, from ``Prefer`` and ``_pretty``.

    Source: FHIR R4 http.html#ops (return), search.html#errors (handling).
    """
    returned, strict = "representation", False
    for part in request.headers.get("Prefer", "").replace(";", ",").split(","):
        name, _, value = part.strip().partition("=")
        value = value.strip().strip('"')
        if name.lower() == "return" and value in ("minimal", "representation", "OperationOutcome"):
            returned = value
        elif name.lower() == "handling":
            strict = value == "strict"
    return Preferences(returned, strict, request.args.get("_pretty") == "true")
