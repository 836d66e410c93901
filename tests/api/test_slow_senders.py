"""Somebody whose body does not arrive costs nobody else anything: one worker goes on answering."""

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.api.running_hub import Running, founded, running


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder: Path = tmp_path_factory.mktemp("slow-senders")
    with running(founded(folder), workers=1) as hub:
        yield hub


def _sent(served: Running, method: str, path: str, length: int, body: bytes, *more: str) -> socket.socket:
    port = urlsplit(served.hub.base_url).port
    made = socket.create_connection(("127.0.0.1", port), timeout=10)
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {length}", *more]
    made.sendall("\r\n".join([*lines, "", ""]).encode() + body)
    return made


def _heard(connection: socket.socket) -> bytes:
    """Gives what arrives until the server closes, or falls silent for a moment."""
    connection.settimeout(2)
    found = b""
    try:
        while piece := connection.recv(65536):
            found += piece
    except TimeoutError:
        return found + b"<open>"
    except ConnectionResetError:
        pass
    return found


FHIR = "Content-Type: application/fhir+json"
BEARER = "Authorization: Bearer nobody"


@pytest.mark.parametrize(
    "asked",
    [
        ("POST", "/fhir/Patient", FHIR, BEARER),
        ("PUT", "/fhir/Patient/one", FHIR, BEARER),
        ("POST", "/fhir", FHIR, BEARER),
        ("POST", "/oauth/token", "Content-Type: application/x-www-form-urlencoded"),
    ],
)
def test_a_body_that_does_not_arrive_holds_nobody_up(served: Running, asked: tuple[str, ...]) -> None:
    method, path, *more = asked
    with closing(_sent(served, method, path, 1000, b"{", *more)):
        for _ in range(3):
            with closing(_sent(served, "GET", "/fhir/Patient/one", 0, b"", BEARER)) as other:
                assert other.recv(12) == b"HTTP/1.1 401"


def test_whoever_is_refused_before_its_body_was_read_hears_that_the_connection_ends(served: Running) -> None:
    body = b"x" * 200_000
    with closing(_sent(served, "POST", "/nowhere", len(body), body)) as connection:
        heard = _heard(connection).lower()
    assert heard.startswith(b"http/1.1 404")
    assert b"connection: close" in heard
    assert not heard.endswith(b"<open>")
