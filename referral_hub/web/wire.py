"""One request as it came over the wire, and one answer as it goes back: what the FHIR API reads and gives.

What lives here: ``Asked`` and ``Reply``, plain values over the WSGI environment. What does not: which
interaction answers (``web.fhir_api``), what a header means (``web.negotiation``).

Nothing is parsed before it is asked for: most reads carry three headers and no query.

Source: PEP 3333 (WSGI); FHIR R4 http.html.
"""

from typing import Any
from urllib.parse import parse_qsl

from werkzeug.http import parse_options_header
from werkzeug.wsgi import get_input_stream

from referral_hub.exchange.ports import Released

Headers = list[tuple[str, str]]

REASONS = {
    200: "OK",
    201: "Created",
    202: "Accepted",
    204: "No Content",
    304: "Not Modified",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    409: "Conflict",
    410: "Gone",
    412: "Precondition Failed",
    413: "Content Too Large",
    414: "URI Too Long",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
_BODILESS = frozenset({204, 304})


class Asked:
    """One request. Header values are texts as sent; absent ones are empty.

    Args:
        environ: the WSGI environment.
    """

    __slots__ = ("_arguments", "environ")

    def __init__(self, environ: dict[str, Any]) -> None:
        self.environ = environ
        self._arguments: dict[str, str] | None = None

    def header(self, name: str) -> str:
        """Gives a header by its WSGI name (``HTTP_IF_MATCH``)."""
        found: str = self.environ.get(name, "")
        return found

    @property
    def authorization(self) -> str | None:
        """Gives the ``Authorization`` header, None where there is none."""
        found: str | None = self.environ.get("HTTP_AUTHORIZATION")
        return found

    @property
    def query(self) -> str:
        """Gives the query string; anything outside ASCII in it is replaced, since a URL has none."""
        text: str = self.environ.get("QUERY_STRING", "")
        return text if text.isascii() else text.encode("latin1").decode("ascii", "replace")

    def argument(self, name: str) -> str | None:
        """Gives the first value of a parameter of the address, decoded."""
        if self._arguments is None:
            found: dict[str, str] = {}
            for key, value in parse_qsl(self.query, keep_blank_values=True, errors="replace"):
                found.setdefault(key, value)
            self._arguments = found
        return self._arguments.get(name)

    def media_type(self) -> tuple[str, str]:
        """Gives media type and charset of the body, in small letters; no charset is ``utf-8``."""
        name, parameters = parse_options_header(self.environ.get("CONTENT_TYPE", ""))
        return name.lower(), parameters.get("charset", "utf-8").lower()

    @property
    def content_length(self) -> int | None:
        """Gives how long the sender says the body is; None where it says nothing sensible."""
        text: str = self.environ.get("CONTENT_LENGTH", "")
        return int(text) if text.isascii() and text.isdigit() else None

    def read(self, most: int) -> bytes:
        """Gives at most so many bytes of the body, never more than belong to this request."""
        return get_input_stream(self.environ).read(most)


class Reply:
    """One answer: HTTP status, headers, body.

    Args:
        http_status: the status code.
        body: the bytes that leave; none with 204 and 304.
        headers: names and values, Content-Type included and Content-Length not.

    ``voice`` says whose words it holds, where they are all of one: ``own`` the caller's organisation, ``public``
    anybody's. Only such an answer may be packed (``web.packing``). ``about`` is the one resource it tells of.
    """

    __slots__ = ("about", "body", "headers", "http_status", "voice")

    def __init__(self, http_status: int, body: bytes = b"", headers: Headers | None = None) -> None:
        self.http_status = http_status
        self.body = body
        self.headers: Headers = headers if headers is not None else []
        self.voice = ""
        self.about: Released | None = None

    @property
    def is_fhir(self) -> bool:
        """Tells whether the body is FHIR JSON, which can be written in other forms."""
        return any(n == "Content-Type" and v.startswith("application/fhir+json") for n, v in self.headers)

    def header(self, name: str) -> str:
        """Gives a header by its name as written; empty where there is none."""
        return next((value for found, value in self.headers if found == name), "")

    def start(self) -> tuple[str, Headers]:
        """Gives status line and headers as WSGI takes them."""
        line = f"{self.http_status} {REASONS[self.http_status]}"
        if self.http_status in _BODILESS:
            return line, self.headers
        return line, [*self.headers, ("Content-Length", str(len(self.body)))]
