"""What a request of a lane is, and how its answer is judged.

What lives here: values that travel to the generator's processes, and the judging of one answer. What does not:
making them (``tests.load.corpus``), sending them (``tests.load.generator``).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

JSON = "application/fhir+json"
ENTRIES = b'"entry":['
_FULL_URL = re.compile(rb'\{"fullUrl":"[^"]*/([A-Za-z]+/[^"/]+)"')


@dataclass(frozen=True, slots=True)
class Ask:
    """One request as it goes over the wire, and what its answer must be.

    ``kind``: ``body`` (exactly these bytes), ``entries`` (exactly these bytes from the first entry on: the link
    to the next page is sealed afresh each time), ``created`` (201 and as many bytes as there is no need to
    look at), ``bundle`` (200 and one ``201 Created`` per entry).
    """

    wire: bytes
    kind: str
    expected: bytes = b""
    created: int = 0


@dataclass(frozen=True, slots=True)
class Lane:
    """A kind of request, asked over and over; each connection goes round the same list."""

    name: str
    asks: Sequence[Ask]
    answer_bytes: int = 0
    interaction: str = ""
    """What the audit calls it; empty where a read line is not expected (writes audit in their transaction)."""


@dataclass(slots=True)
class Answered:
    """What one generator saw in one slice."""

    count: int = 0
    seconds: float = 0.0
    latencies_us: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    cpu_s: float = 0.0


def request(method: str, path: str, token: str, body: bytes = b"") -> bytes:
    """Gives the bytes of one HTTP/1.1 request of an organisation's software."""
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {token}",
        f"Accept: {JSON}",
    ]
    if body:
        lines += [f"Content-Type: {JSON}", f"Content-Length: {len(body)}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def entry_ids(body: bytes) -> list[str]:
    """Gives ``Type/id`` of every entry of a searchset, in order.

    >>> entry_ids(b'{"entry":[{"fullUrl":"http://h/fhir/Task/a","resource":{}}]}')
    ['Task/a']
    """
    return [found.decode() for found in _FULL_URL.findall(body)]


def from_entries(body: bytes) -> bytes:
    """Gives a searchset from its first entry on."""
    at = body.find(ENTRIES)
    return body[at:] if at >= 0 else b""


def fault(ask: Ask, status: int, body: bytes) -> str:
    """Gives an empty text where the answer is right, else what is wrong with it."""
    match ask.kind:
        case "body":
            right = status == 200 and body == ask.expected
        case "entries":
            right = status == 200 and from_entries(body) == ask.expected
        case "created":
            right = status == 201
        case _:
            right = status == 200 and body.count(b'"status":"201 Created"') == ask.created
    if right:
        return ""
    line = ask.wire.split(b"\r\n", 1)[0].decode()
    if ask.kind == "entries" and status == 200:
        return f"{line}: {_difference(entry_ids(ask.expected), entry_ids(body))}"
    return f"{line}: {status}, {body[:300]!r}"


def _difference(expected: list[str], found: list[str]) -> str:
    if set(found) - set(expected):
        return f"{len(set(found) - set(expected))} rows that should not be there: {found[:5]}"
    if expected != found:
        return f"{len(expected)} rows expected, {len(found)} found, or in another order"
    return "the right rows with another content"
