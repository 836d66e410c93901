"""The shape of what is sent to a partner's FHIR server, and small readings of its answers. Pure.

What lives here: a released Task made ready to be sent, the number it is known by, and where an answer says the
partner's Task is. What does not: calling (``adapters.fhir_rest``).

Source: FHIR R4 ``http.html``; ``views.md`` 6.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urljoin

from referral_hub.access.task_parts import identifier_type
from referral_hub.errors import MalformedContent
from referral_hub.exchange.ports import Released
from referral_hub.fhir import json_codec
from referral_hub.fhir.references import is_under, iter_references, parse, rewrite_references


def outgoing(released: Released, base: str) -> dict[str, Any]:
    """Gives a released Task as it is sent: its references absolute, without the hub's own id and version.

    Args:
        released: the body as the gate made it; it is not altered.
        base: the hub's FHIR base URL.
    """
    task: dict[str, Any] = json_codec.decode_own(released.body)
    away: dict[str, str] = {}
    for _, reference in iter_references(task):
        text = reference.get("reference")
        if isinstance(text, str) and _is_relative(text):
            away[text] = f"{base}/{text}"
    sent = {
        name: value for name, value in rewrite_references(task, away).items() if name not in ("id", "meta")
    }
    given = task.get("meta")
    meta = {
        name: value
        for name, value in (given.items() if isinstance(given, dict) else ())
        if name not in ("versionId", "lastUpdated", "source")
    }
    head = {"resourceType": "Task", "meta": meta} if meta else {"resourceType": "Task"}
    return head | sent


def placer_of(task: Mapping[str, Any]) -> tuple[str, str] | None:
    """Gives (system, value) of the number both sides know a referral by (PLAC), or None.

    >>> placer_of({"resourceType": "Task"}) is None
    True
    """
    for identifier in task.get("identifier") or ():
        if identifier_type(identifier) == "PLAC" and identifier.get("value"):
            return str(identifier.get("system") or ""), str(identifier["value"])
    return None


def criterion(system: str, value: str) -> str:
    """Gives ``system|value`` as a search value: FHIR's own signs escaped, then URL-encoded.

    Source: FHIR R4 ``search.html#escaping``.

    >>> criterion("https://hub.example/placer", "7&8")
    'https://hub.example/placer|7%268'
    """
    parts = [
        quote("".join(f"\\{sign}" if sign in "\\|,$" else sign for sign in part), safe=":/")
        for part in (system, value)
    ]
    return f"{parts[0]}|{parts[1]}" if system else parts[1]


def task_url(endpoint: str, public_id: str) -> str:
    """Gives the URL of a Task at a partner, or '' where the id is none of FHIR's."""
    found = f"{endpoint}/Task/{public_id}"
    return found if is_task_under(found, endpoint) else ""


def is_task_under(url: str, endpoint: str) -> bool:
    """Says whether an address is that of a Task under the partner's endpoint, compared by its parts."""
    try:
        found = parse(url)
    except ValueError:
        return False
    return found.kind == "absolute" and found.type == "Task" and is_under(found.base, (endpoint,))


def located(location: str, endpoint: str) -> str:
    """Gives the URL of the Task a Location header names, where it is under the partner's endpoint; else ''.

    >>> located("https://ehr.example/fhir/Task/7/_history/1", "https://ehr.example/fhir")
    'https://ehr.example/fhir/Task/7'
    >>> located("https://elsewhere.example/fhir/Task/7", "https://ehr.example/fhir")
    ''
    """
    if not location:
        return ""
    try:
        found = parse(urljoin(f"{endpoint}/", location))
    except ValueError:
        return ""
    if found.kind != "absolute" or found.type != "Task" or not is_under(found.base, (endpoint,)):
        return ""
    return task_url(endpoint, found.id)


def named(body: bytes, endpoint: str) -> str:
    """Gives the URL of the Task an answer's body names by its id, or ''."""
    try:
        task = json_codec.decode_object(body)
    except MalformedContent:
        return ""
    is_task = task.get("resourceType") == "Task" and isinstance(task.get("id"), str)
    return task_url(endpoint, str(task["id"])) if is_task else ""


def _is_relative(text: str) -> bool:
    try:
        return parse(text).kind == "relative"
    except ValueError:
        return False


def weak_etag(task: Mapping[str, Any]) -> str:
    """Gives the ETag a body implies by its versionId, or ''.

    >>> weak_etag({"meta": {"versionId": "3"}})
    'W/"3"'
    """
    meta = task.get("meta")
    version = meta.get("versionId") if isinstance(meta, dict) else None
    return f'W/"{version}"' if isinstance(version, str) and version else ""


def retry_after_s(text: str, at_us: int) -> float | None:
    """Gives how many seconds a Retry-After asks to wait; it is a number or a date.

    Args:
        text: the header's value; an unreadable one gives None.
        at_us: now, microseconds UTC.

    Source: RFC 9110, 10.2.3.

    >>> retry_after_s("120", 0), retry_after_s("Thu, 01 Jan 1970 00:01:00 GMT", 0), retry_after_s("soon", 0)
    (120.0, 60.0, None)
    """
    if text.isascii() and text.isdigit() and len(text) < 8:
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.fromtimestamp(at_us / 1e6, UTC)).total_seconds())
