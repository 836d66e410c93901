"""The partners' servers of the drill: one small FHIR server that keeps Tasks for each clinic, and is unreliable.

What lives here: what reaches a partner, in the order it comes, and answers that fail, wait or get lost by
chance. What does not: whether that was right (``tests.drill.verdict``).

It recognises a repeated create by If-None-Exist, as FHIR has it, and not by the Idempotency-Key: whether a
repeated message carries the same key is what the drill looks at.
"""

import contextlib
import http.server
import json
import random
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from referral_hub.fhir.canonical import PLACER
from referral_hub.fhir.elements import code_in
from referral_hub.resources.task import TASK_CODES
from tests.drill.hub import now_s

FHIR_JSON = "application/fhir+json"
Resource = dict[str, Any]


@dataclass(slots=True)
class Arrival:
    """One message that reached a partner: when its head was read, and what it says.

    ``kept`` tells whether the partner stored it; ``answered`` is the status it answered with, 0 for none.
    """

    order: int
    at_s: float
    clinic: str
    method: str
    key: str
    placer: str
    person: str
    status: str
    recalls: tuple[str, ...]
    is_recall: bool
    kept: bool = False
    answered: int = 0


@dataclass(frozen=True, slots=True)
class Whims:
    """How often, of a hundred messages, a partner misbehaves in each way."""

    refuses: int = 3
    """503 before anything was done."""
    forgets: int = 2
    """Stored, then 503."""
    hangs_up: int = 2
    """Stored, then the line is closed without an answer."""
    dawdles: int = 4
    """Stored, answered after up to three seconds."""


@dataclass(slots=True)
class _Kept:
    version: int
    body: Resource


class Partners:
    """All partners' servers at one address, each under its own path. Safe for threads."""

    def __init__(self, names: list[str], seed: int, whims: Whims) -> None:
        self.names = names
        self.base = ""
        self.arrivals: list[Arrival] = []
        self.calm = False
        self._tasks: dict[str, dict[str, _Kept]] = {name: {} for name in names}
        self._accepting: set[str] = set()
        self._lock = threading.Lock()
        self._chance = random.Random(f"{seed}/partners")
        self._whims = whims

    def endpoints(self) -> dict[str, str]:
        """Gives each clinic's FHIR base address."""
        return {name: f"{self.base}/{name}/fhir" for name in self.names}

    def tasks(self, clinic: str) -> list[Resource]:
        """Gives what a clinic's server keeps."""
        with self._lock:
            return [kept.body for kept in self._tasks[clinic].values()]

    def accept(self, clinic: str, placer: str) -> None:
        """Lets the clinic's own people accept a referral in their own system, now or once it is there."""
        with self._lock:
            self._accepting.add(placer)
            for public_id, kept in self._tasks[clinic].items():
                if _placer(kept.body) == placer:
                    self._keep(clinic, public_id, {**kept.body, "status": "accepted"}, kept.version + 1)

    # --- what the handler asks ----------------------------------------------------------------------------

    def whim(self) -> str:
        """Gives how the next message is treated: '' for properly."""
        with self._lock:
            drawn = self._chance.randrange(100)
        for name in ("refuses", "forgets", "hangs_up", "dawdles"):
            drawn -= getattr(self._whims, name)
            if drawn < 0:
                return "" if self.calm else name
        return ""

    def seconds(self) -> float:
        """Gives how long a dawdling partner waits."""
        with self._lock:
            return self._chance.uniform(0.2, 3.0)

    def arrived(self, clinic: str, method: str, key: str, body: Resource, at_s: float) -> Arrival:
        """Writes down a message."""
        recalled = [entry.get("valueIdentifier") for entry in body.get("input", ())]
        with self._lock:
            found = Arrival(
                order=len(self.arrivals),
                at_s=at_s,
                clinic=clinic,
                method=method,
                key=key,
                placer=_placer(body),
                person=str(body.get("for", {}).get("reference", "")),
                status=str(body.get("status", "")),
                recalls=tuple(one["value"] for one in recalled if isinstance(one, dict)),
                is_recall=code_in(body.get("code"), TASK_CODES) == "recall",
            )
            self.arrivals.append(found)
            return found

    def create(self, clinic: str, body: Resource, condition: str, arrival: Arrival) -> tuple[int, Resource]:
        """Creates a Task once; gives the status of the answer and the Task."""
        with self._lock:
            found = self._matching(clinic, condition) if condition else []
            arrival.kept = True
            if found:
                return 200, found[0].body
            if _placer(body) in self._accepting:
                body = {**body, "status": "accepted"}
            return 201, self._keep(clinic, str(uuid.uuid4()), body, 1).body

    def update(
        self, clinic: str, public_id: str, body: Resource, if_match: str, arrival: Arrival
    ) -> tuple[int, Resource]:
        """Puts a new version in place of the one named."""
        with self._lock:
            kept = self._tasks[clinic].get(public_id)
            if kept is None:
                return 404, {}
            if if_match != _etag(kept):
                return 412, {}
            arrival.kept = True
            return 200, self._keep(clinic, public_id, body, kept.version + 1).body

    def read(self, clinic: str, public_id: str) -> tuple[int, Resource]:
        """Gives a Task."""
        with self._lock:
            kept = self._tasks[clinic].get(public_id)
            return (200, kept.body) if kept is not None else (404, {})

    def search(self, clinic: str, query: str) -> Resource:
        """Gives the Tasks that carry an identifier."""
        with self._lock:
            found = self._matching(clinic, query)
        entries = [{"resource": kept.body} for kept in found]
        bundle: Resource = {"resourceType": "Bundle", "type": "searchset", "total": len(entries)}
        return {**bundle, "entry": entries} if entries else bundle

    def _matching(self, clinic: str, query: str) -> list[_Kept]:
        number = parse_qs(query).get("identifier", [""])[0].rpartition("|")[2]
        return [kept for kept in self._tasks[clinic].values() if _placer(kept.body) == number]

    def _keep(self, clinic: str, public_id: str, body: Resource, version: int) -> _Kept:
        meta = {**body.get("meta", {}), "versionId": str(version)}
        kept = _Kept(version, {**body, "id": public_id, "meta": meta})
        self._tasks[clinic][public_id] = kept
        return kept


