"""A partner's own small FHIR server, real HTTP on this machine, strict about what it is sent.

It keeps Tasks with versions, creates conditionally, asks for If-Match, and writes down every request in the
order it came. A test can let it fail, hang up, stand still, ask for a token, or move a Task as the partner's
own people would. What it would not take from a stranger it notes as a fault.
"""

import contextlib
import http.server
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from referral_hub.fhir import json_codec
from referral_hub.fhir.validator import validate

FHIR_JSON = "application/fhir+json"


@dataclass
class Request:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any] | None
    form: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class Answer:
    """What the server answers with; ``hang_up`` closes the line instead, after the work was done."""

    http_status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    hang_up: bool = False


@dataclass
class PartnerServer:
    """The state of one partner's server."""

    base: str = ""
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    keys: dict[str, bytes] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    script: list[Callable[[Request], Answer | None]] = field(default_factory=list)
    token: str = ""
    sends_etag: bool = True
    names_location: bool = True
    before: Callable[[Request], None] = lambda request: None
    lock: threading.Lock = field(default_factory=threading.Lock)

    # --- what the partner's own people do -------------------------------------------------------------------

    def move(self, task_id: str, **elements: Any) -> None:
        """Changes a Task as the partner's own people do; None drops an element."""
        with self.lock:
            task = {**self.tasks[task_id], **elements}
            self._keep(task_id, {name: value for name, value in task.items() if value is not None})

    def only(self) -> str:
        """Gives the id of the one Task that is there."""
        (task_id,) = self.tasks
        return task_id

    def told(self, method: str) -> list[Request]:
        """Gives the requests of one method, in the order they came."""
        return [request for request in self.requests if request.method == method]

    # --- what the server does -------------------------------------------------------------------------------

    def answer(self, request: Request) -> Answer:
        self.before(request)
        with self.lock:
            self.requests.append(request)
            scripted = self.script.pop(0)(request) if self.script else None
            if scripted is not None and not scripted.hang_up:
                return scripted
            done = self._done(request)
            return Answer(done.http_status, hang_up=True) if scripted is not None else done

    def _done(self, request: Request) -> Answer:
        parts = urlsplit(request.path)
        if self.token and request.headers.get("authorization") != f"Bearer {self.token}":
            return Answer(401)
        if request.headers.get("accept") != FHIR_JSON:
            self.faults.append("Accept is not FHIR JSON")
        if request.method == "POST" and parts.path == "/fhir/Task":
            return self._create(request)
        if request.method == "GET" and parts.path == "/fhir/Task":
            return self._search(parse_qs(parts.query))
        task_id = parts.path.removeprefix("/fhir/Task/")
        if task_id not in self.tasks:
            return Answer(404)
        return self._read(task_id, request) if request.method == "GET" else self._update(task_id, request)

    def _create(self, request: Request) -> Answer:
        body, headers = request.body or {}, request.headers
        self._check_body(body, headers)
        if "id" in body:
            self.faults.append("a create brings an id")
        for _, reference in references(body):
            if not reference.startswith(("http://", "https://")):
                self.faults.append(f"a relative reference: {reference}")
        key = headers.get("idempotency-key", "")
        if not key or headers.get("x-request-id") != key:
            self.faults.append("no idempotency key")
        kept = self.keys.setdefault(key, json_codec.encode(body))
        if kept != json_codec.encode(body):
            self.faults.append("the same key for another body")
        criteria = unquote(headers.get("if-none-exist", ""))
        if not criteria.startswith("identifier="):
            self.faults.append("no If-None-Exist")
        found = self._identified(criteria.removeprefix("identifier="))
        if len(found) > 1:
            return Answer(412)
        if found:
            return self._task(200, found[0])
        task_id = str(uuid.uuid4())
        self._keep(task_id, body)
        return self._task(201, task_id)

    def _search(self, query: dict[str, list[str]]) -> Answer:
        found = self._identified(query["identifier"][0])
        entries = [{"resource": self.tasks[task_id]} for task_id in found]
        return Answer(200, {"resourceType": "Bundle", "type": "searchset", "entry": entries})

    def _read(self, task_id: str, request: Request) -> Answer:
        if request.headers.get("if-none-match") == self._etag(task_id):
            return Answer(304)
        return self._task(200, task_id)

    def _update(self, task_id: str, request: Request) -> Answer:
        self._check_body(request.body or {}, request.headers)
        if "if-match" not in request.headers:
            return Answer(400)
        if request.headers["if-match"] != self._etag(task_id):
            return Answer(412)
        if (request.body or {}).get("id") != task_id:
            return Answer(400)
        self._keep(task_id, request.body or {})
        return self._task(200, task_id)

    def _check_body(self, body: dict[str, Any], headers: dict[str, str]) -> None:
        if headers.get("content-type") != FHIR_JSON:
            self.faults.append("Content-Type is not FHIR JSON")
        self.faults.extend(issue.text for issue in validate(body) if issue.is_error)

    def _identified(self, token: str) -> list[str]:
        system, _, value = token.rpartition("|")
        return [
            task_id
            for task_id, task in self.tasks.items()
            for identifier in task.get("identifier", ())
            if identifier.get("system", "") == system and identifier.get("value") == value
        ]

    def _keep(self, task_id: str, body: dict[str, Any]) -> None:
        self.versions[task_id] = self.versions.get(task_id, 0) + 1
        meta = {**body.get("meta", {}), "versionId": str(self.versions[task_id])}
        if not self.sends_etag:
            del meta["versionId"]
        self.tasks[task_id] = {"resourceType": "Task", "id": task_id, **body, "meta": meta}

    def _etag(self, task_id: str) -> str:
        return f'W/"{self.versions[task_id]}"'

    def _task(self, http_status: int, task_id: str) -> Answer:
        headers = {"ETag": self._etag(task_id)} if self.sends_etag else {}
        if self.names_location:
            headers["Location"] = f"{self.base}/Task/{task_id}/_history/{self.versions[task_id]}"
        return Answer(http_status, self.tasks[task_id], headers)


