"""The second clinic's own records system: a small FHIR server that runs as a process of its own.

What lives here: HTTP for its Tasks and records (``/fhir``), its public keys, and its people's desk (``/desk``). What
does not: the Tasks (``demo.ehr_tasks``), the records (``demo.ehr_records``), what is done at the desk
(``demo.ehr_desk``).

It listens on a loopback address only. The desk stands for the clinic's logged-in people: it wants the key that
whoever started the process gave it.

Source: HL7 FHIR R4 ``http.html``; SMART App Launch 2.2 (public keys by URL).
"""

import argparse
import json
import os
import secrets
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from joserfc.jwk import Key

from referral_hub.demo.ehr_desk import DESK_KEY, Desk
from referral_hub.demo.ehr_records import Records
from referral_hub.demo.ehr_tasks import Kept, Refused, Resource, Tasks
from referral_hub.demo.smart_partner import FHIR_JSON, PartnerFault, SmartPartner, make_key, public_keys

PULL_S = 1.0
_LARGEST_BODY = 1 << 20
_CAPABILITY = {
    "resourceType": "CapabilityStatement",
    "status": "active",
    "date": "2026-11-24",
    "kind": "instance",
    "implementation": {"description": "Records system of a clinic that does not exist"},
    "fhirVersion": "4.0.1",
    "format": ["json"],
    "rest": [
        {
            "mode": "server",
            "resource": [
                {
                    "type": "Task",
                    "interaction": [{"code": code} for code in ("create", "read", "update", "search-type")],
                    "versioning": "versioned-update",
                    "conditionalCreate": True,
                    "searchParam": [{"name": "identifier", "type": "token"}],
                }
            ],
        }
    ],
}


