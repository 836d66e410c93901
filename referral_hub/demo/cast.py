"""Who acts in the story: each organisation with its own credentials, and what was written down so far.

What lives here: ``Party`` (an organisation asking the hub), ``FrontDesk`` (the second clinic's people at their
own system) and ``Story``. What does not: what they do (the chapters).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from referral_hub.demo.papers import BUSINESS_STATUS, OUTPUT_TYPE, Resource
from referral_hub.demo.smart_partner import TIMEOUT_S, Answer, SmartPartner
from referral_hub.demo.stage import Evidence, Unexpected, wait_for
from referral_hub.fhir.elements import code_in


@dataclass(frozen=True, slots=True)
class Party:
    """One organisation asking the hub with its own credentials.

    ``name`` is what others call it, ``organization`` its id.
    """

    name: str
    organization: str
    software: SmartPartner

    def create(self, resource: Resource) -> Resource:
        """Creates a resource that the hub must take, and gives it as answered."""
        return self._must(
            f"{self.name} writes a {resource['resourceType']}", self.software.create(resource), 201
        )

    def read(self, reference: str) -> Resource:
        """Reads what must be there."""
        return self._must(f"{self.name} reads {reference}", self.software.get(reference), 200)

    def get(self, reference: str) -> Answer:
        """Asks for something, whatever the answer."""
        return self.software.get(reference)

    def change(self, reference: str, **elements: Any) -> Resource:
        """Reads, changes elements (None drops one), and writes back what the hub must take."""
        resource = self.read(reference)
        for name, value in elements.items():
            element = name.rstrip("_")
            if value is None:
                resource.pop(element, None)
            else:
                resource[element] = value
        return self._must(f"{self.name} changes {reference}", self.software.update(resource), 200)

    def kept(self, type_name: str, **criteria: str) -> list[Resource]:
        """Gives what a search finds of what this organisation keeps of a type.

        A token's scope leaves out types of which it keeps nothing, so a refused search means nothing too.
        """
        found = self.software.get(type_name)
        return [] if found.http_status == 403 else self.search(type_name, **criteria)

    def operation(self, path: str, body: Resource | None = None) -> Resource:
        """Runs an operation that must succeed."""
        answer = self.software.ask("POST", path, body)
        return self._must(f"{self.name} asks {path.rpartition('/')[2]}", answer, 200)

    def search(self, type_name: str, **criteria: str) -> list[Resource]:
        """Gives everything a search finds."""
        return list(self.software.search(type_name, **criteria))

    @staticmethod
    def _must(what: str, answer: Answer, http_status: int) -> Resource:
        if answer.http_status != http_status:
            raise Unexpected(what, http_status, f"{answer.http_status} {'; '.join(answer.texts)}")
        return answer.resource


@dataclass(frozen=True, slots=True)
class Look(Answer):
    """What the second clinic's system got when it asked the hub for one thing, and with which token."""

    token: str
    same_token: bool


