"""Answers on the wire: released bodies, Bundles joined from bytes, headers.

What lives here: bytes and headers only; a body that leaves is one the gate released, joined and never
re-serialised. What does not: what may leave (``exchange.gate``), errors (``web.error_handlers``).

Source: FHIR R4 http.html, bundle.html.
"""

from collections.abc import Iterable, Sequence
from email.utils import formatdate
from functools import lru_cache
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from referral_hub.exchange.everything import Everything
from referral_hub.exchange.histories import History, Version
from referral_hub.exchange.interactions import Written
from referral_hub.exchange.ports import Released
from referral_hub.exchange.search import Found
from referral_hub.fhir import json_codec
from referral_hub.fhir.dates import instant
from referral_hub.fhir.outcome import Issue, outcome_bytes
from referral_hub.web.forms import JSON
from referral_hub.web.negotiation import NOTHING_KNOWN, Known, Preferences
from referral_hub.web.wire import REASONS, Reply

Pairs = Sequence[tuple[str, str]]


class Page(Protocol):
    """One page of anything."""

    @property
    def self_pairs(self) -> tuple[tuple[str, str], ...]:
        """Gives what was asked."""

    @property
    def next(self) -> str:
        """Gives the sealed text of the next page, empty on the last."""


_NO_STORE = ("Cache-Control", "no-store")
_JSON_HEADERS = (("Content-Type", JSON.content_type), _NO_STORE)
_OUTCOME = b'{"resourceType":"OperationOutcome"'


def json_reply(body: bytes, http_status: int = 200) -> Reply:
    """Gives an answer with a FHIR JSON body, which no cache may keep."""
    return Reply(http_status, body, [*_JSON_HEADERS])


def resource_reply(released: Released, known: Known = NOTHING_KNOWN) -> Reply:
    """Gives one released resource; 304 where the caller has exactly this already."""
    if known is not NOTHING_KNOWN and known.has(released):
        reply = Reply(304, b"", [_NO_STORE, ("ETag", released.etag)])
        reply.about = released
        return reply
    reply = json_reply(released.body)
    reply.voice = released.voice
    _add_version(reply, released)
    return reply


def written_reply(written: Written, preferences: Preferences, base: str) -> Reply:
    """Gives the answer to a write as the caller prefers it."""
    http_status = 201 if written.created else 200
    if written.outcome is None:
        return Reply(204)
    released = written.outcome.released
    if preferences.returned == "minimal":
        reply = Reply(http_status, b"", [_NO_STORE])
    elif preferences.returned == "OperationOutcome":
        text = "Stored." if not written.existing else "One of your own resources matches already."
        reply = json_reply(outcome_bytes((Issue("information", "informational", text),)), http_status)
    else:
        reply = json_reply(released.body, http_status)
    _add_version(reply, released)
    if written.created or written.existing:
        location = f"{base}/{written.type}/{written.id}/_history/{written.version}"
        reply.headers.append(("Location", location))
    return reply


