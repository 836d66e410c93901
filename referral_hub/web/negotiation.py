"""What form a request has and its answer shall have: media types, Prefer, ETags, sizes.

What lives here: reading headers. What does not: making answers (``web.answers``), rules.

Source: FHIR R4 http.html#mime-type, #ops, #concurrency; RFC 7240 (Prefer).
"""

from dataclasses import dataclass
from functools import lru_cache

from referral_hub.errors import MalformedContent, NotAcceptable, TooLarge, UnsupportedMedia
from referral_hub.fhir.patch import MEDIA_TYPE as JSON_PATCH
from referral_hub.web.wire import Asked

JSON_TYPES = frozenset({"application/fhir+json", "application/json", "text/json", "json"})
_ANY = frozenset({"*/*", "application/*"})
_USUAL_LENGTH = 200
_ONLY_JSON = "This hub answers application/fhir+json."


@dataclass(frozen=True, slots=True)
class Preferences:
    """What the caller prefers: ``returned`` is ``representation``, ``minimal`` or ``OperationOutcome``."""

    returned: str = "representation"
    strict: bool = False
    pretty: bool = False


_USUAL = Preferences()


@dataclass(frozen=True, slots=True)
class BodySizes:
    """The most bytes of a body, by what it is. Source: ``interfaces.md`` 5."""

    resource: int
    binary: int
    levels: int


def check_accepts(asked: Asked) -> None:
    """Refuses a caller that takes no form the hub speaks.

    Raises:
        NotAcceptable: 406 on the wire.
    """
    if asked.environ.get("QUERY_STRING"):
        form = asked.argument("_format")
        if form:
            if form.partition(";")[0].strip().lower() not in JSON_TYPES:
                raise NotAcceptable(_ONLY_JSON)
            return
    accept = asked.header("HTTP_ACCEPT")
    if not (_takes_json(accept) if len(accept) < _USUAL_LENGTH else _takes_json.__wrapped__(accept)):
        raise NotAcceptable(_ONLY_JSON)


@lru_cache(maxsize=256)
def _takes_json(accept: str) -> bool:
    """Tells whether an ``Accept`` header leaves room for FHIR JSON."""
    if not accept:
        return True
    for part in accept.split(","):
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
            return True
    return False


def check_sends_json(asked: Asked) -> None:
    """Refuses a body in a form the hub does not read.

    Raises:
        UnsupportedMedia: 415 on the wire.
    """
    _check_sends(asked, JSON_TYPES, "Send application/fhir+json.")


def check_sends_patch(asked: Asked) -> None:
    """Refuses a patch in a form the hub does not read.

    Raises:
        UnsupportedMedia: 415 on the wire.
    """
    _check_sends(asked, frozenset({JSON_PATCH}), f"Send a JSON Patch as {JSON_PATCH}.")


def _check_sends(asked: Asked, possible: frozenset[str], text: str) -> None:
    media_type, charset = asked.media_type()
    if media_type not in possible:
        raise UnsupportedMedia(text)
    if charset not in ("utf-8", "utf8"):
        raise UnsupportedMedia("Send JSON in UTF-8.")


def body_bytes(asked: Asked, most: int) -> bytes:
    """Gives the body, read only as far as it may be long.

    Raises:
        TooLarge: 413 on the wire.
        MalformedContent: there is no body (400).
    """
    length = asked.content_length
    if length is not None and length > most:
        raise TooLarge(f"A body may have at most {most} bytes here.")
    read = asked.read(most + 1)
    if len(read) > most:
        raise TooLarge(f"A body may have at most {most} bytes here.")
    if not read:
        raise MalformedContent("A body is needed.")
    return read


def preferences_of(asked: Asked) -> Preferences:
    """Gives what the caller prefers, from ``Prefer`` and ``_pretty``.

    Source: FHIR R4 http.html#ops (return), search.html#errors (handling).
    """
    prefer = asked.header("HTTP_PREFER")
    if not prefer and not asked.environ.get("QUERY_STRING"):
        return _USUAL
    returned, strict = "representation", False
    for part in prefer.replace(";", ",").split(","):
        name, _, value = part.strip().partition("=")
        value = value.strip().strip('"')
        if name.lower() == "return" and value in ("minimal", "representation", "OperationOutcome"):
            returned = value
        elif name.lower() == "handling":
            strict = value == "strict"
    return Preferences(returned, strict, asked.argument("_pretty") == "true")
