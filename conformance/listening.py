"""Keeps every FHIR body a hub answers with, under a name that says in which state who asked for what.

What lives here: the ear between a test caller and the hub. What does not: what is asked
(``conformance.stories``), and what others say of the bodies (``conformance.judge``).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.world import Caller

_IDS = re.compile(r"(?<=AuditEvent/)[^/?]+|[0-9a-f]{8}-[0-9a-f-]{27}|(?<=_history/)[^/?]+")


@dataclass(frozen=True, slots=True)
class Emitted:
    """One body the hub gave: its name (state, who asked, what was asked, the answer's status) and the bytes."""

    name: str
    body: bytes


@dataclass
class Heard:
    """What was heard so far, every distinct body once; ``scene`` says the state the hub is in."""

    scene: str = ""
    bodies: dict[bytes, str] = field(default_factory=dict)

    def ear(self, caller: Caller, who: str) -> Caller:
        """Gives the same caller, listened to under this name."""
        client: Any = Ear(self, caller.client, who)
        return replace(caller, client=client)

    def keep(self, name: str, body: bytes) -> None:
        """Keeps one body that came by another door than HTTP."""
        self.bodies.setdefault(body, f"{self.scene} | {name}")

    def __iter__(self) -> Iterator[Emitted]:
        return (Emitted(name, body) for body, name in self.bodies.items())


@dataclass
class Ear:
    """Stands where a test client stands: passes the request on and keeps the body of the answer."""

    heard: Heard
    client: FlaskClient
    who: str

    def open(self, path: str, **request: Any) -> TestResponse:
        """Sends a request and keeps the answer's body where it is FHIR."""
        answer = self.client.open(path, **request)
        body = answer.get_data()
        if body and answer.mimetype == "application/fhir+json":
            asked = _IDS.sub("*", path.removeprefix("/fhir"))
            method = request.get("method", "GET")
            self.heard.keep(f"{self.who}: {method} {asked} -> {answer.status_code}", body)
        return answer
