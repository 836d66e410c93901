"""Answers on the wire: released bodies, Bundles joined from bytes, headers.

What lives here: bytes and headers only; a body that leaves is one the gate released, joined and never
re-serialised. What does not: what may leave (``exchange.gate``), errors (``web.error_handlers``).

Source: FHIR R4 http.html, bundle.html.
"""

from collections.abc import Iterable, Sequence
from email.utils import formatdate
from functools import lru_cache
from typing import Any

from referral_hub.exchange.bundles import Answer
from referral_hub.exchange.interactions import Written
from referral_hub.exchange.ports import Released
from referral_hub.exchange.reading import Version
from referral_hub.exchange.search import Found
from referral_hub.fhir import json_codec
from referral_hub.fhir.dates import instant
from referral_hub.fhir.outcome import Issue, operation_outcome, outcome_bytes
from referral_hub.web.error_handlers import FHIR_JSON, http_status_of, issues_of
from referral_hub.web.negotiation import Preferences
from referral_hub.web.wire import Reply

_NO_STORE = ("Cache-Control", "no-store")
_JSON_HEADERS = (("Content-Type", f"{FHIR_JSON}; charset=utf-8"), _NO_STORE)
_STATUS_TEXT = {200: "200 OK", 201: "201 Created", 204: "204 No Content"}


def json_reply(body: bytes, http_status: int = 200, *, pretty: bool = False) -> Reply:
    """Gives an answer with a FHIR JSON body, which no cache may keep."""
    return Reply(http_status, json_codec.pretty(body) if pretty else body, [*_JSON_HEADERS])


def resource_reply(released: Released, preferences: Preferences, if_none_match: str = "") -> Reply:
    """Gives one released resource; 304 where the caller has exactly this view already."""
    if if_none_match and released.etag in [part.strip() for part in if_none_match.split(",")]:
        return Reply(304, b"", [_NO_STORE, ("ETag", released.etag)])
    reply = json_reply(released.body, pretty=preferences.pretty)
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
        reply = json_reply(released.body, http_status, pretty=preferences.pretty)
    _add_version(reply, released)
    if written.created or written.existing:
        location = f"{base}/{written.type}/{written.id}/_history/{written.version}"
        reply.headers.append(("Location", location))
    return reply


def _add_version(reply: Reply, released: Released) -> None:
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


def searchset(found: Found, self_link: str, next_link: str, base: str) -> bytes:
    """Gives a searchset joined from released bytes."""
    entries = [_found_entry(released, "match", base) for released in found.matches]
    entries += [_found_entry(released, "include", base) for released in found.included]
    head: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset"}
    if found.total is not None:
        head["total"] = found.total
    links = [{"relation": "self", "url": self_link}]
    if next_link:
        links.append({"relation": "next", "url": next_link})
    head["link"] = links
    return _joined(head, entries)


def history_bundle(versions: Sequence[Version], self_link: str, base: str) -> bytes:
    """Gives a history Bundle joined from released bytes."""
    entries = []
    for version in versions:
        released = version.released
        address = f"{released.type}/{released.id}"
        request = {
            "method": version.method or "PUT",
            "url": released.type if version.method == "POST" else address,
        }
        response = {
            "status": version.status,
            "etag": released.etag,
            "lastModified": _instant(released),
        }
        entries.append(
            b'{"fullUrl":'
            + json_codec.encode(f"{base}/{address}")
            + b',"resource":'
            + released.body
            + b',"request":'
            + json_codec.encode(request)
            + b',"response":'
            + json_codec.encode(response)
            + b"}"
        )
    head = {
        "resourceType": "Bundle",
        "type": "history",
        "total": len(entries),
        "link": [{"relation": "self", "url": self_link}],
    }
    return _joined(head, entries)


def bundle_answer(kind: str, answers: Iterable[Answer], preferences: Preferences, base: str) -> bytes:
    """Gives the answer to a transaction or batch, entry by entry in the order asked."""
    entries = [_answer_entry(answer, preferences, base) for answer in answers]
    return _joined({"resourceType": "Bundle", "type": f"{kind}-response"}, entries)


def _answer_entry(answer: Answer, preferences: Preferences, base: str) -> bytes:
    if answer.error is not None:
        response: dict[str, Any] = {
            "status": str(http_status_of(answer.error)),
            "outcome": operation_outcome(issues_of(answer.error)),
        }
        return b'{"response":' + json_codec.encode(response) + b"}"
    if answer.found is not None:
        body = searchset(answer.found, base, "", base)
        return b'{"resource":' + body + b',"response":{"status":"200 OK"}}'
    released = answer.read.released if answer.read is not None else None
    http_status = 200
    if answer.written is not None:
        http_status = 201 if answer.written.created else 200
        released = answer.written.outcome.released if answer.written.outcome is not None else None
        if released is None:
            return b'{"response":{"status":"204 No Content"}}'
    if released is None:
        return b'{"response":{"status":"204 No Content"}}'
    response = {
        "status": _STATUS_TEXT[http_status],
        "location": f"{base}/{released.type}/{released.id}/_history/{released.version}",
        "etag": released.etag,
        "lastModified": _instant(released),
    }
    parts = [b'{"fullUrl":', json_codec.encode(f"{base}/{released.type}/{released.id}")]
    if preferences.returned != "minimal":
        parts += [b',"resource":', released.body]
    parts += [b',"response":', json_codec.encode(response), b"}"]
    return b"".join(parts)


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


def _instant(released: Released) -> str:
    return instant(released.updated_us)
