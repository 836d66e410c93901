"""Asking a server over HTTP, and keeping what was said so that a failure can be shown.

What lives here: one door per client, the exchange, and cutting secrets out of it. What does not: getting tokens
(``conformance.tokens``), what to ask (``conformance.checks``).
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from conformance.results import Failed, Skipped

FHIR_JSON = "application/fhir+json"
FHIR_XML = "application/fhir+xml"
JSON_PATCH = "application/json-patch+json"
FORM = "application/x-www-form-urlencoded"
TIMEOUT_S = 30
ORIGIN = "https://app.conformance.example"
"""The browser app that CORS is tried as."""
_SHOWN = 1500
_SECRET_FIELD = re.compile(
    r'((?:client_assertion|access_token|refresh_token|client_secret|token|subject_token)(?:=|"\s*:\s*"))[^&"]+'
)
_BEARER = re.compile(r"(?i)((?:bearer|basic|dpop)\s+)\S+")

Resource = dict[str, Any]


def without_secrets(text: str) -> str:
    """Gives a text with tokens, assertions and secrets cut out.

    >>> without_secrets("Authorization: Bearer abc grant_type=x&client_assertion=eyJ.x.y&scope=s")
    'Authorization: Bearer [cut] grant_type=x&client_assertion=[cut]&scope=s'
    """
    return _SECRET_FIELD.sub(r"\1[cut]", _BEARER.sub(r"\1[cut]", text))


@dataclass(frozen=True, slots=True)
class Answer:
    """One request and what came back."""

    method: str
    url: str
    sent_headers: Mapping[str, str]
    sent: bytes
    http_status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """Gives the body as text."""
        return self.body.decode("utf-8", "replace")

    @property
    def media_type(self) -> str:
        """Gives the media type without its parameters, in lower case."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    @property
    def json(self) -> Any:
        """Gives the body as JSON; ends the check as failed where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise Failed(f"{self.line} did not give JSON ({self.media_type or 'no media type'}).") from None

    @property
    def resource(self) -> Resource:
        """Gives the body as a FHIR resource; ends the check as failed where it is none."""
        found = self.json
        if not isinstance(found, dict) or not isinstance(found.get("resourceType"), str):
            raise Failed(f"{self.line} gave JSON that is no FHIR resource.")
        return found

    @property
    def line(self) -> str:
        """Gives method, address and status in one line."""
        parts = urlsplit(self.url)
        query = f"?{parts.query}" if parts.query else ""
        return f"{self.method} {parts.path}{query} -> {self.http_status}"

    def must_be(self, *statuses: int) -> "Answer":
        """Gives itself where its status is one of some; else the check has failed."""
        if self.http_status not in statuses:
            wanted = " or ".join(str(one) for one in statuses)
            raise Failed(f"{self.line}, expected {wanted}. {self.reason}".strip())
        return self

    def must_be_refused(self) -> "Answer":
        """Gives itself where it is a refusal (4xx); else the check has failed."""
        if not 400 <= self.http_status < 500:
            raise Failed(f"{self.line}, expected a refusal (4xx).")
        return self

    @property
    def reason(self) -> str:
        """Gives the sentences of an OperationOutcome, or nothing."""
        try:
            found = json.loads(self.body)
            issues = found.get("issue", [])
            return "; ".join(
                str(one.get("details", {}).get("text") or one.get("diagnostics") or one.get("code"))
                for one in issues
            )
        except (ValueError, AttributeError):
            return ""

    def told(self) -> str:
        """Gives the exchange as text, secrets cut, bodies shortened."""
        sent = self.sent.decode("utf-8", "replace")
        lines = [
            f"> {self.method} {self.url}",
            *(f"> {name}: {value}" for name, value in sorted(self.sent_headers.items())),
            *([f"> {sent[:_SHOWN]}"] if sent else []),
            f"< {self.http_status}",
            *(f"< {name}: {value}" for name, value in sorted(self.headers.items())),
            f"< {self.text[:_SHOWN]}",
        ]
        return without_secrets("\n".join(lines))


class Door:
    """One client's way to a server.

    Args:
        base: the FHIR base URL.
        bearer: gives a live access token, an empty one for none; None asks without a token on purpose.
        record: every exchange is appended to it.
        renew: forgets the token. Where a server says that the token's scope is too small, the request is sent
            once more with a fresh token: what a token is granted may grow with what the client has written.
    """

    def __init__(
        self,
        base: str,
        bearer: Callable[[], str] | None,
        record: list[Answer],
        renew: Callable[[], None] | None = None,
    ) -> None:
        self.base = base
        self.bearer = bearer
        self._renew = renew
        self._record = record
        self._http = requests.Session()
        self._http.trust_env = False
        self._http.headers.clear()
        # A server may close a connection it had kept; a read is then sent once more on another.
        again = Retry(connect=0, read=1, status=0, other=0, backoff_factor=0, allowed_methods=("GET", "HEAD"))
        for scheme in ("http://", "https://"):
            self._http.mount(scheme, HTTPAdapter(max_retries=again))

    def ask(
        self,
        method: str,
        address: str,
        body: Resource | list[Any] | bytes | str | None = None,
        *,
        accept: str | None = FHIR_JSON,
        content_type: str = FHIR_JSON,
        **headers: str,
    ) -> Answer:
        """Sends one request; header names take ``_`` for ``-``. A token goes to the server's own addresses only.

        Args:
            method: GET, POST, …
            address: below the base, such as ``/Patient``, or absolute.
            body: a resource, or what is sent as it is.
            accept: the Accept header; None sends ``*/*``.
            content_type: of the body.
        """
        asked = (method, address, body, accept, content_type, headers)
        answer = self._ask(*asked)
        if self._renew is not None and self._lacks_scope(answer):
            self._renew()
            answer = self._ask(*asked)
        return answer

    def _ask(
        self,
        method: str,
        address: str,
        body: Resource | list[Any] | bytes | str | None,
        accept: str | None,
        content_type: str,
        headers: Mapping[str, str],
    ) -> Answer:
        url = address if address.startswith(("http://", "https://")) else f"{self.base}{address}"
        sent_headers = {"Accept": accept or "*/*", "User-Agent": "conformance-suite"}
        if self.bearer is not None and _same_place(url, self.base):
            token = self.bearer()
            if token:
                sent_headers["Authorization"] = f"Bearer {token}"
        sent = b""
        if body is not None:
            sent_headers["Content-Type"] = content_type
            sent = _bytes_of(body)
        sent_headers.update({name.replace("_", "-"): value for name, value in headers.items()})
        found = self._http.request(
            method, url, data=sent or None, headers=sent_headers, timeout=TIMEOUT_S, allow_redirects=False
        )
        answer = Answer(method, url, sent_headers, sent, found.status_code, found.headers, found.content)
        self._record.append(answer)
        if answer.http_status == 401 and self.bearer is not None and "Authorization" not in sent_headers:
            raise Skipped("The server asks for a token, and no client is configured.")
        return answer

    def _lacks_scope(self, answer: Answer) -> bool:
        told = answer.headers.get("WWW-Authenticate", "")
        return (
            answer.http_status == 403
            and "insufficient_scope" in told
            and "Authorization" in answer.sent_headers
        )

    def get(self, address: str, **more: Any) -> Answer:
        """Sends a GET."""
        return self.ask("GET", address, **more)

    def create(self, resource: Resource, **headers: str) -> Answer:
        """Sends a create."""
        return self.ask("POST", f"/{resource['resourceType']}", resource, **headers)

    def update(self, resource: Resource, **headers: str) -> Answer:
        """Sends an update, with the version the resource carries unless another is given."""
        version = resource.get("meta", {}).get("versionId")
        if version is not None:
            headers.setdefault("If_Match", f'W/"{version}"')
        return self.ask("PUT", f"/{resource['resourceType']}/{resource['id']}", resource, **headers)

    def close(self) -> None:
        """Gives back the connections."""
        self._http.close()


def _bytes_of(body: Resource | list[Any] | bytes | str) -> bytes:
    if isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


def _same_place(url: str, base: str) -> bool:
    """Tells whether an address belongs to the server itself."""
    one, other = urlsplit(url), urlsplit(base)
    return (one.scheme, one.netloc) == (other.scheme, other.netloc)
