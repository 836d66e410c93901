"""The forms a resource is sent and asked for in: FHIR JSON and FHIR XML, plain or with line breaks for people.

What lives here: choosing the form of an answer (``_format``, ``Accept``, ``_pretty``), writing an answer in it, and
reading a body that came in either. What does not: the codecs (``fhir.json_codec``, ``fhir.xml_codec``), other headers
(``web.negotiation``).

Everything inside the hub is the bytes of FHIR JSON. XML is made of them when they leave, and becomes them when it
comes in, so that no rule exists twice.

Source: FHIR R4 http.html#mime-type, http.html#parameters; RFC 9110 section 12.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import parse_qsl

from referral_hub.errors import InvalidResource, NotAcceptable, UnsupportedMedia
from referral_hub.fhir import json_codec, xml_codec
from referral_hub.web.negotiation import BodySizes, body_bytes
from referral_hub.web.wire import Asked

FHIR_JSON = "application/fhir+json"
JSON_TYPES = frozenset({FHIR_JSON, "application/json", "text/json", "json"})
XML_TYPES = frozenset({xml_codec.CONTENT_TYPE, "application/xml", "text/xml", "xml"})
_ANY = frozenset({"*/*", "application/*"})
_USUAL_LENGTH = 200
_EXPORTS = "/fhir/$export/"
_BINARIES = "/fhir/Binary/"
_COPY = "/$copy"
_READS = frozenset({"GET", "HEAD"})
NOTED_FORM = "referral_hub.form"
"""Where a request keeps the form that its body asked for."""
_FORMS = f"This hub answers {FHIR_JSON} and {xml_codec.CONTENT_TYPE}."
_SEND = f"Send {FHIR_JSON} or {xml_codec.CONTENT_TYPE}."


@dataclass(frozen=True, slots=True)
class Form:
    """One form of an answer."""

    language: Literal["json", "xml"]
    pretty: bool = False

    @property
    def content_type(self) -> str:
        """Gives the media type as it is sent."""
        return f"{FHIR_JSON if self.language == 'json' else xml_codec.CONTENT_TYPE}; charset=utf-8"

    def written(self, body: bytes) -> bytes:
        """Gives a body of FHIR JSON in this form.

        Raises:
            NotAcceptable: it holds something that XML cannot say (406).
        """
        if self.language == "json":
            return json_codec.pretty(body) if self.pretty else body
        try:
            made = xml_codec.encode(json_codec.decode_own(body))
        except InvalidResource:
            raise NotAcceptable("This cannot be written as XML: ask for JSON.") from None
        return xml_codec.pretty(made) if self.pretty else made


JSON = Form("json")
_XML = Form("xml")
_FORM = {
    ("json", False): JSON,
    ("json", True): Form("json", pretty=True),
    ("xml", False): _XML,
    ("xml", True): Form("xml", pretty=True),
}


def form_of(asked: Asked) -> Form:
    """Gives the form the caller wants: ``_format`` before ``Accept``; FHIR JSON where it leaves the choice.

    Raises:
        NotAcceptable: it takes no form the hub speaks (406).
    """
    if asks_for_content(asked):
        return JSON  # of the Binary and of what refuses it
    query: str = asked.environ.get("QUERY_STRING", "")
    if query and ("_format" in query or "_pretty" in query):  # otherwise the address is not parsed here
        stated = asked.argument("_format")
        language = _language(stated) if stated else _accepted(asked)
        return _FORM[language, asked.argument("_pretty") == "true"]
    accept = asked.header("HTTP_ACCEPT")
    if not accept:
        return JSON
    return _FORM[_accepted(asked), False]


def _accepted(asked: Asked) -> Literal["json", "xml"]:
    accept = asked.header("HTTP_ACCEPT")
    found = _best(accept) if len(accept) < _USUAL_LENGTH else _best.__wrapped__(accept)
    if found is None:
        if asked.environ["PATH_INFO"].startswith(_EXPORTS):
            return "json"  # a file of an export has one form, whatever it is asked for in
        raise NotAcceptable(_FORMS)
    return found


def note_form(asked: Asked, text: str) -> None:
    """Keeps the form that the body of a search asks for; what the address says comes first.

    Args:
        asked: the request.
        text: the body, a form.

    Raises:
        NotAcceptable: the hub does not speak it (406).

    Source: FHIR R4 http.html#search (the parameters of a search may all be in the body).
    """
    if "_format" not in text and "_pretty" not in text:
        return
    stated = dict(reversed(parse_qsl(text, errors="replace")))
    name = asked.argument("_format") or stated.get("_format")
    language = _language(name) if name else _accepted(asked)
    pretty = asked.argument("_pretty") or stated.get("_pretty")
    asked.environ[NOTED_FORM] = _FORM[language, pretty == "true"]


def asks_for_content(asked: Asked) -> bool:
    """Tells whether a Binary is asked for as the bytes it holds: ``Accept`` likes something better than FHIR.

    Source: FHIR R4 binary.html#rest.
    """
    path: str = asked.environ["PATH_INFO"]
    if (
        not (path.startswith(_BINARIES) or path.endswith(_COPY))
        or asked.environ["REQUEST_METHOD"] not in _READS
    ):
        return False
    if asked.argument("_format") is not None:
        return False
    return _likes_other(asked.header("HTTP_ACCEPT")[:1_000])


@lru_cache(maxsize=64)
def _likes_other(accept: str) -> bool:
    """Tells whether an ``Accept`` header likes a type by name better than any form of FHIR.

    >>> [_likes_other(one) for one in ("", "*/*", "image/png", "application/fhir+json, image/png;q=0.5")]
    [False, False, True, False]
    """
    fhir = other = 0.0
    for part in accept.split(","):
        media, _, parameters = part.partition(";")
        name = media.strip().lower()
        weight = next((p.partition("=")[2] for p in parameters.split(";") if p.strip().startswith("q=")), "1")
        if name in JSON_TYPES or name in XML_TYPES:
            fhir = max(fhir, _quality(weight.strip()))
        elif name and name not in _ANY:
            other = max(other, _quality(weight.strip()))
    return other > fhir


def _language(stated: str) -> Literal["json", "xml"]:
    # A plus that was not escaped in an address arrives as a blank.
    name = stated.partition(";")[0].strip().lower().replace(" ", "+")
    if name in JSON_TYPES:
        return "json"
    if name in XML_TYPES:
        return "xml"
    raise NotAcceptable(_FORMS)


@lru_cache(maxsize=256)
def _best(accept: str) -> Literal["json", "xml"] | None:
    """Gives what an ``Accept`` header likes best; None where it leaves room for neither form."""
    if not accept:
        return "json"
    liked = {"json": 0.0, "xml": 0.0}
    named: set[str] = set()
    for part in accept.split(","):
        media, _, parameters = part.partition(";")
        name = media.strip().lower()
        settings = {
            key.strip().lower(): value.strip().strip('"')
            for key, _, value in (p.partition("=") for p in parameters.split(";"))
        }
        if not settings.get("fhirversion", "4.0").startswith("4.0"):
            continue
        quality = _quality(settings.get("q", "1"))
        for language, names in (("json", JSON_TYPES), ("xml", XML_TYPES)):
            if name in names:
                liked[language] = max(quality, liked[language]) if language in named else quality
                named.add(language)
            elif name in _ANY and language not in named:
                liked[language] = max(quality, liked[language])
    if not any(liked.values()):
        return None
    return "json" if liked["json"] >= liked["xml"] else "xml"


def _quality(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0


def sent_resource(asked: Asked, sizes: BodySizes, most: int | None = None) -> dict[str, Any]:
    """Gives the resource in the body, whichever form it came in.

    Args:
        asked: the request.
        sizes: the hub's limits.
        most: the most bytes, where they are others than those of a resource.

    Raises:
        UnsupportedMedia: neither FHIR JSON nor FHIR XML, or not in UTF-8 (415).
        TooLarge: more bytes than a body may have (413).
        MalformedContent: there is no body, or it cannot be read or is not safe to read (400).
        InvalidResource: it is XML that is not FHIR XML (422).
    """
    media_type, charset = asked.media_type()
    is_xml = media_type in XML_TYPES
    if not is_xml and media_type not in JSON_TYPES:
        raise UnsupportedMedia(_SEND)
    if charset not in ("utf-8", "utf8"):
        raise UnsupportedMedia("Send it in UTF-8.")
    body = body_bytes(asked, sizes.resource if most is None else most)
    if is_xml:
        return xml_codec.decode(body, levels=sizes.levels)
    return json_codec.decode_object(body, levels=sizes.levels)
