"""The Tasks of the second clinic's own FHIR server: created once, read, searched and updated by version.

What lives here: the little store and FHIR's rules for it. What does not: HTTP (``demo.ehr``), what the clinic's
people do with a Task (``demo.ehr_desk``).

Source: HL7 FHIR R4 ``http.html`` (create, conditional create, read, update, concurrency).
"""

import copy
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote

Resource = dict[str, Any]
TERMINAL = frozenset({"rejected", "cancelled", "completed", "failed", "entered-in-error"})


class Refused(Exception):
    """A request this server does not take.

    Args:
        http_status: what is answered.
        code: the FHIR issue type.
        text: why, in a sentence.
    """

    def __init__(self, http_status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.http_status = http_status
        self.code = code
        self.text = text


@dataclass(frozen=True, slots=True)
class Kept:
    """One Task as it is kept: its version and body. ``created``: by the request that is answered."""

    version: int
    body: Resource
    created: bool = False

    @property
    def etag(self) -> str:
        """Gives the ETag of this version."""
        return f'W/"{self.version}"'


class Tasks:
    """All Tasks of the server, in memory. Safe for threads."""

    def __init__(self) -> None:
        self._tasks: dict[str, Kept] = {}
        self._by_key: dict[str, str] = {}
        self._lock = threading.Lock()

    def create(self, body: Resource, *, if_none_exist: str = "", key: str = "") -> Kept:
        """Creates a Task, or gives the one that is there already.

        Args:
            body: the decoded request.
            if_none_exist: the search of a conditional create.
            key: names the message at every attempt; a known one makes nothing new.

        Raises:
            Refused: no Task (400), or several fit the condition (412).
        """
        _check(body)
        with self._lock:
            if key and key in self._by_key:
                return self._tasks[self._by_key[key]]
            found = self._found(if_none_exist) if if_none_exist else []
            if len(found) > 1:
                raise Refused(412, "duplicate", "Several Tasks have this number.")
            if found:
                return self._tasks[found[0]]
            public_id = str(uuid.uuid4())
            kept = self._keep(public_id, body, created=True)
            if key:
                self._by_key[key] = public_id
            return kept

    def read(self, public_id: str) -> Kept:
        """Gives a Task.

        Raises:
            Refused: there is none (404).
        """
        with self._lock:
            return self._of(public_id)

    def search(self, identifier: str) -> list[Resource]:
        """Gives the Tasks with an identifier, ``system|value``."""
        with self._lock:
            return [copy.deepcopy(self._tasks[one].body) for one in self._found(f"identifier={identifier}")]

    def update(self, public_id: str, body: Resource, if_match: str) -> Kept:
        """Puts a new version in place of the one that ``if_match`` names.

        Raises:
            Refused: no version named (400), another one is current (412), no Task (404 or 400), another id (400).
        """
        _check(body)
        with self._lock:
            before = self._of(public_id)
            if not if_match:
                raise Refused(400, "required", "Name the version in If-Match.")
            if if_match != before.etag:
                raise Refused(412, "conflict", "It was changed meanwhile.")
            if body.get("id") != public_id:
                raise Refused(400, "value", "The id in the body is another one.")
            return self._keep(public_id, body)

    def change(self, public_id: str, edit: Callable[[Resource], None]) -> Kept:
        """Lets the clinic's own people change a Task, whatever version it has.

        Raises:
            Refused: there is none (404), or it is closed (409).
        """
        with self._lock:
            body = copy.deepcopy(self._of(public_id).body)
            if body.get("status") in TERMINAL:
                raise Refused(409, "conflict", "This one is closed.")
            edit(body)
            return self._keep(public_id, body)

    def all(self) -> list[Resource]:
        """Gives every Task, in the order they came."""
        with self._lock:
            return [copy.deepcopy(kept.body) for kept in self._tasks.values()]

    def _of(self, public_id: str) -> Kept:
        kept = self._tasks.get(public_id)
        if kept is None:
            raise Refused(404, "not-found", "There is no such Task.")
        return kept

    def _keep(self, public_id: str, body: Resource, *, created: bool = False) -> Kept:
        version = 1 if created else self._tasks[public_id].version + 1
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        meta = {**body.get("meta", {}), "versionId": str(version), "lastUpdated": now}
        rest = {name: value for name, value in body.items() if name not in ("resourceType", "id", "meta")}
        whole = {"resourceType": "Task", "id": public_id, "meta": meta, **rest}
        self._tasks[public_id] = Kept(version, whole)
        return Kept(version, copy.deepcopy(whole), created)

    def _found(self, query: str) -> list[str]:
        """Gives the ids of the Tasks with the identifier of a search, in FHIR's spelling of it."""
        text = parse_qs(query, keep_blank_values=True).get("identifier", [""])[0]
        plain = (
            unquote(text).replace("\\|", "|").replace("\\,", ",").replace("\\$", "$").replace("\\\\", "\\")
        )
        system, bar, value = plain.rpartition("|")
        if not value:
            raise Refused(400, "value", "Only a search by identifier is understood: system|value.")
        return [
            public_id
            for public_id, kept in self._tasks.items()
            for one in kept.body.get("identifier", ())
            if one.get("value") == value and (not bar or one.get("system", "") == system)
        ]


def _check(body: Resource) -> None:
    if body.get("resourceType") != "Task":
        raise Refused(422, "not-supported", "Here only Tasks are kept.")
    if not isinstance(body.get("status"), str) or not isinstance(body.get("intent"), str):
        raise Refused(422, "required", "A Task has a status and an intent.")
