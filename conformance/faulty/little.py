"""A little server with Bulk Data and Subscriptions, right in what it does: something sound to bend.

What lives here: exports and notifications of a few resources in memory, with tokens that anybody gets. What does not:
anything a real server needs. It stands in until a server at hand has these parts, and shows that the checks of them can
pass.

Source: Bulk Data Access 2.0.0; Subscriptions R5 Backport 1.1.0 (R4).
"""

import base64
import json
import re
import threading
import time
import uuid
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from conformance.claims import SDOHCC
from conformance.faulty.proxy import Proxy
from conformance.requirements import requirements
from conformance.subscribing import BACKPORT, STATUS_PROFILE, TASK_TOPIC, TOPICS_EXTENSION
from conformance.target import ClientSettings, Target
from conformance.tokens import make_key

Resource = dict[str, Any]
Told = tuple[int, dict[str, str], bytes]
FHIR_JSON = "application/fhir+json"
_TYPES = ("Patient", "Task", "ServiceRequest", "Organization")
_CONTENTS = ("empty", "id-only", "full-resource")
_FORMATS = ("application/fhir+ndjson", "application/ndjson", "ndjson")
_TICK_S = 0.25
KNOWN_TO_LITTLE = (
    "bulk.*",
    "subs.*",
    "sdohcc.*.profile.*",
    "sdohcc.formats",
    "sdohcc.task.conditional-read",
    "smart.discovery.authorize",
    "smart.discovery.openid",
    "smart.discovery.cors",
    "rest.update.update-create",
)
"""The checks it can pass; of anything else it knows nothing."""


