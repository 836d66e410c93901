"""Authlib's client on the hub's own guarded HTTP: no call of a sign-in goes anywhere unwatched.

What lives here: the adapter between the two. What does not: what is guarded (``adapters.guarded_http``), the sign-in
itself (``auth.people.outside``).
"""

import io
from collections.abc import Mapping
from typing import Any, Protocol

import requests
from requests.adapters import BaseAdapter


class Answer(Protocol):
    """What came back."""

    @property
    def http_status(self) -> int:
        """Gives the status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Gives the headers by lower-case name."""

    @property
    def body(self) -> bytes:
        """Gives the body."""


class Http(Protocol):
    """The guarded HTTP client (``adapters.guarded_http``)."""

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """Makes one call; raises Unavailable where it may or can not be made."""


class GuardedAdapter(BaseAdapter):
    """Lets a ``requests`` session speak through the guarded client only.

    Args:
        http: the guarded client.
    """

    def __init__(self, http: Http) -> None:
        super().__init__()
        self._http = http

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Makes the call and gives the answer as ``requests`` knows it."""
        body = request.body.encode() if isinstance(request.body, str) else request.body
        answer = self._http.request(
            request.method or "GET",
            request.url or "",
            headers={
                name: value for name, value in request.headers.items() if name.lower() != "content-length"
            },
            body=body if isinstance(body, bytes) else None,
        )
        made = requests.Response()
        made.status_code = answer.http_status
        made.headers.update(answer.headers)
        made.raw = io.BytesIO(answer.body)
        made._content = answer.body
        made.request = request
        made.url = request.url or ""
        made.encoding = "utf-8"
        return made

    def close(self) -> None:
        """Holds nothing."""