def _add_version(reply: Reply, released: Released) -> None:
    reply.about = released
    reply.headers.append(("ETag", released.etag))
    reply.headers.append(("Last-Modified", _http_second(released.updated_us // 1_000_000)))


@lru_cache(maxsize=4096)
def _http_second(at_s: int) -> str:
    return formatdate(at_s, usegmt=True)


def http_date(at_us: int) -> str:
    """Gives a moment as an HTTP date.

    >>> http_date(0)
    'Thu, 01 Jan 1970 00:00:00 GMT'
    """
    return _http_second(at_us // 1_000_000)


_MORE = b"".join(
    (
        b'{"resource":',
        outcome_bytes(
            (
                Issue(
                    "warning",
                    "too-costly",
                    "There is more to send along than one page takes: search for it by itself.",
                ),
            )
        ),
        b',"search":{"mode":"outcome"}}',
    )
)


def searchset(found: Found, address: str, base: str, general: Pairs = ()) -> bytes:
    """Gives a page of a search joined from released bytes.

    Args:
        found: the page.
        address: the address that was searched, without its query.
        base: the hub's FHIR base URL.
        general: parameters of every request that links keep.
    """
    entries = [_found_entry(released, "match", base) for released in found.matches]
    entries += [_found_entry(released, "include", base) for released in found.included]
    if found.more_included:
        entries.append(_MORE)
    head: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset"}
    if found.total is not None:
        head["total"] = found.total
    head["link"] = links(address, found, general)
    return _joined(head, entries)


def everything_bundle(page: Everything, address: str, base: str, general: Pairs = ()) -> bytes:
    """Gives a page of a person's record joined from released bytes."""
    head: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset"}
    head["link"] = links(address, page, general)
    return _joined(head, [_found_entry(released, "match", base) for released in page.found])


def history_bundle(history: History, address: str, base: str, general: Pairs = ()) -> bytes:
    """Gives a page of a history joined from released bytes.

    Args:
        history: the page.
        address: the address of the history.
        base: the hub's FHIR base URL.
        general: parameters of every request that links keep.
    """
    head: dict[str, Any] = {"resourceType": "Bundle", "type": "history"}
    if history.total is not None:
        head["total"] = history.total
    head["link"] = links(address, history, general)
    return _joined(head, [_history_entry(version, base) for version in history.versions])


def _history_entry(version: Version, base: str) -> bytes:
    address = f"{version.type}/{version.id}"
    url = version.type if version.method == "POST" else address
    response = {"status": version.status, "lastModified": instant(version.updated_us)}
    parts = [b'{"fullUrl":', json_codec.encode(f"{base}/{address}")]
    if version.released is not None:
        response["etag"] = version.released.etag
        parts += [b',"resource":', version.released.body]
    parts += [b',"request":', json_codec.encode({"method": version.method, "url": url})]
    parts += [b',"response":', json_codec.encode(response), b"}"]
    return b"".join(parts)


def links(address: str, page: Page, general: Pairs = ()) -> list[dict[str, str]]:
    """Gives the links of a page: itself, and the next one where there is one.

    Args:
        address: the address without its query.
        page: what was asked, and the sealed text of the next page.
        general: ``_format`` and ``_pretty`` as they were asked, which a link keeps.
    """
    found = [{"relation": "self", "url": _with_query(address, [*page.self_pairs, *general])}]
    if page.next:
        found.append({"relation": "next", "url": _with_query(address, [("_cursor", page.next), *general])})
    return found


def _with_query(address: str, pairs: Pairs) -> str:
    """Gives an address with its query.

    >>> _with_query("https://hub.example/fhir/Task", [("code", "urn:x|a b")])
    'https://hub.example/fhir/Task?code=urn:x|a%20b'
    """
    query = urlencode(pairs, quote_via=quote, safe="|,:/")
    return f"{address}?{query}" if query else address


def voice_of(pages: Iterable[Iterable[Released]]) -> str:
    """Gives whose words several bodies hold, where they are all of one; empty where they are not."""
    voices = {released.voice for page in pages for released in page}
    return voices.pop() if len(voices) == 1 else ""


def bundle_answer(kind: str, entries: Sequence[bytes]) -> bytes:
    """Gives the answer to a transaction or batch, entry by entry in the order asked."""
    return _joined({"resourceType": "Bundle", "type": f"{kind}-response"}, entries)


def reply_entry(reply: Reply, base: str, named: set[str], *, is_write: bool) -> bytes:
    """Gives the answer to one entry of a Bundle: what the interaction answers alone.

    Only an entry with a resource has a ``fullUrl``, and no two of the same version: R4 asks both (bdl-7).

    Args:
        reply: that answer, in FHIR JSON.
        base: the hub's FHIR base URL.
        named: the versions that entries before it had a ``fullUrl`` for; it is added to.
        is_write: the entry wrote something, so the answer says where it is.
    """
    response: dict[str, Any] = {"status": f"{reply.http_status} {REASONS[reply.http_status]}"}
    parts: list[bytes] = []
    about = reply.about
    if about is not None:
        address = f"{base}/{about.type}/{about.id}"
        version = f"{address}/_history/{about.version}"
        if reply.body and not reply.body.startswith(_OUTCOME) and version not in named:
            named.add(version)
            parts += [b'"fullUrl":', json_codec.encode(address), b","]
        if is_write:
            response["location"] = version
        response["etag"] = about.etag
        response["lastModified"] = instant(about.updated_us)
    if reply.body.startswith(_OUTCOME):
        response["outcome"] = json_codec.decode_own(reply.body)
    elif reply.body:
        parts += [b'"resource":', reply.body, b","]
    parts += [b'"response":', json_codec.encode(response)]
    return b"{" + b"".join(parts) + b"}"


def collection(entries: Iterable[tuple[str, bytes]], base: str) -> bytes:
    """Gives a collection Bundle of (relative address, bytes)."""
    return _joined(
        {"resourceType": "Bundle", "type": "collection"},
        [
            b'{"fullUrl":' + json_codec.encode(f"{base}/{address}") + b',"resource":' + body + b"}"
            for address, body in entries
        ],
    )


def _found_entry(released: Released, mode: str, base: str) -> bytes:
    return b"".join(
        (
            b'{"fullUrl":"',
            f"{base}/{released.type}/{released.id}".encode(),
            b'","resource":',
            released.body,
            b',"search":{"mode":"',
            mode.encode(),
            b'"}}',
        )
    )


def _joined(head: dict[str, Any], entries: Sequence[bytes]) -> bytes:
    if not entries:
        return json_codec.encode(head)
    return json_codec.encode(head)[:-1] + b',"entry":[' + b",".join(entries) + b"]}"