class FrontDesk:
    """The second clinic's people at their own system; they never touch the hub themselves.

    Args:
        base: the address of the clinic's server.
        key: of its desk.
        organization: the clinic's id at the hub.
        name: what others call it.
    """

    def __init__(self, base: str, key: str, *, organization: str, name: str) -> None:
        self.base = base
        self.organization = organization
        self.name = name
        self._http = requests.Session()
        self._http.trust_env = False
        self._http.headers["X-Desk-Key"] = key

    def act(self, act: str, **asked: object) -> dict[str, Any]:
        """Does something at the desk, such as ``accept`` with the ``task`` it is about."""
        return self._json(self._http.post(f"{self.base}/desk/{act}", json=asked, timeout=TIMEOUT_S), act)

    def look(self, path: str) -> Look:
        """Asks the hub for one thing with the token the clinic holds."""
        found = self.act("look", path=path)
        return Look(found["status"], {}, found["body"].encode(), found["token"], found["same_token"])

    def screen(self) -> dict[str, Any]:
        """Gives what the clinic's people see."""
        return self._json(self._http.get(f"{self.base}/desk", timeout=TIMEOUT_S), "screen")

    def referral(self, task: str) -> dict[str, Any]:
        """Gives one referral as the clinic's people see it; empty where there is none."""
        return next((one for one in self.screen()["referrals"] if one["id"] == task), {})

    def own_task(self, task: str) -> Resource:
        """Gives a Task as the clinic's own server keeps it."""
        answer = self._http.get(f"{self.base}/fhir/Task/{task}", timeout=TIMEOUT_S)
        return self._json(answer, "own Task")

    @staticmethod
    def _json(answer: requests.Response, what: str) -> dict[str, Any]:
        found: dict[str, Any] = answer.json()
        if answer.status_code != 200:
            told = "; ".join(issue["details"]["text"] for issue in found.get("issue", ()))
            raise Unexpected(f"the clinic's own system: {what}", 200, f"{answer.status_code} {told}")
        return found


@dataclass(slots=True)
class Story:
    """Everything that is known while the story is told.

    ``papers`` holds references (``Type/id``) by the name the story calls them, ``kept`` what one step leaves
    for a later one to compare. ``parties`` are all organisations that ask the hub themselves, by name;
    ``clinic_two`` works in its own system. ``verify_audit`` gives the links that hold and what is broken, or '';
    ``alarms`` what the hub's own log tells of errors.
    """

    parties: Mapping[str, Party]
    clinic_two: FrontDesk
    network: str
    verify_audit: Callable[[], tuple[int, str]]
    alarms: Callable[[], list[str]]
    prove: Evidence
    papers: dict[str, str] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)
    times: list[tuple[str, str]] = field(default_factory=list)

    @property
    def shelter(self) -> Party:
        """Gives the shelter."""
        return self.parties["shelter"]

    def party(self, name: str) -> Party:
        """Gives a party by the name the story calls it."""
        return self.parties[name]

    def others(self) -> list[Party]:
        """Gives everybody who asks the hub themselves but the shelter."""
        return [party for name, party in self.parties.items() if name != "shelter"]

    def write(self, name: str, resource: Resource) -> Resource:
        """Lets the shelter write something down and keeps its reference under a name."""
        made = self.shelter.create(resource)
        self.papers[name] = f"{made['resourceType']}/{made['id']}"
        return made

    def referral(self, name: str) -> Resource:
        """Gives one of the shelter's own referrals as the shelter sees it."""
        return self.shelter.read(self.papers[name])

    def until(self, name: str, what: str, good: Callable[[Resource], bool]) -> Resource:
        """Waits until one of the shelter's own referrals is as it must become, and gives it."""
        return wait_for(f"{what}, as the shelter sees it", lambda: self.referral(name), good)

    def versions(self, *types: str) -> dict[str, str]:
        """Gives the version of everything of these types that the shelter keeps, to see what changed since."""
        return {
            f"{type_name}/{one['id']}": str(one["meta"]["versionId"])
            for type_name in types
            for one in self.shelter.search(type_name, _count="200")
        }


def step_of(task: Resource) -> str:
    """Gives the finer step of a Task, or an empty text."""
    return code_in(task.get("businessStatus"), BUSINESS_STATUS)


def answers_of(task: Resource) -> dict[str, Any]:
    """Gives the answers in a Task by the hub's type of each; others under their position."""
    found: dict[str, Any] = {}
    for place, entry in enumerate(task.get("output", ())):
        value = next((held for name, held in entry.items() if name.startswith("value")), None)
        found[code_in(entry["type"], OUTPUT_TYPE) or str(place)] = value
    return found


def public_id(reference: str) -> str:
    """Gives the id of a reference.

    >>> public_id("Task/a1")
    'a1'
    """
    return reference.partition("/")[2]
