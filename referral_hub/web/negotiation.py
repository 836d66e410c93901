"""What a caller prefers, what it has already, and how much it may send.

What lives here: reading headers. What does not: in which form (``web.forms``), making answers (``web.answers``), rules.

Source: FHIR R4 http.html#ops, #cread; RFC 7240 (Prefer); RFC 9110 section 13 (conditional requests).
"""

from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from referral_hub.errors import MalformedContent, TooLarge, UnsupportedMedia
from referral_hub.exchange.ports import Released
from referral_hub.web.wire import Asked


@dataclass(frozen=True, slots=True)
class Preferences:
    """What the caller prefers: ``returned`` is ``representation``, ``minimal`` or ``OperationOutcome``."""

    returned: str = "representation"
    strict: bool = False


_USUAL = Preferences()


@dataclass(frozen=True, slots=True)
class BodySizes:
    """The most bytes of a body, by what it is. Source: ``interfaces.md`` 5."""

    resource: int
    binary: int
    levels: int


def body_bytes(asked: Asked, most: int) -> bytes:
    """Gives the body, read only as far as it may be long.

    Raises:
        TooLarge: 413 on the wire.
        MalformedContent: there is no body (400).
        UnsupportedMedia: it is packed (415): its true size would be known too late.
    """
    if asked.header("HTTP_CONTENT_ENCODING").strip().lower() not in ("", "identity"):
        raise UnsupportedMedia("Send the body as it is, without Content-Encoding.")
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
    """Gives what the caller prefers, from ``Prefer``.

    Source: FHIR R4 http.html#ops (return), search.html#errors (handling).
    """
    prefer = asked.header("HTTP_PREFER")
    if not prefer:
        return _USUAL
    returned, strict = "representation", False
    for part in prefer.replace(";", ",").split(","):
        name, _, value = part.strip().partition("=")
        value = value.strip().strip('"')
        if name.lower() == "return" and value in ("minimal", "representation", "OperationOutcome"):
            returned = value
        elif name.lower() == "handling":
            strict = value == "strict"
    return Preferences(returned, strict)


@dataclass(frozen=True, slots=True)
class Known:
    """What a caller says it has already.

    Args:
        etags: the tags of ``If-None-Match``, without ``W/``; ``*`` for any.
        since_s: ``If-Modified-Since`` in seconds since 1970 UTC; counts only where there are no tags.
    """

    etags: frozenset[str] = frozenset()
    since_s: int | None = None

    def has(self, released: Released) -> bool:
        """Tells whether the caller has exactly this.

        The tag of a view is compared whole: what a consent opens or closes changes it. By time only stored bytes are
        told to be known, since a view changes without the resource being written.

        Source: ``views.md`` 5 (a 304 never hides a changed consent).
        """
        if self.etags:
            return "*" in self.etags or released.etag.removeprefix("W/") in self.etags
        is_view = released.etag != f'W/"{released.version}"'
        return self.since_s is not None and not is_view and released.updated_us // 1_000_000 <= self.since_s


NOTHING_KNOWN = Known()


def known_of(asked: Asked) -> Known:
    """Gives what the caller has already; an unreadable date is as none, which costs the caller a body."""
    tags = asked.header("HTTP_IF_NONE_MATCH")
    if tags:
        return Known(frozenset(tag.strip().removeprefix("W/") for tag in tags.split(",")) - {""})
    since = asked.header("HTTP_IF_MODIFIED_SINCE")
    if not since:
        return NOTHING_KNOWN
    try:
        return Known(since_s=int(parsedate_to_datetime(since).timestamp()))
    except (ValueError, OverflowError):
        return NOTHING_KNOWN
