"""Bodies are waited for outside the lane, and a body that is left unread ends its connection aloud."""

import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from referral_hub.web.incoming import Incoming

Read = Callable[[Any], object]
CLOSE = ("Connection", "close")


class Lane:
    """Writes down what happens while the lane is given up."""

    def __init__(self) -> None:
        self.is_held = True
        self.went_ahead = False

    @contextmanager
    def ahead(self) -> Iterator[None]:
        self.went_ahead = True
        yield

    @contextmanager
    def away(self) -> Iterator[None]:
        self.is_held = False
        yield
        self.is_held = True


class Slow(io.BytesIO):
    """A body of a sender that is waited for; it says whether the lane was held meanwhile."""

    def __init__(self, body: bytes, lane: Lane) -> None:
        super().__init__(body)
        self._lane = lane
        self.held: list[bool] = []

    def read(self, size: int | None = -1) -> bytes:
        self.held.append(self._lane.is_held)
        return super().read(size)

    def readline(self, size: int | None = -1) -> bytes:
        self.held.append(self._lane.is_held)
        return super().readline(size)


def asked(read: Read, body: bytes, **environ: str) -> tuple[list[tuple[str, str]], list[bool]]:
    """Gives the headers of an answer to a request whose body is read like this, and when the lane was held."""
    lane = Lane()
    stream = Slow(body, lane)
    headers: list[tuple[str, str]] = []

    def inner(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        read(environ["wsgi.input"])
        start("200 OK", [("Content-Length", "0")])
        return [b""]

    Incoming(inner, lane.away, lane.ahead)(
        {"wsgi.input": stream, "REQUEST_METHOD": "POST", "PATH_INFO": "/fhir/Patient", **environ},
        lambda _status, given: headers.extend(given),  # type: ignore[arg-type]
    )
    return headers, stream.held


@pytest.mark.parametrize(
    "read",
    [
        lambda body: body.read(),
        lambda body: body.read(11),
        lambda body: body.read(100),
        lambda body: (body.read(4), body.read(7)),
        list,
        lambda body: body.readlines(),
    ],
)
def test_a_body_is_read_outside_the_lane_and_the_connection_stays(read: Read) -> None:
    headers, held = asked(read, b"one\ntwo\nend", CONTENT_LENGTH="11")
    assert CLOSE not in headers
    assert held
    assert not any(held)


@pytest.mark.parametrize(
    "read",
    [lambda _body: None, lambda body: body.read(10), lambda body: body.read(0), lambda b: b.readline()],
)
def test_a_body_that_is_left_unread_ends_the_connection_aloud(read: Read) -> None:
    assert CLOSE in asked(read, b"one\ntwo\nend", CONTENT_LENGTH="11")[0]


@pytest.mark.parametrize(
    ("read", "closes"), [(lambda body: body.read(9), False), (lambda body: body.read(2), True)]
)
def test_a_body_without_a_length_counts_until_it_ends(read: Read, *, closes: bool) -> None:
    assert (CLOSE in asked(read, b"body", HTTP_TRANSFER_ENCODING="chunked")[0]) is closes


@pytest.mark.parametrize("environ", [{}, {"CONTENT_LENGTH": "0"}])
def test_without_a_body_nothing_is_touched(environ: dict[str, str]) -> None:
    headers, held = asked(lambda _body: None, b"", **environ)
    assert headers == [("Content-Length", "0")]
    assert held == []


@pytest.mark.parametrize(
    ("method", "path", "goes_ahead"),
    [
        ("POST", "/fhir/Consent/one/$revoke", True),
        ("PUT", "/fhir/Consent/one", True),
        ("PATCH", "/fhir/Consent/one", True),
        ("GET", "/fhir/Consent/one", False),
        ("POST", "/fhir/Consent", False),
        ("POST", "/fhir/Task/one/$revoke", False),
    ],
)
def test_what_may_end_a_permission_goes_ahead(method: str, path: str, *, goes_ahead: bool) -> None:
    lane = Lane()
    seen = []

    def inner(_environ: dict[str, Any], _start: Any) -> Iterable[bytes]:
        seen.append(lane.went_ahead)
        return [b""]

    environ = {"wsgi.input": io.BytesIO(), "REQUEST_METHOD": method, "PATH_INFO": path}
    Incoming(inner, lane.away, lane.ahead)(environ, lambda *_: lambda _: None)
    assert seen == [goes_ahead]