class LittleServer:
    """The server, listening on a free port of this machine.

    Args:
        base: the public address of the proxy before it, which it names as its own.
    """

    def __init__(self, base: str) -> None:
        self.base = base
        self.kept: dict[str, Resource] = {}
        self.owners: dict[str, str] = {}
        self.exports: dict[str, tuple[str, list[Resource]]] = {}
        self.events: dict[str, int] = {}
        self.proxy: Proxy | None = None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self._running = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        threading.Thread(target=self._beat, daemon=True).start()

    def target(self) -> Target:
        """Gives how to look at it."""
        clients = {
            role: ClientSettings(role, make_key("ES384", role), organization="1")
            for role in ("author", "outsider")
            for role in ("author", "outsider")
        }
        self.kept["Group/1"] = {"resourceType": "Group", "id": "1", "type": "person", "actual": True}
        return Target(f"{self.base}/fhir", clients, export_group="1")

    def close(self) -> None:
        """Ends it."""
        self._running = False
        self._server.shutdown()
        self._server.server_close()

    # --- answers -------------------------------------------------------------------------------------------

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Told:
        """Gives the answer to a request."""
        where = urlsplit(path).path.removeprefix("/fhir")
        query = {name: values[-1] for name, values in parse_qs(urlsplit(path).query).items()}
        if where in ("/metadata", "/.well-known/smart-configuration"):
            status, told, found = _json(
                200, self._metadata() if where == "/metadata" else self._configuration()
            )
            return status, {**told, "Access-Control-Allow-Origin": "*"}, found
        if where == "/token":
            return self._token(body)
        caller = headers.get("authorization", "").removeprefix("Bearer ")
        if not caller:
            return _refused(401, "login")
        if where.endswith("$export"):
            return self._kicked_off(query, caller)
        if match := re.fullmatch(r"/export/([^/]+)(?:/(\w+))?", where):
            return self._exported(method, match[1], match[2] or "", caller)
        if method == "POST":
            return self._created(where.strip("/"), json.loads(body), caller)
        if method == "GET" and "/$" in where:
            return self._state(where.strip("/"), caller)
        if method == "PUT":
            return self._put(where.strip("/"), json.loads(body))
        return self._single(method, where.strip("/"))

    def _put(self, where: str, resource: Resource) -> Told:
        status = 200 if where in self.kept else 201
        self.kept[where] = {**resource, "meta": {"versionId": "1", "lastUpdated": _now()}}
        told = {"Location": f"{self.base}/fhir/{where}/_history/1", "Content-Type": FHIR_JSON}
        return status, told, _bytes(self.kept[where])

    def _metadata(self) -> Resource:
        export = [
            {"name": "export", "definition": "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/export"}
        ]
        codes = ("read", "create", "delete", "search-type")
        plain: list[Resource] = [
            {"type": name, "interaction": [{"code": one} for one in codes], "conditionalRead": "full-support"}
            for name in _TYPES
        ]
        plain[0]["operation"] = export
        plain[0]["interaction"].append({"code": "update"})
        plain[0]["updateCreate"] = True
        subscription = {
            "type": "Subscription",
            "extension": [{"url": TOPICS_EXTENSION, "valueCanonical": TASK_TOPIC}],
            "supportedProfile": [f"{BACKPORT}/backport-subscription"],
            "interaction": [{"code": one} for one in codes],
            "operation": [{"name": "status", "definition": "x"}, {"name": "events", "definition": "x"}],
        }
        group = {"type": "Group", "interaction": [{"code": "read"}], "operation": export}
        resources = [*plain, group, subscription]
        for name, profiles in _sdohcc_profiles().items():
            entry = next((one for one in resources if one["type"] == name), None)
            if entry is None:
                entry = {"type": name}
                resources.append(entry)
            entry.setdefault("supportedProfile", profiles)
        return {
            "resourceType": "CapabilityStatement",
            "status": "active",
            "kind": "instance",
            "fhirVersion": "4.0.1",
            "format": ["json", "xml"],
            "instantiates": ["http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data", SDOHCC],
            "rest": [
                {
                    "mode": "server",
                    "security": {"service": [{"text": "SMART-on-FHIR"}]},
                    "resource": resources,
                    "operation": export,
                }
            ],
        }

    def _configuration(self) -> Resource:
        return {
            "token_endpoint": f"{self.base}/fhir/token",
            "authorization_endpoint": f"{self.base}/fhir/authorize",
            "grant_types_supported": ["authorization_code", "client_credentials"],
            "issuer": self.base,
            "jwks_uri": f"{self.base}/fhir/keys",
            "capabilities": ["client-confidential-asymmetric", "launch-standalone", "sso-openid-connect"],
        }

    def _token(self, body: bytes) -> Told:
        """Gives a token that is the caller's own name: nothing is proved here."""
        form = parse_qs(body.decode())
        if "client_assertion" not in form:
            return _json(400, {"error": "invalid_request"})
        claims = form["client_assertion"][0].split(".")[1]
        who = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["sub"]
        return _json(
            200, {"access_token": who, "token_type": "bearer", "expires_in": 300, "scope": "system/*.cruds"}
        )

    def _single(self, method: str, where: str) -> Told:
        if where not in self.kept:
            return _refused(404, "not-found")
        if method == "DELETE":
            del self.kept[where]
            return 204, {}, b""
        return _json(200, self.kept[where])

    def _created(self, type_name: str, resource: Resource, caller: str) -> Told:
        if type_name == "Subscription":
            if not self._acceptable(resource):
                return _refused(422, "not-supported")
            resource["status"] = "requested"
        made = {**resource, "id": str(uuid.uuid4()), "meta": {"versionId": "1", "lastUpdated": _now()}}
        key = f"{type_name}/{made['id']}"
        self.kept[key] = made
        self.owners[key] = caller
        if type_name == "Subscription":
            self.events[key] = 0
            threading.Thread(target=self._greet, args=(key,), daemon=True).start()
            made = dict(made)
        elif type_name == "Task" and made.get("status") != "draft":
            threading.Thread(target=self._tell, args=(key,), daemon=True).start()
        return (
            201,
            {"Location": f"{self.base}/fhir/{key}/_history/1", "Content-Type": FHIR_JSON},
            _bytes(made),
        )

    # --- exports -------------------------------------------------------------------------------------------

    def _kicked_off(self, query: dict[str, str], caller: str) -> Told:
        named = query.get("_type", "").split(",") if query.get("_type") else list(_TYPES)
        if query.get("_outputFormat", "ndjson") not in _FORMATS or not set(named) <= set(_TYPES):
            return _refused(400, "value")
        rows = [one for one in self.kept.values() if one["resourceType"] in named]
        if query.get("_since", "") > _now():
            rows = []
        name = str(uuid.uuid4())
        self.exports[name] = (caller, rows)
        return 202, {"Content-Location": f"{self.base}/fhir/export/{name}"}, b""

    def _exported(self, method: str, name: str, type_name: str, caller: str) -> Told:
        owner, rows = self.exports.get(name, ("", []))
        if owner != caller:
            return _refused(404, "not-found")
        if method == "DELETE":
            del self.exports[name]
            return 202, {}, b""
        if type_name:
            lines = [json.dumps(one) for one in rows if one["resourceType"] == type_name]
            return 200, {"Content-Type": "application/fhir+ndjson"}, "\n".join(lines).encode()
        kinds = sorted({one["resourceType"] for one in rows})
        output = [{"type": kind, "url": f"{self.base}/fhir/export/{name}/{kind}"} for kind in kinds]
        manifest = {
            "transactionTime": _now(),
            "request": f"{self.base}/fhir/$export",
            "requiresAccessToken": True,
            "output": output,
            "error": [],
        }
        expires = {"Expires": "Fri, 01 Jan 2100 00:00:00 GMT", "Content-Type": "application/json"}
        return 200, expires, json.dumps(manifest).encode()

    # --- subscriptions ---------------------------------------------------------------------------------------

    def _acceptable(self, resource: Resource) -> bool:
        channel = resource.get("channel", {})
        content = channel.get("_payload", {}).get("extension", [{}])[0].get("valueCode")
        return (
            resource.get("criteria") == TASK_TOPIC
            and "_criteria" not in resource
            and channel.get("type") == "rest-hook"
            and str(channel.get("endpoint", "")).startswith("http")
            and channel.get("payload") == FHIR_JSON
            and content in _CONTENTS
        )

    def _greet(self, key: str) -> None:
        time.sleep(0.02)
        accepted = self._notify(key, "handshake")
        if key in self.kept:
            self.kept[key] = {**self.kept[key], "status": "active" if accepted else "error"}

    def _tell(self, focus: str) -> None:
        for key in [one for one in self.events if self.kept.get(one, {}).get("status") == "active"]:
            self.events[key] += 1
            self._notify(key, "event-notification", focus)

    def _beat(self) -> None:
        while self._running:
            time.sleep(_TICK_S)
            for key, resource in list(self.kept.items()):
                if resource.get("status") == "active" and "heartbeat" in str(resource.get("channel")):
                    self._notify(key, "heartbeat")

    def _status(self, key: str, kind: str, focus: str = "") -> Resource:
        parameters: list[Resource] = [
            {"name": "subscription", "valueReference": {"reference": f"{self.base}/fhir/{key}"}},
            {"name": "status", "valueCode": self.kept[key]["status"]},
            {"name": "type", "valueCode": kind},
            {"name": "events-since-subscription-start", "valueString": str(self.events[key])},
        ]
        content = _content(self.kept[key])
        if content != "empty":
            parameters.append({"name": "topic", "valueCanonical": TASK_TOPIC})
        if focus:
            part: list[Resource] = [{"name": "event-number", "valueString": str(self.events[key])}]
            if content != "empty":
                part.append({"name": "focus", "valueReference": {"reference": f"{self.base}/fhir/{focus}"}})
            parameters.append({"name": "notification-event", "part": part})
        return {"resourceType": "Parameters", "meta": {"profile": [STATUS_PROFILE]}, "parameter": parameters}

    def _bundle(self, key: str, kind: str, focus: str = "") -> Resource:
        request = {"method": "GET", "url": f"{self.base}/fhir/{key}/$status"}
        status = self._status(key, kind, focus)
        entries: list[Resource] = [{"resource": status, "request": request, "response": {"status": "200"}}]
        content = _content(self.kept[key])
        if focus and content != "empty":
            entry: Resource = {"fullUrl": f"{self.base}/fhir/{focus}"}
            if content == "full-resource":
                entry["resource"] = self.kept[focus]
            entries.append(
                {**entry, "request": {"method": "POST", "url": "Task"}, "response": {"status": "201"}}
            )
        return {"resourceType": "Bundle", "type": "history", "entry": entries}

    def _notify(self, key: str, kind: str, focus: str = "") -> bool:
        channel = self.kept[key]["channel"]
        headers = dict(one.split(": ", 1) for one in channel.get("header", []))
        bundle = json.loads(json.dumps(self._bundle(key, kind, focus)))
        tell = self.proxy.fault.tell if self.proxy and self.proxy.fault else None
        if tell is not None and tell(bundle, headers) is False:
            return True
        try:
            found = requests.post(
                channel["endpoint"],
                data=_bytes(bundle),
                headers={**headers, "Content-Type": channel["payload"]},
                timeout=5,
            )
        except (requests.RequestException, KeyError):
            return False
        return found.status_code == 200

    def _state(self, where: str, caller: str) -> Told:
        key, _, operation = where.partition("/$")
        if self.owners.get(key) != caller:
            return _refused(404, "not-found")
        if operation == "events":
            return _json(200, self._bundle(key, "query-event"))
        entry = {"resource": self._status(key, "query-status"), "search": {"mode": "match"}}
        return _json(200, {"resourceType": "Bundle", "type": "searchset", "entry": [entry]})


def _sdohcc_profiles() -> dict[str, list[str]]:
    """Gives the profiles that a Coordination Platform names, by type, from the requirements."""
    found: dict[str, list[str]] = {}
    for one in requirements():
        if match := re.fullmatch(r"SDOHCC-CPS-([A-Za-z]+)-profile-(.+)", one):
            found.setdefault(match[1], []).append(f"https://x.example/StructureDefinition/{match[2]}")
    return found


def _content(subscription: Resource) -> str:
    return str(subscription["channel"]["_payload"]["extension"][0]["valueCode"])


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _bytes(found: Resource) -> bytes:
    return json.dumps(found).encode()


def _json(status: int, found: Resource) -> Told:
    return status, {"Content-Type": FHIR_JSON}, _bytes(found)


def _refused(status: int, code: str) -> Told:
    issue = {"severity": "error", "code": code}
    return _json(status, {"resourceType": "OperationOutcome", "issue": [issue]})


def _handler(little: LittleServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16
        disable_nagle_algorithm = True

        def _answer(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, told, body = little.answer(self.command, self.path, headers, sent)
            self.send_response_only(status)
            for name, value in told.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    return Handler
