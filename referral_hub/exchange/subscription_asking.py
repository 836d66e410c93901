"""What a Subscription asks for: read, and refused where the hub cannot do it.

What lives here: ``Wanted`` and its reading; every problem at once, each with its element. What does not: FHIR's own
rules (``fhir.validator``), topics (``exchange.topics``), sending (``outbound``).

Source: Subscriptions R5 Backport IG 1.1.0 (backport-subscription); ``referral-loop.md`` Part D.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

import msgspec

from referral_hub.errors import HubError, InvalidResource
from referral_hub.exchange.indexing import parameters
from referral_hub.exchange.topics import TOPICS, Topic
from referral_hub.fhir.dates import span
from referral_hub.fhir.outcome import Issue
from referral_hub.fhir.search_grammar import parse_query, refuse_unknown
from referral_hub.fhir.search_parameters import official
from referral_hub.fhir.search_query import Criterion

Content = Literal["empty", "id-only", "full-resource"]

BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition"
PROFILE = f"{BACKPORT}/backport-subscription"
_FILTER = f"{BACKPORT}/backport-filter-criteria"
_CONTENT = f"{BACKPORT}/backport-payload-content"
_HEARTBEAT = f"{BACKPORT}/backport-heartbeat-period"
_TIMEOUT = f"{BACKPORT}/backport-timeout"
_MOST = f"{BACKPORT}/backport-max-count"
_KNOWN = {
    "Subscription.criteria": frozenset({_FILTER}),
    "Subscription.channel.payload": frozenset({_CONTENT}),
    "Subscription.channel": frozenset({_HEARTBEAT, _TIMEOUT, _MOST}),
}
LEAST_HEARTBEAT_S = 10
MOST_HEADERS = 10
_MOST_FILTERS = 20
_MIME = "application/fhir+json"
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}):[ \t]*([\x20-\x7e]{0,2000})")
_OUR_HEADERS = frozenset(
    {"host", "content-length", "content-type", "transfer-encoding", "connection", "te", "upgrade", "trailer"}
)
_MAILBOX = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")


class Wanted(msgspec.Struct, frozen=True):
    """One Subscription in the hub's terms.

    ``filters`` are search strings such as ``owner=Organization/1``, all of which must match; ``end_us`` 0 is no end.
    """

    topic: str
    channel: Literal["rest-hook", "email"]
    endpoint: str
    content: Content
    headers: tuple[tuple[str, str], ...] = ()
    filters: tuple[str, ...] = ()
    heartbeat_s: int = 0
    timeout_s: int = 0
    end_us: int = 0


def wanted_of(body: dict[str, Any], registered: Sequence[str]) -> Wanted:
    """Gives what a Subscription asks for.

    Args:
        body: a Subscription that passed FHIR's own rules.
        registered: the addresses registered for its author: FHIR base URLs, and ``mailto:`` addresses.

    Raises:
        InvalidResource: one issue for each thing the hub cannot do (422).
    """
    issues: list[Issue] = []
    topic = TOPICS.get(str(body.get("criteria")))
    if topic is None:
        issues.append(_no("criteria", f"A topic is one of {', '.join(TOPICS)}."))
    filters = _filters(body, topic, issues)
    channel = body.get("channel") if isinstance(body.get("channel"), dict) else {}
    assert isinstance(channel, dict)  # noqa: S101 - as just seen
    kind = channel.get("type")
    if kind not in ("rest-hook", "email"):
        issues.append(_no("channel.type", "A channel is rest-hook or email."))
    content = _content(channel, str(kind), issues)
    endpoint = _endpoint(channel, str(kind), registered, issues)
    headers = _headers(channel, str(kind), issues)
    numbers = _numbers(channel, issues)
    _only_known(body, channel, issues)
    end_us = _end(body)
    if issues:
        raise InvalidResource(issues)
    return Wanted(
        topic=str(body["criteria"]),
        channel="email" if kind == "email" else "rest-hook",
        endpoint=endpoint,
        content=content,
        headers=headers,
        filters=filters,
        heartbeat_s=numbers.get(_HEARTBEAT, 0),
        timeout_s=numbers.get(_TIMEOUT, 0),
        end_us=end_us,
    )


def criteria_of(topic: Topic, text: str, base_urls: Iterable[str], at_us: int) -> tuple[Criterion, ...]:
    """Gives a filter as conditions of a search.

    Raises:
        NotSupportedParameter, InvalidParameter: it cannot be read.
    """
    known = {**{name: official(topic.type_name)[name] for name in ("_id", "_lastUpdated")}}
    known.update({code: parameter for code, (_, parameter) in parameters(topic.type_name).items()})
    query = parse_query(
        tuple(parse_qsl(text, keep_blank_values=True)),
        {name: parameter for name, parameter in known.items() if name in topic.filters},
        includes=(),
        sortable=(),
        base_urls=tuple(base_urls),
        at_us=at_us,
    )
    refuse_unknown(query)
    return query.criteria


def _filters(body: dict[str, Any], topic: Topic | None, issues: list[Issue]) -> tuple[str, ...]:
    found = []
    for extension in _extensions(body.get("_criteria")):
        if extension.get("url") != _FILTER:
            continue
        text = str(extension.get("valueString", ""))
        type_name, asks, query = text.partition("?")
        if topic is None:
            continue
        if not asks or type_name != topic.type_name or not query:
            issues.append(_no("criteria", f"A filter reads {topic.type_name}?name=value."))
            continue
        try:
            criteria_of(topic, query, (), 0)
        except HubError:
            names = ", ".join(topic.filters)
            issues.append(_no("criteria", f"This topic is filtered by {names}, in the words of a search."))
        found.append(query)
    if len(found) > _MOST_FILTERS:
        issues.append(_no("criteria", f"At most {_MOST_FILTERS} filters."))
    return tuple(found)


def _content(channel: dict[str, Any], kind: str, issues: list[Issue]) -> Content:
    payload = channel.get("payload")
    if payload is not None and str(payload).partition(";")[0].strip() != _MIME:
        issues.append(_no("channel.payload", f"A payload is {_MIME}."))
    given = [e.get("valueCode") for e in _extensions(channel.get("_payload")) if e.get("url") == _CONTENT]
    code = given[0] if len(given) == 1 else None
    if code not in ("empty", "id-only", "full-resource"):
        issues.append(
            _no(
                "channel.payload",
                "Say what a notification holds, by backport-payload-content: empty, id-only or full-resource.",
            )
        )
        return "empty"
    if kind == "email" and code == "full-resource":
        issues.append(_no("channel.payload", "An e-mail holds nothing of a person: empty or id-only."))
    return "id-only" if code == "id-only" else "full-resource" if code == "full-resource" else "empty"


def _endpoint(channel: dict[str, Any], kind: str, registered: Sequence[str], issues: list[Issue]) -> str:
    text = str(channel.get("endpoint", ""))
    if kind == "email":
        address = text.removeprefix("mailto:")
        if not text.startswith("mailto:") or not _MAILBOX.fullmatch(address):
            issues.append(_no("channel.endpoint", "An e-mail channel ends at mailto:name@host."))
        elif text.lower() not in {one.lower() for one in registered}:
            issues.append(_no("channel.endpoint", _UNREGISTERED))
        return text
    if kind == "rest-hook" and _origin(text) not in {_origin(one) for one in registered} - {""}:
        issues.append(_no("channel.endpoint", _UNREGISTERED))
    return text


_UNREGISTERED = (
    "Notifications go to registered addresses of your organisation only. "
    "Ask the network's coordinator to add it."
)


def _origin(text: str) -> str:
    """Gives scheme, host and port of an address; empty for what is none, or carries a login or a fragment."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("https", "http") or not parts.hostname or "@" in parts.netloc or parts.fragment:
        return ""
    return f"{parts.scheme}://{parts.hostname}:{port or (443 if parts.scheme == 'https' else 80)}"


