"""One fault for each check of exports and notifications.

What lives here: the table by the name of the check. What does not: the other faults
(``conformance.faulty.faults``).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from conformance.faulty import bending as b
from conformance.faulty.proxy import Answered, Asked, Fault, Forward

Body = dict[str, Any]
_START = b.on("GET", "export")
_FILE = b.on("GET", r"/export/[^/]+/\w+")
_MANIFEST = b.on("GET", r"/export/[^/]+$")
_SUBSCRIPTION = b.on("GET", r"/Subscription/[^/$]+$")


def _through(asked: Asked, forward: Forward) -> Answered:
    return forward(asked)


def _told(what: str, change: Callable[[Body, dict[str, str]], bool | None]) -> Fault:
    """Gives the fault of a notification that is bent as it leaves; a change that gives False holds it back."""
    return Fault(what, _through, change)


def _entries(change: Callable[[Body], object]) -> Callable[[Body, dict[str, str]], None]:
    def changed(bundle: Body, _: dict[str, str]) -> None:
        for one in bundle["entry"][1:] or bundle["entry"]:
            change(one)

    return changed


def _parameter(name: str, **value: Any) -> Callable[[Body, dict[str, str]], None]:
    def changed(bundle: Body, _: dict[str, str]) -> None:
        for one in bundle["entry"][0]["resource"]["parameter"]:
            for part in (one, *one.get("part", [])):
                if part["name"] == name:
                    part.clear()
                    part.update(name=name, **value)

    return changed


def _one_more_entry(bundle: Body, _: dict[str, str]) -> None:
    bundle["entry"].append({"fullUrl": "urn:uuid:x", "request": {}, "response": {}})


def _no_heartbeat(bundle: Body, _: dict[str, str]) -> bool:
    return "heartbeat" not in json.dumps(bundle)


def _relative(found: Body) -> None:
    for one in found["output"]:
        one["url"] = "/relative"


def _of_subscription(name: str) -> Callable[[Body], None]:
    def changed(found: Body) -> None:
        for one in found["rest"][0]["resource"]:
            if one["type"] == "Subscription":
                one.pop(name, None)

    return changed


def _taken_as_it_is() -> Fault:
    def bend(asked: Asked, forward: Forward) -> Answered:
        answered = forward(asked)
        if asked.method != "POST" or answered.http_status < 400:
            return answered
        body = json.dumps({**json.loads(asked.body), "id": "x"}).encode()
        return replace(answered, http_status=201, body=body)

    return Fault("what is not supported is taken as it is", bend)


ASYNC_FAULTS: Mapping[str, Fault] = {
    "bulk.*.declared": b.body(
        "no instantiates", lambda found: {**found, "instantiates": []}, b.on("GET", "metadata")
    ),
    "bulk.*.no-token": b.status(202, b.on("GET", "export", status="401")),
    "bulk.*.kick-off": b.header("Content-Location", None, _START),
    "bulk.*.manifest": b.body("no time", lambda found: found.pop("transactionTime", 1) and None, _MANIFEST),
    "bulk.*.output": b.body("relative addresses", _relative, _MANIFEST),
    "bulk.*.files": b.header("Content-Type", "text/plain", _FILE),
    "bulk.*.file-token": b.status(200, b.on("GET", status="401")),
    "bulk.cancel": b.status(200, b.on("DELETE")),
    "bulk.cancelled": b.status(200, b.on("GET", "/export/", status="404")),
    "bulk.since": b.without_parameter("_since"),
    "bulk.type": b.without_parameter("_type"),
    "bulk.type-filter": b.without_parameter("_typeFilter"),
    "bulk.output-format": b.status(400, b.on("GET", "_outputFormat")),
    "bulk.other-format": b.status(202, b.on("GET", "_outputFormat")),
    "bulk.unknown-type": b.status(202, b.on("GET", "_type")),
    "bulk.expires": b.header("Expires", None, _MANIFEST),
    "bulk.persons": b.empty(b.on("GET", "/export/[^/]+/Patient")),
    "subs.declared": b.body("no profile", _of_subscription("supportedProfile"), b.on("GET", "metadata")),
    "subs.topics": b.body("no topics", _of_subscription("extension"), b.on("GET", "metadata")),
    "subs.create": b.text('"requested"', '"active"', b.on("POST")),
    "subs.read": b.body("another topic", lambda found: {**found, "criteria": "x"}, _SUBSCRIPTION),
    "subs.handshake": _told("no handshake", _parameter("type", valueCode="heartbeat")),
    "subs.active": b.text('"active"', '"requested"', _SUBSCRIPTION),
    "subs.error": b.text('"error"', '"active"', _SUBSCRIPTION),
    "subs.event.shape": _told("no request", _entries(lambda one: one.pop("request", None))),
    "subs.event.headers": _told("headers are lost", lambda _, headers: headers.clear()),
    "subs.event.number": _told("another number", _parameter("event-number", valueString="7")),
    "subs.id-only": _told("a resource is brought", _entries(lambda one: one.update(resource={}))),
    "subs.empty": _told("one more entry", _one_more_entry),
    "subs.full-resource": _told("no resource", _entries(lambda one: one.pop("resource", None))),
    "subs.heartbeat": _told("no heartbeat", _no_heartbeat),
    "subs.status": b.body(
        "a collection", lambda found: {**found, "type": "collection"}, b.on("GET", "status")
    ),
    "subs.events": b.status(404, b.on("GET", "events")),
    "subs.off": b.not_done(204, b.on("DELETE")),
    "subs.refused.*": _taken_as_it_is(),
    "subs.view": Fault("it brings her address", _through, arrive=lambda told: told + b" 7 Hidden Lane"),
}