def _etag(kept: _Kept) -> str:
    return f'W/"{kept.version}"'


def _placer(task: Resource) -> str:
    for identifier in task.get("identifier", ()):
        if identifier.get("system") == PLACER:
            return str(identifier["value"])
    return ""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    partners: Partners

    def log_message(self, *_: object) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        clinic, path, query = self._where()
        if path == "/fhir/metadata":
            self._say(200, {"resourceType": "CapabilityStatement", "status": "active"})
        elif path == "/fhir/Task":
            self._say(200, self.partners.search(clinic, query))
        else:
            self._say(*self.partners.read(clinic, path.removeprefix("/fhir/Task/")))

    def do_POST(self) -> None:
        self._written("POST")

    def do_PUT(self) -> None:
        self._written("PUT")

    def _where(self) -> tuple[str, str, str]:
        parts = urlsplit(self.path)
        _, clinic, rest = parts.path.split("/", 2)
        return clinic, f"/{rest}", parts.query

    def _written(self, method: str) -> None:
        at_s = now_s()
        clinic, path, _ = self._where()
        text = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        try:
            body = json.loads(text)
        except ValueError:  # the hub was killed while it was sending
            self.close_connection = True
            return
        partners = self.partners
        arrival = partners.arrived(clinic, method, self.headers.get("Idempotency-Key", ""), body, at_s)
        whim = partners.whim()
        if whim == "refuses":
            self._say(503, {}, arrival)
            return
        if method == "POST":
            condition = self.headers.get("If-None-Exist", "")
            answer = partners.create(clinic, body, condition, arrival)
        else:
            public_id = path.removeprefix("/fhir/Task/")
            answer = partners.update(clinic, public_id, body, self.headers.get("If-Match", ""), arrival)
        if whim == "hangs_up":
            self.close_connection = True
            return
        if whim == "dawdles":
            threading.Event().wait(partners.seconds())
        if whim == "forgets":
            answer = (503, {})
        self._say(*answer, arrival)

    def _say(self, http_status: int, body: Resource, arrival: Arrival | None = None) -> None:
        if arrival is not None:
            arrival.answered = http_status
        text = json.dumps(body).encode() if body else b""
        with contextlib.suppress(OSError):  # the hub was killed while it was waiting
            self.send_response(http_status)
            self.send_header("Content-Type", FHIR_JSON)
            self.send_header("Content-Length", str(len(text)))
            if version := body.get("meta", {}).get("versionId"):
                self.send_header("ETag", f'W/"{version}"')
            if http_status == 201:
                self.send_header("Location", f"{self.partners.base}{self.path}/{body['id']}")
            self.end_headers()
            self.wfile.write(text)


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        """Says nothing of lines that were cut: the hub is killed while it sends, that is what is tried."""


@contextmanager
def partners_serving(names: list[str], seed: int, whims: Whims | None = None) -> Iterator[Partners]:
    """Serves the partners' servers until the block ends."""
    partners = Partners(names, seed, whims or Whims())
    handler = type("Handler", (_Handler,), {"partners": partners})
    with _Server(("127.0.0.1", 0), handler) as server:
        partners.base = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, name="partners", daemon=True).start()
        try:
            yield partners
        finally:
            server.shutdown()