def references(node: Any) -> Iterator[tuple[str, str]]:
    """Gives every reference text of a body."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name == "reference" and isinstance(value, str):
                yield name, value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def failing(http_status: int, **headers: str) -> Callable[[Request], Answer | None]:
    """A scripted answer: this status instead of any work."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: Answer(http_status, headers=named)


def hanging_up(request: Request) -> Answer:
    """A scripted answer: the work is done, and its answer lost."""
    return Answer(0, hang_up=True)


def as_usual(request: Request) -> None:
    """A scripted answer: as without a script."""


def standing_still(seconds: float) -> Callable[[Request], Answer | None]:
    """A scripted answer: nothing for a while, then too late."""

    def still(request: Request) -> Answer | None:
        time.sleep(seconds)
        return Answer(503)

    return still


class _Handler(http.server.BaseHTTPRequestHandler):
    """Reads a request, lets the partner answer it, and says the answer."""

    server: "_Server"
    protocol_version = "HTTP/1.1"

    def _handle(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length)
        headers = {name.lower(): value for name, value in self.headers.items()}
        is_form = headers.get("content-type") == "application/x-www-form-urlencoded"
        request = Request(
            self.command,
            self.path,
            headers,
            json_codec.decode_object(raw) if raw and not is_form else None,
            parse_qs(raw.decode()) if is_form else {},
        )
        if self.server.token_endpoint is not None and (
            self.path == "/token" or self.path.endswith("/.well-known/smart-configuration")
        ):
            answer = self.server.token_endpoint(request)
        else:
            answer = self.server.partner.answer(request)
        with contextlib.suppress(OSError):
            self._say(answer)

    def _say(self, answer: Answer) -> None:
        if answer.hang_up:
            self.close_connection = True
            return
        if isinstance(answer.body, bytes):
            body = answer.body
        else:
            body = json_codec.encode(answer.body) if answer.body is not None else b""
        self.send_response(answer.http_status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.http_status != 304:
            self.send_header("Content-Type", FHIR_JSON)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def do_PUT(self) -> None:
        self._handle()

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, partner: PartnerServer, token_endpoint: Callable[[Request], Answer] | None) -> None:
        self.partner = partner
        self.token_endpoint = token_endpoint
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hangs up is part of these tests."""


@contextlib.contextmanager
def serving(
    *, token_endpoint: Callable[[Request], Answer] | None = None, partner: PartnerServer | None = None
) -> Iterator[PartnerServer]:
    """Serves one partner on a free port of this machine."""
    partner = partner or PartnerServer()

    server = _Server(partner, token_endpoint)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    partner.base = f"http://127.0.0.1:{server.server_address[1]}/fhir"
    try:
        yield partner
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def as_json(value: Any) -> bytes:
    """Gives plain JSON."""
    return json.dumps(value).encode()
