"""Requests that may get no answer, and the memory of every answer that came.

What lives here: sending, and sending again without doubling. What does not: what is sent (``tests.drill.story``).

No answer means: the line was cut, time ran out, or the status is 5xx. Then it is not known whether the hub
did it. A create is sent again with the same If-None-Exist, a move is read again before it is tried again.
"""

import threading
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests

from tests.drill.hub import now_s
from tests.interop.served import Partner

FHIR_JSON = "application/fhir+json"
NUMBERS = "urn:example:drill"
_AGAIN_S = 0.15
_TOKEN_LIFE_S = 240.0
Resource = dict[str, Any]


class GaveUp(Exception):
    """No answer came in all the time there was."""


class Refused(Exception):
    """The hub said no where the story has it say yes."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One version of a resource that the hub acknowledged. ``body`` as its author was answered, else None."""

    type: str
    id: str
    version: str
    body: Resource | None


class Memory:
    """What was acknowledged, what got no answer, and what the hub wrongly refused. Safe for threads."""

    def __init__(self) -> None:
        self.kept: list[Kept] = []
        self.numbers: dict[str, str] = {}
        """The number each created resource was given, with its ``Type/id``."""
        self.complaints: list[str] = []
        self.counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def keep(self, body: Resource, *, whole: bool) -> None:
        """Remembers an acknowledged version."""
        with self._lock:
            version = body["meta"]["versionId"]
            self.kept.append(Kept(body["resourceType"], body["id"], version, body if whole else None))

    def number(self, number: str, reference: str) -> None:
        """Remembers which resource carries a number."""
        with self._lock:
            self.numbers[number] = reference

    def count(self, name: str) -> None:
        """Counts one thing by name."""
        with self._lock:
            self.counts[name] += 1

    def complain(self, text: str) -> None:
        """Remembers something that is wrong whatever comes later."""
        with self._lock:
            self.complaints.append(text)


