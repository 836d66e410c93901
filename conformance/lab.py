"""What a check works with: doors for each client, the server's claims, and things made once for many checks.

What lives here: the lab of one run, and putting away what it created. What does not: what is created
(``conformance.invented``), what is checked.
"""

import secrets
from collections.abc import Callable
from typing import Any, TypeVar

from requests import RequestException

from conformance.claims import Claims
from conformance.doors import Answer, Door, Resource
from conformance.listener import Listener
from conformance.results import Ended, Failed, Skipped
from conformance.target import Target
from conformance.tokens import BackendClient

Made = TypeVar("Made")
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"


def _no_token() -> str:
    """Gives no token: the requests of an author without a registration, to an open server."""
    return ""


class Lab:
    """One run against one server.

    Args:
        target: the server and our clients at it.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self.base = target.base
        self.run = secrets.token_hex(4)
        self.record: list[Answer] = []
        self.anonymous = Door(self.base, None, self.record)
        self._clients: dict[str, BackendClient] = {}
        self._doors: dict[str, Door] = {}
        self._claims: Claims | None = None
        self._once: dict[str, Any] = {}
        self._created: list[tuple[Door, str]] = []

    # --- who we are --------------------------------------------------------------------------------------

    def client(self, role: str) -> BackendClient:
        """Gives a registered client; ends the check as skipped where none is configured."""
        if role not in self._clients:
            told = self.target.clients.get(role)
            if told is None:
                raise Skipped(f"No client is configured as {role}.")
            self._clients[role] = BackendClient(
                told.client_id, told.key, told.scope, told.organization, self.anonymous
            )
        return self._clients[role]

    def door(self, role: str) -> Door:
        """Gives the door of a client, with its tokens.

        An author without a registration asks with the token given, or with none: for open servers.
        """
        if role not in self._doors:
            if role == "author" and role not in self.target.clients:
                given = self.target.token
                self._doors[role] = Door(self.base, (lambda: given) if given else _no_token, self.record)
            else:
                client = self.client(role)
                self._doors[role] = Door(self.base, client.token, self.record, client.forget)
        return self._doors[role]

    @property
    def author(self) -> Door:
        """Gives the door of the client that writes."""
        return self.door("author")

    @property
    def recipient(self) -> Door:
        """Gives the door of the client that things are shared with."""
        return self.door("recipient")

    @property
    def outsider(self) -> Door:
        """Gives the door of a client that nothing is shared with."""
        return self.door("outsider")

    def organization(self, role: str) -> str:
        """Gives the id of a client's Organization; ends the check as skipped where it is not configured."""
        found = self.client(role).organization
        if not found:
            raise Skipped(f"No organization is configured for {role}.")
        return found

    # --- what the server claims --------------------------------------------------------------------------

    @property
    def claims(self) -> Claims:
        """Gives the server's claims, fetched once."""
        if self._claims is None:
            self._claims = self.fresh_claims()
        return self._claims

    def fresh_claims(self) -> Claims:
        """Gives the server's claims, fetched now."""
        answer = self.anonymous.get("/metadata")
        if answer.http_status in (401, 403):
            answer = self.author.get("/metadata")
        if answer.http_status != 200 or answer.resource["resourceType"] != "CapabilityStatement":
            raise Failed(f"There is no CapabilityStatement: {answer.line}")
        return Claims(answer.resource, self.target.claims)

    def look_again(self) -> None:
        """Forgets the claims, so that they are fetched at the next look."""
        self._claims = None

    # --- what is made --------------------------------------------------------------------------------------

    def once(self, name: str, make: "Callable[[], Made]") -> Made:
        """Gives what was made under a name, making it the first time."""
        if name not in self._once:
            self._once[name] = make()
        found: Made = self._once[name]
        return found

    def kept(self, resource: Resource, door: Door | None = None, **headers: str) -> Resource:
        """Creates a resource and gives it as the server keeps it; ends the check as failed where it is refused."""
        asked = door or self.author
        answer = self.created(asked.create(resource, **headers), asked).must_be(201)
        found = answer.resource if answer.body else {}
        if "meta" in found and "id" in found:
            return found
        return asked.get(answer.headers.get("Location", "").partition("/_history")[0]).must_be(200).resource

    def created(self, answer: Answer, door: Door | None = None) -> Answer:
        """Notes what an answer says was created, so that it is put away at the end."""
        location = answer.headers.get("Location", "")
        if answer.http_status == 201 and location:
            self.note(door or self.author, location.partition("/_history")[0])
        return answer

    def note(self, door: Door, address: str) -> None:
        """Notes the address of something created, so that it is put away at the end."""
        self._created.append((door, address))

    def put_away(self) -> tuple[int, int]:
        """Deletes what was created, the last first; gives how many are gone and how many stay."""
        gone = 0
        total = len(self._created)
        while self._created and not self.target.keep:
            door, address = self._created.pop()
            type_name = address.rstrip("/").split("/")[-2]
            if not self.claims.has(type_name, "delete"):
                continue
            try:
                gone += door.ask("DELETE", address).http_status in (200, 202, 204, 404, 410)
            except (Ended, RequestException):
                continue
        return gone, total - gone

    def close(self) -> None:
        """Gives back the connections and ends what was started for the run."""
        for door in (*self._doors.values(), self.anonymous):
            door.close()
        for made in self._once.values():
            if isinstance(made, Listener):
                made.close()
