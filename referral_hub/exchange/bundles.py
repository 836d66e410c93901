"""transaction and batch: several interactions in one request.

What lives here: reading the entries, giving ids before they refer to one another, and the answers in order.
What does not: one entry's own walk (``exchange.interactions``, ``exchange.reading``, ``exchange.search``).

A transaction holds writes of this caller only and is one Change: all or nothing. A batch is decided entry by
entry, each answered as it would be alone.

Source: FHIR R4 http.html#transaction; ``consent.md`` S-25.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

from referral_hub.errors import HubError, InvalidResource, TooMany
from referral_hub.exchange.hub import Hub
from referral_hub.exchange.interactions import Written, by_token, write, write_all
from referral_hub.exchange.proposal import Proposal, Verb
from referral_hub.exchange.reading import read
from referral_hub.exchange.search import Found, search
from referral_hub.fhir import patch as json_patch
from referral_hub.fhir.outcome import Issue
from referral_hub.fhir.references import iter_references, normalise, rewrite_references
from referral_hub.resources.catalog import DEFINITIONS

_VERBS: dict[str, Verb] = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_ORDER = {"DELETE": 0, "POST": 1, "PUT": 2, "PATCH": 2}
_FIRST = ("Organization", "Patient", "Practitioner", "DocumentReference", "Binary")
_LAST = ("Consent", "ServiceRequest", "Procedure", "Appointment", "Communication", "Task", "Provenance")
"""Inside a transaction what is pointed at comes first: persons, consents, requests, then Tasks."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a Bundle, read."""

    index: int
    method: str
    type_name: str
    public_id: str
    query: tuple[tuple[str, str], ...]
    body: dict[str, Any]
    full_url: str
    if_match: str
    if_none_exist: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one entry: what was written, read or found, or why not."""

    written: Written | None = None
    found: Found | None = None
    read: Any = None
    error: HubError | None = None


def run(
    hub: Hub, token_digest: bytes, bundle: dict[str, Any]
) -> tuple[Literal["transaction", "batch"], list[Answer]]:
    """Runs a transaction or batch.

    Raises:
        TooMany: more entries than one Bundle may have (422).
        InvalidResource: the Bundle itself is no transaction or batch, or an entry cannot be read (422).
        HubError: in a transaction, the refusal of the first refused entry; nothing is stored.
    """
    kind = bundle.get("type")
    if kind not in ("transaction", "batch"):
        raise InvalidResource(
            [Issue("error", "value", "Here a Bundle of type transaction or batch is taken.", "Bundle.type")]
        )
    listed = bundle.get("entry") or []
    if not isinstance(listed, list):
        raise InvalidResource([Issue("error", "structure", "Bundle.entry is a list.", "Bundle.entry")])
    if len(listed) > hub.limits.max_bundle_entries:
        raise TooMany(f"One Bundle may hold at most {hub.limits.max_bundle_entries} entries.", "Bundle.entry")
    entries, issues = _read_entries(hub, listed)
    if kind == "batch":
        problems = {issue.expression: issue for issue in issues}
        return "batch", [
            _alone(hub, token_digest, entry, problems.get(f"Bundle.entry[{index}]"))
            for index, entry in enumerate(entries)
        ]
    if issues:
        raise InvalidResource(issues)
    return "transaction", _transaction(hub, token_digest, [entry for entry in entries if entry is not None])


def _alone(hub: Hub, token_digest: bytes, entry: Entry | None, issue: Issue | None) -> Answer:
    try:
        if entry is None or issue is not None:
            raise InvalidResource([issue] if issue else [])
        if entry.method == "GET":
            if entry.public_id:
                return Answer(read=read(hub, token_digest, entry.type_name, entry.public_id))
            return Answer(found=search(hub, token_digest, entry.type_name, entry.query))
        return Answer(written=write(hub, by_token(hub, token_digest), _proposal(entry)))
    except HubError as error:
        return Answer(error=error)


def _transaction(hub: Hub, token_digest: bytes, entries: Sequence[Entry]) -> list[Answer]:
    ids = {entry.index: hub.ids.public_id() for entry in entries if entry.method == "POST"}
    mapping = {
        entry.full_url: f"{entry.type_name}/{ids[entry.index]}"
        for entry in entries
        if entry.index in ids and entry.full_url
    }
    _check_targets(entries)
    writes = sorted((entry for entry in entries if entry.method != "GET"), key=_rank)
    proposals = [_proposal(entry, reserved_id=ids.get(entry.index, ""), mapping=mapping) for entry in writes]
    answers: dict[int, Answer] = {}
    if proposals:
        written = write_all(hub, by_token(hub, token_digest), proposals)
        answers.update({entry.index: Answer(written=one) for entry, one in zip(writes, written, strict=True)})
    for entry in entries:
        if entry.method == "GET":
            answers[entry.index] = _alone(hub, token_digest, entry, None)
    return [answers[entry.index] for entry in entries]


def _check_targets(entries: Sequence[Entry]) -> None:
    seen: set[tuple[str, str]] = set()
    issues = []
    for entry in entries:
        key = (entry.type_name, entry.public_id)
        if entry.method in ("PUT", "PATCH", "DELETE"):
            if key in seen:
                issues.append(
                    Issue(
                        "error",
                        "business-rule",
                        "One transaction changes a resource once.",
                        f"Bundle.entry[{entry.index}].request.url",
                    )
                )
            seen.add(key)
        elif entry.method == "POST" and entry.if_none_exist and _is_named(entry, entries):
            # A match would make the given id wrong for those that refer to this entry.
            issues.append(
                Issue(
                    "error",
                    "not-supported",
                    "An entry that others refer to is created without ifNoneExist, or in a request of its own.",
                    f"Bundle.entry[{entry.index}].request.ifNoneExist",
                )
            )
    if issues:
        raise InvalidResource(issues)


def _is_named(entry: Entry, entries: Sequence[Entry]) -> bool:
    return bool(entry.full_url) and any(
        entry.full_url == reference.get("reference")
        for other in entries
        if other is not entry
        for _, reference in iter_references(other.body)
    )


def _rank(entry: Entry) -> tuple[int, int, int]:
    if entry.type_name in _FIRST:
        place = _FIRST.index(entry.type_name)
    elif entry.type_name in _LAST:
        place = 100 + _LAST.index(entry.type_name)
    else:
        place = 50
    return (_ORDER[entry.method], place, entry.index)


def _proposal(entry: Entry, *, reserved_id: str = "", mapping: dict[str, str] | None = None) -> Proposal:
    body = rewrite_references(entry.body, mapping) if mapping else entry.body
    return Proposal(
        verb=_VERBS[entry.method],
        type_name=entry.type_name,
        public_id=entry.public_id,
        body=body if entry.method in ("POST", "PUT") else {},
        patch=_patch(entry) if entry.method == "PATCH" else (),
        if_match=entry.if_match,
        if_none_exist=entry.if_none_exist,
        reserved_id=reserved_id,
    )


def _patch(entry: Entry) -> tuple[json_patch.Operation, ...]:
    """Reads the JSON Patch a Bundle carries in a Binary.

    Source: FHIR R4 http.html#patch (a patch in a transaction is a Binary of type application/json-patch+json).
    """
    data = entry.body.get("data")
    if entry.body.get("resourceType") != "Binary" or not isinstance(data, str):
        raise InvalidResource(
            [
                Issue(
                    "error",
                    "structure",
                    "A patch in a Bundle is a Binary with contentType application/json-patch+json.",
                    f"Bundle.entry[{entry.index}].resource",
                )
            ]
        )
    return json_patch.read(base64.b64decode(data))


def _read_entries(hub: Hub, listed: Sequence[Any]) -> tuple[list[Entry | None], list[Issue]]:
    entries: list[Entry | None] = []
    issues: list[Issue] = []
    for index, given in enumerate(listed):
        entry, text = _read_entry(hub, index, given)
        entries.append(entry)
        if entry is None:
            issues.append(Issue("error", "value", text, f"Bundle.entry[{index}]"))
    return entries, issues


def _read_entry(hub: Hub, index: int, given: Any) -> tuple[Entry | None, str]:
    request = given.get("request") if isinstance(given, dict) else None
    if not isinstance(request, dict):
        return None, "Each entry says what to do: request.method and request.url."
    method, url = request.get("method"), request.get("url")
    if method not in ("GET", "POST", "PUT", "PATCH", "DELETE") or not isinstance(url, str):
        return None, "request.method is GET, POST, PUT, PATCH or DELETE, request.url a relative address."
    split = urlsplit(normalise(url, hub.own_bases))
    parts = [part for part in split.path.split("/") if part]
    if split.scheme or not parts or parts[0] not in DEFINITIONS or len(parts) > 2:
        return None, "request.url is Type, Type?query or Type/id of a type this hub serves."
    if (len(parts) == 2) != (method in ("PUT", "PATCH", "DELETE")) and method != "GET":
        return None, "POST goes to a Type; PUT, PATCH and DELETE go to a Type/id."
    body = given.get("resource")
    if method in ("POST", "PUT", "PATCH") and not isinstance(body, dict):
        return None, "This entry needs a resource."
    return (
        Entry(
            index=index,
            method=method,
            type_name=parts[0],
            public_id=parts[1] if len(parts) == 2 else "",
            query=tuple(parse_qsl(split.query, keep_blank_values=True)),
            body=body if isinstance(body, dict) else {},
            full_url=_text(given.get("fullUrl")),
            if_match=etag_version(request.get("ifMatch")),
            if_none_exist=_text(request.get("ifNoneExist")),
        ),
        "",
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def etag_version(header: Any) -> str:
    """Gives the version part of an ETag as If-Match carries it.

    >>> etag_version('W/"a1-9f"'), etag_version('"a1"'), etag_version(None)
    ('a1', 'a1', '')
    """
    if not isinstance(header, str):
        return ""
    text = header.strip().removeprefix("W/").strip('"')
    return text.partition("-")[0]