class Asking:
    """The software of one organisation in one thread: its token, its connection, its patience.

    Args:
        partner: whose software it is.
        memory: where answers are remembered.
        gives_up_s: when no further attempt is made, on the drill's clock.
    """

    def __init__(self, partner: Partner, memory: Memory, gives_up_s: float) -> None:
        self.organization = partner.organization
        self.memory = memory
        self._partner = partner
        self._gives_up_s = gives_up_s
        self._session = requests.Session()
        self._token = ""
        self._token_until_s = 0.0

    # --- one request -----------------------------------------------------------------------------------------

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response | None:
        """Sends a request once; None where no answer came or the hub could not serve."""
        sent = {"Authorization": f"Bearer {self._own_token()}", "Accept": FHIR_JSON}
        if body is not None:
            sent["Content-Type"] = FHIR_JSON
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        url = f"{self._partner.base_url}/fhir/{path}"
        try:
            answer = self._session.request(method, url, json=body, headers=sent, timeout=30)
        except requests.RequestException:
            self.memory.count("no answer")
            return None
        if answer.status_code >= 500:
            self.memory.count(f"answered {answer.status_code}")
            return None
        if "insufficient_scope" in answer.headers.get("WWW-Authenticate", ""):
            # The token was given before there was anything of this kind: by the book, a new one is fetched.
            self._token_until_s = 0.0
            self.memory.count("scope grew")
            return None
        return answer

    def surely(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        """Sends a request that may be sent twice, until an answer comes.

        Raises:
            GaveUp: none came in time.
        """
        while (answer := self.ask(method, path, body, **headers)) is None:
            self._wait(f"{method} {path}")
        return answer

    def _wait(self, what: str) -> None:
        if now_s() >= self._gives_up_s:
            raise GaveUp(what)
        threading.Event().wait(_AGAIN_S)

    def _own_token(self) -> str:
        while now_s() >= self._token_until_s:
            try:
                self._token = self._partner.token()
                self._token_until_s = now_s() + _TOKEN_LIFE_S
            except (requests.RequestException, AssertionError, ValueError, KeyError):
                # A 5xx of the token endpoint fails the client's own assertion; a JSON body may be cut.
                self.memory.count("no token")
                self._wait("a token")
        return self._token

    # --- what the story does ---------------------------------------------------------------------------------

    def create(self, resource: Resource) -> Resource:
        """Creates a resource exactly once, and gives it as it was acknowledged.

        Raises:
            GaveUp: no answer came in time.
            Refused: the hub refused it.
        """
        number = str(uuid.uuid4())
        numbered = self.numbered(resource, number)
        type_name = resource["resourceType"]
        criteria = f"identifier={NUMBERS}|{number}"
        answer = self.surely("POST", type_name, numbered, If_None_Exist=criteria)
        if answer.status_code not in (200, 201):
            raise Refused(f"create {type_name}: {answer.status_code} {answer.text}")
        made: Resource = answer.json()
        self.memory.count("writes acknowledged")
        self.memory.keep(made, whole=True)
        self.memory.number(number, f"{type_name}/{made['id']}")
        return made

    @staticmethod
    def numbered(resource: Resource, number: str) -> Resource:
        """Gives a resource with a number of its author's."""
        given = [{"system": NUMBERS, "value": number}]
        return {**resource, "identifier": given}

    def transact(self, resources: dict[str, Resource]) -> dict[str, str]:
        """Creates several resources in one transaction, all or none, exactly once.

        Args:
            resources: by name.

        Returns:
            ``Type/id`` by name.
        """
        numbers = {name: str(uuid.uuid4()) for name in resources}
        entries = [
            {
                "resource": self.numbered(resource, numbers[name]),
                "request": {
                    "method": "POST",
                    "url": resource["resourceType"],
                    "ifNoneExist": f"identifier={NUMBERS}|{numbers[name]}",
                },
            }
            for name, resource in resources.items()
        ]
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        answer = self.surely("POST", "", bundle)
        if answer.status_code != 200:
            raise Refused(f"transaction: {answer.status_code} {answer.text}")
        made: dict[str, str] = {}
        for name, entry in zip(resources, answer.json()["entry"], strict=True):
            path = entry["response"]["location"].removeprefix(f"{self._partner.base_url}/fhir/")
            type_name, public_id, _, version = path.split("/")
            made[name] = f"{type_name}/{public_id}"
            self.memory.number(numbers[name], made[name])
            self.memory.keep(
                {"resourceType": type_name, "id": public_id, "meta": {"versionId": version}}, whole=False
            )
            self.memory.count("writes acknowledged")
        return made

    def read(self, reference: str) -> Resource:
        """Gives a resource as this caller sees it now."""
        answer = self.surely("GET", reference)
        if answer.status_code != 200:
            raise Refused(f"read {reference.partition('/')[0]}: {answer.status_code} {answer.text}")
        found: Resource = answer.json()
        return found

    def move(self, reference: str, *, author: bool, **elements: Any) -> Resource | None:
        """Changes a Task or Consent exactly once; None where the other side was first and it cannot be done.

        Args:
            reference: ``Task/id`` or ``Consent/id``.
            author: True where the answer is the stored resource itself and not a view.
            elements: what is to be as it is given here; ``status`` among them.
        """
        while True:
            now = self.read(reference)
            if now["status"] == elements["status"]:
                # An attempt that got no answer had done it.
                self.memory.count("writes acknowledged")
                self.memory.keep(now, whole=author)
                return now
            answer = self.ask(
                "PUT", reference, {**now, **elements}, If_Match=f'W/"{now["meta"]["versionId"]}"'
            )
            if answer is None or answer.status_code == 412:
                self._wait(f"PUT {reference}")
                continue
            if answer.status_code == 422:
                return None
            if answer.status_code != 200:
                raise Refused(f"move to {elements['status']}: {answer.status_code} {answer.text}")
            moved: Resource = answer.json()
            self.memory.count("writes acknowledged")
            self.memory.keep(moved, whole=author)
            return moved

    def until(self, what: str, look: Callable[[], bool]) -> None:
        """Looks again until something is so."""
        while not look():
            self._wait(what)