class Clinic(ThreadingHTTPServer):
    """The server: the clinic's Tasks, its desk, and its key."""

    daemon_threads = True

    def __init__(self, port: int, desk_key: str) -> None:
        super().__init__(("127.0.0.1", port), Requests)
        self.tasks = Tasks()
        self.records = Records()
        self.desk = Desk(self.tasks)
        self.key: Key = make_key("ES384", f"clinic-{secrets.token_hex(4)}")
        self.desk_key = desk_key
        self._wake = threading.Event()

    @property
    def base(self) -> str:
        """Gives the address of the server."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def came_in(self, kept: Kept) -> None:
        """Takes note of a Task that a partner sent."""
        self.desk.arrived(kept.body)
        self._wake.set()

    def pull_until_ended(self) -> None:
        """Pulls open referrals from the hub: at once when one comes in, else every second."""
        while True:
            self._wake.wait(PULL_S)
            self._wake.clear()
            try:
                self.desk.pull_open()
            except PartnerFault:
                continue  # the hub is away or not set up yet; the next round tries again


class Requests(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    server: Clinic

    def do_GET(self) -> None:
        """Answers reads and searches."""
        self._answered(self._get)

    def do_POST(self) -> None:
        """Answers creates, and acts at the desk."""
        self._answered(self._post)

    def do_PUT(self) -> None:
        """Answers updates."""
        self._answered(self._put)

    def log_message(self, format: str, *args: Any) -> None:
        """Writes no log: an address may name a record."""

    # --- routes ----------------------------------------------------------------------------------------

    def _get(self, path: str, query: str) -> None:
        if path == "/jwks.json":
            self._send(200, public_keys(self.server.key), kind="application/json")
        elif path == "/desk":
            self._at_desk()
            self._send(200, self.server.desk.screen(), kind="application/json")
        elif path == "/fhir/metadata":
            self._send(200, _CAPABILITY)
        elif path == "/fhir/Task":
            self._open()
            found = self.server.tasks.search(query.partition("identifier=")[2].partition("&")[0])
            entries = [{"resource": one, "search": {"mode": "match"}} for one in found]
            bundle: Resource = {"resourceType": "Bundle", "type": "searchset", "total": len(found)}
            self._send(200, {**bundle, "entry": entries} if entries else bundle)
        elif not path.startswith("/fhir/Task/"):
            self._open()
            kept = self.server.records.read(path.removeprefix("/fhir/"))
            self._send(200, kept.body, ETag=kept.etag)
        else:
            self._open()
            kept = self.server.tasks.read(self._task_id(path))
            if self.headers.get("If-None-Match") == kept.etag:
                self._send(304, None, ETag=kept.etag)
            else:
                self._send(200, kept.body, ETag=kept.etag)

    def _post(self, path: str, _query: str) -> None:
        if path.startswith("/desk/"):
            self._at_desk()
            self._send(200, self._act(path.removeprefix("/desk/"), self._body()), kind="application/json")
            return
        if path != "/fhir/Task":
            raise Refused(404, "not-found", "Here only Tasks are kept.")
        self._open()
        kept = self.server.tasks.create(
            self._body(fhir=True),
            if_none_exist=self.headers.get("If-None-Exist", ""),
            key=self.headers.get("Idempotency-Key", ""),
        )
        location = f"{self.server.base}/fhir/Task/{kept.body['id']}/_history/{kept.version}"
        self._send(201 if kept.created else 200, kept.body, ETag=kept.etag, Location=location)
        if kept.created:
            self.server.came_in(kept)

    def _put(self, path: str, _query: str) -> None:
        self._open()
        public_id = self._task_id(path)
        kept = self.server.tasks.update(public_id, self._body(fhir=True), self.headers.get("If-Match", ""))
        self._send(200, kept.body, ETag=kept.etag)

    # --- the desk --------------------------------------------------------------------------------------

    def _at_desk(self) -> None:
        if not secrets.compare_digest(self.headers.get("X-Desk-Key", ""), self.server.desk_key):
            raise Refused(401, "login", "Log in at the desk first.")

    def _act(self, act: str, asked: Resource) -> dict[str, Any]:
        desk = self.server.desk
        if act == "connect":
            desk.connect(
                SmartPartner(asked["fhir_base"], asked["client_id"], self.server.key, asked["scope"])
            )
        elif act == "look":
            return desk.look(asked["path"])
        elif act == "maintenance":
            desk.in_maintenance = asked["on"] is True
        elif act == "file":
            return {"reference": self.server.records.file(asked["resource"])}
        elif act in desk.acts():
            desk.acts()[act](asked["task"])
        else:
            raise Refused(404, "not-found", "Nobody does that here.")
        return {}

    def _open(self) -> None:
        """Refuses partners while the server is being looked after."""
        if self.server.desk.in_maintenance:
            self.server.desk.turned_away += 1
            raise Refused(503, "transient", "Closed for maintenance. Try again later.")

    # --- reading and answering -------------------------------------------------------------------------

    def _answered(self, answer: Any) -> None:
        parts = urlsplit(self.path)
        try:
            answer(parts.path, parts.query)
        except Refused as refused:
            self._refuse(refused)
        except PartnerFault as fault:
            self._refuse(Refused(502, "transient", str(fault)))
        except (KeyError, TypeError, ValueError) as fault:
            self._refuse(Refused(400, "invalid", f"The request cannot be read ({type(fault).__name__})."))

    def _refuse(self, refused: Refused) -> None:
        issue = {"severity": "error", "code": refused.code, "details": {"text": refused.text}}
        # What was sent may not have been read: the next request must not begin in the middle of it.
        self.close_connection = True
        self._send(refused.http_status, {"resourceType": "OperationOutcome", "issue": [issue]})

    def _task_id(self, path: str) -> str:
        start, _, public_id = path.rpartition("/")
        if start != "/fhir/Task" or not public_id:
            raise Refused(404, "not-found", "Here only Tasks are kept.")
        return public_id

    def _body(self, *, fhir: bool = False) -> Resource:
        length = int(self.headers.get("Content-Length", "0"))
        if length > _LARGEST_BODY:
            raise Refused(413, "too-long", "That is too much.")
        sent = self.rfile.read(length)
        if fhir and self.headers.get_content_type() != FHIR_JSON:
            raise Refused(415, "not-supported", f"Send {FHIR_JSON}.")
        body = json.loads(sent or b"{}")
        if not isinstance(body, dict):
            raise Refused(400, "structure", "Send one resource.")
        return body

    def _send(self, status: int, body: Any, *, kind: str = FHIR_JSON, **headers: str) -> None:
        sent = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(sent)))
        if self.close_connection:
            headers["Connection"] = "close"
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(sent)


def main() -> None:
    """Serves until standard input ends; the first line of output is the address."""
    parser = argparse.ArgumentParser(description="The records system of a clinic that does not exist.")
    parser.add_argument("--port", type=int, default=0, help="0 takes any free one")
    chosen = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the demo, which then lets go of us
    server = Clinic(chosen.port, os.environ.pop(DESK_KEY))
    threading.Thread(target=server.pull_until_ended, daemon=True).start()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"{server.base}\n")
    sys.stdout.flush()
    sys.stdin.read()  # whoever started this process holds the other end: it is gone when that one is


if __name__ == "__main__":
    main()