def _headers(channel: dict[str, Any], kind: str, issues: list[Issue]) -> tuple[tuple[str, str], ...]:
    given = channel.get("header")
    lines = [str(line) for line in given] if isinstance(given, list) else []
    found = []
    for index, line in enumerate(lines):
        match = _HEADER.fullmatch(line)
        if match is None or match.group(1).lower() in _OUR_HEADERS:
            issues.append(
                _no(f"channel.header[{index}]", "A header reads Name: value, and is none of the hub's own.")
            )
        else:
            found.append((match.group(1), match.group(2)))
    if len(lines) > MOST_HEADERS:
        issues.append(_no("channel.header", f"At most {MOST_HEADERS} headers."))
    if lines and kind == "email":
        issues.append(_no("channel.header", "An e-mail takes no headers."))
    return tuple(found)


def _numbers(channel: dict[str, Any], issues: list[Issue]) -> dict[str, int]:
    found: dict[str, int] = {}
    for extension in _extensions(channel):
        url = str(extension.get("url"))
        value = extension.get("valueUnsignedInt", extension.get("valuePositiveInt"))
        if url not in _KNOWN["Subscription.channel"]:
            continue
        if not isinstance(value, int) or isinstance(value, bool):
            issues.append(_no("channel", f"{url.rpartition('/')[2]} is a whole number."))
            continue
        if url == _HEARTBEAT and value < LEAST_HEARTBEAT_S:
            issues.append(_no("channel", f"A heartbeat comes every {LEAST_HEARTBEAT_S} seconds at most."))
        found[url] = value
    return found


def _only_known(body: dict[str, Any], channel: dict[str, Any], issues: list[Issue]) -> None:
    """Refuses extensions that ask for what the hub does not do; unknown ones elsewhere ask for nothing."""
    for path, node in (
        ("Subscription.criteria", body.get("_criteria")),
        ("Subscription.channel.payload", channel.get("_payload")),
        ("Subscription.channel", channel),
    ):
        for extension in _extensions(node):
            if extension.get("url") not in _KNOWN[path]:
                issues.append(Issue("error", "not-supported", _UNKNOWN, f"{path}.extension"))
    for node, path in ((body, "Subscription"), (channel.get("_type"), "Subscription.channel.type")):
        if any(_of_another_version(extension) for extension in _extensions(node)):
            issues.append(Issue("error", "not-supported", _UNKNOWN, f"{path}.extension"))


_UNKNOWN = "The hub cannot do what this extension asks for."


def _of_another_version(extension: dict[str, Any]) -> bool:
    return bool(re.match(r"http://hl7\.org/fhir/[0-9.]+/", str(extension.get("url"))))


def _end(body: dict[str, Any]) -> int:
    text = body.get("end")
    return span(text)[1] if isinstance(text, str) else 0


def _extensions(node: Any) -> list[dict[str, Any]]:
    given = node.get("extension") if isinstance(node, dict) else None
    return [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []


def _no(element: str, text: str) -> Issue:
    return Issue("error", "not-supported", text, f"Subscription.{element}")
